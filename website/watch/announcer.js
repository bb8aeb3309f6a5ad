// Tells those who cannot see the page what matters: a few sentences in one painting, no more.

import { byId } from "../html.js";

/** @typedef {import("../painting.js").Painting} Painting */

const MOST = 6; // sentences in one painting; the last is kept for its end

export class Announcer {
  #said = 0;
  #half = false;
  #state = "";

  constructor() {
    this.line = byId("announcer");
  }

  /** A new painting is shown. */
  begin() {
    [this.#said, this.#half, this.#state] = [0, false, ""];
    this.line.textContent = "";
  }

  /** @param {Painting} painting */
  follow(painting) {
    const { state, progress } = painting;
    if (state === "painting" && !this.#half && progress >= 50) {
      this.#half = true;
      if (this.#state === "painting") this.#say("Half of it is painted.");
    }
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    if (state === "painting" && !before.match(/painting|finished/)) this.#say("It is being painted.");
    else if (state === "paused") this.#say("Paused.");
    else if (state === "recovering" || state === "away") this.#say("There is a hitch; it will go on.");
    else if (state === "finished") this.#say("The painting is finished.", true);
  }

  /**
   * @param {string} sentence
   * @param {boolean} last
   */
  #say(sentence, last = false) {
    if (this.#said >= (last ? MOST : MOST - 1)) return;
    this.#said += 1;
    this.line.textContent = sentence;
  }
}
