// @ts-check
/** What if: the painting with one property changed at a time, and what the model says of it then. */
import { element, find, percent } from "../dom.js";
import { ranked } from "../words.js";

/** @typedef {import("../types.js").Edit} Edit */

/** Say in points how much the score of a movement changes. @param {string} movement @param {number} change @returns {string} */
export function changeWords(movement, change) {
  const points = Math.round(100 * change);
  return `${movement} ${points < 0 ? "\u2212" : "+"}${Math.abs(points)}`;
}

/** The movement whose score changes most. @param {Record<string, number>} changes @returns {string} */
export const mostChanged = (changes) =>
  Object.keys(changes).reduce((best, name) => (Math.abs(changes[name]) > Math.abs(changes[best]) ? name : best));

/**
 * Show the sentences and a picture of each edit. @param {HTMLElement} section @param {import("../types.js").WhatIf} result
 * @param {[number, number]} size Of the painting, for its proportions.
 */
export function showWhatIf(section, { scores, edits, sentences }, [width, height]) {
  const [answer] = ranked(scores);
  find(section, ".sentences").replaceChildren(...sentences.map((sentence) => element("li", {}, sentence)));
  find(section, ".edits").replaceChildren(...edits.map((edit) => {
    const image = element("img", { src: edit.image, alt: "" });
    image.style.aspectRatio = `${width} / ${height}`;
    const said = element("span", { class: edit.movement === answer ? "said" : "said other" }, `${edit.movement} ${percent(edit.confidence)}`);
    const most = mostChanged(edit.changes);
    const note = edit.sentence ? changeWords(most, edit.changes[most]) : "within the noise";
    return element("li", {}, image, element("span", { class: "label" }, edit.label), said, element("span", { class: "quiet" }, note));
  }));
  find(section, ".answers").hidden = false;
}
