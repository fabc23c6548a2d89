// Draws a painting with the evidence over it, entirely in the browser: one small map for each depth comes from the
// server, once for each question, and from then on depth, opacity and colours change without asking again.
window.artnet = window.artnet || {};

artnet.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

artnet.percent = (share) => `${Math.round(100 * share)}%`;

artnet.element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
};

// Pillow's bicubic filter (a = -0.5), so that the page draws what `artnet explain` draws. The taps of one axis:
// for each of `size` places the first cell it reads and the weights of the cells from there on.
artnet.taps = (start, end, cells, size) => {
  const step = (end - start) / size, wide = Math.max(step, 1), found = [];
  const cubic = (x) => {
    x = Math.abs(x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  };
  for (let place = 0; place < size; place++) {
    const centre = start + (place + 0.5) * step;
    const first = Math.max(0, Math.floor(centre - 2 * wide + 0.5));
    const last = Math.min(cells, Math.floor(centre + 2 * wide + 0.5));
    const weights = [];
    for (let cell = first; cell < last; cell++) weights.push(cubic((cell - centre + 0.5) / wide));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    found.push([first, weights.map((weight) => weight / total)]);
  }
  return found;
};

// Enlarges a map to width x height values, -127 to 127.
artnet.enlarged = (map, width, height) => {
  const cells = new Int8Array(artnet.bytes(map.data).buffer);
  const across = artnet.taps(map.box[0], map.box[2], map.columns, width);
  const down = artnet.taps(map.box[1], map.box[3], map.rows, height);
  const wide = new Float32Array(map.rows * width), out = new Float32Array(width * height);
  for (let row = 0; row < map.rows; row++)
    for (let x = 0; x < width; x++) {
      const [first, weights] = across[x];
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * cells[row * map.columns + first + tap];
      wide[row * width + x] = sum;
    }
  for (let y = 0; y < height; y++) {
    const [first, weights] = down[y];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * wide[(first + tap) * width + x];
      out[y * width + x] = sum;
    }
  }
  const lowest = cells.some((value) => value < 0) ? -127 : 0;
  return out.map((value) => Math.min(127, Math.max(lowest, value)));
};

// Paints a map on a canvas: the colour says how much evidence, and so does how much it covers.
artnet.paint = (canvas, map, signed, tables, width, height) => {
  const values = artnet.enlarged(map, width, height);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), picture = context.createImageData(width, height);
  for (let index = 0; index < values.length; index++) {
    const size = Math.min(1, Math.abs(values[index]) / 127);
    const table = !signed ? tables.only : values[index] < 0 ? tables.against : tables.for;
    const entry = 3 * Math.round(255 * size), pixel = 4 * index;
    picture.data[pixel] = table[entry];
    picture.data[pixel + 1] = table[entry + 1];
    picture.data[pixel + 2] = table[entry + 2];
    picture.data[pixel + 3] = Math.round(255 * size);
  }
  context.putImageData(picture, 0, 0);
};

// Says in words where a map is strongest, for those who do not see it.
artnet.place = (map) => {
  const cells = new Int8Array(artnet.bytes(map.data).buffer);
  let best = 0;
  for (let index = 1; index < cells.length; index++) if (cells[index] > cells[best]) best = index;
  if (cells[best] <= 0) return "no evidence for it here";
  const third = (share) => Math.min(2, Math.max(0, Math.floor(3 * share)));
  const x = (best % map.columns + 0.5 - map.box[0]) / (map.box[2] - map.box[0]);
  const y = (Math.floor(best / map.columns) + 0.5 - map.box[1]) / (map.box[3] - map.box[1]);
  const row = ["top", "middle", "bottom"][third(y)], column = ["left", "centre", "right"][third(x)];
  return row === "middle" && column === "centre" ? "strongest in the centre" : `strongest at ${row} ${column}`;
};

// A painting in its frame: the picture, the evidence over it, and the parts that were looked at alone.
artnet.Painting = class {
  static longest = 448; // of the canvas, in pixels; maps are smooth, and the browser scales the rest
  constructor(root, tables) {
    this.picture = root.querySelector(".painting");
    this.canvas = root.querySelector(".evidence");
    this.parts = root.querySelector(".parts");
    this.tables = tables;
    this.answer = null;
  }
  show(address, words, width, height) {
    this.picture.src = address;
    this.picture.alt = words;
    this.size = [width, height];
    this.picture.parentElement.style.setProperty("--aspect", width / height);
    this.clear();
  }
  clear() {
    this.answer = null;
    this.canvas.hidden = true;
    this.parts.replaceChildren();
  }
  draw(answer, depth) {
    this.answer = answer;
    const map = answer.maps[depth] || answer.maps[0], scale = artnet.Painting.longest / Math.max(...this.size);
    const [width, height] = this.size.map((side) => Math.max(1, Math.round(side * scale)));
    artnet.paint(this.canvas, map, answer.signed, this.tables, width, height);
    this.canvas.hidden = false;
    return map;
  }
  look(opacity, inColour) {
    this.canvas.style.opacity = opacity;
    this.picture.classList.toggle("grey", !inColour && !this.canvas.hidden);
  }
  frames(views) {
    const [width, height] = this.size, share = (value, whole) => `${(100 * value) / whole}%`;
    this.parts.replaceChildren(...views.map((view) => {
      const [left, top, right, bottom] = view.box, best = artnet.best(view.scores);
      const frame = artnet.element("div", { class: `part ${view.name}` },
        artnet.element("span", {}, `${best} ${artnet.percent(view.scores[best])}`));
      Object.assign(frame.style, {
        left: share(left, width), top: share(top, height),
        width: share(right - left, width), height: share(bottom - top, height),
      });
      return frame;
    }));
  }
};

artnet.best = (scores) => Object.keys(scores).reduce((one, other) => (scores[other] > scores[one] ? other : one));

artnet.tables = (settings) =>
  Object.fromEntries(Object.entries(settings.tables).map(([side, text]) => [side, artnet.bytes(text)]));

// Writes the answer beside a painting: movement, how sure, the decision in words, bars, fine styles.
artnet.tell = (root, answer) => {
  const set = (name, text) => { root.querySelector(name).textContent = text; };
  set(".movement", answer.movement);
  set(".sure", artnet.percent(answer.confidence));
  set(".decision", answer.words);
  root.querySelector(".decision").dataset.decision = answer.decision;
  const ranked = Object.entries(answer.scores).sort((one, other) => other[1] - one[1]);
  root.querySelector(".bars").replaceChildren(...ranked.map(([name, score]) => {
    const bar = artnet.element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", score);
    return artnet.element("li", {}, artnet.element("span", { class: "name" }, name), bar,
      artnet.element("span", { class: "share" }, artnet.percent(score)));
  }));
  const styles = Object.entries(answer.likely_styles);
  const line = root.querySelector(".styles");
  line.hidden = !styles.length;
  line.textContent = `Fine styles: ${styles.map(([name, score]) => `${name} ${artnet.percent(score)}`).join(", ")}`;
};

// Hands a file to the visitor.
artnet.save = (file) => {
  const address = URL.createObjectURL(new Blob([artnet.bytes(file.data)], { type: file.type }));
  artnet.element("a", { href: address, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
};

// Asks the server; what goes wrong comes back as an Error with one sentence.
artnet.call = async (work, asked) => {
  const answer = await work(asked);
  if (!answer) throw new Error("No answer came. See that ArtNet still runs and that you are online, then try again.");
  if (answer.error) throw new Error(answer.error.message);
  return answer;
};
