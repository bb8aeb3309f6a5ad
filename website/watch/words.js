// What is going on, in plain words.

/** @typedef {import("../painting.js").Painting} Painting */

const PHASES = /** @type {Record<string, string>} */ ({
  requested: "A studio is being started",
  booting: "The studio's machine is booting",
  starting: "The studio is starting",
  downloading: "The studio is fetching its neural network",
  loading: "The studio is loading its model",
  ready: "The studio is ready",
  compiling: "The studio is warming up",
});

const FAR = 600; // seconds from which on a time of day says more than a length of time

/**
 * @param {Painting} painting
 * @returns {string}
 */
export function words(painting) {
  const meanwhile = painting.sketched && !painting.bare ? " A sketch shows meanwhile where it is going." : "";
  return sentence(painting) + meanwhile;
}

/**
 * @param {Painting} painting
 * @returns {string}
 */
function sentence(painting) {
  const { state, position, begins, loading, again, bare } = painting;
  if (painting.kept) return "Painted before, and kept on this device.";
  if (state === "finished") return `Finished after ${painting.of} iterations, in ${span(painting.elapsed)}.`;
  if (state === "failed") return painting.frames.length ? "The painting has stopped." : "Nothing could be painted.";
  if (state === "paused") return "Paused. It goes on when you resume it.";
  if (state === "recovering" && begins !== null) return `Another studio had it. It goes on here ${soon(begins)}, if not there. Nothing is lost.`;
  if (state === "recovering") return "What painted it has stopped and is started again. Nothing is lost.";
  if (state === "away") return `${painting.trouble ?? "The studio cannot be reached."} Trying again ${at(again)}; nothing is lost.`;
  if (state === "painting") return bare ? "Painting in your browser." : "Painting.";
  if (loading?.problem) return `The studio cannot paint now, and tries again: ${loading.problem}`;
  if (loading?.phase) return `${PHASES[loading.phase] ?? "The studio is getting ready"}${fetched(loading)}.`;
  if (position && !bare) return `In the queue: ${position === 1 ? "next" : `number ${position}`}${begins === null ? "" : `, ${soon(begins)}`}.`;
  return bare ? "Laying out the paints." : "Asking the studio.";
}

/** @param {Record<string, any>} loading */
function fetched({ done, total, eta }) {
  if (total) return `, ${Math.round((100 * done) / total)} %`;
  return eta ? `, ready ${soon(eta)}` : "";
}

/**
 * When that is: in how long, or at what time if it is far away.
 * @param {number | null} moment in milliseconds since 1970
 */
function at(moment) {
  const seconds = ((moment ?? 0) - Date.now()) / 1000;
  if (seconds < FAR) return soon(seconds);
  return `at ${new Date(moment ?? 0).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
}

/** @param {number | null} seconds */
function soon(seconds) {
  return seconds === null || seconds < 1 ? "in a moment" : `in ${span(seconds)}`;
}

/**
 * A length of time: 8 s, 1 min 20 s, 2 h 5 min.
 * @param {number} seconds
 * @returns {string}
 */
export function span(seconds) {
  const whole = Math.max(seconds < 0.5 ? 0 : 1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}
