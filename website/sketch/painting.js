// A painting: its state, what its owner may do with it, and the moments that it can go back to.
import { Refusal } from "./errors.js";
import { NUMBERS, at, counted, endOf, steering } from "./recipe.js";
import { paint, wished } from "./style_transfer.js";

/** @typedef {import("./colour.js").Pixels} Pixels */
/** @typedef {import("./recipe.js").Recipe} Recipe */
/** @typedef {import("./style_transfer.js").Iteration} Iteration */
/** @typedef {"painting" | "paused" | "finished"} State */

/**
 * Which state each move leads to, from each state.
 * @type {Record<State, Record<string, State>>}
 */
const MOVES = {
  painting: { pause: "paused", finish: "painting", more: "painting", rewind: "painting", steer: "painting" },
  paused: { resume: "painting", finish: "painting", more: "paused", rewind: "paused", steer: "paused" },
  finished: { more: "painting", rewind: "painting", steer: "finished" },
};
/** @type {Record<string, string>} */
const VERBS = {
  pause: "paused",
  resume: "resumed",
  finish: "finished early",
  more: "painted further",
  rewind: "rewound",
  steer: "steered",
};
const MOST_KEPT = 2 ** 26; // bytes of moments to go back to

export class Painting {
  /** @type {Iterator<Iteration, void, import("./style_transfer.js").Wish | undefined> | undefined} */
  #iterations;
  /** @type {import("./recipe.js").Changes} */
  #steered = {};
  /** @type {Map<number, Iteration>} */
  #kept = new Map();
  #apart = 1;
  #first;

  /**
   * @param {Pixels} photo
   * @param {Pixels[]} artworks
   * @param {Recipe} recipe
   */
  constructor(photo, artworks, recipe) {
    this.photo = photo;
    this.artworks = artworks;
    this.recipe = recipe;
    this.of = endOf(recipe);
    /** @type {State} */
    this.state = "painting";
    /** @type {Iteration | undefined} */
    this.last = undefined;
    this.#first = recipe;
  }

  /** The number of the last iteration; -1 before the first. */
  get iteration() {
    return this.last?.number ?? -1;
  }

  /** Paints the next iteration; nothing is left to paint if there is none. */
  step() {
    const wish = { settings: this.#steered, end: this.of };
    this.#steered = {};
    this.recipe = wished(this.recipe, this.iteration, wish);
    this.#iterations ??= paint(this.photo, this.artworks, this.recipe, this.last);
    const { value } = this.#iterations.next(wish); // the first of an iterator is not heard, but in its recipe
    if (!value) {
      this.state = "finished";
      this.#iterations = undefined;
      return undefined;
    }
    this.last = value;
    this.recipe = value.recipe;
    this.#keep(value);
    return value;
  }

  /**
   * Does what the owner asks, or refuses.
   * @param {string} action
   * @param {unknown} data
   */
  act(action, data) {
    const next = MOVES[this.state][action];
    if (!next) {
      const possible = Object.keys(MOVES[this.state]).join(", ");
      const problem = `A ${this.state} painting cannot be ${VERBS[action]}.`;
      throw new Refusal("move_illegal", problem, `What can be done with it: ${possible}.`);
    }
    if (action === "steer") this.#steered = { ...this.#steered, ...steering(data, this.artworks.length) };
    if (action === "finish") this.of = Math.max(1, this.iteration + 1);
    if (action === "more") this.#more(counted(data, "iterations", 1));
    if (action === "rewind") this.#rewind(counted(data, "iteration", 0));
    this.state = next;
  }

  /** @param {number} iterations */
  #more(iterations) {
    const end = this.of + iterations;
    const most = NUMBERS.iterations.high;
    if (end > most) {
      const [more, all, allowed] = [iterations, end, most].map((number) => number.toLocaleString("en"));
      const problem = `With ${more} more, the painting would have ${all} iterations; ${allowed} are allowed.`;
      throw new Refusal("iterations_many", problem, "Ask for fewer, or start another painting from this one.");
    }
    this.of = end;
  }

  /** @param {number} iteration */
  #rewind(iteration) {
    if (iteration > this.iteration) {
      const problem = `The painting is at iteration ${this.iteration}; it cannot be rewound to ${iteration}.`;
      throw new Refusal("move_illegal", problem, "Name one that is painted.");
    }
    const now = this.#force();
    const earlier = [...this.#kept.keys()].filter((number) => number <= iteration);
    this.last = this.#kept.get(Math.max(...earlier));
    this.recipe = this.last?.recipe ?? this.#first;
    this.#iterations = undefined;
    for (const number of this.#kept.keys()) if (number > this.iteration) this.#kept.delete(number);
    const then = steerable(at(this.recipe, this.iteration + 1));
    const changes = Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(then[name]));
    this.#steered = Object.fromEntries(changes);
  }

  /** The settings that can be steered, as the last change leaves them. */
  #force() {
    return { ...steerable(at(this.recipe, Infinity)), ...this.#steered };
  }

  /** @param {Iteration} iteration */
  #keep(iteration) {
    this.#kept.set(iteration.number, iteration);
    while (this.#kept.size > 2 && weight(this.#kept.values()) > MOST_KEPT) {
      this.#apart *= 2;
      for (const number of this.#kept.keys()) {
        if ((number + 1) % this.#apart && number !== iteration.number) this.#kept.delete(number);
      }
    }
    const before = iteration.number - 1;
    if ((before + 1) % this.#apart) this.#kept.delete(before); // only the last is kept wherever it is
  }
}

/**
 * @param {Recipe} recipe
 * @returns {import("./recipe.js").Changes}
 */
function steerable({ style_weight, content_weight, variation_weight, blend, keep_colors }) {
  return { style_weight, content_weight, variation_weight, blend, keep_colors };
}

/** @param {Iterable<Iteration>} iterations */
function weight(iterations) {
  let bytes = 0;
  for (const { state } of iterations) bytes += state.picture.byteLength + state.field.byteLength;
  return bytes;
}
