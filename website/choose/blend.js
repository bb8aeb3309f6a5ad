// The shares of several artworks in one painting: a slider each, together always a hundred per cent.

import { element, fill } from "../html.js";

/** Sliders of the shares. `change` follows each move of one. */
export class Blend extends EventTarget {
  /** @type {number[]} */
  #shares = [];
  /** @type {HTMLInputElement[]} */
  #sliders = [];
  /** @type {HTMLElement[]} */
  #told = [];

  /** @param {HTMLElement} place */
  constructor(place) {
    super();
    this.element = place;
  }

  /** In per cent, in the order of the titles; none for a single one. */
  get shares() {
    return this.#shares.map((share) => Math.round(share * 10) / 10);
  }

  /**
   * @param {string[]} titles
   * @param {number[]} [shares] of any sum; all alike if they do not fit
   */
  offer(titles, shares = []) {
    const sum = shares.reduce((one, other) => one + other, 0);
    const fit = shares.length === titles.length && shares.every((share) => share >= 0) && sum > 0;
    this.#shares = titles.map((_, place) => (fit ? (100 * shares[place]) / sum : 100 / titles.length));
    if (titles.length < 2) this.#shares = [];
    this.#sliders = this.#shares.map((_, place) =>
      element("input", {
        type: "range",
        min: 0,
        max: 100,
        step: 1,
        oninput: (/** @type {Event} */ event) => this.#move(place, /** @type {HTMLInputElement} */ (event.target)),
      }),
    );
    this.#told = this.#shares.map(() => element("span", { "aria-hidden": "true" }));
    const rows = this.#sliders.map((slider, place) =>
      element("div", {}, element("label", {}, element("span", {}, titles[place]), slider), this.#told[place]),
    );
    fill(this.element, rows);
    this.element.hidden = !rows.length;
    this.#show();
  }

  /**
   * What one has more, the others have less, each in proportion.
   * @param {number} place
   * @param {HTMLInputElement} slider
   */
  #move(place, slider) {
    const share = Number(slider.value);
    const others = 100 - this.#shares[place];
    const count = this.#shares.length - 1;
    this.#shares = this.#shares.map((other, at) => {
      if (at === place) return share;
      return others > 0 ? (other / others) * (100 - share) : (100 - share) / count;
    });
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  #show() {
    this.#shares.forEach((share, place) => {
      const rounded = Math.round(share);
      this.#sliders[place].value = String(rounded);
      this.#sliders[place].setAttribute("aria-valuetext", `${rounded} per cent`);
      this.#told[place].textContent = `${rounded} %`;
    });
  }
}
