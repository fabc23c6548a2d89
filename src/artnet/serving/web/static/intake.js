// @ts-check
/** Ways to open a picture: dropped, pasted, chosen, photographed, from an address or an example. */
import { element, find } from "./dom.js";

/** @typedef {import("./types.js").Backend} Backend */
/** @typedef {import("./types.js").Model} Model */
/** @typedef {{example?: string, address?: string}} Origin Where a picture came from, as a link can name it. */

/** The paintings that the project painted itself: file name, title, and what is to be seen. */
const EXAMPLES = [
  ["faceted", "Still life in facets", "a bottle, a guitar, a glass and a newspaper broken into facets"],
  ["pointillist", "River at dusk", "a river at dusk with poplars, a sail and a parasol, all in small dots"],
  ["expressive", "Head in a wide hat", "a head in a wide hat, in violent colours and thick strokes"],
  ["suprematist", "Planes and a disc", "tilted planes, bars and a disc on a warm off-white ground"],
  ["atelier", "Jug, fruit and linen", "a jug, fruit and linen on a table, lit from one side"],
];

const NOTHING = "There was no picture in that. Drop or paste a picture, or choose a file.";

/** Refuse a file that no backend would take. @param {File} file @param {Model} model */
export function checkFile(file, model) {
  const limit = model.limits.size_bytes;
  if (file.size > limit) throw new Error(`${file.name}: over the limit of ${Math.round(limit / 2 ** 20)} MB; save it smaller first`);
  if (!file.size) throw new Error(`${file.name}: the file is empty`);
}

export class Intake {
  /**
   * @param {HTMLElement} root The part of the page that takes pictures in.
   * @param {Backend} backend @param {Model} model
   * @param {(files: File[], origin: Origin) => void} onFiles @param {(error: Error) => void} onError
   */
  constructor(root, backend, model, onFiles, onError) {
    this.root = root;
    this.backend = backend;
    this.model = model;
    this.onFiles = onFiles;
    this.onError = onError;
    const chooser = find(root, "input.chooser");
    find(root, ".choose").addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", () => this.takeFrom(chooser));
    this.addExamples();
    this.addCamera();
    this.addAddress();
  }

  /** @param {HTMLInputElement} input */
  takeFrom(input) {
    this.take([...(input.files || [])]);
    input.value = ""; // so that the same file can be chosen twice
  }

  /** @param {File[]} files @param {Origin} [origin] */
  take(files, origin = {}) {
    const pictures = files.filter((file) => file instanceof File);
    if (pictures.length) this.onFiles(pictures, origin);
    else this.onError(new Error(NOTHING));
  }

  /** Accept files dropped on an element while `when` holds. @param {HTMLElement} target @param {() => boolean} [when] */
  dropOn(target, when = () => true) {
    let inside = 0;
    const light = (/** @type {number} */ count) => {
      inside = Math.max(0, count);
      target.classList.toggle("over", inside > 0);
    };
    target.addEventListener("dragenter", (event) => {
      if (!when()) return;
      event.preventDefault();
      light(inside + 1);
    });
    target.addEventListener("dragover", (event) => { if (when()) event.preventDefault(); });
    target.addEventListener("dragleave", () => { if (when()) light(inside - 1); });
    target.addEventListener("drop", (event) => {
      if (!when()) return;
      event.preventDefault();
      light(0);
      const files = [...(event.dataTransfer?.files || [])];
      const link = (event.dataTransfer?.getData("text/uri-list") || "").split("\n")[0].trim();
      if (!files.length && link && this.model.features.addresses) this.fetch(link); // a picture of another page
      else this.take(files);
    });
  }

  /** Accept pasted pictures and addresses while `when` holds. @param {() => boolean} when */
  pasteWhile(when) {
    document.addEventListener("paste", (event) => {
      if (!when()) return;
      const files = [...(event.clipboardData?.files || [])], text = (event.clipboardData?.getData("text") || "").trim();
      const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
      if (files.length) {
        event.preventDefault();
        this.take(files);
      } else if (!typing && /^https?:\/\//i.test(text) && this.model.features.addresses) this.fetch(text);
    });
  }

  addExamples() {
    const list = this.root.querySelector(".examples ul");
    list?.replaceChildren(...EXAMPLES.map(([name, title, seen]) => {
      const image = element("img", { src: `examples/${name}.jpg`, alt: seen, width: 200, height: 200 });
      const button = element("button", { type: "button", "data-example": name }, image, element("span", {}, title));
      button.addEventListener("click", () => this.example(name));
      return element("li", {}, button);
    }));
  }

  /** @param {string} name */
  async example(name) {
    try {
      const response = await fetch(`examples/${encodeURIComponent(name)}.jpg`);
      if (!response.ok) throw new Error("This example is not there. Choose a file instead.");
      this.take([new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" })], { example: name });
    } catch (error) { this.onError(/** @type {Error} */ (error)); }
  }

  addAddress() {
    const form = /** @type {HTMLFormElement | null} */ (this.root.querySelector("form.address"));
    if (!form) return;
    form.hidden = !this.model.features.addresses;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.fetch(find(form, "input").value.trim());
    });
  }

  /** @param {string} address */
  async fetch(address) {
    try {
      if (!/^https?:\/\//i.test(address)) throw new Error("Give an address that begins with http:// or https://.");
      this.take([await this.backend.fetch(address)], { address });
    } catch (error) { this.onError(/** @type {Error} */ (error)); }
  }

  /** On a phone the system's own camera; elsewhere, where there is a camera, a dialog with its picture. */
  addCamera() {
    const button = /** @type {HTMLButtonElement | null} */ (this.root.querySelector(".photograph"));
    if (!button) return;
    const camera = find(this.root, "input.camera"), phone = matchMedia("(pointer: coarse)").matches;
    button.hidden = !phone && !navigator.mediaDevices?.getUserMedia;
    camera.addEventListener("change", () => this.takeFrom(camera));
    button.addEventListener("click", () => (phone ? camera.click() : this.photograph()));
  }

  async photograph() {
    /** @type {MediaStream} */
    let stream;
    try { stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1920 } }); } catch {
      this.onError(new Error("No camera could be used. Allow it in the browser, or choose a file."));
      return;
    }
    const video = /** @type {HTMLVideoElement} */ (element("video", { autoplay: true, playsinline: true, "aria-label": "What the camera sees" }));
    video.muted = true;
    video.srcObject = stream;
    const shoot = element("button", { type: "button", class: "primary" }, "Take the picture");
    const cancel = element("button", { type: "button" }, "Cancel");
    const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { "aria-label": "Photograph a painting" }, video,
      element("div", { class: "actions" }, shoot, cancel)));
    shoot.addEventListener("click", () => {
      const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { width: video.videoWidth, height: video.videoHeight }));
      canvas.getContext("2d")?.drawImage(video, 0, 0);
      canvas.toBlob((blob) => {
        dialog.close();
        if (blob) this.take([new File([blob], "photograph.jpg", { type: "image/jpeg" })]);
      }, "image/jpeg", 0.95);
    });
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      stream.getTracks().forEach((track) => track.stop());
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  }
}
