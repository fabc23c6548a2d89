// The page's pure functions: sentences, tables, and where a map is strongest.
import assert from "node:assert/strict";
import { test } from "node:test";

const STATIC = "../../src/artnet/serving/web/static";
const { csvOf } = await import(`${STATIC}/csv.js`);
const { decisionLabel, decisionSentence, faithfulnessSentence, marginsSentence, paintingBox, ranked, shownStyles, targetWords } = await import(`${STATIC}/words.js`);
const { heatmapOf, peakWords } = await import(`${STATIC}/painting.js`);
const { declaredSize } = await import(`${STATIC}/graph/decode.js`);

const { changeWords, mostChanged } = await import(`${STATIC}/what-if.js`);
const { along, figure, stripRange } = await import(`${STATIC}/properties.js`);

const scores = { Cubism: 0.2, Realism: 0.5, Abstract: 0.3 };

test("a decision is said in words", () => {
  assert.equal(decisionSentence({ decision: "confident", scores }), "Confident.");
  assert.equal(decisionSentence({ decision: "unsure", scores }), "Unsure: Realism or Abstract.");
  assert.match(decisionSentence({ decision: "unfamiliar", scores }), /^Unfamiliar: .*do not rely on the answer\.$/);
  assert.equal(decisionSentence({ decision: "unsure", scores, set: ["Realism", "Abstract", "Cubism"] }), "Unsure: Realism, Abstract or Cubism.");
  assert.equal(decisionSentence({ decision: "unsure", scores, set: ["Realism"] }), "Unsure: Realism or another.");
  assert.equal(decisionLabel({ decision: "unsure", scores }), "Unsure: Realism or Abstract");
  assert.equal(decisionLabel({ decision: "unfamiliar", scores }), "Unfamiliar");
});

test("margins that were left out are said with their share", () => {
  const views = [{ name: "whole", box: [10, 0, 90, 50], scores }], prediction = { views, width: 100, height: 50 };
  assert.equal(marginsSentence(prediction), "The margins around the painting, 20% of the picture, were left out.");
  assert.equal(marginsSentence({ ...prediction, views: [] }), "");
  assert.deepEqual(paintingBox({ ...prediction, views: [] }), [0, 0, 100, 50]);
});

test("scores are ranked, and only likely styles are named", () => {
  assert.deepEqual(ranked(scores), ["Realism", "Abstract", "Cubism"]);
  const styles = { a: 0.6, b: 0.49, c: 0.9, d: 0.7, e: 0.8 };
  assert.deepEqual(shownStyles({ styles, likely_styles: ["c", "e", "d", "a"] }), [["c", 0.9], ["e", 0.8], ["d", 0.7]]);
  assert.deepEqual(shownStyles({}), []);
});

test("a gain is put into words by its size", () => {
  assert.match(faithfulnessSentence(0.02), /more than covering parts at random \(gain \+0\.020\)\.$/);
  assert.match(faithfulnessSentence(0.001), /hardly better/);
  assert.match(faithfulnessSentence(-0.1), /Do not read much into it \(gain -0\.100\)\.$/);
});

test("a target is put into words as the command does", () => {
  assert.equal(targetWords("Cubism", "", false), "why Cubism");
  assert.equal(targetWords("Cubism", "Realism", true), "what speaks for and against Cubism rather than Realism");
});

test("a table has a row for each file, quoted where it must be, and errors in their columns", () => {
  const rows = [
    { source: 'a "b", c.jpg', sha256: "ab", movement: "Realism", confidence: 0.5, decision: "unsure", set: ["Realism", "Abstract"], scores },
    { source: "broken.jpg", error: { kind: "corrupt", message: "broken.jpg: is broken" } },
  ];
  assert.deepEqual(csvOf(rows, ["Cubism", "Pop Art"]).split("\r\n"), [
    "source,sha256,movement,confidence,decision,set,score_cubism,score_pop_art,error_kind,error",
    '"a ""b"", c.jpg",ab,Realism,0.5,unsure,Realism; Abstract,0.2,,,',
    "broken.jpg,,,,,,,,corrupt,broken.jpg: is broken",
    "",
  ]);
});

test("where a map is strongest is said by thirds of the painting", () => {
  const grid = (index) => ({ rows: 3, columns: 3, box: [0, 0, 3, 3], cells: Int8Array.from({ length: 9 }, (_, cell) => (cell === index ? 9 : 0)) });
  assert.equal(peakWords(grid(4)), "strongest in the centre");
  assert.equal(peakWords(grid(2)), "strongest at top right");
  assert.equal(peakWords(grid(-1)), "no evidence for it here");
});

test("an enlarged map stays within its own range", () => {
  const grid = { rows: 2, columns: 2, box: [0, 0, 2, 2], cells: Int8Array.of(127, 0, 0, 127) };
  const values = heatmapOf(grid, 16, 16);
  assert.equal(values.length, 256);
  assert.ok(Math.min(...values) >= 0 && Math.max(...values) <= 127);
});

test("the size that a file declares is read before it is decoded", () => {
  const png = new Uint8Array(40);
  png.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
  assert.deepEqual(declaredSize(png), [30000, 30000]);
  const jpeg = new Uint8Array(40);
  jpeg.set([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 1, 2, 3, 4]);
  assert.deepEqual(declaredSize(jpeg), [772, 258]);
  assert.equal(declaredSize(new Uint8Array(40)), null);
});

test("a change is said in points of the score that changes most", () => {
  assert.equal(mostChanged({ Cubism: 0.1, Realism: -0.31, Abstract: 0.21 }), "Realism");
  assert.equal(changeWords("Realism", -0.314), "Realism \u221231");
  assert.equal(changeWords("Cubism", 0.096), "Cubism +10");
});

test("strips hold every decile and the painting itself", () => {
  const range = stripRange({ value: 12, deciles: { Cubism: [1, 2, 3], Realism: [4, 8, 9] } });
  assert.deepEqual(range, [1, 12]);
  assert.equal(along(1, range), 0);
  assert.equal(along(12, range), 1);
  assert.equal(along(5, stripRange({ value: 5, deciles: {} })), 0.5);
});

test("a value is printed in three figures", () => {
  assert.deepEqual([figure(62.41), figure(0.1234), figure(-2.438), figure(7)], ["62.4", "0.123", "\u22122.44", "7"]);
});
