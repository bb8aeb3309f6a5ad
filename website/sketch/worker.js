// The worker: paints what the page asks for, and tells it how the painting goes, in the words of docs/protocol.md.
import { Refusal } from "./errors.js";
import { forecast } from "./forecast.js";
import { Painting } from "./painting.js";
import { encoded, pictureOf, read } from "./pictures.js";
import { MOST_ARTWORKS, recipeOf } from "./recipe.js";
import { paint } from "./style_transfer.js";

/** @typedef {import("./style_transfer.js").Iteration} Iteration */
/** @typedef {{ turn: number, taken?: boolean, action?: string, data?: any }} Message */

const MOST_ON_THEIR_WAY = 2; // frames that the page has not yet taken
const UNHURRIED = 60; // milliseconds without a request after which there is time to warm up
const ACTIONS = ["steer", "pause", "resume", "finish", "more", "rewind"];

let turn = 0; // which request all this is about
/** @type {Painting | undefined} */
let painting;
let onTheirWay = 0;
/** @type {Iteration | undefined} */
let newest; // that the page has no frame of
let working = false;
let asked = false;
let hearing = warmUp(); // one message after the other
let sending = Promise.resolve(); // one frame after the other

addEventListener("message", ({ data }) => {
  asked = true;
  hearing = hearing.then(() => guarded(() => hear(data)));
});

/** @param {Message} message */
async function hear(message) {
  if (message.taken) {
    onTheirWay = Math.max(0, onTheirWay - 1);
    return send();
  }
  if (message.action === "request_image") return begin(message.turn, message.data ?? {});
  if (!ACTIONS.includes(message.action ?? "")) {
    const problem = `There is no action ${message.action}.`;
    throw new Refusal("action_unknown", problem, `Use request_image, ${ACTIONS.join(", ")}.`);
  }
  if (!painting) throw new Refusal("move_illegal", "There is no painting yet.", "Request one first.");
  const { action = "", data } = message;
  const rested = painting.state;
  painting.act(action, data);
  if (action === "pause") tell("paused", { iteration: painting.iteration });
  if (rested !== "painting" && painting.state === "painting") tell("queued", { position: 1, begins: 0, eta: null });
  if (action === "rewind") {
    newest = painting.last;
    send();
  }
  void work();
}

/**
 * @param {number} number
 * @param {any} request
 */
async function begin(number, request) {
  turn = number;
  painting = newest = undefined;
  const artworks = Array.isArray(request.artworks) ? request.artworks : [];
  if (!artworks.length) {
    throw new Refusal("artwork_missing", "There is no artwork to paint from.", "Choose at least one.");
  }
  if (artworks.length > MOST_ARTWORKS) {
    const problem = `There are ${artworks.length} artworks; ${MOST_ARTWORKS} can be blended.`;
    throw new Refusal("artworks_many", problem, `Choose at most ${MOST_ARTWORKS}.`);
  }
  const recipe = recipeOf(request, artworks.length);
  const photo = await read(request.photo, "photo", recipe.size);
  const styles = [];
  for (const [i, each] of artworks.entries()) styles.push(await read(each, `artwork ${i + 1}`, recipe.size));
  painting = new Painting(photo, styles, recipe);
  void work();
}

/** Paints as long as there is something to paint, hearing the page after each iteration. */
async function work() {
  if (working) return;
  working = true;
  await guarded(async () => {
    try {
      while (painting?.state === "painting") {
        const iteration = painting.step();
        if (!iteration) {
          await end(painting);
        } else if (iteration.number + 1 < painting.of) {
          newest = iteration;
          send();
        }
        await sending; // a moment: if left alone, it would wait for iterations to be over, again and again
        await heard();
      }
    } finally {
      working = false;
    }
  });
}

/** @param {Painting} ended */
async function end(ended) {
  const { last, recipe } = ended;
  newest = undefined;
  await sending;
  if (!last) return;
  const picture = pictureOf(last, ended.photo);
  const image = await encoded(picture, "png");
  if (ended !== painting || ended.state !== "finished") return; // it goes on already
  const { width, height } = picture;
  tell("end_iteration", { ...facts(ended, last), width, height, progress: 100, eta: 0, format: "png" }, image);
  const whole = { engine: "patches", ...recipe };
  tell("end", { iterations: last.number + 1, elapsed: seconds(last.elapsed), recipe: whole });
}

/** Sends the newest frame, unless the page has enough to do with those on their way: then later, or a newer one. */
function send() {
  if (!newest || !painting || onTheirWay >= MOST_ON_THEIR_WAY) return;
  const [about, iteration, shown] = [turn, newest, painting];
  newest = undefined;
  onTheirWay++;
  sending = sending.then(() =>
    guarded(async () => {
      const image = await encoded(pictureOf(iteration), "jpeg");
      if (about === turn) tell("end_iteration", { ...facts(shown, iteration), format: "jpeg" }, image);
    }),
  );
}

/**
 * @param {Painting} of
 * @param {Iteration} iteration
 */
function facts({ photo, recipe }, iteration) {
  const { number, of, width, height, scale, scales, losses, elapsed } = iteration;
  return {
    iteration: number,
    of,
    width,
    height,
    scale,
    scales,
    losses,
    ...forecast(photo, recipe, number + 1, elapsed),
    elapsed: seconds(elapsed),
    at: seconds(Date.now() / 1000),
  };
}

/**
 * @param {string} state
 * @param {unknown} data
 * @param {Blob} [image]
 */
function tell(state, data, image) {
  postMessage({ turn, state, data, image });
}

/**
 * Does something; what is wrong with it is told.
 * @param {() => void | Promise<void>} deed
 */
async function guarded(deed) {
  try {
    await deed();
  } catch (error) {
    if (error instanceof Refusal) return tell("error", { code: error.code, message: error.message, hint: error.hint });
    painting = undefined;
    const problem = `The sketch could not go on: ${error instanceof Error ? error.message : error}`;
    tell("error", { code: "sketch_broken", message: problem, hint: "Paint again; a smaller size needs less memory." });
  }
}

/** Lets what the page has said meanwhile be heard. */
async function heard() {
  await tick();
  await hearing;
}

/** Paints a scrap, so that the browser has made quick code of all this before the first picture, if there is time. */
async function warmUp() {
  await new Promise((go) => setTimeout(go, UNHURRIED));
  if (asked) return;
  const [height, width] = [36, 48];
  const data = Float32Array.from({ length: height * width * 3 }, (_, i) => (i % 97) / 97);
  const scrap = { height, width, bands: 3, data };
  for (const _ of paint(scrap, [scrap], recipeOf({ iterations: 6 }, 1))) {
    await tick();
    if (asked) return;
  }
}

/** Lets a message come in. */
function tick() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((go) => {
    port1.onmessage = () => {
      port1.close();
      go(undefined);
    };
    port2.postMessage(null);
  });
}

/** @param {number} time */
function seconds(time) {
  return Math.round(time * 1000) / 1000;
}
