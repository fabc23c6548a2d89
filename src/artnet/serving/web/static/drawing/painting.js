// @ts-check
/** A painting in its frame: the image, the heatmap over it and the regions that were classified alone. */
import { colormap } from "./colormap.js";
import { element, find, percent } from "../dom.js";
import { resizePlane } from "./resample.js";
import { paintingBox, ranked } from "../words.js";

/** @typedef {import("../types.js").Grid} Grid */
/** @typedef {import("../types.js").Explanation} Explanation */

const CANVAS_PX = 448; // of the longer side; maps are smooth, and the browser scales the rest

/** Enlarge a grid to width x height values, -127 to 127. @param {Grid} grid @param {number} width @param {number} height */
export function heatmapOf(grid, width, height) {
  const values = resizePlane(grid.cells, [grid.rows, grid.columns], grid.box, width, height);
  const lowest = grid.cells.some((value) => value < 0) ? -127 : 0;
  return values.map((value) => Math.min(127, Math.max(lowest, value)));
}

/**
 * Draw a grid on a canvas: colour and cover both grow with the value.
 * @param {HTMLCanvasElement} canvas @param {Grid} grid @param {boolean} signed @param {number} width @param {number} height
 */
export function drawHeatmap(canvas, grid, signed, width, height) {
  const values = heatmapOf(grid, width, height);
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  for (let index = 0; index < values.length; index++) {
    const size = Math.min(1, Math.abs(values[index]) / 127);
    const table = colormap(!signed ? "sequential" : values[index] < 0 ? "negative" : "positive");
    const entry = 3 * Math.round(255 * size), pixel = 4 * index;
    image.data[pixel] = table[entry];
    image.data[pixel + 1] = table[entry + 1];
    image.data[pixel + 2] = table[entry + 2];
    image.data[pixel + 3] = Math.round(255 * size);
  }
  context.putImageData(image, 0, 0);
}

/** Return in words where a grid is strongest, for screen readers. @param {Grid} grid @returns {string} */
export function peakWords({ cells, rows, columns, box }) {
  let best = 0;
  for (let index = 1; index < rows * columns; index++) if (cells[index] > cells[best]) best = index;
  if (cells[best] <= 0) return "no evidence for it here";
  const third = (/** @type {number} */ share) => Math.min(2, Math.max(0, Math.floor(3 * share)));
  const x = ((best % columns) + 0.5 - box[0]) / (box[2] - box[0]);
  const y = (Math.floor(best / columns) + 0.5 - box[1]) / (box[3] - box[1]);
  const row = ["top", "middle", "bottom"][third(y)], column = ["left", "centre", "right"][third(x)];
  return row === "middle" && column === "centre" ? "strongest in the centre" : `strongest at ${row} ${column}`;
}

/** Lay an element over a box of the image in its frame. @param {HTMLElement} element @param {import("../types.js").Box} box @param {[number, number]} size Of the image. */
function place(element, [left, top, right, bottom], [width, height]) {
  const share = (/** @type {number} */ value, /** @type {number} */ whole) => `${(100 * value) / whole}%`;
  Object.assign(element.style, {
    left: share(left, width), top: share(top, height),
    width: share(right - left, width), height: share(bottom - top, height),
  });
}

export class Painting {
  /** @param {HTMLElement} root */
  constructor(root) {
    /** @type {HTMLImageElement} */ this.image = find(root, ".painting");
    /** @type {HTMLCanvasElement} */ this.canvas = find(root, "canvas.heatmap");
    /** @type {HTMLElement} */ this.regions = find(root, ".regions");
    /** @type {[number, number]} */ this.size = [1, 1];
    /** Of the painting in the image, without its margins. @type {import("../types.js").Box} */ this.box = [0, 0, 1, 1];
  }

  /** @param {string} address @param {import("../types.js").Prediction} prediction */
  show(address, prediction) {
    const { width, height } = prediction;
    this.image.src = address;
    this.image.alt = "";
    this.size = [width, height];
    this.box = paintingBox(prediction);
    this.image.parentElement?.style.setProperty("--aspect", String(width / height));
    this.canvas.hidden = true;
    this.regions.replaceChildren();
  }

  /** Draw a grid over the painting, with its longer side of so many pixels. @param {HTMLCanvasElement} canvas @param {Grid} grid @param {boolean} signed @param {number} longest */
  drawOver(canvas, grid, signed, longest) {
    const [left, top, right, bottom] = this.box, sides = [right - left, bottom - top], scale = longest / Math.max(...sides);
    const [width, height] = sides.map((side) => Math.max(1, Math.round(side * scale)));
    drawHeatmap(canvas, grid, signed, width, height);
    place(canvas, this.box, this.size);
    canvas.classList.toggle("inside", sides[0] < this.size[0] || sides[1] < this.size[1]);
  }

  /** Draw the map of a depth, or the only one, and return it. @param {Explanation} explanation @param {number} depth @returns {Grid} */
  draw(explanation, depth) {
    const grid = explanation.maps[depth] || explanation.maps[0];
    this.drawOver(this.canvas, grid, explanation.signed, CANVAS_PX);
    this.canvas.hidden = false;
    return grid;
  }

  /** @param {number} opacity @param {boolean} inColour */
  shade(opacity, inColour) {
    this.canvas.style.opacity = String(opacity);
    this.image.classList.toggle("grey", !inColour && !this.canvas.hidden);
  }

  /** Frame the views with what each alone says. @param {import("../types.js").ViewScores[]} views */
  frame(views) {
    this.regions.replaceChildren(...views.map(({ name, box, scores }) => {
      const [best] = ranked(scores);
      const region = element("div", { class: `region ${name}` }, element("span", {}, `${best} ${percent(scores[best])}`));
      place(region, box, this.size);
      return region;
    }));
  }
}
