// Takes pictures in: dropped, pasted, picked, photographed, from an address or an example. Knows nothing of answers.
artnet.read = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => reject(new Error(`${file.name}: cannot be read; choose it again`));
  reader.readAsDataURL(file);
});

// Reads a file whole and gives what all else works with: its name, its bytes in base64, and where it came from.
artnet.picture = async (file, settings, from = {}) => {
  const megabytes = settings.size_bytes / 2 ** 20;
  if (file.size > settings.size_bytes)
    throw new Error(`${file.name}: over the budget of ${Math.round(megabytes)} MB; save it smaller first`);
  if (!file.size) throw new Error(`${file.name}: the file is empty`);
  return { name: file.name || "pasted picture", data: await artnet.read(file), file, from };
};

// `ways` is the part of the page that takes pictures in. `onPictures(files, from)` gets what came, `onError(error)`
// what went wrong.
artnet.Intake = class {
  constructor(ways, server, settings, onPictures, onError) {
    Object.assign(this, { ways, server, settings, onPictures, onError });
    this.chooser = ways.querySelector("input.chooser");
    ways.querySelector(".choose").addEventListener("click", () => this.chooser.click());
    this.chooser.addEventListener("change", () => {
      this.take([...this.chooser.files]);
      this.chooser.value = ""; // so that the same file can be chosen twice
    });
    this.photograph();
    this.address();
    for (const button of ways.querySelectorAll("button[data-example]"))
      button.addEventListener("click", () => this.example(button.dataset.example));
  }
  take(files, from = {}) {
    const pictures = files.filter((file) => file instanceof File);
    if (pictures.length) this.onPictures(pictures, from);
    else this.onError(new Error("There was no picture in that. Drop or paste a picture, or choose a file."));
  }
  // Makes a part of the page a place to drop on; `when` says whether it listens now.
  dropOn(place, when = () => true) {
    let inside = 0;
    const lit = (change) => { inside = change; place.classList.toggle("over", inside > 0); };
    place.addEventListener("dragenter", (event) => { if (when()) { event.preventDefault(); lit(inside + 1); } });
    place.addEventListener("dragover", (event) => { if (when()) event.preventDefault(); });
    place.addEventListener("dragleave", () => { if (when()) lit(Math.max(0, inside - 1)); });
    place.addEventListener("drop", (event) => {
      if (!when()) return;
      event.preventDefault();
      lit(0);
      const files = [...event.dataTransfer.files], link = event.dataTransfer.getData("text/uri-list").split("\n")[0].trim();
      if (!files.length && link && this.settings.addresses) this.fetch(link); // a picture of another page
      else this.take(files);
    });
  }
  pasteFrom(place, when = () => true) {
    place.addEventListener("paste", (event) => {
      if (!when()) return;
      const files = [...(event.clipboardData?.files || [])];
      const text = event.clipboardData?.getData("text") || "";
      const typing = event.target.closest?.("input, textarea, select");
      if (files.length) {
        event.preventDefault();
        this.take(files);
      } else if (!typing && /^https?:\/\//i.test(text.trim()) && this.settings.addresses) this.fetch(text.trim());
    });
  }
  async example(name) {
    try {
      const answer = await fetch(`page/examples/${name}.jpg`);
      if (!answer.ok) throw new Error("This example is not there. Choose a file instead.");
      this.take([new File([await answer.blob()], `${name}.jpg`, { type: "image/jpeg" })], { example: name });
    } catch (error) { this.onError(error); }
  }
  address() {
    const form = this.ways.querySelector("form.address");
    if (!form) return;
    form.hidden = !this.settings.addresses;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.fetch(form.querySelector("input").value.trim());
    });
  }
  async fetch(address) {
    if (!/^https?:\/\//i.test(address)) {
      this.onError(new Error("Give an address that begins with http:// or https://."));
      return;
    }
    try {
      const found = await artnet.call(this.server.fetch, { address });
      this.take([new File([artnet.bytes(found.data)], found.name)], { address });
    } catch (error) { this.onError(error); }
  }
  // On a phone the system's own camera; elsewhere, where there is a camera, a small window with its picture.
  photograph() {
    const button = this.ways.querySelector(".photograph"), camera = this.ways.querySelector("input.camera");
    if (!button) return;
    const phone = matchMedia("(pointer: coarse)").matches;
    button.hidden = !phone && !navigator.mediaDevices?.getUserMedia;
    camera.addEventListener("change", () => { this.take([...camera.files]); camera.value = ""; });
    button.addEventListener("click", () => (phone ? camera.click() : this.watch()));
  }
  async watch() {
    let stream;
    try { stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1920 } }); }
    catch { this.onError(new Error("No camera could be used. Allow it in the browser, or choose a file.")); return; }
    const video = artnet.element("video", { autoplay: true, playsinline: true, "aria-label": "What the camera sees" });
    video.muted = true;
    video.srcObject = stream;
    const take = artnet.element("button", { type: "button", class: "primary" }, "Take the picture");
    const leave = artnet.element("button", { type: "button" }, "Cancel");
    const window_ = artnet.element("dialog", { class: "artnet-dialog", "aria-label": "Photograph a painting" }, video,
      artnet.element("div", { class: "ways" }, take, leave));
    take.addEventListener("click", () => {
      const canvas = artnet.element("canvas", { width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob((blob) => {
        window_.close();
        this.take([new File([blob], "photograph.jpg", { type: "image/jpeg" })]);
      }, "image/jpeg", 0.95);
    });
    leave.addEventListener("click", () => window_.close());
    window_.addEventListener("close", () => {
      stream.getTracks().forEach((track) => track.stop());
      window_.remove();
    });
    this.ways.closest(".artnet").append(window_);
    window_.showModal();
  }
};
