// A listbox of pictures, after the ARIA authoring practices: one stop for the tab key, arrows within.

import { element, fill } from "../html.js";

const TYPING = 700; // milliseconds in which letters belong together

/** @typedef {{ name: string, title: string, picture: string }} Option */

/**
 * Shows options and says what is done to them; what is chosen, its owner decides. `pick` and `remove` tell a name;
 * `active` follows the option that the keys are at.
 */
export class Listbox extends EventTarget {
  /** @type {Option[]} */
  #options = [];
  /** @type {HTMLElement[]} */
  #shown = [];
  #active = 0;
  #several = false;
  #typed = "";
  #timer = 0;

  /** @param {Record<string, string>} attributes of the element, its name among them */
  constructor(attributes) {
    super();
    this.element = element("div", {
      role: "listbox",
      tabindex: 0,
      hidden: true,
      ...attributes,
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#press(event),
      onclick: (/** @type {MouseEvent} */ event) => this.#click(event),
    });
  }

  /** The name of the option that the keys are at. */
  get active() {
    return this.#options[this.#active]?.name;
  }

  /** @param {Option[]} options */
  offer(options) {
    const before = this.active;
    this.#options = options;
    this.#shown = options.map(({ title, picture: src }, place) => {
      const image = { src, alt: title, title, width: 96, height: 96, draggable: "false", decoding: "async" };
      const id = `${this.element.id}-${place}`;
      return element("div", { role: "option", id, "aria-selected": "false" }, element("img", image));
    });
    fill(this.element, this.#shown);
    this.element.hidden = !options.length;
    this.#move(Math.max(0, options.findIndex(({ name }) => name === before)), false);
  }

  /**
   * Show which are chosen.
   * @param {string[]} names
   * @param {boolean} several whether several may be
   */
  mark(names, several) {
    this.#several = several;
    if (several) this.element.setAttribute("aria-multiselectable", "true");
    else this.element.removeAttribute("aria-multiselectable");
    this.#options.forEach(({ name }, place) =>
      this.#shown[place].setAttribute("aria-selected", String(names.includes(name))),
    );
  }

  /** @param {string} name the option that the keys shall be at */
  activate(name) {
    const place = this.#options.findIndex((option) => option.name === name);
    if (place >= 0) this.#move(place);
  }

  /** @param {boolean} enabled */
  set enabled(enabled) {
    this.element.tabIndex = enabled ? 0 : -1;
    this.element.setAttribute("aria-disabled", String(!enabled));
  }

  get enabled() {
    return this.element.tabIndex === 0;
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (!this.enabled || event.ctrlKey || event.metaKey || event.altKey || !this.#options.length) return;
    const place = this.#place(event.key);
    if (place !== null) this.#go(place);
    else if (event.key === "Delete") this.#tell("remove", this.active);
    else if (event.key === "Enter" || (event.key === " " && !this.#typed)) this.#tell("pick", this.active);
    else if (event.key.length === 1) this.#type(event.key);
    else return;
    event.preventDefault();
  }

  /**
   * Where a key leads to; null if it leads nowhere.
   * @param {string} key
   */
  #place(key) {
    const last = this.#options.length - 1;
    const row = this.#columns();
    const rightwards = getComputedStyle(this.element).direction === "rtl" ? -1 : 1;
    switch (key) {
      case "ArrowRight": return this.#active + rightwards;
      case "ArrowLeft": return this.#active - rightwards;
      // Below the last row there is nothing, but a shorter last row is to be reached.
      case "ArrowDown": return this.#active + row <= last || this.#isInLastRow(row) ? this.#active + row : last;
      case "ArrowUp": return this.#active - row;
      case "Home": return 0;
      case "End": return last;
      default: return null;
    }
  }

  #columns() {
    const top = this.#shown[0].offsetTop;
    const second = this.#shown.findIndex((option) => option.offsetTop !== top);
    return second < 0 ? this.#shown.length : second;
  }

  /** @param {number} row */
  #isInLastRow(row) {
    return Math.floor(this.#active / row) === Math.floor((this.#options.length - 1) / row);
  }

  /** @param {number} place */
  #go(place) {
    if (place < 0 || place >= this.#options.length) return;
    this.#move(place);
    if (!this.#several) this.#tell("pick", this.active); // of one, the choice follows the keys, as in a <select>
  }

  /** @param {string} letter */
  #type(letter) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#typed = ""), TYPING);
    this.#typed += letter.toLocaleLowerCase();
    // A single letter leads on to the next one; more letters narrow down where that has led.
    const from = this.#active + (this.#typed.length === 1 ? 1 : 0);
    const turned = [...this.#options.slice(from), ...this.#options.slice(0, from)];
    const found = turned.find(({ title }) => title.toLocaleLowerCase().startsWith(this.#typed));
    if (found) this.#go(this.#options.indexOf(found));
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const option = event.target instanceof Element && event.target.closest("[role=option]");
    if (!this.enabled || !option) return;
    this.#move(this.#shown.indexOf(/** @type {HTMLElement} */ (option)));
    this.#tell("pick", this.active);
  }

  /**
   * @param {number} place
   * @param {boolean} [visibly]
   */
  #move(place, visibly = true) {
    this.#shown[this.#active]?.classList.remove("active");
    this.#active = place;
    const option = this.#shown[place];
    if (!option) {
      this.element.removeAttribute("aria-activedescendant");
      return;
    }
    option.classList.add("active");
    this.element.setAttribute("aria-activedescendant", option.id);
    if (visibly) reveal(option, this.element);
    this.#tell("active", this.active);
  }

  /**
   * @param {"pick" | "remove" | "active"} what
   * @param {string} name
   */
  #tell(what, name) {
    this.dispatchEvent(new CustomEvent(what, { detail: name }));
  }
}

/**
 * Scroll the list, and never the page, until the option is seen.
 * @param {HTMLElement} option
 * @param {HTMLElement} list
 */
function reveal(option, list) {
  const [one, all] = [option.getBoundingClientRect(), list.getBoundingClientRect()];
  if (one.top < all.top) list.scrollTop -= all.top - one.top;
  else if (one.bottom > all.bottom) list.scrollTop += one.bottom - all.bottom;
}
