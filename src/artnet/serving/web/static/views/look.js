// @ts-check
/** The view Look: one painting, its prediction, the maps over it, what can be asked and what can be taken away. */
import { CorrectControl } from "./correct.js";
import { element, find, percent, save, showProblem } from "../dom.js";
import { checkFile, Intake } from "../intake.js";
import { Painting, peakWords } from "../drawing/painting.js";
import { showPrediction } from "./prediction.js";
import { showProperties } from "./properties.js";
import { showWhatIf } from "./what-if.js";
import { capitalized, decisionSentence, faithfulnessSentence, METHODS, ranked } from "../words.js";

/** @typedef {import("../types.js").Backend} Backend */
/** @typedef {import("../types.js").Model} Model */
/** @typedef {import("../types.js").Opened} Opened */
/** @typedef {import("../types.js").Target} Target */
/** @typedef {import("../types.js").Explanation & {gains?: Record<number, number>}} Explanation */

const NOT_TESTED = "Does this map show what the answer rests on? Not tested yet for this picture.";
const THUMBNAIL_PX = 224;
const FLAGS = ["against", "colours", "votes"];

export class Look {
  /** @param {HTMLElement} root @param {Backend} backend @param {Model} model @param {import("./corrections.js").Corrections} corrections */
  constructor(root, backend, model, corrections) {
    this.root = root;
    this.backend = backend;
    this.model = model;
    this.painting = new Painting(root);
    this.correct = new CorrectControl(find(root, ".correct"), corrections, this);
    /** @type {Map<string, Explanation>} Of the painting that is shown, by target. */
    this.explanations = new Map();
    this.turn = 0; // counts paintings, so that a late answer about an earlier one is dropped
    this.key = "";
    /** @type {Opened | null} */ this.opened = null;
    /** @type {File | null} */ this.file = null;
    /** @type {import("../types.js").ViewScores[] | null} */ this.views = null;
    /** @type {import("../intake.js").Origin} */ this.origin = {};
    /** @type {{why: string, rather: string} | null} What the link that opened the page asks. */ this.linked = null;
    this.depthSlider = /** @type {HTMLInputElement} */ (find(root, "#look-depth"));
    this.opacitySlider = /** @type {HTMLInputElement} */ (find(root, "#look-opacity"));
    this.why = /** @type {HTMLSelectElement} */ (find(root, "#look-why"));
    this.rather = /** @type {HTMLSelectElement} */ (find(root, "#look-rather"));
    this.methodChoice = /** @type {HTMLSelectElement} */ (find(root, "#look-method"));
    this.fillMethods();
    this.intake = new Intake(find(root, ".intake"), backend, model,
      (files, origin) => this.open(files[0], origin, files.length), (error) => this.fail(error));
    const visible = () => !root.hidden;
    this.intake.dropOn(document.body, visible);
    this.intake.pasteWhile(visible);
    this.listen();
    this.restore();
    root.dataset.ready = "yes";
  }

  get depth() { return Number(this.depthSlider.value); }
  get method() { return METHODS[this.methodChoice.value]; }
  get shown() { return this.explanations.get(this.key); }

  /** @param {string} name @returns {HTMLInputElement} */
  box(name) { return find(this.root, `input.${name}`); }

  listen() {
    this.depthSlider.addEventListener("input", () => this.draw());
    this.opacitySlider.addEventListener("input", () => this.shade());
    this.box("colours").addEventListener("change", () => this.shade());
    for (const choice of [this.why, this.rather, this.methodChoice, this.box("against")])
      choice.addEventListener("change", () => this.explain());
    this.box("votes").addEventListener("change", () => this.showVotes());
    find(this.root, ".measure").addEventListener("click", () => this.measure());
    find(this.root, ".all").addEventListener("click", () => this.showAllDepths());
    find(this.root, "button.channels").addEventListener("click", () => this.showChannels());
    find(this.root, ".link").addEventListener("click", () => this.copyLink());
    find(this.root, ".try").addEventListener("click", () => this.answer(".what-if", () => this.backend.whatIf(/** @type {Opened} */ (this.opened)),
      (section, result) => showWhatIf(section, result, this.painting.size)));
    find(this.root, ".gauge").addEventListener("click", () => this.answer(".properties", () => this.backend.properties(/** @type {Opened} */ (this.opened)), showProperties));
    const { channels, faithfulness } = this.model.features;
    find(this.root, ".trust").hidden = !channels && !faithfulness;
    find(this.root, "button.channels").hidden = !channels;
    find(this.root, ".measure").hidden = !faithfulness;
    for (const dialog of this.root.querySelectorAll("dialog"))
      find(dialog, ".close").addEventListener("click", () => dialog.close());
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (this.root.querySelectorAll("[data-download]"))) {
      button.hidden = button.dataset.download === "report" && !this.model.features.report;
      button.addEventListener("click", () => this.download(button));
    }
  }

  fillMethods() {
    const groups = /** @type {[string, boolean][]} */ ([["At nine depths", false], ["On the pixels, without depths", true]]);
    this.methodChoice.replaceChildren(...groups.map(([label, pixels]) => {
      const names = this.model.methods.filter((name) => METHODS[name]?.pixels === pixels);
      const options = names.map((name) => {
        const { label, takes } = METHODS[name];
        return element("option", { value: name }, takes ? `${label}, ${takes}` : label);
      });
      return element("optgroup", { label }, ...options);
    }));
  }

  /** @param {string} text Announced by screen readers. */
  say(text) { find(this.root, ".status").textContent = text; }

  /** @param {unknown} error */
  fail(error) {
    showProblem(this.root, /** @type {Error} */ (error).message);
    this.root.classList.remove("busy");
  }

  /** Classify a file and show it, then its maps. @param {File} file @param {import("../intake.js").Origin} origin @param {number} [count] */
  async open(file, origin, count = 1) {
    const turn = ++this.turn;
    showProblem(this.root, count > 1 ? `Of ${count} pictures, ${file.name} is shown here. The view Many answers all of them.` : "");
    this.root.classList.add("busy");
    this.say(`Looking at ${file.name}`);
    try {
      checkFile(file, this.model);
      const opened = await this.backend.classify(file);
      if (turn !== this.turn) return;
      this.show(file, origin, opened);
      await this.explain(true);
      if (this.box("votes").checked) await this.showVotes();
      if (this.model.features.similar) await this.showSimilar(turn);
    } catch (error) { if (turn === this.turn) this.fail(error); }
    finally { if (turn === this.turn) this.root.classList.remove("busy"); }
  }

  /** @param {File} file @param {import("../intake.js").Origin} origin @param {Opened} opened */
  show(file, origin, opened) {
    if (this.address) URL.revokeObjectURL(this.address);
    Object.assign(this, { file, origin, opened, views: null });
    this.explanations.clear();
    this.address = opened.preview ? "" : URL.createObjectURL(file);
    const { prediction } = opened;
    this.painting.show(opened.preview || this.address, prediction);
    this.painting.shade(1, true);
    showPrediction(this.root, prediction);
    this.correct.show({ ...prediction, sha256: opened.sha256, source: file.name });
    this.why.value = this.linked?.why || prediction.movement;
    this.rather.value = this.linked?.rather || "";
    this.linked = null;
    find(this.root, ".view-scores").hidden = find(this.root, ".similar").hidden = true;
    for (const [name, offered] of /** @type {[string, boolean][]} */ ([[".what-if", this.model.features.whatIf], [".properties", this.model.features.properties]])) {
      find(this.root, name).hidden = !offered;
      find(this.root, `${name} .answers`).hidden = true;
    }
    find(this.root, ".result").hidden = false;
    this.root.classList.add("full");
    this.say(`${prediction.movement}, ${percent(prediction.confidence)}. ${decisionSentence(prediction)}`);
  }

  /** Read what is asked, and switch off what the method cannot be asked. @returns {Target} */
  target() {
    const { target, signed } = this.method;
    this.why.disabled = this.rather.disabled = !target;
    this.box("against").disabled = !signed;
    for (const option of this.rather.options) option.disabled = option.value !== "" && option.value === this.why.value;
    if (this.rather.value === this.why.value) this.rather.value = "";
    return {
      movement: target ? this.why.value : "",
      rather_than: target ? this.rather.value : "",
      against: signed && this.box("against").checked,
      method: this.methodChoice.value,
    };
  }

  /** Fetch the maps of the target, unless they are there, and draw. @param {boolean} [first] */
  async explain(first = false) {
    if (!this.opened) return;
    const turn = this.turn, target = this.target(), key = JSON.stringify(target), { label, takes } = this.method;
    this.key = key;
    const frame = find(this.root, ".frame"), caption = find(this.root, "figcaption");
    if (!this.explanations.has(key)) {
      if (takes) {
        caption.textContent = `${label}, ${takes} …`;
        this.say(`${label} takes ${takes}`);
      }
      frame.classList.add("waiting");
      const progress = (/** @type {number} */ share) => { if (key === this.key) caption.textContent = `${label}, ${percent(share)} …`; };
      try {
        const explanation = await this.backend.explain(this.opened, target, progress);
        if (turn === this.turn) this.explanations.set(key, explanation);
      } catch (error) {
        if (turn !== this.turn || key !== this.key) return;
        this.fail(error);
        caption.textContent = `${label}: no map could be made.`;
        return;
      } finally { if (key === this.key) frame.classList.remove("waiting"); }
    }
    if (turn !== this.turn || key !== this.key) return; // something else was asked meanwhile
    frame.classList.remove("waiting");
    if (!first) showProblem(this.root, "");
    this.draw();
  }

  draw() {
    const explanation = this.shown;
    if (!explanation || !this.opened || !this.file) return;
    const single = !(9 in explanation.maps);
    this.depthSlider.disabled = find(this.root, ".all").disabled = single;
    const peak = peakWords(this.painting.draw(explanation, this.depth));
    const where = single ? "on the pixels" : `depth ${this.depth} of 9`;
    this.depthSlider.setAttribute("aria-valuetext", single ? "this method has no depths" : `${this.depth} of 9, ${peak}`);
    find(this.root, "figcaption").textContent = `${capitalized(explanation.description)}? ${this.method.label}, ${where}: ${peak}.`;
    const { width, height } = this.opened.prediction;
    this.painting.image.alt = `${this.file.name}, ${width} by ${height} pixels, with the map of the answer over it: ${where}, ${peak}`;
    find(this.root, ".scale").classList.toggle("signed", explanation.signed);
    find(this.root, ".scale span").textContent = explanation.signed ? "against" : "none";
    find(this.root, ".scale span:last-child").textContent = explanation.signed ? "for" : "most";
    this.shade();
    this.showFaithfulness();
  }

  shade() {
    const opacity = Number(this.opacitySlider.value);
    this.opacitySlider.setAttribute("aria-valuetext", `${opacity}%`);
    this.painting.shade(opacity / 100, this.box("colours").checked);
    this.remember();
  }

  showFaithfulness() {
    if (!this.model.features.faithfulness) return;
    const gain = this.shown?.gains?.[this.depth] ?? this.shown?.gains?.[0];
    find(this.root, ".faithfulness").textContent = gain === undefined ? NOT_TESTED : faithfulnessSentence(gain);
    find(this.root, ".measure").hidden = gain !== undefined;
  }

  /** Test the maps of the target against random ones. */
  async measure() {
    const { key, opened, shown } = this;
    if (!shown || !opened) return;
    const button = find(this.root, ".measure");
    button.disabled = true;
    find(this.root, ".faithfulness").textContent = "Covering and uncovering the painting bit by bit, about 3 seconds …";
    try {
      shown.gains = await this.backend.faithfulness(opened, JSON.parse(key));
      if (key === this.key) this.say(faithfulnessSentence(shown.gains[this.depth] ?? shown.gains[0]));
    } catch (error) { this.fail(error); }
    finally {
      button.disabled = false;
      this.showFaithfulness();
    }
  }

  /** Show what a channel has learnt: the one named, or the one that adds most to the answer. @param {number} [channel] */
  async showChannels(channel) {
    if (!this.opened) return;
    const { turn, depth } = this, dialog = find(this.root, ".channels-dialog");
    const line = find(dialog, ".line"), image = find(dialog, "img"), choices = find(dialog, ".choices");
    find(dialog, "h2").textContent = `What depth ${depth} has learnt`;
    line.textContent = "Making a picture that excites the channel, about 10 seconds …";
    image.hidden = true;
    if (channel === undefined) choices.replaceChildren();
    if (!dialog.open) dialog.showModal();
    try {
      const result = await this.backend.channels(this.opened, this.target(), depth, channel);
      if (turn !== this.turn || depth !== this.depth) return;
      image.src = result.sheet;
      image.alt = line.textContent = result.line;
      image.hidden = false;
      choices.replaceChildren(...result.channels.map((each) => {
        const button = element("button", { type: "button", "aria-pressed": String(each === result.channel) }, `channel ${each}`);
        button.addEventListener("click", () => this.showChannels(each));
        return button;
      }));
    } catch (error) { line.textContent = /** @type {Error} */ (error).message; }
  }

  /** Frame the six views with what each alone says, or take the frames away. */
  async showVotes() {
    const { turn, file } = this, box = this.box("votes");
    this.remember();
    if (!file || !this.opened) return;
    if (box.checked && !this.views) {
      try {
        const views = await this.backend.votes(file);
        if (turn !== this.turn) return;
        this.views = views;
      } catch (error) {
        this.fail(error);
        return;
      }
    }
    const views = (box.checked && this.views) || [];
    this.painting.frame(views);
    find(this.root, ".view-scores").hidden = !views.length;
    find(this.root, ".view-scores tbody").replaceChildren(...views.map(({ name, scores }) => {
      const [best] = ranked(scores);
      return element("tr", {}, element("th", { scope: "row" }, name.replace("-", " ")), element("td", {}, best),
        element("td", { class: "share" }, percent(scores[best])));
    }));
  }

  /**
   * Ask what a section shows, and show it unless another painting came meanwhile.
   * @template T @param {string} name @param {() => Promise<T>} ask @param {(section: HTMLElement, result: T) => void} show
   */
  async answer(name, ask, show) {
    if (!this.opened) return;
    const turn = this.turn, section = find(this.root, name), button = find(section, "button");
    button.disabled = true;
    this.say(`${button.textContent} …`);
    try {
      const result = await ask();
      if (turn !== this.turn) return;
      show(section, result);
      this.say(`${find(section, "h2").textContent} Done.`);
    } catch (error) { if (turn === this.turn) this.fail(error); }
    finally { button.disabled = false; }
  }

  /** @param {number} turn */
  async showSimilar(turn) {
    const nearest = await this.backend.similar(/** @type {Opened} */ (this.opened));
    if (turn !== this.turn) return;
    find(this.root, ".similar ol").replaceChildren(...nearest.map(({ name, movement, similarity, thumbnail }) =>
      element("li", {}, element("img", { src: thumbnail, alt: "" }), element("span", { class: "name" }, name),
        element("span", { class: "quiet" }, `${movement}, ${similarity.toFixed(2)}`))));
    find(this.root, ".similar").hidden = false;
  }

  showAllDepths() {
    const explanation = this.shown, dialog = find(this.root, "dialog.nine");
    if (!explanation) return;
    find(dialog, "h2").textContent = `${capitalized(explanation.description)}?`;
    find(dialog, "ol").replaceChildren(...Object.entries(explanation.maps).map(([depth, grid]) => {
      const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { "aria-hidden": "true" }));
      this.painting.drawOver(canvas, grid, explanation.signed, THUMBNAIL_PX);
      canvas.style.opacity = this.painting.canvas.style.opacity;
      const image = element("img", { src: this.painting.image.src, alt: "", class: this.painting.image.className });
      const frame = element("span", { class: "frame" }, image, canvas);
      frame.style.setProperty("--aspect", String(this.painting.size[0] / this.painting.size[1]));
      const button = element("button", { type: "button", "aria-label": `Depth ${depth}, ${peakWords(grid)}` }, frame,
        element("span", {}, `depth ${depth}`));
      button.addEventListener("click", () => {
        this.depthSlider.value = depth;
        dialog.close();
        this.draw();
      });
      return element("li", {}, button);
    }));
    dialog.showModal();
  }

  /** @param {HTMLButtonElement} button */
  async download(button) {
    if (!this.file) return;
    button.disabled = true;
    const options = {
      kind: button.dataset.download || "", depth: this.depthSlider.disabled ? 0 : this.depth,
      opacity: Number(this.opacitySlider.value) / 100, inColour: this.box("colours").checked,
    };
    try {
      const { name, blob } = await this.backend.download(this.file, this.target(), options);
      save(blob, name);
      this.say(`${button.textContent} saved`);
    } catch (error) {
      find(this.root, "dialog.nine").close();
      this.fail(error);
    } finally { button.disabled = false; }
  }

  /** Keep the settings in the page's address, so that a copy of it opens the same again. */
  remember() {
    if (!this.opened) return;
    /** @type {Record<string, string>} */
    const settings = { ...this.origin, depth: this.depthSlider.value, opacity: this.opacitySlider.value };
    if (this.why.value !== this.opened.prediction.movement) settings.why = this.why.value;
    if (this.rather.value) settings.rather = this.rather.value;
    if (this.methodChoice.value !== "gradcam") settings.method = this.methodChoice.value;
    for (const name of FLAGS) if (this.box(name).checked) settings[name] = "yes";
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(settings)}${location.hash}`);
  }

  restore() {
    const settings = new URLSearchParams(location.search);
    const set = (/** @type {HTMLInputElement} */ slider, /** @type {string | null} */ value) => {
      if (value && Number(value) >= Number(slider.min) && Number(value) <= Number(slider.max)) slider.value = value;
    };
    set(this.depthSlider, settings.get("depth"));
    set(this.opacitySlider, settings.get("opacity"));
    const method = settings.get("method") || "", example = settings.get("example"), address = settings.get("address");
    if (this.model.methods.includes(method)) this.methodChoice.value = method;
    for (const name of FLAGS) this.box(name).checked = settings.get(name) === "yes";
    const known = (/** @type {string} */ key) => this.model.movements.find((name) => name === settings.get(key)) || "";
    this.linked = { why: known("why"), rather: known("rather") };
    if (example) this.intake.example(example);
    else if (address && this.model.features.addresses) this.intake.fetch(address);
  }

  async copyLink() {
    this.remember();
    const missing = this.origin.example || this.origin.address ? "" : " The picture itself is not in it.";
    try {
      await navigator.clipboard.writeText(location.href);
      this.say(`Link copied.${missing}`);
    } catch { this.say(`The link is the address of this page.${missing}`); }
    const button = find(this.root, ".link");
    button.textContent = "Link copied";
    setTimeout(() => { button.textContent = "Link"; }, 3000);
  }
}
