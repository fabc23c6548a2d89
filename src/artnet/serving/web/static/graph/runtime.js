// @ts-check
/** Which build of onnxruntime-web runs the model: the first that gives the logits which the model was exported with. */
import { BackendError } from "../types.js";
import { measureDisagreement, TOLERANCE } from "./self-check.js";

/** @typedef {import("./model.js").GraphModel} GraphModel */
/** A build of onnxruntime-web. @typedef {{name: string, file: string, provider: "webgpu" | "wasm", threads: number}} Build */

const FOLDER = new URL("../onnxruntime/", import.meta.url).href;
const MOST_THREADS = 4; // more wait for each other on layers this small

/** List what this browser can run, the fastest first. @param {boolean} webgpu Whether the site has that build. @returns {Promise<Build[]>} */
export async function availableRuntimes(webgpu) {
  const gpu = /** @type {any} */ (navigator).gpu, adapter = webgpu && gpu ? await gpu.requestAdapter().catch(() => null) : null;
  const threads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  return [
    ...(adapter ? [/** @type {Build} */ ({ name: "WebGPU", file: "ort.webgpu.min.mjs", provider: "webgpu", threads: 1 })] : []),
    ...(threads > 1 ? [wasm(threads)] : []),
    wasm(1),
  ];
}

/** @param {number} threads @returns {Build} */
function wasm(threads) {
  const name = threads > 1 ? `WebAssembly in ${threads} threads` : "WebAssembly in one thread";
  return { name, file: `ort.wasm.min.mjs?threads=${threads}`, provider: "wasm", threads }; // a module holds its threads for good
}

/**
 * Start the model with the first build that computes the right logits. @param {GraphModel} model @param {Uint8Array<ArrayBuffer>} bytes @param {Build[]} builds
 * @returns {Promise<string>} In words: what runs the model, whether that was checked, and what could not.
 * @throws {BackendError} Where none does.
 */
export async function startModel(model, bytes, builds) {
  const refused = [];
  for (const build of builds) {
    const reason = await refusal(model, bytes, build);
    if (reason) {
      refused.push(`${build.name} ${reason}.`);
      continue;
    }
    const prepared = model.prepareExplanations(); // while the visitor chooses a picture
    if (build.provider === "webgpu") await prepared; // which does one thing at a time
    return [`The model runs in this browser by ${build.name}.`, checked(model.config), ...refused].join(" ");
  }
  throw new BackendError(`The model cannot be used in this browser: ${refused.join(" ")} Load the page again, or use another browser.`, "model");
}

/** Try a build. @param {GraphModel} model @param {Uint8Array<ArrayBuffer>} bytes @param {Build} build @returns {Promise<string>} Why it is not used; empty where it is. */
async function refusal(model, bytes, { file, provider, threads }) {
  try {
    const runtime = await import(FOLDER + file);
    runtime.env.wasm.numThreads = threads;
    runtime.env.wasm.wasmPaths = FOLDER;
    await model.start(runtime, provider, bytes);
    const apart = await measureDisagreement(model);
    return apart === null || apart <= TOLERANCE ? "" : `computes other logits than the model was exported with (${apart.toFixed(2)} apart)`;
  } catch (error) { return `could not be started (${/** @type {Error} */ (error).message})`; }
}

/** @param {Record<string, any>} config */
const checked = ({ self_check: check }) => (check
  ? `For ${check.logits.length} test images it gives the logits that the model was exported with.`
  : "It was not checked: the model was exported without test images.");
