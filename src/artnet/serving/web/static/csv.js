// @ts-check
/** Tables as CSV: predictions with the columns of `artnet classify --out`, corrections with those of `artnet teach --corrections`. */

/** @typedef {import("./types.js").Row | import("./types.js").FailedRow} Row */

/** @param {string} movement @returns {string} */
const scoreColumn = (movement) => `score_${movement.toLowerCase().replaceAll(" ", "_")}`;

/** Quote a value where CSV needs it (RFC 4180). @param {unknown} value @returns {string} */
function cell(value) {
  const text = value == null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {unknown[][]} rows @returns {string} */
const csvRows = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

/** @param {import("./types.js").Correction[]} corrections @returns {string} */
export const correctionsCsv = (corrections) => csvRows([
  ["sha256", "source", "answer", "correction"],
  ...corrections.map(({ sha256, source, answer, correction }) => [sha256, source, answer, correction]),
]);

/** @param {Row[]} rows @param {string[]} movements @returns {string} */
export function csvOf(rows, movements) {
  const header = ["source", "sha256", "movement", "confidence", "decision", "set", ...movements.map(scoreColumn), "error_kind", "error"];
  const lines = rows.map((row) => ("error" in row
    ? [row.source, "", "", "", "", "", ...movements.map(() => ""), row.error.kind, row.error.message]
    : [row.source, row.sha256, row.movement, row.confidence, row.decision, row.set?.join("; "), ...movements.map((name) => row.scores[name]), "", ""]));
  return csvRows([header, ...lines]);
}
