// @ts-check
/** The page's sentences and labels. */

/** @typedef {import("./types.js").Prediction} Prediction */

/**
 * What each attribution method is called, how long it takes on a server, and what it can explain: `pixels` has no
 * depths, `target` depends on the movement, `signed` tells what speaks against.
 * @type {Record<string, {label: string, takes: string, pixels: boolean, target: boolean, signed: boolean}>}
 */
export const METHODS = {
  gradcam: { label: "Grad-CAM", takes: "", pixels: false, target: true, signed: true },
  "gradcam++": { label: "Grad-CAM++", takes: "", pixels: false, target: true, signed: true },
  xgradcam: { label: "XGrad-CAM", takes: "", pixels: false, target: true, signed: true },
  hirescam: { label: "HiResCAM", takes: "", pixels: false, target: true, signed: true },
  layercam: { label: "LayerCAM", takes: "", pixels: false, target: true, signed: true },
  eigencam: { label: "Eigen-CAM", takes: "", pixels: false, target: false, signed: false },
  rollout: { label: "Gradient-weighted rollout", takes: "", pixels: false, target: true, signed: true },
  legrad: { label: "LeGrad", takes: "", pixels: false, target: true, signed: true },
  scorecam: { label: "Score-CAM", takes: "about 10 s", pixels: false, target: true, signed: true },
  occlusion: { label: "Occlusion", takes: "about 6 s", pixels: true, target: true, signed: true },
  rise: { label: "RISE", takes: "about 10 s", pixels: true, target: true, signed: true },
  integrated: { label: "Integrated gradients", takes: "about 3 s", pixels: true, target: true, signed: true },
  smoothgrad: { label: "SmoothGrad", takes: "about 2 s", pixels: true, target: true, signed: false },
};

/** Return where the painting lies in its image, without the margins that were left out. @param {Prediction} prediction @returns {import("./types.js").Box} */
export function paintingBox({ views, width, height }) {
  return views.find(({ name }) => name === "whole")?.box || [0, 0, width, height];
}

/** Return in one sentence whether margins were left out; nothing where there are none. @param {Prediction} prediction @returns {string} */
export function marginsSentence(prediction) {
  const [left, top, right, bottom] = paintingBox(prediction), { width, height } = prediction;
  const share = 1 - ((right - left) * (bottom - top)) / (width * height);
  return share > 0 ? `The margins around the painting, ${Math.max(1, Math.round(100 * share))}% of the picture, were left out.` : "";
}

const MOVEMENTS = ["Cubism", "Impressionism", "Expressionism", "Realism", "Abstract"];

/** Return what the page calls what a model tells apart: movements are the five, anything else are classes. @param {string[]} names */
export const classWords = (names) => (names.every((name) => MOVEMENTS.includes(name))
  ? { one: "movement", many: "movements" } : { one: "class", many: "classes" });

const STYLES_SHOWN = 3;

/** @param {Record<string, number>} scores @returns {string[]} Names, the highest score first. */
export const ranked = (scores) => Object.keys(scores).sort((one, other) => scores[other] - scores[one]);

/** Return in one sentence what a prediction is worth. @param {Prediction} prediction @returns {string} */
export function decisionSentence({ decision, scores, set }) {
  if (decision === "confident") return "Confident.";
  if (decision === "unsure") {
    const names = set ?? ranked(scores).slice(0, 2);
    return `Unsure: ${names.slice(0, -1).join(", ") || names[0]} or ${names.length > 1 ? names.at(-1) : "another"}.`;
  }
  return "Unfamiliar: this picture is unlike the paintings the model knows, so do not rely on the answer.";
}

/** Return in two words what a prediction is worth, for a table. @param {Prediction} prediction @returns {string} */
export function decisionLabel(prediction) {
  const sentence = decisionSentence(prediction);
  return prediction.decision === "unsure" ? sentence.replace(/\.$/, "") : sentence.split(/[:.]/)[0];
}

/** Return the styles to name, with their scores. @param {Prediction} prediction @returns {[string, number][]} */
export function shownStyles({ styles = {}, likely_styles: likely = [] }) {
  return likely.slice(0, STYLES_SHOWN).map((name) => [name, styles[name]]);
}

/** Return in one sentence whether a map shows what the prediction rests on. @param {number} gain @returns {string} */
export function faithfulnessSentence(gain) {
  const signed = `${gain < 0 ? "-" : "+"}${Math.abs(gain).toFixed(3)}`;
  const sentence = gain >= 0.02
    ? "Tested: covering what this map marks changes the answer more than covering parts at random"
    : gain > 0
      ? "Tested: this map does hardly better than parts taken at random"
      : "Tested: this map does no better than parts taken at random. Do not read much into it";
  return `${sentence} (gain ${signed}).`;
}

/** Return a target in words, as `artnet explain` does. @param {string} movement @param {string} ratherThan @param {boolean} against @returns {string} */
export function targetWords(movement, ratherThan, against) {
  const rather = ratherThan ? ` rather than ${ratherThan}` : "";
  return against ? `what speaks for and against ${movement}${rather}` : `why ${movement}${rather}`;
}

/** @param {string} text @returns {string} */
export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);
