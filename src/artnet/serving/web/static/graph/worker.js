// @ts-check
/** The Web Worker behind `backend-browser.js`: decodes, classifies and explains, so that the page stays responsive. */
import { decodeBase64 } from "../base64.js";
import { BackendError } from "../types.js";
import { ranked, targetWords } from "../words.js";
import { sentenceOf, sentencesOf, noiseOf } from "../views/what-if-words.js";
import { decode } from "./decode.js";
import { EDITS, NEUTRAL } from "./edits.js";
import { gridOf, layerMap, occlusion, targetScore, targetWeights } from "./explain.js";
import { download, GraphModel, sha256 } from "./model.js";
import { availableRuntimes, startModel } from "./runtime.js";
import { decide, likelyStyles, movementSet, oodScore, softmax, styleScores, vote } from "./scores.js";
import { contentBox, crop, extractViews, isUniform, networkInput, reduceJpeg, REGIONS, wholeView } from "./views.js";

/** @typedef {import("../types.js").Target} Target */
/** @typedef {import("../types.js").Prediction} Prediction */

const THUMBNAIL_PX = 96;

const MODEL = new URL("../model/", import.meta.url).href;

/** @type {GraphModel} */ let model;
/** Settled once the graph is loaded. @type {Promise<string>} */ let ready;
/** @type {import("./scores.js").Ood | null} */ let ood = null;
/** Of the images that the page has open, by number. @type {Map<number, {input: Float32Array<ArrayBuffer>, content: import("./views.js").Box, whole: import("./views.js").Image}>} */
const opened = new Map();
let lastOpened = 0;
const KEPT = 8; // more than the page shows at once

/** @param {{shape: number[], data: string}} array */
const floats = ({ data }) => new Float32Array(decodeBase64(data).buffer);

/** What the page can request; the last argument reports progress to it. @type {Record<string, (...args: any[]) => Promise<any>>} */
const CALLS = {
  /** Load the graph, for which whatever is requested next waits. @param {Record<string, any>} config @param {{webgpu?: boolean}} options */
  async load(config, options) {
    model = new GraphModel(config);
    ready = loadGraph(options);
    const description = await ready;
    self.postMessage({ loading: "" });
    return description;
  },

  /** @param {File} file */
  async classify(file) {
    const { box, input, prediction, whole } = await classified(file);
    opened.set(++lastOpened, { input, content: contentOf(box), whole });
    opened.delete(lastOpened - KEPT);
    return { prediction, sha256: await digest(file), view: lastOpened };
  },

  /** @param {File} file */
  async votes(file) {
    const image = await decode(file), { preprocessing } = model.config;
    const { views } = extractViews(image, ["whole", ...REGIONS], preprocessing), scores = [];
    for (const view of views) { // one by one: six at once would need six times the memory
      const { logits } = await model.predict(networkInput([view], preprocessing), 1);
      scores.push({ name: view.name, box: view.box, scores: named(softmax(logits, model.config.calibration.temperature)) });
    }
    return scores;
  },

  /** @param {File} file */
  async row(file) {
    const { image, prediction } = await classified(file);
    return { ...prediction, sha256: await digest(file), thumbnail: await thumbnail(image) };
  },

  /** Classify the whole view again after each edit that is exact here. @param {number} view */
  async whatIf(view) {
    const image = opened.get(view);
    if (!image) throw new BackendError("This picture is no longer open. Show it again.", "usage");
    const content = crop(image.whole, image.content), { scores } = await scored(content), neutral = [];
    for (const change of NEUTRAL) neutral.push((await scored(change(content))).scores);
    const noise = noiseOf(scores, neutral), edits = [];
    for (const { name, label, condition, apply } of EDITS) {
      const edited = apply(content), after = await scored(edited), [movement] = ranked(after.scores);
      const changes = Object.fromEntries(Object.keys(scores).map((each) => [each, after.scores[each] - scores[each]]));
      edits.push({
        name, label, movement, confidence: after.scores[movement], decision: after.decision, changes,
        sentence: sentenceOf(condition, scores, after.scores, after.decision, noise), image: await thumbnail(edited, edited.width),
      });
    }
    return { scores, noise, edits, sentences: sentencesOf(scores, edits, noise) };
  },

  /** @param {number} view @param {Target} target @param {(progress: {share: number}) => void} tell */
  async explain(view, target, tell) {
    const image = opened.get(view), { movements, preprocessing: { size_px: size } } = model.config;
    if (!image) throw new BackendError("This picture is no longer open. Show it again.", "usage");
    const { logits } = target.movement ? { logits: new Float32Array() } : await model.predict(image.input, 1);
    const movement = target.movement || movements[logits.indexOf(Math.max(...logits))];
    const weights = targetWeights({ ...target, movement }, movements);
    const description = targetWords(movement, target.rather_than, target.against);
    if (target.method === "occlusion") {
      const score = async (/** @type {Float32Array<ArrayBuffer>} */ inputs, /** @type {number} */ count) => {
        const results = await model.predict(inputs, count);
        return Array.from({ length: count }, (_, index) => targetScore(results.logits.subarray(index * movements.length, (index + 1) * movements.length), weights));
      };
      const [map, shape] = await occlusion(image.input, size, score, (share) => tell({ share }));
      const shown = target.against ? map : map.map((value) => Math.max(value, 0));
      return { description, movement, signed: target.against, maps: { 0: gridOf(shown, shape, image.content, size) } };
    }
    const results = await model.explain(image.input, weights);
    const maps = model.config.layers.map((/** @type {any} */ { depth, channels, grid }) => {
      const map = layerMap(target.method, results[`activation_${depth}`], results[`gradient_${depth}`], channels, target.against);
      return [depth, gridOf(map, grid, image.content, size)];
    });
    return { description, movement, signed: target.against, maps: Object.fromEntries(maps) };
  },
};

/**
 * Load the graph, its out-of-distribution statistics and what runs it, and tell the page how far that is.
 * @param {{webgpu?: boolean}} options @returns {Promise<string>} In words, what runs it.
 */
async function loadGraph({ webgpu = false }) {
  const { config } = model, tell = (/** @type {string} */ text) => self.postMessage({ loading: text });
  const bytes = await download(`${MODEL}model.onnx`, (share) => tell(`Loading the model, ${Math.round(100 * share)}% …`));
  if (![config.graph_sha256, ""].includes(await sha256(bytes)))
    throw new BackendError("model.onnx: is not the file that config.json describes; load the page again, or build the site again", "model");
  if (config.ood) {
    const arrays = JSON.parse(new TextDecoder().decode(await download(`${MODEL}ood.json`)));
    const { rest, outlier_bias: bias, ...others } = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, floats(array)]));
    ood = /** @type {import("./scores.js").Ood} */ ({ ...others, rest: rest[0], outlier_bias: bias?.[0] });
  }
  tell("Starting the model …");
  return startModel(model, bytes, await availableRuntimes(webgpu));
}

/** Say where a painting lies in its whole view. @param {import("./views.js").Box} box Of it in the image. */
function contentOf([left, top, right, bottom]) {
  const { size_px: size, fit } = model.config.preprocessing;
  return contentBox(right - left, bottom - top, size, fit);
}

/** @param {File} file */
const digest = async (file) => sha256(new Uint8Array(await file.arrayBuffer()));

/** @param {File} file */
async function classified(file) {
  const { preprocessing, view_weights: weights } = model.config;
  const image = await decode(file), names = Object.keys(weights).filter((name) => weights[name] > 0);
  const reduced = image.jpeg && names.every((name) => name === "whole") ? reduceJpeg(image, preprocessing.size_px) : image; // as open_views in Python
  const { views: all, box } = extractViews(reduced, [...new Set([...names, "whole"])], preprocessing, image);
  const views = all.slice(0, names.length), whole = /** @type {import("./views.js").View} */ (all.find(({ name }) => name === "whole"));
  const { logits, embedding, styles } = await model.predict(networkInput(views, preprocessing), views.length);
  const rows = (/** @type {Float32Array} */ values) => views.map((_, index) => values.subarray((index * values.length) / views.length, ((index + 1) * values.length) / views.length));
  const voting = names.map((name) => weights[name]), temperature = model.config.calibration.temperature;
  const scores = named(vote(rows(logits), voting, temperature)), [movement] = ranked(scores);
  const index = names.indexOf("whole"), distance = !ood || index < 0 ? null : isUniform(whole.image, contentOf(box)) ? Infinity : oodScore(rows(embedding)[index], ood);
  const fine = styles && named(styleScores(rows(styles), voting), model.config.styles);
  /** @type {Prediction} */
  const prediction = {
    source: file.name, movement, confidence: scores[movement], decision: decide(scores[movement], distance, model.config),
    set: movementSet(scores, model.config.calibration.set_threshold), scores,
    ...(fine ? { styles: fine, likely_styles: likelyStyles(fine, model.config.style_thresholds) } : {}),
    views: views.map((view, each) => ({ name: view.name, box: view.box, scores: named(softmax(rows(logits)[each], temperature)) })),
    model: model.config.name, width: image.width, height: image.height,
  };
  return { image, box, input: networkInput([whole], preprocessing), prediction, whole: whole.image };
}

/** Score a whole view alone. @param {import("./views.js").Image} content Without a letterbox's bands. */
async function scored(content) {
  const { config } = model, { preprocessing, preprocessing: { size_px: size, fit } } = config;
  const { logits, embedding } = await model.predict(networkInput([wholeView(content, size, fit)], preprocessing), 1);
  const scores = named(softmax(logits, config.calibration.temperature)), [movement] = ranked(scores);
  return { scores, decision: decide(scores[movement], ood ? oodScore(embedding, ood) : null, config) };
}

/** @param {number[]} scores @param {string[]} [names] @returns {Record<string, number>} */
function named(scores, names = model.config.movements) {
  return Object.fromEntries(names.map((name, index) => [name, scores[index]]));
}

/** @param {import("./views.js").Image} image @param {number} [longest] @returns {Promise<string>} A data address. */
async function thumbnail({ width, height, data }, longest = THUMBNAIL_PX) {
  const rgba = new ImageData(width, height);
  for (let pixel = 0, from = 0, to = 0; pixel < width * height; pixel++, from += 3, to += 4) {
    rgba.data.set(data.subarray(from, from + 3), to);
    rgba.data[to + 3] = 255;
  }
  const scale = Math.min(1, longest / Math.max(width, height)), bitmap = await createImageBitmap(rgba);
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 })).arrayBuffer());
  return `data:image/jpeg;base64,${btoa(String.fromCharCode(...bytes))}`;
}

let queue = Promise.resolve(); // onnxruntime-web runs one thing at a time
self.addEventListener("message", ({ data: { id, name, args } }) => {
  const tell = (/** @type {object} */ progress) => self.postMessage({ id, progress });
  queue = queue.then(async () => {
    try {
      if (name !== "load") await ready;
      self.postMessage({ id, result: await CALLS[name](...args, tell) }); }
    catch (error) {
      const { message, kind } = /** @type {BackendError} */ (error);
      const known = error instanceof BackendError;
      self.postMessage({ id, error: { message: known ? message : `Something went wrong in this browser (${message}). Load the page again.`, kind: kind || "error" } });
    }
  });
});
