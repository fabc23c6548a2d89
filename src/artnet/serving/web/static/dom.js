// @ts-check
/** Make and fill elements. */

/**
 * Make an element; attributes that are false or missing are left out.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/**
 * Return the element that a selector names; it is there, or the page is broken.
 * @template {HTMLElement} [T=any]
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {T}
 */
export function find(root, selector) {
  const found = /** @type {T | null} */ (root.querySelector(selector));
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** @param {number} share @returns {string} */
export const percent = (share) => `${Math.round(100 * share)}%`;

/** @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Show a sentence in the problem line of a part of the page, or hide the line. @param {ParentNode} root @param {string} text */
export function showProblem(root, text) {
  const line = find(root, ".problem");
  line.textContent = text;
  line.hidden = !text;
}
