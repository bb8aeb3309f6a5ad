// What its owner may do with a painting: pause, resume, finish now, paint more, leave it for another.

import { byId, element, offer } from "../html.js";

/** @typedef {import("../painting.js").Painting} Painting */

const MORE = 20; // iterations

/** Tells `move` with an action of the protocol and its data. */
export class Moves extends EventTarget {
  constructor() {
    super();
    this.pause = this.#button("Pause", "pause");
    this.resume = this.#button("Resume", "resume");
    this.finish = this.#button("Finish now", "finish");
    this.more = this.#button(`Paint ${MORE} more`, "more", { iterations: MORE });
    this.row = element("div", { class: "row", id: "moves" }, this.pause, this.resume, this.finish, this.more);
    byId("progress").after(this.row);
    this.row.hidden = true;
  }

  /** @param {Painting} painting */
  show(painting) {
    const { state, owned, genuine, frames, bare, kept, over } = painting;
    this.row.hidden = !owned || kept;
    const resumable = state === "paused" || (state === "failed" && frames.length > 0 && genuine && !bare);
    this.resume.hidden = !resumable;
    const pausable = ["waiting", "painting", "recovering"].includes(state) && !(bare && !frames.length);
    offer(this.pause, pausable, !resumable && !over);
    offer(this.finish, ["painting", "paused"].includes(state) && genuine, !over);
    offer(this.more, ["painting", "paused", "finished"].includes(state) && genuine, !over);
  }

  hide() {
    this.row.hidden = true;
  }

  /**
   * @param {string} title
   * @param {string} action
   * @param {object | null} data
   */
  #button(title, action, data = null) {
    const move = () => this.dispatchEvent(new CustomEvent("move", { detail: { action, data } }));
    return element("button", { type: "button", onclick: move }, title);
  }
}
