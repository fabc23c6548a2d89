// @ts-check
/** The view Many: several files to a table; a file that fails is a row that says why. */
import { CorrectControl } from "./correct.js";
import { element, find, percent, save, showProblem } from "../dom.js";
import { checkFile, Intake } from "../intake.js";
import { csvOf } from "../csv.js";
import { BackendError } from "../types.js";
import { decisionLabel } from "../words.js";

/** @typedef {import("../types.js").Row | import("../types.js").FailedRow} Row */

const AT_ONCE = 2, TRIES = 10;

export class Many {
  /** @param {HTMLElement} root @param {import("../types.js").Backend} backend @param {import("../types.js").Model} model @param {import("./corrections.js").Corrections} corrections */
  constructor(root, backend, model, corrections) {
    this.root = root;
    this.backend = backend;
    this.model = model;
    this.corrections = corrections;
    /** @type {Row[]} In the order of the files, with gaps for those under way. */ this.rows = [];
    /** @type {{file: File, line: HTMLElement, index: number}[]} */ this.queue = [];
    this.total = this.failed = this.running = 0;
    const intake = new Intake(find(root, ".intake"), backend, model, (files) => this.add(files),
      (error) => showProblem(root, error.message));
    const visible = () => !root.hidden;
    intake.dropOn(document.body, visible);
    intake.pasteWhile(visible);
    find(root, ".stop").addEventListener("click", () => this.stop());
    find(root, "[data-table=csv]").addEventListener("click", () => this.saveCsv());
    find(root, "[data-table=parquet]").addEventListener("click", () => this.saveParquet());
    find(root, "[data-table=parquet]").hidden = !model.features.parquet;
    root.dataset.ready = "yes";
  }

  /** @param {File[]} files */
  add(files) {
    showProblem(this.root, "");
    find(this.root, ".result").hidden = false;
    this.root.classList.add("full");
    for (const file of files) {
      const line = element("tr", {}, element("td", { class: "thumb" }), element("th", { scope: "row" }, file.name),
        element("td", { colspan: 4, class: "quiet" }, "waiting"));
      find(this.root, "tbody").append(line);
      this.queue.push({ file, line, index: this.total++ });
    }
    this.count();
    while (this.running < AT_ONCE && this.queue.length) this.work();
  }

  async work() {
    this.running++;
    for (let next = this.queue.shift(); next; next = this.queue.shift()) {
      const row = await this.classify(next.file);
      this.rows[next.index] = row;
      if ("error" in row) this.failed++;
      this.show(next.line, row);
      this.count();
    }
    this.running--;
    this.count();
  }

  /** Classify a file, again where the server is busy: these pictures are in no hurry. @param {File} file @returns {Promise<Row>} */
  async classify(file) {
    try {
      checkFile(file, this.model);
      for (let tries = 1; ; tries++) {
        try { return await this.backend.row(file); } catch (error) {
          if (!(error instanceof BackendError) || error.kind !== "busy" || tries > TRIES) throw error;
          await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(tries, /** @type {BackendError} */ (error).retryAfter)));
        }
      }
    } catch (error) {
      const kind = error instanceof BackendError ? error.kind : "missing";
      return { source: file.name, error: { kind, message: /** @type {Error} */ (error).message } };
    }
  }

  /** @param {HTMLElement} line @param {Row} row */
  show(line, row) {
    if ("error" in row) {
      line.lastChild?.replaceWith(element("td", { colspan: 4, class: "failed" }, row.error.message));
      return;
    }
    find(line, ".thumb").replaceChildren(element("img", { src: row.thumbnail, alt: "" }));
    row.thumbnail = ""; // shown, and not needed in a table
    line.lastChild?.remove();
    const correct = element("td", { class: "correct" });
    line.append(element("td", { class: "movement" }, row.movement), element("td", { class: "share" }, percent(row.confidence)),
      element("td", { class: "quiet" }, decisionLabel(row)), correct);
    const view = { say: (/** @type {string} */ text) => { find(this.root, ".status").textContent = text; }, fail: (/** @type {Error} */ error) => showProblem(this.root, error.message) };
    new CorrectControl(correct, this.corrections, view).show(row);
  }

  count() {
    const done = this.done().length, progress = find(this.root, "progress"), running = this.running > 0;
    progress.max = Math.max(1, this.total);
    progress.value = done;
    const text = `${done} of ${this.total} answered${this.failed ? `, ${this.failed} failed` : ""}`;
    find(this.root, ".count").textContent = text;
    progress.hidden = find(this.root, ".stop").hidden = !running;
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (this.root.querySelectorAll("[data-table]"))) button.disabled = running || !done;
    if (!running && done) find(this.root, ".status").textContent = `Done: ${text}`;
  }

  /** @returns {Row[]} */
  done() { return this.rows.filter(Boolean); }

  stop() {
    for (const { line } of this.queue) line.remove();
    this.total -= this.queue.length;
    this.queue = [];
    this.count();
  }

  saveCsv() {
    save(new Blob([csvOf(this.done(), this.model.movements)], { type: "text/csv" }), "artnet.csv");
  }

  async saveParquet() {
    try { save(await this.backend.parquet(this.done()), "artnet.parquet"); }
    catch (error) { showProblem(this.root, /** @type {Error} */ (error).message); }
  }
}
