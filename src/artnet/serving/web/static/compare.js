// The page Compare: two paintings side by side, with one depth, one opacity and one question for both.
artnet.Half = class {
  constructor(root, page) {
    Object.assign(this, { root, page, turn: 0, asked: new Map() });
    this.painting = new artnet.Painting(root, page.tables);
    const intake = new artnet.Intake(root.querySelector(".intake"), page.server, page.settings,
      (files) => this.open(files[0]), (error) => this.trouble(error.message));
    intake.dropOn(root);
    this.intake = intake;
  }
  trouble(words) {
    const line = this.root.querySelector(".trouble");
    line.textContent = words || "";
    line.hidden = !words;
  }
  async open(file) {
    const turn = ++this.turn;
    this.trouble("");
    this.root.classList.add("busy");
    try {
      const picture = await artnet.picture(file, this.page.settings);
      const answer = await artnet.call(this.page.server.look, { name: picture.name, data: picture.data });
      if (turn !== this.turn) return;
      if (this.address) URL.revokeObjectURL(this.address);
      Object.assign(this, { picture, answer });
      this.asked.clear();
      this.address = answer.preview ? null : URL.createObjectURL(file);
      this.painting.show(this.address || `data:image/jpeg;base64,${answer.preview}`, "", answer.width, answer.height);
      artnet.tell(this.root, answer);
      this.root.querySelector(".result").hidden = false;
      this.root.classList.add("full");
      this.page.say(`${file.name}: ${answer.movement}, ${artnet.percent(answer.confidence)}. ${answer.words}`);
      await this.ask();
    } catch (error) { if (turn === this.turn) this.trouble(error.message); }
    finally { if (turn === this.turn) this.root.classList.remove("busy"); }
  }
  async ask() {
    if (!this.answer) return;
    const turn = this.turn, why = this.page.why;
    try {
      if (!this.asked.has(why)) {
        const question = { movement: why, rather_than: "", against: false, method: "gradcam" };
        const found = await artnet.call(this.page.server.ask, { view: this.answer.view, ...question });
        if (turn !== this.turn) return;
        this.asked.set(why, found);
      }
      this.draw();
    } catch (error) { if (turn === this.turn) this.trouble(error.message); }
  }
  draw() {
    const found = this.asked.get(this.page.why);
    if (!found) return;
    const where = artnet.place(this.painting.draw(found, this.page.depth));
    const asked = found.question.charAt(0).toUpperCase() + found.question.slice(1);
    this.root.querySelector("figcaption").textContent = `${asked}? Depth ${this.page.depth} of 9: ${where}.`;
    this.painting.picture.alt = `${this.picture.name}, with the evidence over it: depth ${this.page.depth}, ${where}`;
    this.painting.look(this.page.opacity, false);
  }
};

artnet.Compare = class {
  constructor(root, server) {
    Object.assign(this, { root, server, settings: JSON.parse(root.dataset.settings) });
    this.tables = artnet.tables(this.settings);
    this.halves = [...root.querySelectorAll(".half")].map((half) => new artnet.Half(half, this));
    const all = (work) => this.halves.forEach(work);
    root.querySelector("#compare-depth").addEventListener("input", () => all((half) => half.draw()));
    root.querySelector("#compare-opacity").addEventListener("input", () => all((half) => half.draw()));
    root.querySelector("#compare-why").addEventListener("change", () => all((half) => half.ask()));
    // A pasted picture goes to the half that is still empty, or to the first.
    const free = () => this.halves.find((half) => !half.answer) || this.halves[0];
    document.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files || [])];
      if (root.offsetParent === null || !files.length) return;
      event.preventDefault();
      free().open(files[0]);
    });
    root.dataset.ready = "yes";
  }
  get depth() {
    const slider = this.root.querySelector("#compare-depth");
    slider.setAttribute("aria-valuetext", `${slider.value} of 9`);
    return Number(slider.value);
  }
  get opacity() { return Number(this.root.querySelector("#compare-opacity").value) / 100; }
  get why() { return this.root.querySelector("#compare-why").value; }
  say(words) { this.root.querySelector(".said").textContent = words; }
};
