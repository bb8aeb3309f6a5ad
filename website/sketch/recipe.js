// The recipe: what decides a painting, and each change made while it is being painted. As model/recipe.py, as far as
// the sketch goes.
import { Refusal } from "./errors.js";

/** @typedef {Record<string, unknown>} Changes */
/**
 * @typedef {object} Recipe
 * @property {number} size
 * @property {number} iterations
 * @property {number} style_weight
 * @property {number} content_weight
 * @property {number} variation_weight
 * @property {number[]} blend
 * @property {boolean} keep_colors
 * @property {number} seed
 * @property {{ iteration: number, settings: Changes }[]} changes
 */

export const MOST_ARTWORKS = 8;

/**
 * Range and default of each setting that is a number. Photos larger than the sketch's are the studio's.
 * @type {Record<string, { low: number, high: number, whole: boolean, usual: number }>}
 */
export const NUMBERS = {
  size: { low: 32, high: 1024, whole: true, usual: 256 },
  iterations: { low: 1, high: 10_000, whole: true, usual: 80 },
  style_weight: { low: 0, high: 1e6, whole: false, usual: 1 },
  content_weight: { low: 0, high: 1e6, whole: false, usual: 1 },
  variation_weight: { low: 0, high: 1e6, whole: false, usual: 1 },
  seed: { low: 0, high: 2 ** 32 - 1, whole: true, usual: 0 },
};
const STEERABLE = ["style_weight", "content_weight", "variation_weight", "blend", "keep_colors"];

/**
 * The recipe of a request for so many artworks.
 * @param {Changes} request
 * @param {number} artworks
 * @returns {Recipe}
 */
export function recipeOf(request, artworks) {
  /** @param {string} name */
  const number = (name) => ranged(name, request[name] ?? NUMBERS[name].usual, NUMBERS[name]);
  const blend = /** @type {number[]} */ (checked("blend", request.blend ?? []));
  sharesOf(blend, artworks);
  return {
    size: number("size"),
    iterations: number("iterations"),
    style_weight: number("style_weight"),
    content_weight: number("content_weight"),
    variation_weight: number("variation_weight"),
    blend,
    keep_colors: /** @type {boolean} */ (checked("keep_colors", request.keep_colors ?? false)),
    seed: number("seed"),
    changes: [],
  };
}

/**
 * `changes` if they are settings that can be steered, or a refusal.
 * @param {unknown} changes
 * @param {number} artworks
 * @returns {Changes}
 */
export function steering(changes, artworks) {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes)) {
    throw new Refusal("change_invalid", "Changes have to be settings by name.", 'For example {"style_weight": 2}.');
  }
  /** @type {Changes} */
  const found = {};
  for (const [name, value] of Object.entries(changes)) {
    if (!STEERABLE.includes(name)) {
      const problem = `${name} cannot be changed while painting.`;
      throw new Refusal("change_invalid", problem, `What can: ${STEERABLE.join(", ")}.`);
    }
    found[name] = checked(name, value);
    if (name === "blend") sharesOf(/** @type {number[]} */ (found[name]), artworks);
  }
  return found;
}

/**
 * A whole number of iterations, to go on for or to go back to.
 * @param {unknown} data
 * @param {string} name
 * @param {number} low
 */
export function counted(data, name, low) {
  const value = /** @type {Changes | null | undefined} */ (data)?.[name];
  return ranged(name, value, { low, high: NUMBERS.iterations.high, whole: true });
}

/**
 * The blend of so many artworks, adding up to 1.
 * @param {number[]} blend
 * @param {number} artworks
 */
export function sharesOf(blend, artworks) {
  const shares = blend.length ? blend : Array.from({ length: artworks }, () => 1);
  if (shares.length !== artworks) {
    const problem = `blend has ${shares.length} shares for ${artworks} artworks.`;
    throw new Refusal("recipe_invalid", problem, "Give one share for each artwork.");
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (total <= 0) {
    throw new Refusal("recipe_invalid", "blend adds up to 0.", "Give at least one artwork a share above 0.");
  }
  return shares.map((share) => share / total);
}

/**
 * The steps of each further pass at full size, which were asked for while painting or later.
 * @param {Recipe} recipe
 */
export function further({ changes }) {
  return changes.flatMap(({ settings }) => (typeof settings.more === "number" ? [settings.more] : []));
}

/**
 * How many iterations there are in all, with those of further passes.
 * @param {Recipe} recipe
 */
function total(recipe) {
  return further(recipe).reduce((sum, more) => sum + more, recipe.iterations);
}

/**
 * How many of them are painted: all, unless the painter is told to stop before.
 * @param {Recipe} recipe
 */
export function endOf(recipe) {
  const stops = recipe.changes.flatMap(({ iteration, settings }) => (settings.stop ? [iteration] : []));
  return Math.max(0, Math.min(total(recipe), ...stops));
}

/**
 * This recipe with `settings` written down as changed before `iteration`.
 * @param {Recipe} recipe
 * @param {number} iteration
 * @param {Changes} settings
 * @returns {Recipe}
 */
export function changed(recipe, iteration, settings) {
  if (!Object.keys(settings).length) return recipe;
  return { ...recipe, changes: [...recipe.changes, { iteration, settings }] };
}

/**
 * This recipe with `end` iterations in all, written down as wished after `iteration`.
 *
 * Where the painter was told to stop, it goes on from there, first with what the plan has left.
 * @param {Recipe} recipe
 * @param {number} iteration
 * @param {number} end
 * @returns {Recipe}
 */
export function ending(recipe, iteration, end) {
  if (end < endOf(recipe)) return changed(recipe, end, { stop: true });
  if (end === endOf(recipe)) return recipe;
  const whole = total(recipe);
  const changes = recipe.changes.flatMap((change) => {
    const { stop: _, ...settings } = change.settings;
    return Object.keys(settings).length ? [{ ...change, settings }] : [];
  });
  if (end < whole) changes.push({ iteration: end, settings: { stop: true } });
  if (end > whole) changes.push({ iteration: iteration + 1, settings: { more: end - whole } });
  return { ...recipe, changes };
}

/**
 * The settings in force at `iteration`, the changes made until then applied.
 * @param {Recipe} recipe
 * @param {number} iteration
 * @returns {Recipe}
 */
export function at(recipe, iteration) {
  const made = recipe.changes.filter((change) => change.iteration <= iteration).map(({ settings }) => settings);
  const { stop: _, more: __, ...settings } = Object.assign({}, ...made);
  return { ...recipe, ...settings, changes: [] };
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function checked(name, value) {
  if (name === "keep_colors") {
    if (typeof value !== "boolean") throw invalid(name, value, "true or false");
    return value;
  }
  if (name === "blend") {
    if (!Array.isArray(value)) throw invalid(name, value, "a list of numbers");
    return value.map((share) => ranged(name, share, { low: 0, high: 1e6, whole: false }));
  }
  return ranged(name, value, NUMBERS[name]);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {{ low: number, high: number, whole: boolean }} range
 */
function ranged(name, value, { low, high, whole }) {
  const fits = typeof value === "number" && value >= low && value <= high && (!whole || Number.isInteger(value));
  if (fits) return value;
  throw invalid(name, value, `a ${whole ? "whole " : ""}number from ${low} to ${high.toLocaleString("en")}`);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} allowed
 */
function invalid(name, value, allowed) {
  const shown = String(value).slice(0, 60);
  return new Refusal("setting_invalid", `${name} is ${shown}, but it has to be ${allowed}.`, `Change ${name}.`);
}
