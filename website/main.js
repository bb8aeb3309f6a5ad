// The page: puts its parts together, and follows the visitor from a photo to a painting.

import { Choice } from "./choose/choice.js";
import { byId, element, fill, keepFocus } from "./html.js";
import { History } from "./keep/history.js";
import { Keepsakes } from "./keep/keepsakes.js";
import { Painters, warmUp } from "./painters.js";
import { Painting } from "./painting.js";
import { Moves } from "./take_part/moves.js";
import { Settings } from "./take_part/settings.js";
import { Announcer } from "./watch/announcer.js";
import { Progress } from "./watch/progress.js";
import { Relay } from "./watch/relay.js";
import { Stage } from "./watch/stage.js";
import { Timeline } from "./watch/timeline.js";
import { Viewing } from "./watch/viewing.js";
import { glance } from "./wire/glance.js";
import { Here } from "./wire/here.js";
import { Launcher } from "./wire/launcher.js";
import { standing } from "./wire/standing.js";

/**
 * @typedef {import("./painters.js").Order} Order
 * @typedef {Here | Launcher} Place where it is painted, and what was painted is kept
 */

const [behind, known] = await Promise.all([
  standing(),
  fetch("settings.json").then((answer) => answer.json()).catch(() => null),
]);
if (!known) {
  say({ message: "A part of this page could not be loaded.", hint: "Check that you are online, then reload it." });
  document.body.removeAttribute("aria-busy");
  throw new Error("settings.json cannot be read");
}
const place = behind.launcher ? new Launcher(behind.launcher) : behind.studio ? new Here() : null;
const bare = !place;

const choice = new Choice({
  drop: byId("drop"), artworks: byId("choose-artwork"), blend: byId("blend"), photo: byId("choose-photo"),
  camera: byId("camera"),
});
const settings = new Settings(known, bare);
const history = new History(/** @type {HTMLDialogElement} */ (byId("history")));
const stage = new Stage();
const viewing = new Viewing();
const timeline = new Timeline();
const progress = new Progress();
const moves = new Moves();
const keepsakes = new Keepsakes(place);
const announcer = new Announcer();

/** @type {Painting | null} the one that is shown */
let painting = null;
/** @type {Painters | null} */
let painters = null;
/** @type {Order | null} */
let order = null;
let titles = { photo: "", artwork: "" };
let way = 0; // counts where the visitor has gone, so that nothing late leads elsewhere
/** @type {Blob | null} the photo that hangs there */
let hung = null;

// ---------------------------------------------------------------- choosing

choice.addEventListener("change", async () => {
  if (painting) return;
  if (choice.photo && choice.photo.blob !== hung) {
    refuse(null);
    warmUp();
    await hang(choice.photo.blob);
  }
  show();
});
choice.addEventListener("recipe", (event) => settings.restore(restored(/** @type {CustomEvent} */ (event).detail)));
choice.addEventListener("refused", (event) => refuse(/** @type {CustomEvent} */ (event).detail));
choice.addEventListener("blend", () => {
  if (choice.blend.length === order?.artworks.length) steer({ blend: choice.blend });
});

byId("choose").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!painting && choice.photo && choice.artworks.length) begin();
});

/** @param {Blob} photo that was chosen */
function hang(photo) {
  hung = photo;
  return stage.hang(photo);
}

/** Order what was chosen, and watch it. */
async function begin() {
  const { photo, artworks, blend } = choice;
  if (!photo) return;
  const [id, key] = [code(16), code(32)];
  order = { photo: photo.blob, artworks: [...artworks], blend: [...blend], settings: { ...settings.values } };
  titles = { photo: photo.title, artwork: artworks.map((artwork) => artwork.title).join(" and ") };
  way++;
  window.history.pushState(null, "", address(id));
  open(id, key);
  byId("wall").scrollIntoView({ block: "nearest" });
  painters?.begin();
  // The photo is kept on this device, whatever goes wrong with it.
  const { photo: title, artwork } = titles;
  await history.remember({ id, key, at: Date.now(), title, artwork, state: "begun", photo: photo.blob, order });
}

/** @param {string} id */
function address(id) {
  return bare ? `?id=${id}` : `display?id=${id}`;
}

// ---------------------------------------------------------------- the painting

/**
 * @param {string} id
 * @param {string | null} key
 */
function open(id, key) {
  leave();
  const opened = new Painting(id, key, bare);
  painting = opened;
  painters = new Painters(opened, order, place && ((wish, signal) => place.enter(opened, wish, signal)));
  announcer.begin();
  keepsakes.begin(opened, titles);
  const relay = new Relay(opened);
  opened.addEventListener("frame", () => {
    if (opened === painting && !timeline.looking) relay.show(stage);
  });
  opened.addEventListener("refused", () => {
    if (opened === painting) refuse(opened.refusal);
  });
  opened.addEventListener("change", () => {
    if (opened !== painting) return;
    show();
    if (opened.state === "finished" && !opened.kept) finished(opened);
  });
  show();
}

/**
 * Show the finished picture as it is kept, without loss, and remember it.
 * @param {Painting} opened
 */
async function finished(opened) {
  try {
    const picture = await keepsakes.kept();
    if (!picture || opened !== painting || opened.state !== "finished" || !opened.newest) return;
    opened.newest.image = picture;
    if (!timeline.looking) stage.show(opened.newest);
    const { of: iterations, elapsed } = opened;
    await history.update(opened.id, { state: "finished", picture, iterations, elapsed });
  } catch {
    // The last frame is there already, and the button that saves the picture says what is wrong.
  }
}

/** Look away from the painting that is shown. What a studio paints goes on. */
function leave() {
  painters?.close();
  painters = painting = hung = null;
  timeline.hide();
  viewing.hide();
  refuse(null);
}

moves.addEventListener("move", (event) => {
  const { action, data } = /** @type {CustomEvent} */ (event).detail;
  timeline.live();
  refuse(null);
  painters?.act(action, data);
});
settings.addEventListener("steer", (event) => {
  const changed = /** @type {CustomEvent} */ (event).detail;
  if (order) Object.assign(order.settings, changed);
  steer(changed);
});
timeline.addEventListener("rewind", (event) => {
  const { detail: iteration } = /** @type {CustomEvent<number>} */ (event);
  refuse(null);
  painters?.act("rewind", { iteration });
  painting?.rewound(iteration);
});
timeline.addEventListener("look", (event) => {
  const frame = /** @type {CustomEvent} */ (event).detail ?? painting?.newest;
  if (frame) stage.show(frame);
});
keepsakes.addEventListener("refused", (event) => refuse(/** @type {CustomEvent} */ (event).detail));
keepsakes.addEventListener("another", () => {
  window.history.pushState(null, "", "./");
  route();
});

/**
 * Steer the painting, and remember it: whoever comes back finds the sliders where they were.
 * @param {Record<string, any>} changed
 */
function steer(changed) {
  if (!order || !painting?.owned || painting.state === "failed") return;
  if (changed.blend) order.blend = changed.blend;
  painters?.act("steer", changed);
  history.update(painting.id, { order });
}

// ---------------------------------------------------------------- where one is

byId("show-history").addEventListener("click", () => history.show());
history.addEventListener("open", (event) => {
  window.history.pushState(null, "", address(/** @type {CustomEvent} */ (event).detail));
  route();
});
addEventListener("popstate", () => route());

/** Show what the address names: a painting, or the choice of a new one. */
async function route() {
  const here = ++way;
  const id = new URL(location.href).searchParams.get("id");
  if (!id) {
    leave();
    order = null;
    keepsakes.hide();
    show();
    if (choice.photo) await hang(choice.photo.blob);
    else stage.clear();
    return;
  }
  if (painting?.id === id) return;
  const entry = await history.find(id);
  if (here !== way) return;
  order = /** @type {Order | null} */ (entry?.order ?? null);
  titles = { photo: entry?.title ?? "A painting", artwork: entry?.artwork ?? "" };
  if (bare && !order) {
    window.history.replaceState(null, "", "./");
    await route();
    refuse({ message: "This painting is not kept on this device.", hint: "Choose a photo to paint a new one." });
    return;
  }
  if (order) {
    settings.restore(order.settings);
    await stage.hang(order.photo);
    if (here !== way) return;
  } else stage.clear();
  open(id, entry?.key ?? null);
  if (order) choice.restore({ ...order, photo: { blob: order.photo, title: titles.photo } });
  const [opened, painter] = [painting, painters];
  const bitmap = entry?.picture && (await createImageBitmap(entry.picture).catch(() => null));
  if (entry?.picture && bitmap) {
    opened?.found(entry.picture, bitmap, entry.iterations ?? Number(order?.settings.iterations), entry.elapsed ?? 0);
  }
  bitmap?.close();
  if (here === way && !(bare && opened?.kept)) painter?.begin(!bare);
}

/**
 * What is restored of a recipe: its settings as the last change left them.
 * @param {Record<string, any>} found
 */
function restored(found) {
  const changes = Array.isArray(found.changes) ? found.changes.map((change) => change?.settings ?? {}) : [];
  return Object.assign({}, found, ...changes);
}

// ---------------------------------------------------------------- what is seen

/** Everything that depends on the state of the page. What has the focus keeps it, or what came in its place has it. */
function show() {
  const focused = document.activeElement;
  keepFocus(settle, () => {
    const next = focused?.closest(".row")?.querySelector("button:not([hidden], .later)");
    if (next instanceof HTMLElement && next.checkVisibility()) return next;
    return painting ? progress.title : byId("panel");
  });
}

function settle() {
  document.body.dataset.state = state();
  byId("choose").hidden = byId("paint").hidden = painting !== null;
  /** @type {HTMLButtonElement} */ (byId("paint")).disabled = !choice.photo || !choice.artworks.length;
  byId("drop").hidden = painting !== null || choice.photo !== null;
  choice.enabled = painting === null;
  settings.allow(painting === null ? "all" : painting.owned && painting.state !== "failed" ? "steered" : "none");
  if (!painting) {
    progress.hide();
    moves.hide();
    keepsakes.hide();
    viewing.hide();
    document.title = "VisualNeurons";
    return;
  }
  progress.show(painting, titles);
  moves.show(painting);
  keepsakes.show();
  timeline.show(painting);
  announcer.follow(painting);
  viewing.show(painting, stage.photographed);
  entitle(painting.progress);
}

/** @param {number} progress of the painting, which the tab tells */
function entitle(progress) {
  document.title = `${progress < 100 ? `${Math.floor(progress)} % · ` : ""}${titles.photo} · VisualNeurons`;
}

function state() {
  if (!painting) return choice.photo && choice.artworks.length ? "ready" : "empty";
  if (painting.state === "failed") return "error";
  if (painting.state === "finished" || painting.state === "paused") return painting.state;
  return painting.sketched || bare ? "sketching" : "painting";
}

/**
 * Say what was refused and what to do, or nothing any more.
 * @param {{ message: string, hint: string } | null} refusal
 */
function refuse(refusal) {
  const again = painting?.state === "failed" && order && element("button", { type: "button", onclick: retry }, "Try again");
  say(refusal, again || null);
}

/**
 * @param {{ message: string, hint: string } | null} refusal
 * @param {HTMLElement | null} [next] what can be done about it
 */
function say(refusal, next = null) {
  const said = byId("refusal");
  keepFocus(() => (said.hidden = refusal === null), () => (painting ? progress.title : byId("panel")));
  fill(said, refusal && [element("p", {}, element("strong", {}, refusal.message), " ", refusal.hint), next]);
}

/** Ask for the same painting again; if it was begun, and given up, it goes on. */
function retry() {
  if (!painting) return;
  const { id, key } = painting;
  open(id, key);
  progress.title.focus({ preventScroll: true });
  painters?.begin(true, true);
}

/**
 * A name that nobody can guess.
 * @param {number} length
 */
function code(length) {
  const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => letters[byte % letters.length]).join("");
}

// ---------------------------------------------------------------- begin

byId("privacy").textContent = bare
  ? "Your photo stays in this browser: nothing is sent anywhere."
  : `Your photo goes to the studio that paints it, and is kept there with the painting for ${behind.days} days, unless you forget it before.`;
history.addEventListener("forget", (event) => {
  const { id, key } = /** @type {CustomEvent} */ (event).detail;
  if (painting?.id === id) {
    window.history.replaceState(null, "", "./");
    route(); // it may be on its way to a studio, with its photo
  }
  place?.forget(id, key).catch(() => {
    const hint = `There it is let go by itself, after ${behind.days} days.`;
    refuse({ message: "It is forgotten here; where it was painted cannot be reached just now.", hint });
  });
});
if (place) {
  const moving = () => (painting && !painting.over && painting.state !== "paused" ? painting.id : null);
  glance(moving, (id) => place.progress(id), entitle);
}
await choice.begin();
await route();
document.body.removeAttribute("aria-busy");
if (bare) warmUp();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("service_worker.js").catch(() => {});
