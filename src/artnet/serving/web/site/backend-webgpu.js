// @ts-check
/** Which backend this page has: the graph in this browser, on a graphics processor where there is one. */
import { createBackend as createBrowserBackend } from "./backend-browser.js";

/** @param {(text: string) => void} onLoading */
export const createBackend = (onLoading) => createBrowserBackend(onLoading, { webgpu: true });
