// Keep the site's files, so that it works offline once it was loaded; VERSION and FILES stand above, written by `artnet site`.
/* global VERSION, FILES */
const CACHE = `artnet-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const outdated = async () => (await caches.keys()).filter((name) => name.startsWith("artnet-") && name !== CACHE);
  event.waitUntil(outdated().then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || new URL(event.request.url).origin !== location.origin) return;
  const known = caches.open(CACHE).then((cache) => cache.match(event.request, { ignoreSearch: true }));
  event.respondWith(known.then((response) => response || fetch(event.request)));
});
