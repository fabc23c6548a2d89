// The page Look: one painting, the answer, the evidence over it, what can be asked and what can be taken away.
artnet.Look = class {
  constructor(root, server) {
    this.root = root;
    this.server = server;
    this.settings = JSON.parse(root.dataset.settings);
    this.painting = new artnet.Painting(root, artnet.tables(this.settings));
    this.asked = new Map(); // answers to questions about the painting that is shown
    this.turn = 0; // counts paintings, so that a late answer about an earlier one is dropped
    const fail = (error) => this.trouble(error.message);
    this.intake = new artnet.Intake(this.find(".intake"), server, this.settings, (files, from) => this.open(files[0], from, files.length), fail);
    const open = () => root.offsetParent !== null;
    this.intake.dropOn(document.body, open);
    this.intake.pasteFrom(document, open);
    this.listen();
    this.restore();
    root.dataset.ready = "yes";
  }
  find(name) { return this.root.querySelector(name); }
  listen() {
    this.find("#look-depth").addEventListener("input", () => this.draw());
    this.find("#look-opacity").addEventListener("input", () => this.shade());
    this.find(".colours").addEventListener("change", () => this.shade());
    for (const name of ["#look-why", "#look-rather", "#look-method", ".against"])
      this.find(name).addEventListener("change", () => this.ask());
    this.find(".votes").addEventListener("change", () => this.votes());
    this.find(".judge").addEventListener("click", () => this.judge());
    this.find(".all").addEventListener("click", () => this.nine());
    this.find(".nine .close").addEventListener("click", () => this.find(".nine").close());
    this.find(".learn").addEventListener("click", () => this.learn());
    this.find(".learnt .close").addEventListener("click", () => this.find(".learnt").close());
    this.find(".link").addEventListener("click", () => this.link());
    for (const button of this.root.querySelectorAll("[data-take]"))
      button.addEventListener("click", () => this.take(button));
  }
  get depth() { return Number(this.find("#look-depth").value); }
  get method() { return this.settings.methods.find((each) => each.name === this.find("#look-method").value); }
  say(words) { this.find(".said").textContent = words; }
  trouble(words) {
    const line = this.find(".trouble");
    line.textContent = words || "";
    line.hidden = !words;
    this.root.classList.remove("busy");
  }
  // Shows the picture at once and the answer when it comes.
  async open(file, from, count = 1) {
    const turn = ++this.turn;
    this.trouble(count > 1 ? `Of ${count} pictures, ${file.name} is shown here. The page Many answers all of them.` : "");
    this.root.classList.add("busy");
    this.say(`Looking at ${file.name}`);
    try {
      const picture = await artnet.picture(file, this.settings, from);
      const answer = await artnet.call(this.server.look, { name: picture.name, data: picture.data });
      if (turn !== this.turn) return;
      this.shown(picture, answer);
      await this.ask(true);
      if (this.find(".votes").checked) await this.votes();
      if (this.settings.paintings) await this.near(turn);
    } catch (error) { if (turn === this.turn) this.trouble(error.message); }
    finally { if (turn === this.turn) this.root.classList.remove("busy"); }
  }
  shown(picture, answer) {
    if (this.address) URL.revokeObjectURL(this.address);
    Object.assign(this, { picture, answer });
    this.asked.clear();
    this.address = answer.preview ? null : URL.createObjectURL(picture.file);
    this.painting.show(this.address || `data:image/jpeg;base64,${answer.preview}`, "", answer.width, answer.height);
    this.painting.look(1, true);
    artnet.tell(this.root, answer);
    this.find("#look-why").value = this.wanted?.why || answer.movement;
    this.find("#look-rather").value = this.wanted?.rather || "";
    this.wanted = null;
    this.find(".spoken").hidden = this.find(".near").hidden = true;
    this.find(".result").hidden = false;
    this.root.classList.add("full");
    this.say(`${answer.movement}, ${artnet.percent(answer.confidence)}. ${answer.words}`);
  }
  question() {
    const method = this.method, why = this.find("#look-why"), rather = this.find("#look-rather");
    why.disabled = rather.disabled = !method.asked;
    this.find(".against").disabled = !method.directed;
    for (const option of rather.options) option.disabled = option.value !== "" && option.value === why.value;
    if (rather.value === why.value) rather.value = "";
    return {
      movement: method.asked ? why.value : "",
      rather_than: method.asked ? rather.value : "",
      against: method.directed && this.find(".against").checked,
      method: method.name,
    };
  }
  // Asks for the maps of a question, unless they are there already, and draws.
  async ask(first = false) {
    if (!this.answer) return;
    const turn = this.turn, question = this.question(), key = JSON.stringify(question);
    this.key = key;
    if (!this.asked.has(key)) {
      const method = this.method;
      if (method.takes) {
        this.find("figcaption").textContent = `${method.label}, ${method.takes} …`;
        this.say(`${method.label} takes ${method.takes}`);
      }
      this.find(".hung").classList.add("waiting");
      try {
        const found = await artnet.call(this.server.ask, { view: this.answer.view, ...question });
        if (turn === this.turn) this.asked.set(key, found);
      } catch (error) {
        if (turn !== this.turn || key !== this.key) return;
        this.trouble(error.message);
        this.find("figcaption").textContent = `${method.label}: no map could be made.`;
        return;
      } finally { if (key === this.key) this.find(".hung").classList.remove("waiting"); }
    }
    if (turn !== this.turn || key !== this.key) return; // something else was asked meanwhile
    this.find(".hung").classList.remove("waiting");
    if (!first) this.trouble("");
    this.draw();
  }
  draw() {
    const found = this.asked.get(this.key);
    if (!found) return;
    const single = !(9 in found.maps), slider = this.find("#look-depth");
    slider.disabled = single;
    this.find(".all").disabled = single;
    const map = this.painting.draw(found, this.depth), where = artnet.place(map);
    const place = single ? "on the pixels" : `depth ${this.depth} of 9`;
    slider.setAttribute("aria-valuetext", single ? "this method has no depths" : `${this.depth} of 9, ${where}`);
    const asked = found.question.charAt(0).toUpperCase() + found.question.slice(1);
    this.find("figcaption").textContent = `${asked}? ${this.method.label}, ${place}: ${where}.`;
    this.painting.picture.alt = `${this.picture.name}, ${this.answer.width} by ${this.answer.height} pixels, `
      + `with the evidence for the answer over it: ${place}, ${where}`;
    this.find(".scale").classList.toggle("signed", found.signed);
    this.find(".scale span").textContent = found.signed ? "against" : "none";
    this.find(".scale span:last-child").textContent = found.signed ? "for" : "most";
    this.shade();
    this.trust();
  }
  shade() {
    const opacity = Number(this.find("#look-opacity").value);
    this.find("#look-opacity").setAttribute("aria-valuetext", `${opacity}%`);
    this.painting.look(opacity / 100, this.find(".colours").checked);
    this.remember();
  }
  trust() {
    const found = this.asked.get(this.key), tested = found?.tested?.[this.depth] || found?.tested?.[0];
    this.find(".faithful").textContent = tested ? tested.words
      : "Does this map show what the answer rests on? Not tested yet for this picture.";
    this.find(".judge").hidden = Boolean(tested);
  }
  async judge() {
    const key = this.key, found = this.asked.get(key);
    if (!found) return;
    const button = this.find(".judge");
    button.disabled = true;
    this.find(".faithful").textContent = "Covering and uncovering the painting bit by bit, about 3 seconds …";
    try {
      found.tested = await artnet.call(this.server.judge, { view: this.answer.view, ...JSON.parse(key) });
      if (key === this.key) this.say((found.tested[this.depth] || found.tested[0]).words);
    } catch (error) { this.trouble(error.message); }
    finally { button.disabled = false; this.trust(); }
  }
  // Shows what one channel has learnt: the one named, or the one that adds most to the answer.
  async learn(channel = null) {
    if (!this.answer) return;
    const turn = this.turn, depth = this.depth, dialog = this.find(".learnt"), told = dialog.querySelector(".told");
    const image = dialog.querySelector("img"), choices = dialog.querySelector(".channels");
    dialog.querySelector("h2").textContent = `What depth ${depth} has learnt`;
    told.textContent = "Making a picture that excites the channel, about 10 seconds …";
    image.hidden = true;
    if (channel === null) choices.replaceChildren();
    if (!dialog.open) dialog.showModal();
    try {
      const found = await artnet.call(this.server.learnt, { view: this.answer.view, ...this.question(), depth, channel });
      if (turn !== this.turn || depth !== this.depth) return;
      image.src = `data:image/png;base64,${found.sheet}`;
      image.alt = told.textContent = found.line;
      image.hidden = false;
      choices.replaceChildren(...found.channels.map((each) => {
        const button = artnet.element("button", { type: "button", "aria-pressed": String(each === found.channel) }, `channel ${each}`);
        button.addEventListener("click", () => this.learn(each));
        return button;
      }));
    } catch (error) { told.textContent = error.message; }
  }
  async votes() {
    const wanted = this.find(".votes").checked, turn = this.turn;
    this.remember();
    if (!this.answer) return;
    if (wanted && !this.answer.six) {
      try {
        const found = await artnet.call(this.server.votes, { name: this.picture.name, data: this.picture.data });
        if (turn !== this.turn) return;
        this.answer.six = found.views;
      } catch (error) { this.trouble(error.message); return; }
    }
    const views = wanted && this.find(".votes").checked ? this.answer.six : [];
    this.painting.frames(views);
    this.find(".spoken").hidden = !views.length;
    this.find(".spoken tbody").replaceChildren(...views.map((view) => {
      const best = artnet.best(view.scores);
      return artnet.element("tr", {}, artnet.element("th", { scope: "row" }, view.name.replace("-", " ")),
        artnet.element("td", {}, best), artnet.element("td", { class: "share" }, artnet.percent(view.scores[best])));
    }));
  }
  async near(turn) {
    const { nearest } = await artnet.call(this.server.near, { view: this.answer.view });
    if (turn !== this.turn) return;
    this.find(".near ol").replaceChildren(...nearest.map(({ name, movement, similarity, thumb }) =>
      artnet.element("li", {}, artnet.element("img", { src: `data:image/jpeg;base64,${thumb}`, alt: "" }),
        artnet.element("span", { class: "name" }, name), artnet.element("span", { class: "quiet" }, `${movement}, ${similarity.toFixed(2)}`))));
    this.find(".near").hidden = false;
  }
  nine() {
    const found = this.asked.get(this.key), dialog = this.find(".nine");
    if (!found) return;
    dialog.querySelector("h2").textContent = this.find("figcaption").textContent.split("?")[0] + "?";
    const longest = 224, scale = longest / Math.max(this.answer.width, this.answer.height);
    dialog.querySelector("ol").replaceChildren(...Object.keys(found.maps).map((depth) => {
      const canvas = artnet.element("canvas", { "aria-hidden": "true" });
      artnet.paint(canvas, found.maps[depth], found.signed, this.painting.tables,
        Math.max(1, Math.round(this.answer.width * scale)), Math.max(1, Math.round(this.answer.height * scale)));
      canvas.style.opacity = this.painting.canvas.style.opacity;
      const image = artnet.element("img", { src: this.painting.picture.src, alt: "", class: this.painting.picture.className });
      const words = `Depth ${depth}, ${artnet.place(found.maps[depth])}`;
      const button = artnet.element("button", { type: "button", "aria-label": words },
        artnet.element("span", { class: "hung", style: `--aspect: ${this.answer.width / this.answer.height}` }, image, canvas), artnet.element("span", {}, `depth ${depth}`));
      button.addEventListener("click", () => {
        this.find("#look-depth").value = depth;
        dialog.close();
        this.draw();
      });
      return artnet.element("li", {}, button);
    }));
    dialog.showModal();
  }
  async take(button) {
    if (!this.answer) return;
    button.disabled = true;
    try {
      artnet.save(await artnet.call(this.server.take, {
        kind: button.dataset.take, name: this.picture.name, data: this.picture.data, ...this.question(),
        depth: this.depth, opacity: Number(this.find("#look-opacity").value) / 100,
        in_colour: this.find(".colours").checked,
      }));
      this.say(`${button.textContent} saved`);
    } catch (error) { this.find(".nine").close(); this.trouble(error.message); }
    finally { button.disabled = false; }
  }
  // Keeps the settings in the page's address, so that a copy of it opens the same again.
  remember() {
    if (!this.answer) return;
    const said = { ...this.picture.from, depth: this.depth, opacity: this.find("#look-opacity").value };
    if (this.find("#look-why").value !== this.answer.movement) said.why = this.find("#look-why").value;
    if (this.find("#look-rather").value) said.rather = this.find("#look-rather").value;
    if (this.method.name !== "gradcam") said.method = this.method.name;
    for (const name of ["against", "colours", "votes"]) if (this.find(`.${name}`).checked) said[name] = "yes";
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(said)}`);
  }
  restore() {
    const said = new URLSearchParams(location.search), within = (value, low, high) => value !== null && value >= low && value <= high;
    if (within(said.get("depth"), 1, 9)) this.find("#look-depth").value = said.get("depth");
    if (within(said.get("opacity"), 0, 100)) this.find("#look-opacity").value = said.get("opacity");
    if (this.settings.methods.some((each) => each.name === said.get("method"))) this.find("#look-method").value = said.get("method");
    for (const name of ["against", "colours", "votes"]) this.find(`.${name}`).checked = said.get(name) === "yes";
    const known = (name) => (this.settings.movements.includes(name) ? name : "");
    this.wanted = { why: known(said.get("why")), rather: known(said.get("rather")) };
    if (said.get("example")) this.intake.example(said.get("example"));
    else if (said.get("address") && this.settings.addresses) this.intake.fetch(said.get("address"));
  }
  async link() {
    this.remember();
    const same = this.picture.from.example || this.picture.from.address ? "" : " The picture itself is not in it.";
    try { await navigator.clipboard.writeText(location.href); this.say(`Link copied.${same}`); }
    catch { this.say(`The link is the address of this page.${same}`); }
    this.find(".link").textContent = "Link copied";
    setTimeout(() => { this.find(".link").textContent = "Link"; }, 3000);
  }
};
