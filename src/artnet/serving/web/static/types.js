// @ts-check
/**
 * The types that the modules share. A backend does what the page requests; `backend-server.js` by the REST API,
 * `backend-browser.js` by the model's graph in this browser.
 *
 * @typedef {[number, number, number, number]} Box  Left, top, right, bottom, in the image's pixels.
 *
 * @typedef {{name: string, box: Box, scores: Record<string, number>}} ViewScores
 *
 * @typedef {object} Prediction  As `artnet classify --json` prints it.
 * @property {string} source
 * @property {string} movement
 * @property {number} confidence
 * @property {"confident" | "unsure" | "unfamiliar"} decision
 * @property {string[] | null} set  Among which the right movement is, the likeliest first; null where the model tells no set.
 * @property {Record<string, number>} scores
 * @property {Record<string, number>} [styles]
 * @property {string[]} [likely_styles]  Those that reach their thresholds, the highest score first.
 * @property {ViewScores[]} views
 * @property {string} model
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} Opened  An image that was classified; later requests send its `view`.
 * @property {Prediction} prediction
 * @property {string} sha256  Of the file; empty where the browser computes no digests.
 * @property {unknown} view  The backend's own handle.
 * @property {string | null} preview  An address to show where the browser cannot show the file itself.
 *
 * @typedef {object} Target  What is explained.
 * @property {string} movement  Empty for the movement with the highest score.
 * @property {string} rather_than  Empty for anything else.
 * @property {boolean} against  Whether what speaks against it is shown, too.
 * @property {string} method
 *
 * @typedef {object} Grid  A map at the network's own resolution, -127 to 127, row by row.
 * @property {number} rows
 * @property {number} columns
 * @property {[number, number, number, number]} box  Where the painting lies in it, in cells: left, top, right, bottom.
 * @property {Int8Array} cells
 *
 * @typedef {object} Explanation
 * @property {string} description  In words: "why Cubism rather than Realism".
 * @property {string} movement
 * @property {boolean} signed
 * @property {Record<number, Grid>} maps  By depth; 0 for a method on the pixels.
 *
 * @typedef {object} Edit  What the model says of a painting after one edit.
 * @property {string} name
 * @property {string} label
 * @property {string} movement
 * @property {number} confidence
 * @property {Record<string, number>} changes
 * @property {string | null} sentence  Null where the change is within the noise.
 * @property {string} image  An address.
 *
 * @typedef {{scores: Record<string, number>, noise: number, edits: Edit[], sentences: string[]}} WhatIf
 *
 * @typedef {object} Property  A measured property, and where it lies among the training paintings.
 * @property {string} name
 * @property {string} label
 * @property {string} low
 * @property {string} high
 * @property {number} value
 * @property {string} words  Empty where the model has no ranges, and so are the deciles.
 * @property {Record<string, number>} shares
 * @property {Record<string, number[]>} deciles
 *
 * @typedef {{channels: number[], channel: number, line: string, sheet: string}} Channels  `sheet` is an address.
 * @typedef {{name: string, movement: string, similarity: number, thumbnail: string}} Similar
 * @typedef {{kind: string, depth: number, opacity: number, inColour: boolean}} DownloadOptions
 * @typedef {Prediction & {sha256: string, thumbnail: string}} Row
 * @typedef {{sha256: string, source: string, answer: string, correction: string}} Correction  `answer` is what the model said.
 *
 * @typedef {object} Model
 * @property {Record<string, any>} config  The model folder's config.json.
 * @property {string[]} movements
 * @property {string[]} methods  The names that this model and backend can do.
 * @property {{size_bytes: number, pixels: number}} limits
 * @property {{addresses: boolean, similar: boolean, faithfulness: boolean, channels: boolean, report: boolean,
 *   parquet: boolean, whatIf: boolean, properties: boolean}} features
 * @property {boolean} local  Whether pictures stay in this browser.
 * @property {Promise<string>} [runtime]  What runs the model in this browser, in words, once it is loaded.
 *
 * @typedef {object} Backend
 * @property {() => Promise<Model>} model
 * @property {(file: File) => Promise<Opened>} classify
 * @property {(file: File) => Promise<ViewScores[]>} votes
 * @property {(file: File) => Promise<Row>} row
 * @property {(opened: Opened, target: Target, onProgress?: (share: number) => void) => Promise<Explanation>} explain
 * @property {(opened: Opened, target: Target) => Promise<Record<number, number>>} faithfulness  Gain by depth.
 * @property {(opened: Opened, target: Target, depth: number, channel?: number) => Promise<Channels>} channels
 * @property {(opened: Opened) => Promise<WhatIf>} whatIf
 * @property {(opened: Opened) => Promise<Property[]>} properties
 * @property {(opened: Opened) => Promise<Similar[]>} similar
 * @property {(file: File, target: Target, options: DownloadOptions) => Promise<{name: string, blob: Blob}>} download
 * @property {(rows: (Row | FailedRow)[]) => Promise<Blob>} parquet
 * @property {(address: string) => Promise<File>} fetch
 *
 * @typedef {{source: string, error: {kind: string, message: string}}} FailedRow
 */

/** An error that the visitor can read; `kind` is that of the problem, `retryAfter` in seconds where the server says so. */
export class BackendError extends Error {
  /** @param {string} message @param {string} [kind] @param {number} [retryAfter] */
  constructor(message, kind = "error", retryAfter = 0) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}
