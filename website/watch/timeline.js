// The timeline: the frames there were, to look back at, to replay, and to go on from.

import { byId, element, fill, keepFocus, offer } from "../html.js";

/**
 * @typedef {import("../painting.js").Painting} Painting
 * @typedef {import("../painting.js").Frame} Frame
 */

const REPLAY = 5000; // milliseconds that a replay takes, at most
const FASTEST = 50; // milliseconds that a frame stays, at least

/** Tells `look` with the frame that is looked at, or null for the newest; and `rewind` with an iteration. */
export class Timeline extends EventTarget {
  /** @type {Painting | null} */
  #painting = null;
  /** @type {number | null} the iteration that is looked at; null is the newest */
  #at = null;
  #genuine = false;
  #replay = 0;

  constructor() {
    super();
    this.bar = byId("timeline");
    this.range = element("input", { type: "range", min: 0, max: 0, value: 0, oninput: () => this.#scrub() });
    this.where = element("span", { class: "faded" });
    this.play = element("button", { type: "button", onclick: () => this.#toggle() }, "Replay");
    this.newest = element("button", { type: "button", onclick: () => this.live() }, "Newest");
    this.rewind = element("button", { type: "button", onclick: () => this.#goOn() }, "Go on from here");
    fill(
      this.bar,
      element("label", { class: "scrub" }, element("span", {}, "Timeline"), this.range),
      element("div", { class: "row" }, this.play, this.newest, this.rewind),
      this.where,
    );
  }

  get looking() {
    return this.#at !== null;
  }

  /** @param {Painting} painting */
  show(painting) {
    if (painting !== this.#painting) this.hide();
    const another = painting.genuine !== this.#genuine; // painter: what was looked at is gone
    [this.#painting, this.#genuine] = [painting, painting.genuine];
    const { frames } = painting;
    const at = this.#at;
    if (at !== null && (another || !frames.length || frames[0].iteration > at)) {
      this.live();
      return;
    }
    offer(this.bar, frames.length > 1, !painting.over);
    this.range.max = String(Math.max(0, frames.length - 1));
    const place = at === null ? frames.length - 1 : frames.findLastIndex((frame) => frame.iteration <= at);
    this.range.value = String(place);
    this.#tell(frames[place]);
  }

  hide() {
    this.#stop();
    this.#at = null;
    this.#painting = null;
    this.bar.hidden = true;
  }

  /** Look at the newest again. */
  live() {
    this.#stop();
    this.#at = null;
    if (!this.#painting) return;
    this.show(this.#painting);
    this.#look(null);
  }

  #scrub() {
    this.#stop();
    this.#visit(Number(this.range.value));
  }

  /** @param {number} place */
  #visit(place) {
    const frames = this.#painting?.frames ?? [];
    const frame = frames[place];
    if (place >= frames.length - 1) {
      this.live();
      return;
    }
    this.#at = frame.iteration;
    this.range.value = String(place);
    this.#tell(frame);
    this.#look(frame);
  }

  #toggle() {
    if (this.#replay) {
      this.#stop();
      return;
    }
    const count = this.#painting?.frames.length ?? 0;
    const pause = Math.max(FASTEST, REPLAY / count);
    let place = 0;
    this.#visit(place);
    this.#replay = setInterval(() => this.#visit(++place), pause);
    this.play.textContent = "Stop";
  }

  #stop() {
    clearInterval(this.#replay);
    this.#replay = 0;
    this.play.textContent = "Replay";
  }

  #goOn() {
    const at = this.#at;
    if (at === null) return;
    this.#stop();
    this.#at = null;
    this.dispatchEvent(new CustomEvent("rewind", { detail: at }));
  }

  /** @param {Frame | null} frame */
  #look(frame) {
    this.dispatchEvent(new CustomEvent("look", { detail: frame }));
  }

  /** @param {Frame | undefined} frame */
  #tell(frame) {
    if (!frame || !this.#painting) return;
    const words = `iteration ${frame.iteration + 1} of ${this.#painting.of}`;
    this.where.textContent = this.looking ? words : "";
    this.range.setAttribute("aria-valuetext", this.looking ? words : `${words}, the newest`);
    const { owned, genuine } = this.#painting;
    keepFocus(() => {
      this.newest.hidden = !this.looking;
      this.rewind.hidden = !this.looking || !owned || !genuine;
    }, () => this.range);
  }
}
