// @ts-check
/**
 * The six CAM methods of `artnet.attribution.cam`, where their papers are cited. Activation and gradient are (K, h, w), row by row;
 * each returns a map of h * w values, at least 0.
 */

/** @typedef {(activation: Float32Array, gradient: Float32Array, channels: number) => Float32Array} Cam */
const TINY = 1e-6;

/** Sum over the cells of one channel. @param {number} channel @param {number} cells @param {(index: number) => number} value */
function sumOver(channel, cells, value) {
  let sum = 0;
  for (let index = channel * cells; index < (channel + 1) * cells; index++) sum += value(index);
  return sum;
}

/** @param {Float32Array} activation @param {number} channels @param {(channel: number, cells: number) => number} weightOf @returns {Float32Array} */
function weighted(activation, channels, weightOf) {
  const cells = activation.length / channels, map = new Float32Array(cells);
  for (let channel = 0; channel < channels; channel++) {
    const weight = weightOf(channel, cells);
    for (let cell = 0; cell < cells; cell++) map[cell] += weight * activation[channel * cells + cell];
  }
  return map.map((value) => Math.max(value, 0));
}

/** @param {Float32Array} activation @param {number} channels @param {(index: number) => number} value @returns {Float32Array} */
function summed(activation, channels, value) {
  const cells = activation.length / channels, map = new Float32Array(cells);
  for (let index = 0; index < activation.length; index++) map[index % cells] += value(index);
  return map.map((each) => Math.max(each, 0));
}

/** @type {Record<string, Cam>} */
export const CAMS = {
  gradcam: (activation, gradient, channels) =>
    weighted(activation, channels, (channel, cells) => sumOver(channel, cells, (index) => gradient[index]) / cells),

  "gradcam++": (activation, gradient, channels) =>
    weighted(activation, channels, (channel, cells) => {
      const total = sumOver(channel, cells, (index) => activation[index]);
      return sumOver(channel, cells, (index) => {
        const slope = gradient[index], below = 2 * slope ** 2 + total * slope ** 3 + TINY;
        return slope > 0 && below !== 0 ? (slope * slope ** 2) / below : 0;
      });
    }),

  xgradcam: (activation, gradient, channels) =>
    weighted(activation, channels, (channel, cells) => {
      const total = sumOver(channel, cells, (index) => activation[index]);
      return Math.abs(total) > TINY ? sumOver(channel, cells, (index) => gradient[index] * activation[index]) / total : 0;
    }),

  hirescam: (activation, gradient, channels) => summed(activation, channels, (index) => gradient[index] * activation[index]),

  layercam: (activation, gradient, channels) => summed(activation, channels, (index) => Math.max(gradient[index], 0) * activation[index]),

  eigencam: (activation, _gradient, channels) => eigenCam(activation, channels),
};

/** Project on the first principal component, found by power iteration on the smaller Gram matrix. @param {Float32Array} activation @param {number} channels */
function eigenCam(activation, channels) {
  const cells = activation.length / channels, centred = new Float64Array(activation.length);
  for (let channel = 0; channel < channels; channel++) {
    const mean = sumOver(channel, cells, (index) => activation[index]) / cells;
    for (let cell = 0; cell < cells; cell++) centred[channel * cells + cell] = activation[channel * cells + cell] - mean;
  }
  const at = (/** @type {number} */ channel, /** @type {number} */ cell) => centred[channel * cells + cell];
  const byCells = cells <= channels, side = byCells ? cells : channels;
  const gram = new Float64Array(side * side), length = byCells ? channels : cells;
  for (let row = 0; row < side; row++)
    for (let column = 0; column <= row; column++) {
      let sum = 0;
      for (let index = 0; index < length; index++) sum += byCells ? at(index, row) * at(index, column) : at(row, index) * at(column, index);
      gram[row * side + column] = gram[column * side + row] = sum;
    }
  const [vector, value] = firstEigenvector(gram, side);
  const projection = Float64Array.from({ length: cells }, (_, cell) => {
    if (byCells) return vector[cell] * Math.sqrt(Math.max(value, 0));
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += at(channel, cell) * vector[channel];
    return sum;
  });
  const means = Float64Array.from({ length: cells }, (_, cell) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += activation[channel * cells + cell];
    return sum / channels;
  });
  const mean = means.reduce((sum, each) => sum + each, 0) / cells;
  const sign = projection.reduce((sum, each, cell) => sum + each * (means[cell] - mean), 0) < 0 ? -1 : 1;
  return Float32Array.from(projection, (each) => Math.max(sign * each, 0));
}

/** @param {Float64Array} matrix Symmetric, not negative. @param {number} side @returns {[Float64Array, number]} */
function firstEigenvector(matrix, side) {
  let vector = Float64Array.from({ length: side }, (_, index) => 1 + index / side), value = 0;
  for (let round = 0; round < 500; round++) {
    const next = new Float64Array(side);
    for (let row = 0; row < side; row++) for (let column = 0; column < side; column++) next[row] += matrix[row * side + column] * vector[column];
    const norm = Math.hypot(...next);
    if (!norm) return [vector, 0];
    for (let index = 0; index < side; index++) next[index] /= norm;
    const change = next.reduce((sum, each, index) => Math.max(sum, Math.abs(each - vector[index])), 0);
    vector = next;
    value = norm;
    if (change < 1e-9) break;
  }
  return [vector, value];
}

/** Scale a map so that its largest size is 1, and quantise it to -127 to 127. @param {ArrayLike<number>} map @returns {Int8Array<ArrayBuffer>} */
export function quantized(map) {
  let highest = 0;
  for (let index = 0; index < map.length; index++) highest = Math.max(highest, Math.abs(map[index]));
  return Int8Array.from(map, (value) => (highest > 0 && Number.isFinite(highest) ? Math.round((127 * value) / highest) : 0));
}
