// @ts-check
/** Measured properties of a painting, each with a strip for every movement and a mark where the painting lies. */
import { element, find } from "../dom.js";

/** @typedef {import("../types.js").Property} Property */

/**
 * Return the values between which a property's strips are drawn: the deciles of all movements and the painting's own value.
 * @param {Property} property @returns {[number, number]}
 */
export function stripRange({ value, deciles }) {
  const values = [value, ...Object.values(deciles).flat()], low = Math.min(...values), high = Math.max(...values);
  return low < high ? [low, high] : [low - 1, high + 1];
}

/** @param {number} value @param {[number, number]} range @returns {number} 0 to 1. */
export const along = (value, [low, high]) => (value - low) / (high - low);

/** Print a value in three figures. @param {number} value @returns {string} */
export const figure = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(3).replace("-", "\u2212"));

/** @param {HTMLElement} section @param {Property[]} properties */
export function showProperties(section, properties) {
  find(section, ".measured").replaceChildren(...properties.map((property) => element("li", {},
    element("h3", {}, `${property.label} `, element("span", { class: "value" }, figure(property.value))),
    element("p", { class: "quiet ends", "aria-hidden": "true" }, element("span", {}, property.low), element("span", {}, property.high)),
    strips(property),
    property.words ? element("p", { class: "quiet" }, property.words) : null)));
  find(section, ".answers").hidden = false;
}

/** A strip for each movement: from its first decile to its ninth, with its median and the painting's mark. @param {Property} property */
function strips(property) {
  const range = stripRange(property), share = (/** @type {number} */ value) => `${(100 * along(value, range)).toFixed(1)}%`;
  return element("ol", { class: "strips", "aria-hidden": "true" }, ...Object.entries(property.deciles).map(([movement, deciles]) => {
    const band = element("i", { class: "band" }), median = element("i", { class: "median" }), mark = element("i", { class: "mark" });
    band.style.left = share(deciles[0]);
    band.style.right = `${(100 - 100 * along(deciles[8], range)).toFixed(1)}%`;
    median.style.left = share(deciles[4]);
    mark.style.left = share(property.value);
    return element("li", {}, element("span", { class: "name" }, movement), element("span", { class: "strip" }, band, median, mark));
  }));
}
