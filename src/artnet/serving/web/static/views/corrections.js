// @ts-check
/** What a visitor says is right where the model is wrong: kept in the browser, and there alone. */

/** @typedef {import("../types.js").Correction} Correction */

/** Return the browser's storage, or null where it may not be used. @returns {Storage | null} */
export function browserStorage() {
  try { return localStorage; } catch { return null; } // switched off with cookies
}

/** Return a typed name without needless blanks, as the known one that differs in case alone is written. @param {string} typed @param {string[]} names @returns {string} */
export function classNamed(typed, names) {
  const name = typed.normalize("NFC").trim().split(/\s+/).join(" "), folded = name.toLowerCase();
  return names.find((each) => each.toLowerCase() === folded) || name;
}

/** The corrections of one model, by the SHA-256 of the picture's file; tells `change` whenever they do. */
export class Corrections extends EventTarget {
  /** @param {Record<string, any>} config Of the model: another model's answers are other answers. @param {Storage | null} storage */
  constructor(config, storage) {
    super();
    this.key = `artnet-corrections-${config.graph_sha256 || config.name}`;
    this.storage = storage;
    /** Whether the last change outlives the page. */ this.kept = true;
    /** @type {Map<string, Correction>} */ this.byDigest = new Map();
    this.load();
  }

  /** Take over what another tab has stored. */
  read() {
    this.load();
    this.dispatchEvent(new Event("change"));
  }

  load() {
    if (!this.storage || !this.kept) return;
    try {
      const stored = JSON.parse(this.storage.getItem(this.key) || "[]");
      this.byDigest = new Map(stored.map((/** @type {Correction} */ each) => [each.sha256, each]));
    } catch { /* stored by something else: it is written over with the next correction */ }
  }

  get all() { return [...this.byDigest.values()]; }

  /** @param {string} sha256 */
  get(sha256) { return this.byDigest.get(sha256); }

  /** @param {Correction[]} corrections */
  add(...corrections) { this.change((all) => corrections.forEach((each) => all.set(each.sha256, each))); }

  /** @param {string[]} digests */
  remove(...digests) { this.change((all) => digests.forEach((each) => all.delete(each))); }

  /** @param {(all: Map<string, Correction>) => void} change */
  change(change) {
    this.load(); // or what another tab has added meanwhile would be lost
    change(this.byDigest);
    try {
      if (!this.storage) throw new Error("no storage");
      this.storage.setItem(this.key, JSON.stringify(this.all));
      this.kept = true;
    } catch { this.kept = false; }
    this.dispatchEvent(new Event("change"));
  }
}
