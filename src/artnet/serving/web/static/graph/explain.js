// @ts-check
/** Maps of a view by the methods that the graph in this browser can do. */
import { CAMS, quantized } from "./cam.js";
import { softmax } from "./scores.js";

/** @typedef {import("../types.js").Grid} Grid */
/** @typedef {import("../types.js").Target} Target */
/** @typedef {import("./views.js").Box} Box */

const OCCLUDED_SHARE = 1 / 7, OCCLUSION_STEPS = 13; // as in artnet.attribution.perturbation

/** Write a target as weights of the logits. @param {Target} target @param {string[]} movements @returns {Float32Array<ArrayBuffer>} */
export function targetWeights({ movement, rather_than: other }, movements) {
  return Float32Array.from(movements, (name) => Number(name === movement) - Number(name === other));
}

/** Compute a layer's map, minus that of the contrary target where what speaks against is asked for. @param {string} method @param {Float32Array} activation @param {Float32Array} gradient @param {number} channels @param {boolean} signed */
export function layerMap(method, activation, gradient, channels, signed) {
  const map = CAMS[method](activation, gradient, channels);
  if (!signed) return map;
  const contrary = CAMS[method](activation, gradient.map((value) => -value), channels);
  return map.map((value, index) => value - contrary[index]);
}

/**
 * Cut a view's map to the cells that the painting touches, and scale it.
 * @param {Float32Array} map @param {[number, number]} shape Rows and columns. @param {Box} content Where the painting lies in the view. @param {number} size Of the view, in pixels.
 * @returns {Grid}
 */
export function gridOf(map, [rows, columns], content, size) {
  const across = columns / size, down = rows / size;
  const exact = [content[0] * across, content[1] * down, content[2] * across, content[3] * down];
  const [left, top] = [Math.floor(exact[0] + 1e-9), Math.floor(exact[1] + 1e-9)];
  const [right, bottom] = [Math.ceil(exact[2] - 1e-9), Math.ceil(exact[3] - 1e-9)];
  const cut = new Float32Array((right - left) * (bottom - top));
  for (let row = top; row < bottom; row++) cut.set(map.subarray(row * columns + left, row * columns + right), (row - top) * (right - left));
  return {
    rows: bottom - top, columns: right - left, cells: quantized(cut),
    box: [exact[0] - left, exact[1] - top, exact[2] - left, exact[3] - top],
  };
}

/** Score a target, 0 to 1: among all movements, or between the two that are set against each other. @param {ArrayLike<number>} logits @param {Float32Array} weights @returns {number} */
export function targetScore(logits, weights) {
  const pair = weights.some((weight) => weight < 0);
  const chosen = [...weights.keys()].filter((index) => !pair || weights[index] !== 0);
  return softmax(chosen.map((index) => logits[index]))[chosen.indexOf(weights.indexOf(1))];
}

/**
 * Cover the view by a square, place by place (Zeiler and Fergus, 2014, section 4.2). Cells average the squares that cover their middle.
 * @param {Float32Array} input (3, S, S) @param {number} size @param {(inputs: Float32Array<ArrayBuffer>, count: number) => Promise<number[]>} score @param {(share: number) => void} onProgress
 * @returns {Promise<[Float32Array, [number, number]]>}
 */
export async function occlusion(input, size, score, onProgress) {
  const steps = OCCLUSION_STEPS, side = Math.max(1, Math.round(size * OCCLUDED_SHARE));
  const starts = Array.from({ length: steps }, (_, index) => Math.round((index * (size - side)) / (steps - 1)));
  const covers = starts.map((start, square) => starts.map((_, cell) => {
    const middle = ((cell + 0.5) * size) / steps;
    return Number((start <= middle && middle < start + side) || square === cell);
  }));
  const totals = starts.map((_, cell) => covers.reduce((sum, row) => sum + row[cell], 0));
  const [before] = await score(Float32Array.from(input), 1), falls = [];
  for (const top of starts) {
    const covered = new Float32Array(steps * input.length);
    starts.forEach((left, column) => {
      covered.set(input, column * input.length);
      for (let plane = 0; plane < 3; plane++)
        for (let row = top; row < top + side; row++) {
          const start = column * input.length + (plane * size + row) * size + left;
          covered.fill(0, start, start + side);
        }
    });
    falls.push((await score(covered, steps)).map((value) => before - value));
    onProgress(falls.length / steps);
  }
  const map = new Float32Array(steps * steps);
  for (let row = 0; row < steps; row++)
    for (let column = 0; column < steps; column++)
      for (let top = 0; top < steps; top++)
        for (let left = 0; left < steps; left++)
          map[row * steps + column] += (covers[top][row] / totals[row]) * falls[top][left] * (covers[left][column] / totals[column]);
  return [map, [steps, steps]];
}
