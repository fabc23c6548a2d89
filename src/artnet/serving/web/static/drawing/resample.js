// @ts-check
/** Resampling as Pillow does it, so that the page draws what `artnet explain` draws. */

/**
 * Compute the weights of Pillow's bicubic filter (a = -0.5) along one axis.
 * @param {number} start Where the source range begins, in source cells.
 * @param {number} end Where it ends.
 * @param {number} cells How many source cells there are.
 * @param {number} size How many values come out.
 * @returns {[number, number[]][]} For each of them the first cell it reads, and the weights from there on.
 */
export function bicubicWeights(start, end, cells, size) {
  const step = (end - start) / size, scale = Math.max(step, 1);
  /** @type {[number, number[]][]} */
  const weights = [];
  for (let index = 0; index < size; index++) {
    const centre = start + (index + 0.5) * step;
    const first = Math.max(0, Math.floor(centre - 2 * scale + 0.5));
    const last = Math.min(cells, Math.floor(centre + 2 * scale + 0.5));
    const row = [];
    for (let cell = first; cell < last; cell++) row.push(cubic((cell - centre + 0.5) / scale));
    const total = row.reduce((sum, weight) => sum + weight, 0);
    weights.push([first, row.map((weight) => weight / total)]);
  }
  return weights;
}

/** @param {number} x @returns {number} */
function cubic(x) {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/**
 * Resize one plane of values, across and then down.
 * @param {ArrayLike<number>} values Row by row.
 * @param {[number, number]} shape Rows and columns.
 * @param {[number, number, number, number]} box The part to resize: left, top, right, bottom.
 * @param {number} width @param {number} height
 * @returns {Float32Array}
 */
export function resizePlane(values, [rows, columns], [left, top, right, bottom], width, height) {
  const across = bicubicWeights(left, right, columns, width), down = bicubicWeights(top, bottom, rows, height);
  const wide = new Float32Array(rows * width), out = new Float32Array(width * height);
  for (let row = 0; row < rows; row++)
    for (let x = 0; x < width; x++) {
      const [first, weights] = across[x];
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * values[row * columns + first + tap];
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
  return out;
}
