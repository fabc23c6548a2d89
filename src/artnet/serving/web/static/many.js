// The page Many: several files to a table, two on their way at a time; a failed picture is a row that says why.
artnet.Many = class {
  static atOnce = 2;
  constructor(root, server) {
    Object.assign(this, { root, server, settings: JSON.parse(root.dataset.settings), rows: [], queue: [] });
    this.total = this.failed = this.going = 0;
    const intake = new artnet.Intake(root.querySelector(".intake"), server, this.settings,
      (files) => this.add(files), (error) => this.trouble(error.message));
    const open = () => root.offsetParent !== null;
    intake.dropOn(document.body, open);
    intake.pasteFrom(document, open);
    root.querySelector(".stop").addEventListener("click", () => this.stop());
    for (const button of root.querySelectorAll("[data-table]"))
      button.addEventListener("click", () => this.take(button));
    root.dataset.ready = "yes";
  }
  trouble(words) {
    const line = this.root.querySelector(".trouble");
    line.textContent = words || "";
    line.hidden = !words;
  }
  add(files) {
    this.trouble("");
    this.root.querySelector(".result").hidden = false;
    this.root.classList.add("full");
    for (const file of files) {
      const line = artnet.element("tr", {}, artnet.element("td", { class: "thumb" }),
        artnet.element("th", { scope: "row" }, file.name), artnet.element("td", { colspan: 3, class: "quiet" }, "waiting"));
      this.root.querySelector("tbody").append(line);
      this.queue.push({ file, line, place: this.total++ });
    }
    this.count();
    while (this.going < artnet.Many.atOnce && this.queue.length) this.work();
  }
  async work() {
    this.going++;
    while (this.queue.length) {
      const { file, line, place } = this.queue.shift();
      const row = await this.answer(file);
      this.rows[place] = row;
      if (row.error) this.failed++;
      this.show(line, row);
      this.count();
    }
    this.going--;
    this.count();
  }
  // Waits and tries again where the server is busy: these pictures are in no hurry.
  async answer(file) {
    try {
      const picture = await artnet.picture(file, this.settings);
      for (let tried = 0; ; tried++) {
        const answer = await this.server.row({ name: picture.name, data: picture.data });
        if (answer?.error?.kind === "busy" && tried < 10) {
          await new Promise((resolve) => setTimeout(resolve, 1000 * (tried + 1)));
          continue;
        }
        if (!answer) throw new Error(`${file.name}: no answer came; see that ArtNet still runs`);
        return { ...answer, source: file.name };
      }
    } catch (error) { return { source: file.name, error: { kind: "missing", message: error.message } }; }
  }
  show(line, row) {
    const cell = artnet.element;
    if (row.error) {
      line.lastChild.replaceWith(cell("td", { colspan: 3, class: "failed" }, row.error.message));
      return;
    }
    const thumb = cell("img", { src: `data:image/jpeg;base64,${row.thumb}`, alt: "" });
    line.firstChild.replaceChildren(thumb);
    line.lastChild.remove();
    line.append(cell("td", { class: "movement" }, row.movement),
      cell("td", { class: "share" }, artnet.percent(row.confidence)),
      cell("td", { class: "quiet" }, row.decision === "unsure" ? row.words.replace(/\.$/, "") : row.words.split(/[:.]/)[0]));
    delete row.thumb;
  }
  count() {
    const done = this.rows.filter(Boolean).length, bar = this.root.querySelector("progress");
    bar.max = Math.max(1, this.total);
    bar.value = done;
    const failed = this.failed ? `, ${this.failed} failed` : "";
    this.root.querySelector(".count").textContent = `${done} of ${this.total} answered${failed}`;
    const running = this.going > 0;
    bar.hidden = this.root.querySelector(".stop").hidden = !running;
    for (const button of this.root.querySelectorAll("[data-table]")) button.disabled = running || !done;
    if (!running && done) this.root.querySelector(".said").textContent = `Done: ${done} of ${this.total} answered${failed}`;
  }
  stop() {
    for (const { line } of this.queue) line.remove();
    this.total -= this.queue.length;
    this.queue = [];
    this.count();
  }
  async take(button) {
    const rows = this.rows.filter(Boolean).map((row) => (row.error ? { source: row.source, error: row.error }
      : { source: row.source, sha256: row.sha256, decision: row.decision, scores: row.scores }));
    try { artnet.save(await artnet.call(this.server.table, { kind: button.dataset.table, rows })); }
    catch (error) { this.trouble(error.message); }
  }
};
