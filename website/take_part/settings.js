// The settings of a painting: given before it begins, and those that can be steered while it is painted.

import { byId, element, fill } from "../html.js";

/**
 * One setting as settings.json tells of it.
 * @typedef {{ meaning: string, unit: string, least: number | null, most: number | null, choices: string[],
 *   default: any, steered: boolean }} Setting
 */

const WEIGHTS = /** @type {const} */ ([
  ["style_weight", "Style", "How much of the artwork"],
  ["content_weight", "Content", "How much of the photo"],
  ["variation_weight", "Smoothness", "How calm the surface"],
]);
const DOUBLINGS = 3; // a weight goes from an eighth to eight times
const PATIENCE = 120; // milliseconds that a slider has to rest before it steers

const STUDIO = { sizes: [256, 384, 512, 768, 1024, 1536, 2048], size: 768, iterations: 120 };
const BARE = { sizes: [192, 256, 384, 512], size: 256, iterations: 80 };

/** Tells `steer` with the settings that were changed and can be while it is painted. */
export class Settings extends EventTarget {
  /** @type {Record<string, any>} */
  values = {};
  /** @type {Record<string, any>} */
  #turned = {};
  #timer = 0;

  /**
   * @param {Record<string, Setting>} settings
   * @param {boolean} bare whether the sketch paints
   */
  constructor(settings, bare) {
    super();
    this.known = settings;
    const { sizes, size, iterations } = bare ? BARE : STUDIO;
    this.usual = { size, iterations };
    this.sliders = WEIGHTS.map(([name, title, meaning]) => this.#slider(name, title, meaning));
    this.colors = element("input", {
      type: "checkbox", id: "keep_colors", onchange: () => this.#turn("keep_colors", this.colors.checked),
    });
    this.size = element("select", { id: "size", onchange: () => this.#given("size", Number(this.size.value)) });
    fill(this.size, sizes.map((each) => element("option", { value: each }, `${each} pixels`)));
    this.iterations = this.#number("iterations");
    this.seed = this.#number("seed");
    this.order = element(
      "details", { class: "more" },
      element("summary", {}, "Size, iterations and chance"),
      field("Long side", this.size), field("Iterations", this.iterations), field("Seed of chance", this.seed),
    );
    // What is wrong has to be seen to be mended.
    this.order.addEventListener("invalid", () => (this.order.open = true), { capture: true });
    byId("take-part").append(
      ...this.sliders.map(({ row }) => row),
      element("label", { class: "check" }, this.colors, "Keep the photo's colours"),
      this.order,
    );
    this.reset();
  }

  /** As they are at first. */
  reset() {
    const defaults = Object.entries(this.known).map(([name, setting]) => [name, setting.default]);
    this.restore({ ...Object.fromEntries(defaults), ...this.usual });
  }

  /**
   * As a recipe has them. What it does not name stays.
   * @param {Record<string, any>} recipe
   */
  restore(recipe) {
    for (const name of ["size", "iterations", "seed", "keep_colors", ...WEIGHTS.map(([name]) => name)]) {
      if (name in recipe && fits(this.known[name], recipe[name])) this.values[name] = recipe[name];
    }
    const { values } = this;
    for (const { name, show } of this.sliders) show(values[name]);
    this.colors.checked = values.keep_colors;
    if (![...this.size.options].some((option) => Number(option.value) === values.size)) {
      this.size.append(element("option", { value: values.size }, `${values.size} pixels`));
    }
    this.size.value = String(values.size);
    this.iterations.value = String(values.iterations);
    this.seed.value = String(values.seed);
  }

  /**
   * What can be turned now: everything before a painting, the steered ones during one, nothing for those who only watch.
   * @param {"all" | "steered" | "none"} which
   */
  allow(which) {
    for (const { input } of this.sliders) input.disabled = which === "none";
    this.colors.disabled = which === "none";
    this.order.hidden = which !== "all";
    byId("take-part").hidden = which === "none";
  }

  /**
   * @param {string} name
   * @param {string} title
   * @param {string} meaning
   */
  #slider(name, title, meaning) {
    const told = element("span", { "aria-hidden": "true" });
    const input = element("input", {
      type: "range", id: name, min: -DOUBLINGS, max: DOUBLINGS, step: 0.25,
      oninput: () => {
        const weight = 2 ** Number(input.value);
        show(weight);
        this.#turn(name, weight);
      },
    });
    const show = (/** @type {number} */ weight) => {
      input.value = String(weight > 0 ? Math.log2(weight) : -DOUBLINGS);
      told.textContent = `× ${Number(weight.toPrecision(2))}`;
      input.setAttribute("aria-valuetext", `${Number(weight.toPrecision(2))} times`);
    };
    const row = element("div", { class: "slider" }, element("label", { for: name, title: meaning }, title), input, told);
    return { name, row, input, show };
  }

  /** @param {string} name */
  #number(name) {
    const { least, most } = this.known[name];
    const input = element("input", {
      type: "number", id: name, min: least, max: most, step: 1, required: true, form: "choose", inputmode: "numeric",
      onchange: () => {
        if (input.checkValidity()) this.#given(name, Number(input.value));
      },
    });
    return input;
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  #given(name, value) {
    this.values[name] = value;
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  #turn(name, value) {
    this.#given(name, value);
    this.#turned[name] = value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.dispatchEvent(new CustomEvent("steer", { detail: this.#turned }));
      this.#turned = {};
    }, PATIENCE);
  }
}

/**
 * @param {Setting} setting
 * @param {any} value
 */
function fits({ least, most, default: usual }, value) {
  if (typeof value !== typeof usual) return false;
  return typeof value !== "number" || ((least === null || value >= least) && (most === null || value <= most));
}

/**
 * @param {string} title
 * @param {HTMLElement} input
 */
function field(title, input) {
  return element("div", { class: "field" }, element("label", { for: input.id }, title), input);
}
