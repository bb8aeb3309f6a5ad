// The page: puts its parts together, and follows the visitor from a photo to a painting.

import { Choice } from "./choose/choice.js";
import { byId, element, fill } from "./html.js";
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
import { launch } from "./wire/launcher.js";
import { standing } from "./wire/standing.js";

/** @typedef {import("./painters.js").Order} Order */

const [behind, known] = await Promise.all([standing(), fetch("settings.json").then((answer) => answer.json())]);
const bare = !behind.studio && !behind.launcher;

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
const keepsakes = new Keepsakes();
const announcer = new Announcer();

/** @type {Painting | null} the one that is shown */
let painting = null;
/** @type {Painters | null} */
let painters = null;
/** @type {Order | null} */
let order = null;
let titles = { photo: "", artwork: "" };

// ---------------------------------------------------------------- choosing

choice.addEventListener("change", async () => {
  if (painting) return;
  if (choice.photo) {
    warmUp();
    await stage.hang(choice.photo.blob);
  }
  show();
});
choice.addEventListener("recipe", (event) => settings.restore(restored(/** @type {CustomEvent} */ (event).detail)));
choice.addEventListener("refused", (event) => refuse(/** @type {CustomEvent} */ (event).detail));
choice.addEventListener("blend", () => {
  if (order && painting?.owned && choice.blend.length > 1) painters?.act("steer", { blend: choice.blend });
});

byId("choose").addEventListener("submit", (event) => {
  event.preventDefault();
  if (choice.photo && choice.artworks.length) begin();
});

/** Order what was chosen, and watch it. */
async function begin() {
  const { photo, artworks, blend } = choice;
  if (!photo) return;
  const [id, key] = [code(16), code(32)];
  order = { photo: photo.blob, artworks: [...artworks], blend: [...blend], settings: { ...settings.values } };
  titles = { photo: photo.title, artwork: artworks.map((artwork) => artwork.title).join(" and ") };
  open(id, key);
  painters?.begin();
  // The photo is kept on this device before anything can go wrong with it.
  const { photo: title, artwork } = titles;
  await history.remember({ id, key, at: Date.now(), title, artwork, state: "begun", photo: photo.blob, order });
  window.history.pushState(null, "", address(id));
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
  painters = new Painters(opened, order, bare ? null : () => socket(opened));
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
    if (!timeline.looking) stage.show({ ...opened.newest, image: picture });
    await history.update(opened.id, { state: "finished", picture });
  } catch {
    // The last frame is there already, and the button that saves the picture says what is wrong.
  }
}

/** Look away from the painting that is shown. What a studio paints goes on. */
function leave() {
  painters?.close();
  painters = painting = null;
  timeline.hide();
  viewing.hide();
  refuse(null);
}

/**
 * The address of the studio's socket: it is on this host, or the launcher finds it.
 * @param {Painting} opened
 */
async function socket(opened) {
  if (behind.launcher) {
    const tell = (/** @type {string} */ phase, /** @type {number | null} */ eta) => {
      opened.hear({ state: "model_loading", data: { phase, eta } });
    };
    return launch(behind.launcher, opened.id, tell);
  }
  const url = new URL("styletransfer?frames=binary", document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

moves.addEventListener("move", (event) => {
  const { action, data } = /** @type {CustomEvent} */ (event).detail;
  timeline.live();
  refuse(null);
  painters?.act(action, data);
});
settings.addEventListener("steer", (event) => {
  if (painting?.owned) painters?.act("steer", /** @type {CustomEvent} */ (event).detail);
});
timeline.addEventListener("rewind", (event) => {
  painters?.act("rewind", { iteration: /** @type {CustomEvent} */ (event).detail });
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

// ---------------------------------------------------------------- where one is

byId("show-history").addEventListener("click", () => history.show());
history.addEventListener("open", (event) => {
  window.history.pushState(null, "", address(/** @type {CustomEvent} */ (event).detail));
  route();
});
addEventListener("popstate", () => route());

/** Show what the address names: a painting, or the choice of a new one. */
async function route() {
  const id = new URL(location.href).searchParams.get("id");
  if (!id) {
    leave();
    order = null;
    keepsakes.hide();
    if (choice.photo) await stage.hang(choice.photo.blob);
    else stage.clear();
    show();
    return;
  }
  if (painting?.id === id) return;
  const entry = await history.find(id);
  order = /** @type {Order | null} */ (entry?.order ?? null);
  titles = { photo: entry?.title ?? "A painting", artwork: entry?.artwork ?? "" };
  if (bare && !order) {
    window.history.replaceState(null, "", "./");
    refuse({ message: "This painting is not kept on this device.", hint: "Choose a photo to paint a new one." });
    return;
  }
  if (order) {
    settings.restore(order.settings);
    await stage.hang(order.photo);
  } else stage.clear();
  open(id, entry?.key ?? null);
  if (order) choice.restore({ ...order, photo: { blob: order.photo, title: titles.photo } });
  if (bare && entry?.picture && painting) {
    const bitmap = await createImageBitmap(entry.picture);
    painting.found(entry.picture, bitmap, Number(order?.settings.iterations));
    bitmap.close();
  } else painters?.begin(!bare);
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

/** Everything that depends on the state of the page. */
function show() {
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
  if (painting.frames.length) viewing.show(stage.photographed);
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
  const said = byId("refusal");
  said.hidden = refusal === null;
  const again = painting?.state === "failed" && order && element("button", { type: "button", onclick: retry }, "Try again");
  fill(said, refusal && [element("p", {}, element("strong", {}, refusal.message), " ", refusal.hint), again]);
}

/** Ask for the same painting again. */
function retry() {
  if (!painting) return;
  const { id, key } = painting;
  open(id, key);
  painters?.begin();
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
  : "Your photo goes to the studio that paints it, and is kept there with the painting for at most 30 days, unless you forget it before.";
history.addEventListener("forget", (event) => {
  const { id, key } = /** @type {CustomEvent} */ (event).detail;
  if (!bare) fetch(`paintings/${id}`, { method: "DELETE", headers: { Authorization: `Bearer ${key}` } });
});
glance(() => (painting && !bare && !painting.over ? painting.id : null), entitle);
await choice.begin();
await route();
document.body.removeAttribute("aria-busy");
if (bare) warmUp();
if ("serviceWorker" in navigator) navigator.serviceWorker.register("service_worker.js").catch(() => {});
