// @ts-check
/** Which backend this page has; `artnet site` puts the one of the browser in its place. */
export { createBackend } from "./backend-server.js";
