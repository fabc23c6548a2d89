// @ts-check
/** What if in words, as `artnet.attribution.what_if` says it. */
import { percent } from "../dom.js";
import { ranked } from "../words.js";

/** @typedef {Record<string, number>} Scores */
/** @typedef {{label: string, movement: string, changes: Scores, sentence: string | null}} Told */

const NOISE_FACTOR = 1.5;

/** @param {Scores} scores @param {Scores[]} neutral After changes that mean nothing. @returns {number} */
export const noiseOf = (scores, neutral) =>
  NOISE_FACTOR * Math.max(...neutral.flatMap((each) => Object.keys(scores).map((name) => Math.abs(each[name] - scores[name]))));

/** Say what an edit changes; null within the noise. @param {string} condition @param {Scores} before @param {Scores} after @param {string} decision @param {number} noise */
export function sentenceOf(condition, before, after, decision, noise) {
  const [old] = ranked(before), [now] = ranked(after), counted = old === now ? [old] : Object.keys(before);
  if (Math.max(...counted.map((name) => Math.abs(after[name] - before[name]))) <= noise) return null;
  const caution = decision === "unfamiliar" ? ", unfamiliar" : "";
  if (old !== now) return `${condition} it would be ${now} (${percent(after[now])}${caution}).`;
  return `${condition} it would still be ${old} (${percent(after[old])}, not ${percent(before[old])}${caution}).`;
}

/** Other movements first, then the larger changes, at the end the noise. @param {Scores} scores @param {Told[]} edits @param {number} noise @returns {string[]} */
export function sentencesOf(scores, edits, noise) {
  const [answer] = ranked(scores), largest = (/** @type {Told} */ { changes }) => Math.max(...Object.values(changes).map(Math.abs));
  const told = edits.filter(({ sentence }) => sentence)
    .sort((one, other) => Number(one.movement === answer) - Number(other.movement === answer) || largest(other) - largest(one));
  const quiet = edits.filter(({ sentence }) => !sentence).map(({ label }) => label), points = `${(100 * noise).toFixed(1)} points`;
  return [...told.map(({ sentence }) => sentence || ""), quiet.length ? `No more than noise (${points}): ${quiet.join(", ")}.` : `Noise: ${points}.`];
}
