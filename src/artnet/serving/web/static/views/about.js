// @ts-check
/** The view About: what the model is, how good it is, its limits, and what to do about a wrong answer. */
import { element, percent } from "../dom.js";
import { classWords } from "../words.js";

/** @typedef {import("../types.js").Model} Model */

/** @type {Record<string, string>} */
const SCORES = {
  accuracy: "share of right answers",
  balanced_accuracy: "mean over all, each counting alike",
  top_2_accuracy: "the right one is among the first two",
  calibration_error: "how far scores are from shares of right answers",
};
const WRONG = [
  "Read the bars before the name above them: where two are near each other, both answers are open. “Unsure” says so.",
  "Look where the map is strongest. A frame, a wall, a signature or a museum’s label in the picture is looked at like paint: crop it and show the painting again.",
  "Ask why it is rather what you expected, and test the map: one that does no better than chance explains nothing.",
  "Whatever is none of these still gets one of these names: a photograph, a drawing, a painting of another time. “Unfamiliar” notices some of them and misses many.",
  "If it stays wrong, it is wrong: do not use the answer. “Wrong?” under it keeps what is right, and artnet teach draws the model towards that; with paintings and labels of your own a better model can be trained. This page opens both with artnet app --model FOLDER.",
];
const SERVER_PRIVACY = "It is sent to the computer that runs this page, decoded in memory, answered and forgotten. Nothing is written to a disk there, nothing is kept for the next visitor, and the page asks no other computer for anything.";
const LOCAL_PRIVACY = "Nothing: it never leaves this browser. The model was loaded with the page and runs here; the page asks no other computer for anything.";

/** @param {string} heading @param {...Node} parts */
const section = (heading, ...parts) => element("section", {}, element("h2", {}, heading), ...parts);
/** @param {string} text */
const paragraph = (text) => element("p", {}, text);
/** @param {string} tag @param {string[]} items */
const list = (tag, items) => element(tag, {}, ...items.map((item) => element("li", {}, item)));

/** @param {string} caption @param {string[]} head @param {string[][]} rows @param {number} [words] The column of words. */
function table(caption, head, rows, words = -1) {
  const cells = (/** @type {string[]} */ row, /** @type {string} */ tag) => row.map((text, index) => (index === 0 && tag === "td"
    ? element("th", { scope: "row" }, text)
    : element(tag, { scope: tag === "th" && "col", class: index === words && "words" }, text)));
  const body = rows.map((row) => element("tr", {}, ...cells(row, "td")));
  const made = element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...cells(head, "th"))),
    element("tbody", {}, ...body));
  return element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": caption }, made);
}

export class About {
  /** @param {HTMLElement} root @param {Model} model */
  constructor(root, model) {
    const { config, local, runtime } = model, running = paragraph("");
    running.className = "runtime";
    runtime?.then((description) => { running.textContent = description; }, () => {}); // an error stands over the page
    root.replaceChildren(
      section("What this is", paragraph(whatItIs(config, model.movements)), ...(runtime ? [running] : [])),
      section("How good it is", ...figures(config.scores, classWords(model.movements).one)),
      section("What to do about a wrong answer", list("ol", WRONG)),
      section("Limits", list("ul", limits(config))),
      section("What happens to your picture", paragraph(local ? LOCAL_PRIVACY : SERVER_PRIVACY)),
      section("How it was made", list("ul", making(config.training))),
    );
    root.dataset.ready = "yes";
  }
}

/** @param {Record<string, any>} config @param {string[]} movements */
function whatItIs({ name, backbone, preprocessing, view_weights: weights }, movements) {
  const voting = Object.keys(weights).filter((view) => weights[view] > 0);
  const views = voting.length === 1 && voting[0] === "whole" ? "the whole painting" : voting.join(", ");
  return `The model ${name} says which of ${movements.length} ${classWords(movements).many} a painting belongs to: ${movements.join(", ")}. It looks at `
    + `${views}, ${preprocessing.size_px} pixels wide and high, through a small network (${backbone}). The maps show what the network’s `
    + "own arithmetic points at, at nine depths: shallow layers see lines and spots, deep ones see shapes.";
}

/** @param {Record<string, any> | undefined} scores @param {string} word What a class is called. @returns {HTMLElement[]} */
function figures(scores, word) {
  if (!scores?.values) return [paragraph("This model has not been evaluated yet: artnet evaluate DATA --model FOLDER --record.")];
  const number = (/** @type {number} */ value) => value.toFixed(3);
  const values = Object.keys(SCORES).filter((name) => scores.values[name]).map((name) => {
    const { value, low, high } = scores.values[name];
    return [name.replaceAll("_", " "), SCORES[name], number(value), `${number(low)} to ${number(high)}`];
  });
  const movements = Object.entries(scores.by_movement || {}).map(([name, { paintings, recall }]) =>
    [name, String(paintings), recall == null ? "none to find" : percent(recall)]);
  return [
    paragraph(`Measured on ${scores.paintings} paintings it had not seen (${scores.protocol}).`),
    table("Scores", ["score", "meaning", "value", "95 % interval"], values, 1),
    table(`Of the paintings of each ${word}`, [word, "paintings", "found"], movements),
  ];
}

/** @param {Record<string, any>} config @returns {string[]} */
const limits = ({ ood, training }) => [
  `It answers with one of its names whatever it is shown.${ood ? "" : " This model never says that a picture is unfamiliar."}`,
  "Names of styles are opinions, and a painting may honestly be two things.",
  "It sees a reproduction, a few hundred pixels wide: no surface, no size, no date.",
  ...(training?.limits || []),
];

/** @param {Record<string, any>} [training] @returns {string[]} */
function making(training = {}) {
  const facts = Object.entries(training).filter(([key]) => key !== "limits" && key !== "license");
  const named = (/** @type {string} */ key) => key.charAt(0).toUpperCase() + key.slice(1).replaceAll("_", " ");
  return facts.length ? facts.map(([key, value]) => `${named(key)}: ${value}`) : ["Its maker does not say."];
}
