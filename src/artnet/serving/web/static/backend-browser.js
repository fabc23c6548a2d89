// @ts-check
/** The backend of the static site: the model's graph runs in this browser, and no picture leaves it. */
import { CAMS } from "./graph/cam.js";
import { LIMITS } from "./graph/decode.js";
import { download } from "./graph/model.js";
import { drawnOverlay, drawnSheet } from "./drawing/overlay.js";
import { BackendError } from "./types.js";

/** @typedef {import("./types.js").Backend} Backend */

/** Calls of a worker, each a promise. */
class WorkerCalls {
  /** @param {Worker} worker @param {(text: string) => void} onLoading Told how far the model is. */
  constructor(worker, onLoading) {
    this.worker = worker;
    /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void, onProgress: (progress: any) => void}>} */
    this.calls = new Map();
    this.last = 0;
    worker.addEventListener("message", ({ data: { id, result, error, progress, loading } }) => {
      if (loading !== undefined) {
        onLoading(loading);
        return;
      }
      const call = this.calls.get(id);
      if (progress) {
        call?.onProgress(progress);
        return;
      }
      this.calls.delete(id);
      if (error) call?.reject(new BackendError(error.message, error.kind));
      else call?.resolve(result);
    });
    worker.addEventListener("error", () => {
      for (const { reject } of this.calls.values()) reject(new BackendError("The model could not be started in this browser. Load the page again, or use a newer browser.", "model"));
      this.calls.clear();
    });
  }

  /** @param {string} name @param {unknown[]} args @param {(progress: any) => void} [onProgress] @returns {Promise<any>} */
  call(name, args, onProgress = () => {}) {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject, onProgress });
      this.worker.postMessage({ id, name, args });
    });
  }
}

/** Have the service worker in control before anything large is loaded: it keeps what passes, so that nothing is loaded twice. */
async function keepOffline() {
  if (navigator.serviceWorker?.controller) return;
  try {
    const { installing } = await navigator.serviceWorker.register(new URL("./service-worker.js", import.meta.url));
    const settled = () => !installing || installing.state === "activated" || installing.state === "redundant";
    while (!settled()) await new Promise((resolve) => installing?.addEventListener("statechange", resolve, { once: true }));
  } catch { /* there is none in some private windows and without https: it works online alone */ }
}

/** @param {(text: string) => void} onLoading @returns {Promise<WorkerCalls>} */
async function startWorker(onLoading) {
  await keepOffline();
  return new WorkerCalls(new Worker(new URL("./graph/worker.js", import.meta.url), { type: "module" }), onLoading);
}

const NOT_HERE = async () => { throw new BackendError("This needs ArtNet's server: install it and run artnet app.", "usage"); };

/**
 * @param {(text: string) => void} [onLoading] Told how far the model is loaded, and at the end nothing.
 * @param {{webgpu?: boolean}} [options] Whether the site has the build for WebGPU. @returns {Backend}
 */
export function createBackend(onLoading = () => {}, options = {}) {
  if (typeof WebAssembly !== "object")
    throw new BackendError("This page needs WebAssembly, which is switched off in this browser; switch it on, or use another browser.", "usage");
  /** @type {Promise<WorkerCalls>} */ let worker;
  /** @param {string} name @param {unknown[]} args @param {(progress: any) => void} [onProgress] */
  const call = async (name, args, onProgress) => (await worker).call(name, args, onProgress);
  /** @type {Backend} */
  const backend = {
    async model() {
      const config = JSON.parse(new TextDecoder().decode(await download(new URL("./model/config.json", import.meta.url).href)));
      worker = startWorker(onLoading);
      const runtime = call("load", [config, options]);
      runtime.catch((error) => onLoading(error.message));
      const features = { addresses: false, similar: false, faithfulness: false, channels: false, report: false, parquet: false, whatIf: true, properties: false };
      return { config, movements: config.movements, methods: [...Object.keys(CAMS), "occlusion"], limits: LIMITS, features, local: true, runtime };
    },
    async classify(file) { return { ...(await call("classify", [file])), preview: null }; },
    votes: (file) => call("votes", [file]),
    row: (file) => call("row", [file]),
    explain: (opened, target, onProgress = () => {}) => call("explain", [opened.view, target], ({ share }) => onProgress(share)),
    whatIf: (opened) => call("whatIf", [opened.view]),
    async download(file, target, options) {
      const stem = file.name.replace(/\.[^.]*$/, "") || "painting";
      const opened = await backend.classify(file), explanation = await backend.explain(opened, target);
      if (options.kind === "numbers") {
        const depths = Object.entries(explanation.maps).map(([depth, { rows, columns, cells }]) => ({ depth: Number(depth), grid: [rows, columns], values: Array.from(cells, (value) => value / 127) }));
        const text = JSON.stringify({ prediction: opened.prediction, ...target, movement: explanation.movement, depths }, null, 1);
        return { name: `${stem}.json`, blob: new Blob([text], { type: "application/json" }) };
      }
      if (options.kind === "sheet") return { name: `${stem}-explained.png`, blob: await drawnSheet(file, opened.prediction, explanation, options) };
      return { name: `${stem}-depth${options.depth}.png`, blob: await drawnOverlay(file, opened.prediction, explanation, options) };
    },
    faithfulness: NOT_HERE, channels: NOT_HERE, properties: NOT_HERE, similar: NOT_HERE, parquet: NOT_HERE, fetch: NOT_HERE,
  };
  return backend;
}
