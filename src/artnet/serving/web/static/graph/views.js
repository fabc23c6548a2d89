// @ts-check
/** Extract views as `artnet.imaging.views` does, and make the network's input of them. */
import { bicubicWeights } from "../drawing/resample.js";
import { findMargins } from "./margins.js";

/** An 8-bit RGB image, row by row, three bytes a pixel. @typedef {{width: number, height: number, data: Uint8Array}} Image */
/** Left, top, right, bottom; left and top inside, right and bottom just outside. @typedef {[number, number, number, number]} Box */
/** @typedef {"stretch" | "letterbox"} Fit */
/** @typedef {{name: string, box: Box, image: Image}} View */

export const REGIONS = ["top-left", "top-right", "bottom-left", "bottom-right", "centre"];
const REDUCING_GAP = 1.5; // as in artnet.imaging.views
const REDUCED_SIDES = 2; // as in artnet.imaging.decode

/**
 * Say where the whole painting lies in a view. Python rounds halves to even, and so does this.
 * @param {number} width @param {number} height @param {number} size @param {Fit} fit @returns {Box}
 */
export function contentBox(width, height, size, fit) {
  if (fit === "stretch") return [0, 0, size, size];
  const scale = size / Math.max(width, height);
  const inner = [width, height].map((side) => Math.max(1, roundHalfEven(side * scale)));
  const left = Math.floor((size - inner[0]) / 2), top = Math.floor((size - inner[1]) / 2);
  return [left, top, left + inner[0], top + inner[1]];
}

/** Round as Python does. @param {number} value */
export function roundHalfEven(value) {
  const floor = Math.floor(value), rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** @param {string} name @param {number} width @param {number} height @param {number} size @returns {Box} */
export function regionBox(name, width, height, size) {
  const side = Math.min(size, width, height), right = width - side, bottom = height - side;
  const corners = /** @type {Record<string, [number, number]>} */ ({
    "top-left": [0, 0], "top-right": [right, 0], "bottom-left": [0, bottom], "bottom-right": [right, bottom],
    centre: [Math.floor(right / 2), Math.floor(bottom / 2)],
  });
  const [left, top] = corners[name];
  return [left, top, left + side, top + side];
}

/** Fit the whole painting into a square; the letterbox's bands are black. @param {Image} image @param {number} size @param {Fit} fit @returns {View} */
export function wholeView(image, size, fit) {
  const [left, top, right, bottom] = contentBox(image.width, image.height, size, fit);
  const content = resize(image, right - left, bottom - top);
  /** @type {Box} */
  const box = [0, 0, image.width, image.height];
  if (content.width === size && content.height === size) return { name: "whole", box, image: content };
  const square = { width: size, height: size, data: new Uint8Array(3 * size * size) };
  for (let row = 0; row < content.height; row++)
    square.data.set(content.data.subarray(3 * row * content.width, 3 * (row + 1) * content.width), 3 * ((top + row) * size + left));
  return { name: "whole", box, image: square };
}

const UNIFORM_LEVELS = 3; // of 255: the noise of a camera or of JPEG on one colour

/** Tell whether part of an image is one colour and noise. @param {Image} image @param {Box} box @returns {boolean} */
export function isUniform(image, box) {
  const { width, height, data } = crop(image, box), count = width * height;
  return [0, 1, 2].every((band) => {
    let sum = 0, squares = 0;
    for (let index = band; index < data.length; index += 3) {
      sum += data[index];
      squares += data[index] ** 2;
    }
    return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) < UNIFORM_LEVELS;
  });
}

/**
 * Cut the named views of a painting; their boxes are in the image's own pixels, of which `image` may have fewer.
 * @param {Image} image @param {string[]} names @param {{size_px: number, fit: Fit, trim?: boolean}} preprocessing @param {{width: number, height: number}} size @returns {{views: View[], box: Box}} `box` is the painting's own, without its margins.
 */
export function extractViews(image, names, { size_px: side, fit, trim }, size = image) {
  /** @type {Box} */
  const box = trim ? findMargins(image) : [0, 0, image.width, image.height];
  const [left, top, right, bottom] = box, across = size.width / image.width, down = size.height / image.height;
  const painting = right - left < image.width || bottom - top < image.height ? crop(image, box) : image;
  const own = (/** @type {Box} */ [x0, y0, x1, y1]) => /** @type {Box} */ ([x0 * across, y0 * down, x1 * across, y1 * down].map(Math.round));
  const views = names.map((name) => {
    const view = name === "whole" ? wholeView(painting, side, fit) : regionView(painting, name, side);
    return { ...view, box: own([view.box[0] + left, view.box[1] + top, view.box[2] + left, view.box[3] + top]) };
  });
  return { views, box: own(box) };
}

/** Crop one region at the painting's own resolution; a painting smaller than a view is enlarged. @param {Image} image @param {string} name @param {number} size @returns {View} */
export function regionView(image, name, size) {
  const box = regionBox(name, image.width, image.height, size), cropped = crop(image, box);
  return { name, box, image: cropped.width === size ? cropped : resample(cropped, [0, 0, cropped.width, cropped.height], size, size) };
}

/** @param {Image} image @param {Box} box @returns {Image} */
export function crop(image, [left, top, right, bottom]) {
  const width = right - left, height = bottom - top, data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const start = 3 * ((top + row) * image.width + left);
    data.set(image.data.subarray(start, start + 3 * width), 3 * row * width);
  }
  return { width, height, data };
}

/** Resize as Pillow's `resize(..., BICUBIC, reducing_gap=1.5)`. @param {Image} image @param {number} width @param {number} height @returns {Image} */
export function resize(image, width, height) {
  if (image.width === width && image.height === height) return image;
  const across = Math.floor(image.width / width / REDUCING_GAP) || 1, down = Math.floor(image.height / height / REDUCING_GAP) || 1;
  const reduced = across > 1 || down > 1 ? reduce(image, across, down) : image;
  return resample(reduced, [0, 0, image.width / across, image.height / down], width, height);
}

/** Average a large JPEG's pixels as libjpeg does for `decode_reduced` of artnet.imaging.decode. @param {Image} image @param {number} size Of the view. @returns {Image} */
export function reduceJpeg(image, size) {
  const most = Math.floor(Math.min(image.width, image.height) / (REDUCED_SIDES * size)), side = [8, 4, 2].find((each) => each <= most);
  return side ? reduce(image, side, side) : image;
}

/** Average blocks of pixels; those at the right and bottom may be smaller. @param {Image} image @param {number} across @param {number} down @returns {Image} */
function reduce({ width, height, data }, across, down) {
  const columns = Math.ceil(width / across), rows = Math.ceil(height / down), out = new Uint8Array(3 * columns * rows);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const bottom = Math.min(height, (row + 1) * down), right = Math.min(width, (column + 1) * across);
      let red = 0, green = 0, blue = 0;
      for (let y = row * down; y < bottom; y++)
        for (let x = column * across; x < right; x++) {
          const pixel = 3 * (y * width + x);
          red += data[pixel];
          green += data[pixel + 1];
          blue += data[pixel + 2];
        }
      const count = (bottom - row * down) * (right - column * across), pixel = 3 * (row * columns + column);
      out[pixel] = (red + count / 2) / count;
      out[pixel + 1] = (green + count / 2) / count;
      out[pixel + 2] = (blue + count / 2) / count;
    }
  return { width: columns, height: rows, data: out };
}

/** Resample by Pillow's bicubic filter, across and then down, each rounded to 8 bits. @param {Image} image @param {Box} box @param {number} width @param {number} height @returns {Image} */
export function resample(image, [left, top, right, bottom], width, height) {
  const across = bicubicWeights(left, right, image.width, width), down = bicubicWeights(top, bottom, image.height, height);
  const wide = new Uint8ClampedArray(3 * image.height * width), out = new Uint8ClampedArray(3 * height * width);
  for (let row = 0; row < image.height; row++)
    for (let x = 0; x < width; x++) {
      const [first, weights] = across[x];
      let red = 0, green = 0, blue = 0;
      for (let tap = 0, pixel = 3 * (row * image.width + first); tap < weights.length; tap++, pixel += 3) {
        red += weights[tap] * image.data[pixel];
        green += weights[tap] * image.data[pixel + 1];
        blue += weights[tap] * image.data[pixel + 2];
      }
      const pixel = 3 * (row * width + x);
      wide[pixel] = Math.floor(red + 0.5); // a clamped array would round halves to even
      wide[pixel + 1] = Math.floor(green + 0.5);
      wide[pixel + 2] = Math.floor(blue + 0.5);
    }
  for (let y = 0; y < height; y++) {
    const [first, weights] = down[y];
    for (let value = 0; value < 3 * width; value++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * wide[3 * (first + tap) * width + value];
      out[3 * y * width + value] = Math.floor(sum + 0.5);
    }
  }
  return { width, height, data: new Uint8Array(out.buffer) };
}

/** Normalise views to the network's input, (N, 3, S, S). @param {View[]} views @param {{mean: number[], std: number[]}} preprocessing @returns {Float32Array<ArrayBuffer>} */
export function networkInput(views, { mean, std }) {
  const pixels = views[0].image.width * views[0].image.height, input = new Float32Array(3 * pixels * views.length);
  views.forEach(({ image: { data } }, index) => {
    for (let plane = 0; plane < 3; plane++) {
      const lookup = Float32Array.from({ length: 256 }, (_, value) =>
        Math.fround(Math.fround(Math.fround(Math.fround(value) / Math.fround(255)) - Math.fround(mean[plane])) / Math.fround(std[plane])));
      const start = (3 * index + plane) * pixels;
      for (let pixel = 0; pixel < pixels; pixel++) input[start + pixel] = lookup[data[3 * pixel + plane]];
    }
  });
  return input;
}
