// @ts-check
/** Draw overlays and the sheet of all depths in the browser, as `artnet.render` does. */
import { colormap } from "./colormap.js";
import { percent } from "../dom.js";
import { heatmapOf } from "./painting.js";
import { capitalized, decisionSentence, paintingBox } from "../words.js";

/** @typedef {import("../types.js").Explanation} Explanation */
/** @typedef {import("../types.js").DownloadOptions} DownloadOptions */

/** @typedef {import("../types.js").Prediction} Prediction */

const OUTLINE = "#d55e00"; // as in artnet.render.overlay
const LONGEST_PX = 4096, TILE_PX = 320, GAP_PX = 16, COLUMNS = 3, TEXT_PX = 18;

/** @param {Blob} file @param {number} longest @returns {Promise<HTMLCanvasElement>} The image, not larger than that. */
async function imageCanvas(file, longest) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  context2d(canvas).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no memory for the drawing; use a smaller picture.");
  return context;
}

/** Blend a depth's map over the painting in an image, in place. @param {HTMLCanvasElement} canvas @param {Prediction} prediction @param {Explanation} explanation @param {number} depth @param {DownloadOptions} options */
function blend(canvas, prediction, explanation, depth, { opacity, inColour }) {
  const scale = canvas.width / prediction.width, context = context2d(canvas);
  const [left, top, right, bottom] = paintingBox(prediction).map((place) => Math.round(place * scale));
  const width = Math.max(1, right - left), height = Math.max(1, bottom - top);
  const image = context.getImageData(left, top, width, height), { data } = image;
  const values = heatmapOf(explanation.maps[depth] || explanation.maps[0], width, height);
  for (let index = 0, pixel = 0; index < values.length; index++, pixel += 4) {
    const size = Math.min(1, Math.abs(values[index]) / 127), share = size * opacity, entry = 3 * Math.round(255 * size);
    const table = colormap(!explanation.signed ? "sequential" : values[index] < 0 ? "negative" : "positive");
    const grey = 0.299 * data[pixel] + 0.587 * data[pixel + 1] + 0.114 * data[pixel + 2]; // ITU-R BT.601
    for (let channel = 0; channel < 3; channel++) {
      const ground = inColour ? data[pixel + channel] : grey;
      data[pixel + channel] = ground + share * (table[entry + channel] - ground);
    }
  }
  context.putImageData(image, left, top);
  if (width >= canvas.width && height >= canvas.height) return;
  context.strokeStyle = OUTLINE;
  context.lineWidth = Math.max(1, Math.round(Math.max(canvas.width, canvas.height) / 300));
  const outside = context.lineWidth / 2; // on the margins
  context.strokeRect(left - outside, top - outside, width + 2 * outside, height + 2 * outside);
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
const png = (canvas) => new Promise((resolve, reject) => {
  canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The drawing could not be saved; use a smaller picture."))), "image/png");
});

/** @param {File} file @param {Prediction} prediction @param {Explanation} explanation @param {DownloadOptions} options @returns {Promise<Blob>} */
export async function drawnOverlay(file, prediction, explanation, options) {
  const canvas = await imageCanvas(file, LONGEST_PX);
  blend(canvas, prediction, explanation, options.depth, options);
  return png(canvas);
}

/** @param {File} file @param {Prediction} prediction @param {Explanation} explanation @param {DownloadOptions} options @returns {Promise<Blob>} */
export async function drawnSheet(file, prediction, explanation, options) {
  const depths = Object.keys(explanation.maps).map(Number), tile = await imageCanvas(file, TILE_PX);
  const columns = Math.min(COLUMNS, depths.length), rows = Math.ceil(depths.length / columns), head = 3 * TEXT_PX + 2 * GAP_PX;
  const sheet = document.createElement("canvas");
  sheet.width = columns * (tile.width + GAP_PX) + GAP_PX;
  sheet.height = head + rows * (tile.height + TEXT_PX + 2 * GAP_PX);
  const context = context2d(sheet);
  context.fillStyle = "#faf9f6";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = "#262422";
  context.font = `600 ${TEXT_PX}px sans-serif`;
  context.fillText(`${prediction.movement} ${percent(prediction.confidence)}. ${decisionSentence(prediction)}`, GAP_PX, GAP_PX + TEXT_PX, sheet.width - 2 * GAP_PX);
  context.font = `${TEXT_PX - 3}px sans-serif`;
  context.fillText(`${capitalized(explanation.description)}? ${file.name}`, GAP_PX, GAP_PX + 2.3 * TEXT_PX, sheet.width - 2 * GAP_PX);
  depths.forEach((depth, index) => {
    const copy = document.createElement("canvas");
    copy.width = tile.width;
    copy.height = tile.height;
    context2d(copy).drawImage(tile, 0, 0);
    blend(copy, prediction, explanation, depth, options);
    const left = GAP_PX + (index % columns) * (tile.width + GAP_PX);
    const top = head + Math.floor(index / columns) * (tile.height + TEXT_PX + 2 * GAP_PX);
    context.drawImage(copy, left, top);
    context.fillText(depth ? `depth ${depth}` : "on the pixels", left, top + tile.height + TEXT_PX);
  });
  return png(sheet);
}
