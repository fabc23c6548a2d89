// @ts-check
/** Find the uniform margins around a painting, as `artnet.imaging.margins` does; it says what each number is for. */

/** @typedef {import("./views.js").Image} Image */
/** @typedef {import("./views.js").Box} Box */
/** The uniform lines at a side. @typedef {{lines: number, ramp: number, colour: number[], tolerance: number}} Band */

const LARGEST = 3, SMALLEST = 100, NOISE = 20, TOLERANCE = 8, SPECKS = 50;
const EDGE = 24, RAMP_PX = 16, SHORT_RAMP = 16, LONG_RAMP = 100, ENDS = 10, CONTENT = 10;

/** The lines of an image from one of its sides inwards. */
class Side {
  /** @param {Image} image @param {number} side 0 left, 1 top, 2 right, 3 bottom. */
  constructor({ width, height, data }, side) {
    const upright = side % 2 === 1;
    this.data = data;
    this.total = upright ? height : width;
    this.length = upright ? width : height;
    this.pixelStep = upright ? 3 : 3 * width;
    this.lineStep = (upright ? 3 * width : 3) * (side < 2 ? 1 : -1);
    this.start = side < 2 ? 0 : (this.total - 1) * -this.lineStep;
  }

  /** Return how far each pixel of a line is from a colour, in the channel that is farthest. @param {number} line @param {number[]} colour @param {number} [from] @param {number} [to] */
  deviations(line, colour, from = 0, to = this.length) {
    const values = new Uint8Array(to - from);
    for (let pixel = from, at = this.start + line * this.lineStep + from * this.pixelStep; pixel < to; pixel++, at += this.pixelStep)
      values[pixel - from] = Math.max(Math.abs(this.data[at] - colour[0]), Math.abs(this.data[at + 1] - colour[1]), Math.abs(this.data[at + 2] - colour[2]));
    return values;
  }

  /** @param {number} line @param {number} [from] @param {number} [to] @returns {number[]} */
  median(line, from = 0, to = this.length) {
    return [0, 1, 2].map((channel) => {
      const values = new Uint8Array(to - from), start = this.start + line * this.lineStep + channel;
      for (let pixel = from; pixel < to; pixel++) values[pixel - from] = this.data[start + pixel * this.pixelStep];
      return values.sort()[values.length >> 1];
    });
  }
}

/** @param {Image} image @returns {Box} The painting's, without its margins: all of an image that has none. */
export function findMargins(image) {
  const sides = [0, 1, 2, 3].map((side) => new Side(image, side)), bands = sides.map(bandOf);
  const margins = sides.map((side, index) => {
    const band = bands[index], [before, after] = [bands[1 - (index % 2)], bands[3 - (index % 2)]].map((across) => (across ? across.lines + across.ramp : 0));
    return band ? marginOf(side, band, before, side.length - after) : 0;
  });
  if (margins.includes(null)) return [0, 0, image.width, image.height];
  const [left, top, right, bottom] = margins.map((margin, index) => {
    const band = bands[index], opposite = (index + 2) % 4;
    return margin || (band && margins[opposite] && sameColour(band, bands[opposite]) ? band.lines : 0);
  });
  return [left, top, image.width - right, image.height - bottom];
}

/** @param {Band} band @param {Band | null} other */
function sameColour({ colour, tolerance }, other) {
  return other !== null && colour.every((value, channel) => Math.abs(value - other.colour[channel]) <= tolerance);
}

/** @param {Side} side @returns {Band | null} */
function bandOf(side) {
  const colour = side.median(0), noise = side.deviations(0, colour).sort()[Math.floor((side.length * 19) / 20)];
  if (noise > NOISE) return null;
  const ramp = Math.max(1, Math.min(RAMP_PX, Math.floor(side.total / SHORT_RAMP)), Math.floor(side.total / LONG_RAMP));
  const tolerance = Math.max(TOLERANCE, Math.floor((noise * 3) / 2)), last = Math.floor(side.total / LARGEST);
  for (let line = 0; line <= last; line++)
    if (count(side.deviations(line, colour), tolerance) > 1 + Math.floor(side.length / SPECKS))
      return line * SMALLEST >= side.total ? { lines: line, ramp, colour, tolerance } : null;
  return null;
}

/** @param {Side} side @param {Band} band @param {number} from @param {number} to @returns {number | null} */
function marginOf(side, { lines, ramp, colour, tolerance }, from, to) {
  const level = Math.max(EDGE, 2 * tolerance), end = Math.max(1, Math.floor((to - from) / ENDS));
  const most = (/** @type {Uint8Array} */ values) => count(values, level) * 2 >= values.length;
  for (let edge = lines; edge < Math.min(side.total, lines + ramp); edge++) {
    const values = side.deviations(edge, colour, from, to);
    if (!most(values) || !most(values.subarray(0, end)) || !most(values.subarray(-end))) continue;
    let differing = 0;
    for (let line = edge; line < Math.min(side.total, edge + ramp, lines + 2 * ramp); line++)
      differing = Math.max(differing, count(side.deviations(line, side.median(line, from, to), from, to), tolerance));
    if (differing * CONTENT < to - from) return null;
    return edge * LARGEST <= side.total ? edge : 0;
  }
  return 0;
}

/** @param {Uint8Array} values @param {number} level */
function count(values, level) {
  let found = 0;
  for (const value of values) if (value > level) found++;
  return found;
}
