// @ts-check
/** The backend of the static site: the model's graph runs in this browser, and no picture leaves it. */
import { drawnOverlay, drawnSheet } from "./overlay.js";
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

/** Keep the files for the time without a network, once they are loaded: the browser's cache then has most of them. */
function keepOffline() {
  navigator.serviceWorker?.register(new URL("./service-worker.js", import.meta.url)).catch(() => {}); // it works online alone
}

const NOT_HERE = async () => { throw new BackendError("This needs ArtNet's server: install it and run artnet app.", "usage"); };

/** @param {(text: string) => void} [onLoading] Told how far the model is loaded, and at the end nothing. @returns {Backend} */
export function createBackend(onLoading = () => {}) {
  if (typeof WebAssembly !== "object")
    throw new BackendError("This page needs WebAssembly, which is switched off in this browser; switch it on, or use another browser.", "usage");
  const worker = new WorkerCalls(new Worker(new URL("./graph/worker.js", import.meta.url), { type: "module" }), (text) => {
    onLoading(text);
    if (!text) keepOffline();
  });
  /** @type {import("./types.js").Model} */ let model;
  /** @type {Backend} */
  const backend = {
    async model() {
      const loaded = await worker.call("load", []);
      const features = { addresses: false, similar: false, faithfulness: false, channels: false, report: false, parquet: false, whatIf: true, properties: false };
      model = { ...loaded, features, local: true };
      return model;
    },
    async classify(file) { return { ...(await worker.call("classify", [file])), preview: null }; },
    votes: (file) => worker.call("votes", [file]),
    row: (file) => worker.call("row", [file]),
    explain: (opened, target, onProgress = () => {}) =>
      worker.call("explain", [opened.view, target], ({ share }) => onProgress(share)),
    whatIf: (opened) => worker.call("whatIf", [opened.view]),
    async download(file, target, options) {
      const stem = file.name.replace(/\.[^.]*$/, "") || "painting";
      const opened = await backend.classify(file), explanation = await backend.explain(opened, target);
      if (options.kind === "numbers") {
        const depths = Object.entries(explanation.maps).map(([depth, { rows, columns, cells }]) => ({ depth: Number(depth), grid: [rows, columns], values: Array.from(cells, (value) => value / 127) }));
        const text = JSON.stringify({ prediction: opened.prediction, ...target, movement: explanation.movement, depths }, null, 1);
        return { name: `${stem}.json`, blob: new Blob([text], { type: "application/json" }) };
      }
      if (options.kind === "sheet") return { name: `${stem}-explained.png`, blob: await drawnSheet(file, opened.prediction, explanation, options) };
      return { name: `${stem}-depth${options.depth}.png`, blob: await drawnOverlay(file, explanation, options) };
    },
    faithfulness: NOT_HERE, channels: NOT_HERE, properties: NOT_HERE, similar: NOT_HERE, parquet: NOT_HERE, fetch: NOT_HERE,
  };
  return backend;
}
