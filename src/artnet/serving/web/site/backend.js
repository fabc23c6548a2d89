// @ts-check
/** Which backend this page has: the graph in this browser. */
export { createBackend } from "./backend-browser.js";
