// @ts-check
/** Decode an image file with the browser's own decoders, upright and in sRGB, within the model's limits. */
import { BackendError } from "../types.js";

/** @typedef {import("./views.js").Image} Image */

export const LIMITS = { size_bytes: 64 * 2 ** 20, pixels: 100e6 };

/** Formats that some browsers cannot decode, by the bytes that they begin with at an offset. @type {[string, number, string][]} */
const FOREIGN = [["HEIC", 4, "ftypheic"], ["HEIC", 4, "ftypheix"], ["HEIC", 4, "ftypmif1"], ["TIFF", 0, "II*\0"], ["TIFF", 0, "MM\0*"]];
const KNOWN = ["\xff\xd8\xff", "\x89PNG", "GIF8", "RIFF", "BM", "\0\0\0"];

/** @param {Uint8Array} bytes @param {number} start @param {number} length */
const text = (bytes, start, length) => String.fromCharCode(...bytes.subarray(start, start + length));

/**
 * Read the size that a PNG, JPEG, GIF or WebP declares, so that nothing too large is decoded; null for other formats.
 * @param {Uint8Array} bytes @returns {[number, number] | null}
 */
export function declaredSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30) return null;
  if (text(bytes, 1, 3) === "PNG") return [view.getUint32(16), view.getUint32(20)];
  if (text(bytes, 0, 4) === "GIF8") return [view.getUint16(6, true), view.getUint16(8, true)];
  if (text(bytes, 8, 4) === "WEBP" && text(bytes, 12, 4) === "VP8X")
    return [1 + (view.getUint32(23, true) >>> 8 ? view.getUint16(24, true) | (bytes[26] << 16) : view.getUint16(24, true)), 1 + (view.getUint16(27, true) | (bytes[29] << 16))];
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  for (let at = 2; at + 9 < bytes.length;) { // JPEG: the segments before the frame header
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1];
    if (marker === 0xff) { at++; continue; }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/**
 * Decode a file. @param {File} file @returns {Promise<Image & {jpeg: boolean}>}
 * @throws {BackendError} `format`, `corrupt` or `too-large`, with one sentence.
 */
export async function decode(file) {
  const bytes = new Uint8Array(await file.slice(0, 2 ** 20).arrayBuffer());
  const size = declaredSize(bytes);
  if (size) checkPixels(file.name, size[0], size[1]);
  let bitmap;
  try { bitmap = await createImageBitmap(file, { imageOrientation: "from-image", premultiplyAlpha: "none" }); }
  catch { throw undecodable(file.name, bytes); }
  try {
    const { width, height } = bitmap;
    checkPixels(file.name, width, height);
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new BackendError(`${file.name}: this browser has no memory for it; use a smaller picture`, "too-large");
    context.fillStyle = "#fff"; // transparent pixels lie on white, as in the command
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height), rgb = new Uint8Array(3 * width * height);
    for (let pixel = 0, from = 0, to = 0; pixel < width * height; pixel++, from += 4, to += 3) {
      rgb[to] = data[from];
      rgb[to + 1] = data[from + 1];
      rgb[to + 2] = data[from + 2];
    }
    return { width, height, data: rgb, jpeg: bytes[0] === 0xff && bytes[1] === 0xd8 };
  } finally { bitmap.close(); }
}

/** @param {string} name @param {number} width @param {number} height */
function checkPixels(name, width, height) {
  if (width * height <= LIMITS.pixels) return;
  throw new BackendError(`${name}: ${width} x ${height} pixels are over the limit of ${Math.round(LIMITS.pixels / 1e6)} megapixels; save it smaller first`, "too-large");
}

/** @param {string} name @param {Uint8Array} bytes */
function undecodable(name, bytes) {
  const foreign = FOREIGN.find(([, offset, mark]) => text(bytes, offset, mark.length) === mark);
  if (foreign) return new BackendError(`${name}: this browser cannot decode ${foreign[0]}; save it as JPEG or PNG first`, "format");
  if (KNOWN.some((mark) => text(bytes, 0, mark.length) === mark))
    return new BackendError(`${name}: begins like a picture but is broken or cut short; save or download it again`, "corrupt");
  return new BackendError(`${name}: is not a picture in a format that this browser reads; use a JPEG, PNG or WebP`, "format");
}
