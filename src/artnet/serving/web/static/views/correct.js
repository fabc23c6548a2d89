// @ts-check
/** Correct answers: a control beside each, and a bar that counts the corrections and gives them away. */
import { classNamed } from "./corrections.js";
import { correctionsCsv } from "../csv.js";
import { element, find, save } from "../dom.js";
import { ranked } from "../words.js";

/** @typedef {import("./corrections.js").Corrections} Corrections */
/** @typedef {Pick<import("../types.js").Row, "sha256" | "source" | "movement" | "scores">} Answer */

const NO_DIGEST = "A correction names its picture by a digest of the file, which browsers compute over https and on this machine alone. Open the page by https.";
const MAX_NAME = 100;

let controls = 0;

/** What stands beside an answer: a button, then what is right, then what was chosen. */
export class CorrectControl {
  /**
   * @param {HTMLElement} root @param {Corrections} corrections
   * @param {{say: (text: string) => void, fail: (error: Error) => void}} view
   */
  constructor(root, corrections, view) {
    this.root = root;
    this.corrections = corrections;
    this.view = view;
    this.id = `correction-${++controls}`;
    /** @type {Answer | null} */ this.answer = null;
    /** @type {string | undefined} The correction that stands there, empty for the button. */ this.drawn = undefined;
    corrections.addEventListener("change", () => this.draw());
  }

  /** @param {Answer} answer */
  show(answer) {
    this.answer = answer;
    this.drawn = undefined;
    this.draw();
  }

  /** Draw the button or the correction, unless it stands there already: a form that is being filled in stays. */
  draw() {
    const { answer } = this, correction = this.corrections.get(answer?.sha256 || "")?.correction || "";
    if (!answer || correction === this.drawn) return;
    this.drawn = correction;
    const button = element("button", { type: "button", "aria-label": correction ? `Undo the correction of ${answer.source}` : `Wrong? Correct the answer for ${answer.source}` }, correction ? "Undo" : "Wrong?");
    button.addEventListener("click", () => (correction ? this.undo() : this.ask()));
    this.root.replaceChildren(...(correction ? [element("span", {}, "Corrected to ", element("strong", {}, correction))] : []), button);
  }

  /** Ask what is right. */
  ask() {
    const { answer } = this;
    if (!answer) return;
    if (!answer.sha256) {
      this.view.fail(new Error(NO_DIGEST));
      return;
    }
    const known = ranked(answer.scores), typed = this.corrections.all.map(({ correction }) => correction);
    const names = [...new Set([...known, ...typed])].filter((name) => name !== answer.movement);
    const choice = /** @type {HTMLSelectElement} */ (element("select", { id: this.id },
      ...names.map((name) => element("option", { value: name }, name)), element("option", { value: "" }, "a new class …")));
    const other = /** @type {HTMLInputElement} */ (element("input", { type: "text", "aria-label": "Name of a new class", placeholder: "its name", maxlength: MAX_NAME, pattern: ".*\\S.*", required: true, autocomplete: "off" }));
    const cancel = element("button", { type: "button" }, "Cancel");
    const form = element("form", {}, element("label", { for: this.id }, "It is"), choice, other, element("button", { type: "submit" }, "Save"), cancel);
    const chosen = () => { other.hidden = other.disabled = choice.value !== ""; };
    choice.addEventListener("change", chosen);
    other.addEventListener("input", () => other.setCustomValidity(classNamed(other.value, [answer.movement]) === answer.movement ? "That is the answer already." : ""));
    cancel.addEventListener("click", () => this.close());
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep(classNamed(choice.value || other.value, names));
    });
    chosen();
    this.root.replaceChildren(form);
    choice.focus();
  }

  /** @param {string} correction */
  keep(correction) {
    const { sha256, source, movement } = /** @type {Answer} */ (this.answer);
    this.corrections.add({ sha256, source, answer: movement, correction });
    this.close();
    this.view.say(`Corrected to ${correction}.`);
  }

  undo() {
    this.corrections.remove(/** @type {Answer} */ (this.answer).sha256);
    this.close();
    this.view.say("The correction is undone.");
  }

  /** Draw what holds now, and leave the keyboard where it was. */
  close() {
    this.drawn = undefined;
    this.draw();
    find(this.root, "button").focus();
  }
}

/** The bar at the foot of the page. */
export class CorrectionsBar {
  /** @param {HTMLElement} root @param {Corrections} corrections */
  constructor(root, corrections) {
    this.root = root;
    this.corrections = corrections;
    /** @type {import("../types.js").Correction[]} What was removed last, to be brought back. */ this.removed = [];
    corrections.addEventListener("change", () => this.draw());
    addEventListener("storage", ({ key }) => { if (key === corrections.key || key === null) corrections.read(); });
    find(root, ".save").addEventListener("click", () => save(new Blob([correctionsCsv(corrections.all)], { type: "text/csv" }), "corrections.csv"));
    find(root, ".remove").addEventListener("click", () => this.remove(corrections.all));
    find(root, ".restore").addEventListener("click", () => this.restore());
    this.draw();
  }

  draw() {
    const { all, kept } = this.corrections;
    if (all.length) this.removed = [];
    this.root.hidden = !all.length && !this.removed.length;
    find(this.root, "summary").textContent = countWords(all.length);
    find(this.root, ".some").hidden = !all.length;
    find(this.root, ".none").hidden = all.length > 0;
    find(this.root, ".problem").hidden = kept;
    find(this.root, "ol").replaceChildren(...all.map((each) => {
      const undo = element("button", { type: "button", "aria-label": `Undo the correction of ${each.source}` }, "Undo");
      undo.addEventListener("click", () => this.remove([each]));
      return element("li", {}, element("span", { class: "name" }, each.source), element("span", {}, `${each.answer} → ${each.correction}`), undo);
    }));
  }

  /** @param {import("../types.js").Correction[]} corrections */
  remove(corrections) {
    this.removed = corrections;
    this.corrections.remove(...corrections.map(({ sha256 }) => sha256));
    find(this.root, this.corrections.all.length ? "summary" : ".restore").focus();
  }

  restore() {
    this.corrections.add(...this.removed);
    find(this.root, "summary").focus();
  }
}

/** @param {number} count @returns {string} */
export const countWords = (count) => `${count} ${count === 1 ? "correction" : "corrections"}`;
