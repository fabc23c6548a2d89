// What the static site computes agrees with the Python code, on the values in vectors.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const STATIC = "../../src/artnet/serving/web/static";
const { CAMS, quantized } = await import(`${STATIC}/graph/cam.js`);
const { gridOf, layerMap, occlusion, targetScore, targetWeights } = await import(`${STATIC}/graph/explain.js`);
const { decide, likelyStyles, movementSet, oodScore, softmax, styleScores, vote } = await import(`${STATIC}/graph/scores.js`);
const { EDITS, NEUTRAL } = await import(`${STATIC}/graph/edits.js`);
const { noiseOf, sentenceOf, sentencesOf } = await import(`${STATIC}/views/what-if-words.js`);
const { checkViews, measureDisagreement } = await import(`${STATIC}/graph/self-check.js`);
const { findMargins } = await import(`${STATIC}/graph/margins.js`);
const { contentBox, extractViews, isUniform, networkInput, reduceJpeg, regionBox, wholeView } = await import(`${STATIC}/graph/views.js`);
const { colormap } = await import(`${STATIC}/drawing/colormap.js`);

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8"));

function close(actual, expected, tolerance = 1e-4) {
  assert.equal(actual.length, expected.length);
  for (let index = 0; index < expected.length; index++)
    assert.ok(Math.abs(actual[index] - expected[index]) <= tolerance, `value ${index}: ${actual[index]}, expected ${expected[index]}`);
}

test("regions lie where Python cuts them", () => {
  for (const { name, size, box } of vectors.regions) assert.deepEqual(regionBox(name, ...size, 224), box);
});

test("the whole painting lies in its view where Python lays it", () => {
  for (const { size, fit, box } of vectors.placements) assert.deepEqual(contentBox(...size, 224, fit), box);
});

for (const { width, height, fit, image, view } of vectors.resizes)
  test(`${width} x ${height} pixels are resized as Pillow does, ${fit}`, () => {
    const whole = wholeView({ width, height, data: Uint8Array.from(image) }, 16, fit);
    close(whole.image.data, view, 1); // one level of 255: Pillow computes with integers
    const mean = whole.image.data.reduce((sum, value, index) => sum + Math.abs(value - view[index]), 0) / view.length;
    assert.ok(mean < 0.02, `mean difference ${mean}`);
  });

test("a large JPEG is averaged as libjpeg does until it is twice as large as its view, and a smaller one left alone", () => {
  const image = { width: 17, height: 16, data: Uint8Array.from({ length: 17 * 16 * 3 }, (_, index) => index % 17) };
  assert.deepEqual([4, 2, 1].map((size) => reduceJpeg(image, size).width), [9, 5, 3]);
  assert.equal(reduceJpeg(image, 5), image);
});

test("the test views of the self-check are Python's, to the byte", () => {
  const views = checkViews(vectors.self_check.size);
  assert.deepEqual(views.map(({ data }) => [...data]), vectors.self_check.views);
});

for (const [logits, apart] of [[[1, 2], 0], [[1, 2.5], 0.5], [[Number.NaN, 2], Number.NaN]])
  test(`a model that computes ${logits} where 1, 2 is stored is ${apart} apart`, async () => {
    const config = { preprocessing: { size_px: 8, mean: [0, 0, 0], std: [1, 1, 1] }, self_check: { logits: [[1, 2], [1, 2], [1, 2]] } };
    assert.equal(await measureDisagreement({ config, predict: async () => ({ logits }) }), apart);
  });

test("one colour is uniform, whatever lies around it", () => {
  const page = (levels) => ({ width: 4, height: 4, data: Uint8Array.from({ length: 48 }, (_, index) => (index < 12 ? 0 : 250 + levels * (index % 2))) });
  assert.equal(isUniform(page(1), [0, 1, 4, 4]), true);
  assert.equal(isUniform(page(1), [0, 0, 4, 4]), false);
});

for (const { name, width, height, image, box } of vectors.margins)
  test(`margins are found as in Python: ${name}`, () => {
    assert.deepEqual(findMargins({ width, height, data: new Uint8Array(Buffer.from(image, "base64")) }), box);
  });

test("views of a painting without its margins have boxes in the image's pixels", () => {
  const { width, height, image, box } = vectors.margins[0], size_px = 16;
  const picture = { width, height, data: new Uint8Array(Buffer.from(image, "base64")) };
  const names = ["whole", "centre"], found = extractViews(picture, names, { size_px, fit: "stretch", trim: true });
  assert.deepEqual(found.box, box);
  assert.deepEqual(found.views[0].box, box);
  const [left, top] = [box[0] + 12, box[1] + 7]; // the middle of 40 x 30 pixels
  assert.deepEqual(found.views[1].box, [left, top, left + 16, top + 16]);
  assert.deepEqual(extractViews(picture, names, { size_px, fit: "stretch" }).views[0].box, [0, 0, width, height]);
});

test("the network's input is normalised as in Python", () => {
  const { image, mean, std, values } = vectors.input;
  close(networkInput([{ image: { width: 4, height: 4, data: Uint8Array.from(image) } }], { mean, std }), values);
});

for (const [name, { shape, activation, gradient, maps }] of Object.entries(vectors.cams))
  for (const method of Object.keys(CAMS))
    test(`${method} of ${name} layers is Python's`, () => {
      close(CAMS[method](Float32Array.from(activation), Float32Array.from(gradient), shape[0]), maps[method], 1e-3);
    });

test("scores are voted, calibrated and named out of distribution as in Python", () => {
  const { logits, weights, ood, ...expected } = vectors.scores;
  close(softmax(logits[0], 1.7), expected.softmax);
  close(vote(logits, weights, 1.7), expected.vote);
  close(styleScores([logits[0]], [1]), expected.sigmoid);
  const detector = { ...ood, rest: ood.rest[0], outlier_weights: Float32Array.from(ood.outlier_weights), outlier_bias: ood.outlier_bias[0] };
  assert.ok(Math.abs(oodScore(Float32Array.from(ood.embedding), detector) - ood.score) < 1e-3 * ood.score);
});

test("a decision follows the thresholds", () => {
  const config = { ood: { threshold: 2 }, calibration: { unsure_below: 0.5 } };
  assert.equal(decide(0.9, 1, config), "confident");
  assert.equal(decide(0.4, 1, config), "unsure");
  assert.equal(decide(0.9, 3, config), "unfamiliar");
  assert.equal(decide(0.9, 3, { ...config, ood: null }), "confident");
});

test("a set holds the movements that Python's holds", () => {
  for (const { scores, threshold, set } of vectors.sets) assert.deepEqual(movementSet(scores, threshold), set);
  assert.equal(movementSet({ Cubism: 1 }, null), null);
});

test("a style is likely from its threshold on, and never without one", () => {
  const scores = { Cubism: 0.4, Fauvism: 0.45, Realism: 0.9 };
  assert.deepEqual(likelyStyles(scores, { Cubism: 0.3, Fauvism: 0.45 }), ["Fauvism", "Cubism"]);
  assert.deepEqual(likelyStyles(scores, null), ["Realism"]);
});

test("targets weigh and score logits as in Python", () => {
  for (const { movement, rather_than, weights, score } of vectors.scores.targets) {
    const target = targetWeights({ movement, rather_than: rather_than ?? "" }, ["A", "B", "C", "D", "E"]);
    assert.deepEqual([...target], weights);
    assert.ok(Math.abs(targetScore(vectors.scores.logits[0], target) - score) < 1e-5);
  }
});

test("what speaks against is the map of the contrary target", () => {
  const [activation, gradient] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 1, -1, -1)];
  const against = layerMap("hirescam", activation, gradient.map((value) => -value), 2, true);
  close(against, layerMap("hirescam", activation, gradient, 2, true).map((value) => -value));
});

test("occlusion is Python's", async () => {
  const { view, kernel, map } = vectors.occlusion;
  const score = async (inputs, count) => Array.from({ length: count }, (_, index) =>
    kernel.reduce((sum, weight, each) => sum + weight * inputs[index * kernel.length + each], 0));
  const shares = [];
  close((await occlusion(Float32Array.from(view), 28, score, (share) => shares.push(share)))[0], map, 1e-3);
  assert.equal(shares.at(-1), 1);
});

test("a map is cut to the painting and scaled to its own maximum", () => {
  const grid = gridOf(Float32Array.of(9, 1, 2, 9, 4, -2), [3, 2], [0, 75, 224, 149], 224);
  assert.deepEqual([grid.rows, grid.columns], [1, 2]);
  assert.deepEqual([...quantized([1, -2, 0])], [64, -127, 0]);
});

test("the colour maps are Python's", () => {
  for (const [side, table] of Object.entries(vectors.colors)) close(colormap(side), table, 1);
});

test("every edit that is not the server's alone is here", () => {
  assert.deepEqual(EDITS.map(({ name }) => name), Object.keys(vectors.what_if.edits));
});

for (const { name, label, condition, apply } of EDITS)
  test(`${name} is Python's edit`, () => {
    const { size: [width, height], image, edits } = vectors.what_if;
    const edited = apply({ width, height, data: Uint8Array.from(image) });
    close(edited.data, edits[name].image, 1);
    assert.deepEqual([label, condition], [edits[name].label, edits[name].condition]);
  });

test("the changes that mean nothing are Python's, but for the JPEG", () => {
  const { size: [width, height], image, neutral } = vectors.what_if;
  NEUTRAL.forEach((change, index) => close(change({ width, height, data: Uint8Array.from(image) }).data, neutral[index], 1));
});

test("what if is told as in Python", () => {
  const { before, sentences } = vectors.what_if;
  for (const { after, decision, sentence } of sentences)
    assert.equal(sentenceOf("If darker,", before, after, decision, 0.05) ?? "", sentence);
  assert.ok(Math.abs(noiseOf(before, [{ ...before, A: 0.24 }, { ...before, C: 0.09 }]) - 0.06) < 1e-9);
  const told = sentences.map(({ after, sentence }, index) => ({
    label: `edit ${index}`, movement: after.A > after.B ? "A" : "B", sentence: sentence || null,
    changes: Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]])),
  }));
  assert.deepEqual(sentencesOf(before, [...told].reverse(), 0.05), [sentences[0].sentence, sentences[1].sentence, "No more than noise (5.0 points): edit 2."]);
  assert.deepEqual(sentencesOf(before, told.slice(0, 1), 0.05).at(-1), "Noise: 5.0 points.");
});
