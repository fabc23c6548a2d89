// @ts-check
/** The self-check of a model: its test views, as `artnet.model.self_check` makes them, and how far their logits are from those stored. */
import { networkInput } from "./views.js";

/** @typedef {import("./views.js").Image} Image */

/** Between logits that agree: scores then agree within 0.006 at the embedded model's temperature. Single precision is within 0.001. */
export const TOLERANCE = 0.01;
const SQUARE_PX = 8;

/** Make the test views: a gradient, a checkerboard and a mosaic of random colours. @param {number} size @returns {Image[]} */
export function checkViews(size) {
  const last = Math.max(1, size - 1), across = Math.ceil(size / SQUARE_PX), colours = randomBytes(3 * across * across);
  return [
    drawn(size, (x, y, channel) => [(255 * x) / last, (255 * y) / last, (255 * (x + y)) / (2 * last)][channel]),
    drawn(size, (x, y, channel) => {
      const side = SQUARE_PX * (channel + 1);
      return 255 * ((Math.floor(x / side) + Math.floor(y / side)) % 2);
    }),
    drawn(size, (x, y, channel) => colours[3 * (Math.floor(y / SQUARE_PX) * across + Math.floor(x / SQUARE_PX)) + channel]),
  ];
}

/** @param {number} size @param {(x: number, y: number, channel: number) => number} value @returns {Image} */
function drawn(size, value) {
  const data = new Uint8Array(3 * size * size); // which drops fractions, as whole-number division does
  for (let y = 0, at = 0; y < size; y++)
    for (let x = 0; x < size; x++) for (let channel = 0; channel < 3; channel++) data[at++] = value(x, y, channel);
  return { width: size, height: size, data };
}

/** The upper bytes of a linear congruential generator. @param {number} count */
function randomBytes(count) {
  let state = 0;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/**
 * Measure how far a model's logits for its test views are from those stored; null where none are.
 * @param {import("./model.js").GraphModel} model @returns {Promise<number | null>}
 */
export async function measureDisagreement(model) {
  const { self_check: stored, preprocessing: { size_px: size, ...normalization } } = model.config;
  if (!stored) return null;
  let apart = 0;
  for (const [index, image] of checkViews(size).entries()) {
    const { logits } = await model.predict(networkInput([{ name: "whole", box: [0, 0, size, size], image }], normalization), 1);
    stored.logits[index].forEach((/** @type {number} */ logit, /** @type {number} */ at) => {
      apart = Math.max(apart, Math.abs(logits[at] - logit)); // Math.max keeps what is not a number
    });
  }
  return apart;
}
