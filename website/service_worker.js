// Keeps the page and the sketch for when there is no network: what the server has now counts first, else what was kept.

const KEPT = "visualneurons";
const PATIENCE = 3000; // milliseconds for the network before what was kept is shown

// All of these are the page.
const PAGES = new Set(["", "index.html", "display"]);

// What the page needs to open and to sketch. A test holds this to the files.
const SHELL = [
  "./",
  "artworks/artworks.json",
  "artworks/small/cubist_still_life.jpg",
  "artworks/small/ink_wash.jpg",
  "artworks/small/mosaic.jpg",
  "artworks/small/night_sky.jpg",
  "artworks/small/pointillist_garden.jpg",
  "artworks/small/poured_threads.jpg",
  "artworks/small/red_evening.jpg",
  "artworks/small/stained_glass.jpg",
  "artworks/small/thick_oil.jpg",
  "artworks/small/turning_discs.jpg",
  "artworks/small/water_lilies.jpg",
  "artworks/small/woodblock_wave.jpg",
  "choose/artworks.js",
  "choose/blend.js",
  "choose/camera.js",
  "choose/choice.js",
  "choose/collection.js",
  "choose/listbox.js",
  "choose/photo.js",
  "choose/refused.js",
  "choose/scaled.js",
  "choose/titles.js",
  "choose/ways.js",
  "config.json",
  "favicon.svg",
  "html.js",
  "icons/192.png",
  "icons/512.png",
  "keep/film.js",
  "keep/history.js",
  "keep/keepsakes.js",
  "keep/png.js",
  "keep/saving.js",
  "keep/store.js",
  "main.js",
  "manifest.webmanifest",
  "painters.js",
  "painting.js",
  "samples/samples.json",
  "samples/small/canal_houses.jpg",
  "samples/small/golden_hour.jpg",
  "samples/small/pears_by_the_window.jpg",
  "settings.json",
  "sketch/brush.js",
  "sketch/chance.js",
  "sketch/colour.js",
  "sketch/errors.js",
  "sketch/flow.js",
  "sketch/forecast.js",
  "sketch/numbers.js",
  "sketch/painting.js",
  "sketch/patches.js",
  "sketch/pictures.js",
  "sketch/recipe.js",
  "sketch/scales.js",
  "sketch/sketch.js",
  "sketch/style_transfer.js",
  "sketch/windows.js",
  "sketch/worker.js",
  "style/choose.css",
  "style/page.css",
  "style/watch.css",
  "take_part/moves.js",
  "take_part/settings.js",
  "watch/announcer.js",
  "watch/chart.js",
  "watch/progress.js",
  "watch/relay.js",
  "watch/stage.js",
  "watch/timeline.js",
  "watch/viewing.js",
  "watch/words.js",
  "wire/asking.js",
  "wire/frames.js",
  "wire/glance.js",
  "wire/here.js",
  "wire/launcher.js",
  "wire/standing.js",
  "wire/studio.js",
];

const worker = /** @type {any} */ (self);

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(SHELL)).then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(worker.clients.claim().then(keepPictures));
});

/** Keep the artworks and samples themselves, too, one after the other, unless every byte counts here. */
async function keepPictures() {
  if (worker.navigator.connection?.saveData) return;
  const kept = await caches.open(KEPT);
  for (const room of ["artworks", "samples"]) {
    const list = await kept.match(`${room}/${room}.json`);
    for (const { file } of list ? await list.json() : []) await kept.add(`${room}/${file}`).catch(() => {});
  }
}

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const place = new URL(request.url);
  const scope = new URL(worker.registration.scope);
  if (request.method !== "GET" || place.origin !== scope.origin) return;
  const path = place.pathname.slice(scope.pathname.length);
  if (PAGES.has(path)) event.respondWith(answer(new Request(scope.href), request));
  else if (SHELL.includes(path) || path.match(/^(artworks|samples)\//)) event.respondWith(answer(request, request));
});

/**
 * @param {Request} known what it is kept as
 * @param {Request} request
 */
async function answer(known, request) {
  const kept = await caches.open(KEPT);
  const before = await kept.match(known, { ignoreVary: true });
  const fresh = fetch(request).then((response) => {
    if (response.ok) kept.put(known, response.clone()).catch(() => {}); // there may be no room
    return response;
  });
  if (!before) return fresh;
  const late = new Promise((resolve) => setTimeout(() => resolve(before), PATIENCE));
  return Promise.race([fresh.catch(() => before), late]);
}
