// Keep the site's files for the time without a network. `artnet site` writes FILES above, with each file's digest, and SMALL.
/* global FILES, SMALL */
const SCOPE = self.registration.scope, CACHE = `artnet ${SCOPE}`;

/** Say under which address a file is kept; null for what is not the site's. The digest in it tells versions apart. */
function keyOf(url) {
  const address = new URL(url, SCOPE).href.replace(/[?#].*/, ""), path = address.startsWith(SCOPE) ? address.slice(SCOPE.length) : null;
  const name = path === "" || path === "index.html" ? "./" : path;
  return name !== null && Object.hasOwn(FILES, name) ? new URL(`${name}?${FILES[name]}`, SCOPE).href : null;
}

/** Keep what the page loaded before this worker was there. It is in the browser's cache, where it is only asked whether it still holds. */
async function keepSmall() {
  const cache = await caches.open(CACHE);
  await Promise.all(SMALL.map(async (name) => {
    if (await cache.match(keyOf(name))) return;
    const response = await fetch(new URL(name, SCOPE), { cache: "no-cache" });
    if (!response.ok) throw new Error(`${name}: status ${response.status}`);
    await cache.put(keyOf(name), response);
  }));
}

async function forgetOutdated() {
  const cache = await caches.open(CACHE), current = new Set(Object.keys(FILES).map(keyOf));
  await Promise.all((await cache.keys()).filter(({ url }) => !current.has(url)).map((request) => cache.delete(request)));
}

/** Answer with what is kept; else load it, and keep it as it passes. */
async function answer(event, key) {
  const cache = await caches.open(CACHE), kept = await cache.match(key);
  if (kept) return kept;
  const response = await fetch(event.request);
  if (response.ok) event.waitUntil(cache.put(key, response.clone()).catch(() => {})); // without room it still works online
  return response;
}

self.addEventListener("install", (event) => event.waitUntil(keepSmall().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(forgetOutdated().then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const key = event.request.method === "GET" ? keyOf(event.request.url) : null;
  if (key) event.respondWith(answer(event, key));
});
