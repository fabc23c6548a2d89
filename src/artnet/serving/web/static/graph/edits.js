// @ts-check
/** Edits of a painting that are simple enough to be exact in a browser, as `artnet.imaging.edits` makes them. */
import { resample, roundHalfEven } from "./views.js";

/** @typedef {import("./views.js").Image} Image */

const BLOCK_ORDER = [8, 5, 14, 0, 11, 2, 4, 12, 13, 10, 3, 6, 1, 7, 15, 9]; // as in artnet.attribution.what_if
const WHITE = [0.9504700, 1.0000001, 1.08883]; // of D65: the sums of the rows below
const TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]];
const FROM_XYZ = [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]];
const LINEAR = Float64Array.from({ length: 256 }, (_, level) => {
  const value = level / 255;
  return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
});

/** Convert a pixel to CIELAB. @param {number} red @param {number} green @param {number} blue @returns {[number, number, number]} */
export function toLab(red, green, blue) {
  const linear = [LINEAR[red], LINEAR[green], LINEAR[blue]];
  const [x, y, z] = TO_XYZ.map((row, axis) => {
    const relative = (row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]) / WHITE[axis];
    return relative > (6 / 29) ** 3 ? Math.cbrt(relative) : ((29 / 6) ** 2 / 3) * relative + 4 / 29;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Convert a colour from CIELAB; what lies outside of sRGB is clipped. @param {number} lightness @param {number} a @param {number} b @returns {number[]} */
export function fromLab(lightness, a, b) {
  const root = (lightness + 16) / 116;
  const xyz = [root + a / 500, root, root - b / 200].map((value, axis) =>
    WHITE[axis] * (value > 6 / 29 ? value ** 3 : (value - 4 / 29) / ((29 / 6) ** 2 / 3)));
  return FROM_XYZ.map((row) => {
    const linear = Math.min(1, Math.max(0, row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2]));
    return Math.floor(255 * (linear > 0.0031308 ? 1.055 * linear ** (1 / 2.4) - 0.055 : 12.92 * linear) + 0.5);
  });
}

/** @typedef {(lab: [number, number, number]) => [number, number, number]} Recolour */

/** @param {Image} image @param {Recolour} change @returns {Image} */
function recoloured({ width, height, data }, change) {
  const out = new Uint8Array(data.length);
  for (let pixel = 0; pixel < data.length; pixel += 3)
    out.set(fromLab(...change(toLab(data[pixel], data[pixel + 1], data[pixel + 2]))), pixel);
  return { width, height, data: out };
}

const within = (/** @type {number} */ lightness) => Math.min(100, Math.max(0, lightness));
const chroma = (/** @type {number} */ factor) => (/** @type {Image} */ image) => recoloured(image, ([l, a, b]) => [l, factor * a, factor * b]);
const lightness = (/** @type {number} */ difference) => (/** @type {Image} */ image) => recoloured(image, ([l, a, b]) => [within(l + difference), a, b]);

/** @param {number} factor @returns {(image: Image) => Image} */
const contrast = (factor) => (image) => {
  const { data } = image;
  let total = 0;
  for (let pixel = 0; pixel < data.length; pixel += 3) total += toLab(data[pixel], data[pixel + 1], data[pixel + 2])[0];
  const mean = total / (data.length / 3);
  return recoloured(image, ([l, a, b]) => [within(mean + factor * (l - mean)), a, b]);
};

/** Take each pixel from another place. @param {Image} image @param {(x: number, y: number) => [number, number]} from @returns {Image} */
function moved({ width, height, data }, from) {
  const out = new Uint8Array(data.length);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 3) {
      const [left, top] = from(x, y), start = 3 * (top * width + left);
      out[to] = data[start];
      out[to + 1] = data[start + 1];
      out[to + 2] = data[start + 2];
    }
  return { width, height, data: out };
}

/** @param {Image} image @returns {Image} */
function shuffled(image) {
  const count = Math.sqrt(BLOCK_ORDER.length), width = Math.floor(image.width / count), height = Math.floor(image.height / count);
  return moved(image, (x, y) => {
    const row = Math.floor(y / height), column = Math.floor(x / width);
    if (!(row < count && column < count)) return [x, y]; // what the blocks leave over
    const block = BLOCK_ORDER[row * count + column];
    return [(block % count) * width + (x % width), Math.floor(block / count) * height + (y % height)];
  });
}

/** @param {number} share @returns {(image: Image) => Image} */
const border = (share) => ({ width, height, data }) => {
  const margins = [width, height].map((side) => roundHalfEven(share * side)), mean = [0, 0, 0];
  for (let value = 0; value < data.length; value++) mean[value % 3] += data[value];
  const filled = mean.map((sum) => Math.floor(sum / (width * height) + 0.5)), out = Uint8Array.from(data);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 3)
      if (x < margins[0] || x >= width - margins[0] || y < margins[1] || y >= height - margins[1]) out.set(filled, to);
  return { width, height, data: out };
};

/** Cut off a row and a column at a corner, the upper left or the lower right, and enlarge. @param {Image} image @param {boolean} upperLeft @returns {Image} */
function cropped(image, upperLeft) {
  const { width, height } = image, across = Number(width > 1), down = Number(height > 1);
  return resample(image, upperLeft ? [across, down, width, height] : [0, 0, width - across, height - down], width, height);
}

/** @param {Image} image @param {number} factor @returns {Image} */
const brightened = ({ width, height, data }, factor) => ({ width, height, data: data.map((value) => Math.min(255, Math.floor(value * factor + 0.5))) });

/**
 * The edits, under the names and words of `artnet.attribution.what_if`; those missing here need the server.
 * @type {{name: string, label: string, condition: string, apply: (image: Image) => Image}[]}
 */
export const EDITS = [
  { name: "no-colour", label: "without colour", condition: "Without colour", apply: chroma(0) },
  { name: "half-colour", label: "half the colour", condition: "With half the colour", apply: chroma(0.5) },
  { name: "more-colour", label: "stronger colour", condition: "In stronger colour", apply: chroma(1.5) },
  { name: "darker", label: "darker", condition: "If darker,", apply: lightness(-20) },
  { name: "lighter", label: "lighter", condition: "If lighter,", apply: lightness(20) },
  { name: "half-contrast", label: "half the contrast", condition: "With half the contrast", apply: contrast(0.5) },
  { name: "shuffled", label: "blocks shuffled", condition: "With its blocks shuffled", apply: shuffled },
  { name: "mirrored", label: "mirrored", condition: "Mirrored,", apply: (image) => moved(image, (x, y) => [image.width - 1 - x, y]) },
  { name: "upside-down", label: "upside down", condition: "Upside down,", apply: (image) => moved(image, (x, y) => [image.width - 1 - x, image.height - 1 - y]) },
  { name: "border-10", label: "without its outer 10%", condition: "Without its outer 10%", apply: border(0.1) },
  { name: "border-20", label: "without its outer 20%", condition: "Without its outer 20%", apply: border(0.2) },
  { name: "border-30", label: "without its outer 30%", condition: "Without its outer 30%", apply: border(0.3) },
];

/** Changes that mean nothing; the server encodes the picture again besides. @type {((image: Image) => Image)[]} */
export const NEUTRAL = [
  (image) => cropped(image, true), (image) => cropped(image, false),
  (image) => brightened(image, 1.02), (image) => brightened(image, 0.98),
];
