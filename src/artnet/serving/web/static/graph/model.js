// @ts-check
/** A model folder's graph in this browser: loaded with its checksum, run by onnxruntime-web. */
import { BackendError } from "../types.js";
import { prune } from "./prune.js";

/** What of onnxruntime-web is used. @typedef {{InferenceSession: any, Tensor: any, env: any}} Runtime */

/** Fetch a file and tell how far it is. @param {string} address @param {(share: number) => void} [onProgress] @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function download(address, onProgress = () => {}) {
  let response;
  try { response = await fetch(address); } catch { response = null; }
  if (!response?.ok || !response.body) throw new BackendError(`${address.split("/").pop()}: could not be loaded; see that you are online, then load the page again`, "unreachable");
  const total = Number(response.headers.get("content-length")), reader = response.body.getReader(), chunks = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value);
    length += read.value.length;
    if (total) onProgress(Math.min(1, length / total));
  }
  const bytes = new Uint8Array(length);
  chunks.reduce((at, chunk) => (bytes.set(chunk, at), at + chunk.length), 0);
  return bytes;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string>} Hexadecimal; empty over plain http, where browsers offer no digest. */
export async function sha256(bytes) {
  if (!crypto.subtle) return "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The outputs that a prediction needs, and those of all explained layers. */
export class GraphModel {
  /** @param {Record<string, any>} config */
  constructor(config) {
    this.config = config;
    /** @type {Runtime} */ this.runtime = /** @type {any} */ (null);
    this.provider = "wasm";
    this.bytes = new Uint8Array();
    /** @type {Map<string, Promise<any>>} Sessions by the outputs they compute. */ this.sessions = new Map();
    this.predicted = ["logits", ...(config.ood ? ["embedding"] : []), ...(config.styles?.length ? ["styles"] : [])];
    this.layers = config.layers.flatMap((/** @type {{depth: number}} */ { depth }) => [`activation_${depth}`, `gradient_${depth}`]);
  }

  /** Make what predictions need, in place of what another runtime made. @param {Runtime} runtime @param {string} provider @param {Uint8Array<ArrayBuffer>} bytes */
  async start(runtime, provider, bytes) {
    for (const session of this.sessions.values()) session.then((made) => made.release(), () => {});
    this.sessions.clear();
    this.runtime = runtime;
    this.provider = provider;
    this.bytes = bytes;
    await this.session(this.predicted);
  }

  /** Make what explanations need. @returns {Promise<any>} */
  prepareExplanations() { return this.session(this.layers); }

  /** @param {string[]} outputs @returns {Promise<any>} */
  session(outputs) {
    const key = outputs.join();
    const known = this.sessions.get(key) || this.runtime.InferenceSession.create(prune(this.bytes, outputs), { executionProviders: [this.provider] });
    this.sessions.set(key, known);
    return known;
  }

  /**
   * Run the graph on N views. @param {string[]} outputs @param {Float32Array<ArrayBuffer>} input (N, 3, S, S) @param {number} count N
   * @param {Float32Array<ArrayBuffer>} [target] (N, C) @returns {Promise<Record<string, Float32Array>>}
   */
  async run(outputs, input, count, target) {
    const session = await this.session(outputs), { Tensor } = this.runtime, size = this.config.preprocessing.size_px;
    const classes = this.config.movements.length;
    /** @type {Record<string, unknown>} */
    const feeds = { views: new Tensor("float32", input, [count, 3, size, size]) };
    if (session.inputNames.includes("target")) feeds.target = new Tensor("float32", target || new Float32Array(count * classes), [count, classes]);
    const results = await session.run(feeds);
    return Object.fromEntries(outputs.map((name) => [name, results[name].data]));
  }

  /** @param {Float32Array<ArrayBuffer>} input @param {number} count */
  predict(input, count) { return this.run(this.predicted, input, count); }

  /** @param {Float32Array<ArrayBuffer>} input @param {Float32Array<ArrayBuffer>} target */
  explain(input, target) { return this.run(this.layers, input, 1, target); }
}
