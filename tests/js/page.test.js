// The page's pure functions: sentences, tables, and where a map is strongest.
import assert from "node:assert/strict";
import { test } from "node:test";

const STATIC = "../../src/artnet/serving/web/static";
const { correctionsCsv, csvOf } = await import(`${STATIC}/csv.js`);
const { classNamed, Corrections } = await import(`${STATIC}/views/corrections.js`);
const { classWords, decisionLabel, decisionSentence, faithfulnessSentence, marginsSentence, paintingBox, ranked, shownStyles, targetWords } = await import(`${STATIC}/words.js`);
const { heatmapOf, peakWords } = await import(`${STATIC}/drawing/painting.js`);
const { declaredSize } = await import(`${STATIC}/graph/decode.js`);

const { changeWords, mostChanged } = await import(`${STATIC}/views/what-if.js`);
const { along, figure, stripRange } = await import(`${STATIC}/views/properties.js`);

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

test("corrections become a table that holds any name", () => {
  const named = (source) => ({ sha256: "ab", source, answer: "Dots", correction: "Lines" });
  const rows = [named('a, "b".png'), named("two\nlines.png"), named("=1+1.png")];
  assert.equal(correctionsCsv(rows), 'sha256,source,answer,correction\r\nab,"a, ""b"".png",Dots,Lines\r\n'
    + 'ab,"two\nlines.png",Dots,Lines\r\nab,=1+1.png,Dots,Lines\r\n');
});

test("the five are called movements, and anything else classes", () => {
  assert.equal(classWords(["Realism", "Cubism"]).many, "movements");
  assert.equal(classWords(["Realism", "Poster"]).many, "classes");
});

test("a class that is typed is the one that differs in case and blanks alone", () => {
  assert.equal(classNamed("  pop   ART ", ["Cubism", "Pop Art"]), "Pop Art");
  assert.equal(classNamed(" Art  brut", ["Cubism"]), "Art brut");
});

const keeping = () => {
  const items = new Map();
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
};
const correction = (sha256) => ({ sha256, source: "a.png", answer: "Dots", correction: "Lines" });

test("corrections outlive the page, one for each picture, and each model has its own", () => {
  const storage = keeping(), corrections = new Corrections({ graph_sha256: "1" }, storage);
  corrections.add(correction("a"), correction("b"), { ...correction("a"), correction: "Blocks" });
  corrections.remove("b");
  assert.deepEqual(new Corrections({ graph_sha256: "1" }, storage).all, [{ ...correction("a"), correction: "Blocks" }]);
  assert.deepEqual(new Corrections({ graph_sha256: "2" }, storage).all, []);
});

test("two tabs do not write over each other's corrections", () => {
  const storage = keeping(), [one, other] = [1, 2].map(() => new Corrections({ graph_sha256: "1" }, storage));
  one.add(correction("a"));
  other.add(correction("b"));
  assert.deepEqual(other.all, [correction("a"), correction("b")]);
});

test("without storage, and where it is full, corrections last as long as the page, which can say so", () => {
  const full = { ...keeping(), setItem() { throw new Error("QuotaExceededError"); } };
  for (const storage of [null, full]) {
    const corrections = new Corrections({ graph_sha256: "1" }, storage);
    corrections.add(correction("a"));
    corrections.add(correction("b"));
    assert.equal(corrections.all.length, 2);
    assert.equal(corrections.kept, false);
  }
});

test("what something else has stored there is no correction", () => {
  for (const stored of ["no JSON", '{"a": 1}', "[null]"]) {
    const storage = keeping();
    storage.setItem("artnet-corrections-1", stored);
    assert.deepEqual(new Corrections({ graph_sha256: "1" }, storage).all, []);
  }
});
