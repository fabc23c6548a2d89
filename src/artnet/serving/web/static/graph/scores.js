// @ts-check
/** From the network's outputs to a prediction, as `artnet.model` computes it. */
import { ranked } from "../words.js";

/** @param {ArrayLike<number>} logits @param {number} [temperature] @returns {number[]} */
export function softmax(logits, temperature = 1) {
  const scaled = Array.from(logits, (logit) => logit / temperature), highest = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - highest)), total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** @param {number} logit */
const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));

/** Average the views' calibrated scores by weight. @param {ArrayLike<number>[]} logits @param {number[]} weights @param {number} temperature @returns {number[]} */
export function vote(logits, weights, temperature) {
  const total = weights.reduce((sum, weight) => sum + weight, 0), rows = logits.map((row) => softmax(row, temperature));
  return rows[0].map((_, index) => rows.reduce((sum, row, view) => sum + (row[index] * weights[view]) / total, 0));
}

/** Average the views' style logits by weight and score each style for itself. @param {ArrayLike<number>[]} logits @param {number[]} weights @returns {number[]} */
export function styleScores(logits, weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from(logits[0], (_, index) => sigmoid(logits.reduce((sum, row, view) => sum + (row[index] * weights[view]) / total, 0)));
}

/**
 * The arrays of `ood.npz`: class means (M, E), directions (D, E) with their variances (D,), the variance of the rest, and
 * perhaps a linear term that tells outliers (E,).
 * @typedef {{means: Float32Array, directions: Float32Array, variances: Float32Array, rest: number,
 *   outlier_weights?: Float32Array, outlier_bias?: number}} Ood
 */

/** Measure how unlike the training data an embedding is (Mahalanobis, or the linear term). @param {Float32Array} embedding @param {Ood} ood @returns {number} */
export function oodScore(embedding, { means, directions, variances, rest, outlier_weights: weights, outlier_bias: bias = 0 }) {
  const size = embedding.length, norm = Math.max(Math.hypot(...embedding), 1e-12), unit = Array.from(embedding, (value) => value / norm);
  let nearest = Infinity;
  for (let start = 0; start < means.length; start += size) {
    const apart = unit.map((value, index) => value - means[start + index]);
    const squared = apart.reduce((sum, value) => sum + value * value, 0);
    let along = 0, distance = 0;
    for (let row = 0; row < variances.length; row++) {
      let projection = 0;
      for (let index = 0; index < size; index++) projection += apart[index] * directions[row * size + index];
      along += projection ** 2;
      distance += projection ** 2 / variances[row];
    }
    nearest = Math.min(nearest, distance + Math.max(squared - along, 0) / rest);
  }
  const linear = weights ? unit.reduce((sum, value, index) => sum + value * weights[index], bias) : 0;
  return Math.max(Math.sqrt(nearest), linear);
}

const LIKELY_STYLE = 0.5; // in models without thresholds of their own

/**
 * Return the styles whose scores reach their thresholds, the highest first.
 * @param {Record<string, number>} scores @param {Record<string, number> | null} [thresholds] @returns {string[]}
 */
export function likelyStyles(scores, thresholds) {
  return ranked(scores).filter((name) => scores[name] >= (thresholds ? thresholds[name] ?? Infinity : LIKELY_STYLE));
}

/**
 * Return the movements whose better ones add up to at most the threshold, the best first; null without one.
 * @param {Record<string, number>} scores @param {number | null} [threshold] @returns {string[] | null}
 */
export function movementSet(scores, threshold) {
  if (threshold == null) return null;
  let above = 0;
  return ranked(scores).filter((name) => {
    const member = above <= threshold;
    above += scores[name];
    return member;
  });
}

/** @param {number} confidence @param {number | null} ood @param {Record<string, any>} config @returns {"confident" | "unsure" | "unfamiliar"} */
export function decide(confidence, ood, config) {
  if (config.ood && ood !== null && ood > config.ood.threshold) return "unfamiliar";
  return confidence < config.calibration.unsure_below ? "unsure" : "confident";
}
