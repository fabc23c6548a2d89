// @ts-check
/**
 * Cut an ONNX model down to what some of its outputs need. onnxruntime-web computes the whole graph whatever is
 * fetched, so where the logits alone are wanted the backward pass has to go. Field numbers are those of onnx.proto.
 */

const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 };
const NODE = { input: 1, output: 2 };
const NAME = { initializer: 8, valueInfo: 1 };

/** A field of a message: its number, and where it and its content lie. @typedef {{number: number, start: number, from: number, end: number}} Field */

/** @param {Uint8Array} bytes @param {number} at @returns {[number, number]} The value, and where it ends. */
function varint(bytes, at) {
  let value = 0, scale = 1;
  for (;;) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at];
    scale *= 128;
  }
}

/** @param {Uint8Array} bytes @param {number} [from] @param {number} [to] @returns {Generator<Field>} */
function* fields(bytes, from = 0, to = bytes.length) {
  for (let at = from; at < to;) {
    const start = at;
    let key, length;
    [key, at] = varint(bytes, at);
    const type = key & 7;
    if (type === 2) [length, at] = varint(bytes, at);
    else if (type === 0) length = varint(bytes, at)[1] - at;
    else if (type === 1 || type === 5) length = type === 1 ? 8 : 4;
    else throw new Error(`not an ONNX model: wire type ${type}`);
    yield { number: Math.floor(key / 8), start, from: at, end: at + length };
    at += length;
  }
}

/** @param {Uint8Array} bytes @param {Field} message @param {number} number @returns {string[]} */
function strings(bytes, message, number) {
  const found = [];
  for (const field of fields(bytes, message.from, message.end))
    if (field.number === number) found.push(new TextDecoder().decode(bytes.subarray(field.from, field.end)));
  return found;
}

/** @param {number} value @returns {number[]} */
function encodeVarint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

/**
 * Return the model with the nodes, initializers and inputs that `outputs` need.
 * @param {Uint8Array} model @param {string[]} outputs @returns {Uint8Array<ArrayBuffer>}
 */
export function prune(model, outputs) {
  const parts = [...fields(model)], graph = parts.find((field) => field.number === MODEL.graph);
  if (!graph) throw new Error("not an ONNX model: it has no graph");
  const content = [...fields(model, graph.from, graph.end)], needed = new Set(outputs), kept = new Set();
  for (const field of content.filter(({ number }) => number === GRAPH.node).reverse()) { // nodes are sorted topologically
    if (!strings(model, field, NODE.output).some((name) => needed.has(name))) continue;
    kept.add(field);
    for (const name of strings(model, field, NODE.input)) needed.add(name);
  }
  const chosen = content.filter((field) => {
    if (field.number === GRAPH.node) return kept.has(field);
    if (field.number === GRAPH.initializer) return needed.has(strings(model, field, NAME.initializer)[0]);
    if (field.number === GRAPH.input) return needed.has(strings(model, field, NAME.valueInfo)[0]);
    if (field.number === GRAPH.output) return outputs.includes(strings(model, field, NAME.valueInfo)[0]);
    return field.number !== GRAPH.valueInfo;
  });
  const length = chosen.reduce((sum, { start, end }) => sum + end - start, 0);
  const head = Uint8Array.from([...encodeVarint(MODEL.graph * 8 + 2), ...encodeVarint(length)]);
  const pieces = [
    ...parts.filter((field) => field !== graph).map(({ start, end }) => model.subarray(start, end)),
    head, ...chosen.map(({ start, end }) => model.subarray(start, end)),
  ];
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
