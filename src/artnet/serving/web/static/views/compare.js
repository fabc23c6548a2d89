// @ts-check
/** The view Compare: two paintings side by side, with one depth, one opacity and one question for both. */
import { find, percent, showProblem } from "../dom.js";
import { checkFile, Intake } from "../intake.js";
import { Painting, peakWords } from "../drawing/painting.js";
import { showPrediction } from "./prediction.js";
import { capitalized, decisionSentence } from "../words.js";

/** @typedef {import("../types.js").Backend} Backend */
/** @typedef {import("../types.js").Model} Model */

class Half {
  /** @param {HTMLElement} root @param {string} title @param {Compare} view */
  constructor(root, title, view) {
    this.root = root;
    this.view = view;
    this.turn = 0;
    /** @type {Map<string, import("../types.js").Explanation>} By movement. */ this.explanations = new Map();
    /** @type {import("../types.js").Opened | null} */ this.opened = null;
    this.name = "";
    root.setAttribute("aria-label", title);
    find(root, ".drop h2").textContent = title;
    find(root, "input.chooser").setAttribute("aria-label", `${title}: choose a picture`);
    this.painting = new Painting(root);
    const intake = new Intake(find(root, ".intake"), view.backend, view.model, (files) => this.open(files[0]),
      (error) => showProblem(root, error.message));
    intake.dropOn(root);
  }

  /** @param {File} file */
  async open(file) {
    const turn = ++this.turn;
    showProblem(this.root, "");
    this.root.classList.add("busy");
    try {
      checkFile(file, this.view.model);
      const opened = await this.view.backend.classify(file);
      if (turn !== this.turn) return;
      if (this.address) URL.revokeObjectURL(this.address);
      this.opened = opened;
      this.name = file.name;
      this.explanations.clear();
      this.address = opened.preview ? "" : URL.createObjectURL(file);
      const { prediction } = opened;
      this.painting.show(opened.preview || this.address, prediction);
      showPrediction(this.root, prediction);
      find(this.root, ".result").hidden = false;
      this.root.classList.add("full");
      this.view.say(`${file.name}: ${prediction.movement}, ${percent(prediction.confidence)}. ${decisionSentence(prediction)}`);
      await this.explain();
    } catch (error) { if (turn === this.turn) showProblem(this.root, /** @type {Error} */ (error).message); }
    finally { if (turn === this.turn) this.root.classList.remove("busy"); }
  }

  async explain() {
    const { turn, opened } = this, movement = this.view.movement;
    if (!opened) return;
    try {
      if (!this.explanations.has(movement)) {
        const explanation = await this.view.backend.explain(opened, { movement, rather_than: "", against: false, method: "gradcam" });
        if (turn !== this.turn) return;
        this.explanations.set(movement, explanation);
      }
      this.draw();
    } catch (error) { if (turn === this.turn) showProblem(this.root, /** @type {Error} */ (error).message); }
  }

  draw() {
    const explanation = this.explanations.get(this.view.movement), { depth, opacity } = this.view;
    if (!explanation) return;
    const peak = peakWords(this.painting.draw(explanation, depth));
    find(this.root, "figcaption").textContent = `${capitalized(explanation.description)}? Depth ${depth} of 9: ${peak}.`;
    this.painting.image.alt = `${this.name}, with the map of the answer over it: depth ${depth}, ${peak}`;
    this.painting.shade(opacity, false);
  }
}

export class Compare {
  /** @param {HTMLElement} root @param {Backend} backend @param {Model} model */
  constructor(root, backend, model) {
    this.root = root;
    this.backend = backend;
    this.model = model;
    this.halves = ["First painting", "Second painting"].map((title) => {
      const half = /** @type {HTMLElement} */ (find(document, "template#half").content.firstElementChild.cloneNode(true));
      find(root, ".halves").append(half);
      return new Half(half, title, this);
    });
    for (const selector of ["#compare-depth", "#compare-opacity"])
      find(root, selector).addEventListener("input", () => this.halves.forEach((half) => half.draw()));
    find(root, "#compare-why").addEventListener("change", () => this.halves.forEach((half) => half.explain()));
    document.addEventListener("paste", (event) => this.paste(event));
    root.dataset.ready = "yes";
  }

  /** Open a pasted picture in the half that is still empty, or in the first. @param {ClipboardEvent} event */
  paste(event) {
    const file = event.clipboardData?.files[0];
    if (this.root.hidden || !file) return;
    event.preventDefault();
    (this.halves.find((half) => !half.opened) || this.halves[0]).open(file);
  }

  get depth() {
    const slider = find(this.root, "#compare-depth");
    slider.setAttribute("aria-valuetext", `${slider.value} of 9`);
    return Number(slider.value);
  }

  get opacity() { return Number(find(this.root, "#compare-opacity").value) / 100; }
  get movement() { return find(this.root, "#compare-why").value; }

  /** @param {string} text */
  say(text) { find(this.root, ".status").textContent = text; }
}
