// The losses as a small chart, and what it shows in words.

import { drawing, element, fill } from "../html.js";

/** @typedef {import("../painting.js").Losses} Losses */

const WIDTH = 240;
const HEIGHT = 64;
const LINES = /** @type {const} */ (["style", "content"]);
const MOST = 120; // points of a line
const CALM = 4; // frames over which a line is calmed: some iterations lay strokes, which costs style for a moment

export class Chart {
  constructor() {
    this.lines = LINES.map((name) => drawing("polyline", { class: name, fill: "none", "vector-effect": "non-scaling-stroke" }));
    this.summary = element("figcaption");
    const picture = drawing(
      "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.lines,
    );
    this.figure = element("figure", { class: "chart" }, picture, this.summary);
  }

  /** @param {Losses[]} losses */
  show(losses) {
    const last = losses.at(-1)?.iteration ?? 0;
    const step = Math.max(1, Math.ceil(losses.length / MOST));
    const some = losses.filter((_, place) => place % step === 0 || place === losses.length - 1);
    LINES.forEach((name, line) => {
      const known = some.filter((each) => (each[name] ?? 0) > 0);
      const logs = calmed(known.map((each) => Math.log(/** @type {number} */ (each[name]))));
      const [low, high] = [Math.min(...logs), Math.max(...logs)];
      const points = known.map((each, place) => {
        const x = last ? (each.iteration / last) * WIDTH : 0;
        const y = high > low ? 4 + ((high - logs[place]) / (high - low)) * (HEIGHT - 8) : HEIGHT / 2;
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      });
      this.lines[line].setAttribute("points", points.join(" "));
    });
    fill(this.summary, LINES.map((name) => element("span", { class: name }, course(name, losses))));
  }
}

/** @param {number[]} values */
function calmed(values) {
  return values.map((_, place) => {
    const near = values.slice(Math.max(0, place - CALM + 1), place + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

/**
 * @param {"style" | "content"} name
 * @param {Losses[]} losses
 */
function course(name, losses) {
  const known = losses.map((each) => each[name]).filter((value) => value !== null && value > 0);
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last) return `${name} –`;
  const change = Math.round((last / first - 1) * 100);
  return `${name} loss ${change > 0 ? "+" : change < 0 ? "−" : "±"}${Math.abs(change)} %`;
}
