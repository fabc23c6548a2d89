// @ts-check
/** The backend over the REST API. */
import { decodeBase64 } from "./base64.js";
import { BackendError } from "./types.js";

/** @typedef {import("./types.js").Backend} Backend */
/** @typedef {import("./types.js").Target} Target */

const NO_RESPONSE = "ArtNet did not respond. See that it still runs and that you are online, then try again.";

/**
 * Request a path of the server. @param {string} path @param {RequestInit} [init] @returns {Promise<Response>}
 * @throws {BackendError} With the server's own sentence.
 */
async function request(path, init) {
  let response;
  try { response = await fetch(path, init); } catch { throw new BackendError(NO_RESPONSE, "unreachable"); }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const kind = problem.kind || (response.status === 429 ? "busy" : undefined); // a proxy's own 429 is no problem document
  throw new BackendError(problem.detail || NO_RESPONSE, kind, Number(response.headers.get("retry-after")) || 0);
}

/** @param {Blob} image @param {string} name @param {Record<string, unknown>} fields Those that are empty are left out. */
function form(image, name, fields) {
  const data = new FormData();
  for (const [key, value] of Object.entries(fields))
    if (value !== "" && value != null && value !== false) data.append(key, String(value));
  data.append("file", image, name);
  return { method: "POST", body: data };
}

/** @param {string} path @param {Blob} image @param {string} name @param {Record<string, unknown>} [fields] @returns {Promise<any>} */
const requestJson = async (path, image, name, fields = {}) => (await request(path, form(image, name, fields))).json();

const VIEW = "view.png", UNTRIMMED = { trim: "false" }; // the view has no margins any more
const LONGEST_PX = 4096; // of an overlay: over it, writing takes longer than the network
const SAMPLING = { sampling: "half" }; // nobody waits half a minute for a page

/** @param {(text: string) => void} [onLoading] Told what is being loaded; nothing is, here. @returns {Backend} */
export function createBackend(onLoading) {
  const view = (/** @type {import("./types.js").Opened} */ opened) => /** @type {Blob} */ (opened.view);
  return {
    async model() {
      const model = await (await request("v1/model")).json();
      return { ...model, features: { ...model.features, similar: model.features.similar > 0, faithfulness: true, channels: true, report: true, parquet: true, whatIf: true, properties: true }, local: false };
    },
    async classify(file) {
      const { view, preview, sha256, ...prediction } = await requestJson("v1/classify", file, file.name, { include: "view,preview,sha256" });
      return {
        prediction,
        sha256,
        view: new Blob([decodeBase64(view)], { type: "image/png" }),
        preview: preview && `data:image/jpeg;base64,${preview}`,
      };
    },
    async votes(file) { return (await requestJson("v1/classify", file, file.name, { views: "all" })).views; },
    async row(file) {
      const { thumbnail, ...row } = await requestJson("v1/classify", file, file.name, { include: "thumbnail,sha256" });
      return { ...row, thumbnail: `data:image/jpeg;base64,${thumbnail}` };
    },
    async explain(opened, target) {
      const result = await requestJson("v1/explain", view(opened), VIEW, { ...UNTRIMMED, ...target, ...SAMPLING, format: "grids" });
      const maps = result.depths.map((/** @type {any} */ { depth, rows, columns, box, data }) =>
        [depth ?? 0, { rows, columns, box, cells: new Int8Array(decodeBase64(data).buffer) }]);
      return { description: result.description, movement: result.movement, signed: result.against, maps: Object.fromEntries(maps) };
    },
    async faithfulness(opened, target) {
      const { depths } = await requestJson("v1/faithfulness", view(opened), VIEW, { ...UNTRIMMED, ...target, ...SAMPLING });
      return Object.fromEntries(depths.map((/** @type {any} */ each) => [each.depth ?? 0, each.gain]));
    },
    async channels(opened, { movement, rather_than }, depth, channel) {
      const { channels, caption, sheet, ...result } = await requestJson("v1/channels", view(opened), VIEW, { ...UNTRIMMED, movement, rather_than, depth, channel });
      return { channels, channel: result.channel, line: caption, sheet: `data:image/png;base64,${sheet}` };
    },
    async whatIf(opened) {
      const result = await requestJson("v1/what-if", view(opened), VIEW, { ...UNTRIMMED, images: true });
      return { ...result, edits: result.edits.map((/** @type {any} */ each) => ({ ...each, image: `data:image/jpeg;base64,${each.image}` })) };
    },
    async properties(opened) { return (await requestJson("v1/properties", view(opened), VIEW, UNTRIMMED)).properties; },
    async similar(opened) {
      const { nearest } = await requestJson("v1/similar", view(opened), VIEW, UNTRIMMED);
      return nearest.map((/** @type {any} */ each) => ({ ...each, thumbnail: `data:image/jpeg;base64,${each.thumbnail}` }));
    },
    async download(file, target, { kind, depth, opacity, inColour }) {
      const stem = file.name.replace(/\.[^.]*$/, "") || "painting";
      const common = { ...target, ...SAMPLING, opacity, colour: inColour };
      const kinds = /** @type {Record<string, [string, Record<string, unknown>, string]>} */ ({
        overlay: ["v1/explain", { ...common, format: "overlay", depth: depth || "", side_px: LONGEST_PX }, `${stem}-depth${depth}.png`],
        sheet: ["v1/explain", { ...common, format: "sheet" }, `${stem}-explained.png`],
        report: ["v1/report", { ...common, depth: depth || "" }, `${stem}-report.html`],
        numbers: ["v1/explain", { ...target, ...SAMPLING, format: "json" }, `${stem}.json`],
      });
      const [path, fields, name] = kinds[kind];
      return { name, blob: await (await request(path, form(file, file.name, fields))).blob() };
    },
    async parquet(rows) {
      const body = JSON.stringify({ rows });
      return (await request("v1/table", { method: "POST", headers: { "content-type": "application/json" }, body })).blob();
    },
    async fetch(address) {
      const response = await request("v1/fetch", {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ url: address }),
      });
      const name = /filename\*=UTF-8''(\S+)/.exec(response.headers.get("content-disposition") || "")?.[1];
      return new File([await response.blob()], name ? decodeURIComponent(name) : "picture");
    },
  };
}
