// Style transfer as a generator: each step yields an iteration. As model/style_transfer.py.
import { begin, restored, Scene, step } from "./patches.js";
import { at, changed, ending, endOf, further } from "./recipe.js";
import { rounded } from "./numbers.js";
import { plan, resized } from "./scales.js";

/** @typedef {import("./colour.js").Pixels} Pixels */
/** @typedef {import("./recipe.js").Recipe} Recipe */
/** @typedef {import("./patches.js").State} State */
/** @typedef {import("./scales.js").Scale} Scale */

/**
 * What is changed between two iterations: settings, or how many iterations there are to be in all.
 * @typedef {{ settings?: import("./recipe.js").Changes, end?: number }} Wish
 */

/**
 * One finished step; also all that is needed to go on after it.
 * @typedef {object} Iteration
 * @property {number} number from 0
 * @property {number} of as many will be painted, by the recipe as it is
 * @property {number} scale from 0, the coarsest
 * @property {number} scales
 * @property {number} height
 * @property {number} width
 * @property {import("./flow.js").Losses} losses of the picture that the step began with
 * @property {number} elapsed seconds of painting
 * @property {Recipe} recipe
 * @property {State} state
 */

/**
 * All that is painted of a picture of this size: the plan's scales, then each further pass at the finest.
 * @param {Pixels} photo
 * @param {Recipe} recipe
 * @returns {Scale[]}
 */
export function passes({ height, width }, recipe) {
  const scales = plan(height, width, recipe.iterations);
  const finest = scales[scales.length - 1];
  return [...scales, ...further(recipe).map((steps) => ({ ...finest, steps }))];
}

/**
 * Paints `photo` in the style of `artworks`, or goes on after the iteration `since`. What is wished between two
 * iterations takes effect at the next step, and is written down in the recipe.
 * @param {Pixels} photo
 * @param {Pixels[]} artworks
 * @param {Recipe} recipe
 * @param {Iteration} [since]
 * @returns {Generator<Iteration, void, Wish | undefined>}
 */
export function* paint(photo, artworks, recipe, since) {
  let elapsed = since?.elapsed ?? 0;
  let clock = performance.now();
  let number = since ? since.number + 1 : 0;
  /** @type {{ scene: Scene, state: State } | undefined} */
  let before;
  for (let index = 0, first = 0; index < passes(photo, recipe).length; index++) {
    const scales = passes(photo, recipe);
    const scale = scales[index];
    const finest = scales.length - 1 - further(recipe).length;
    if (since && since.number >= first + scale.steps) {
      first += scale.steps;
      continue;
    }
    let force = at(recipe, number);
    let scene = stretched(photo, artworks, scale, force);
    let state = since ? restored(scene, since.state) : begin(scene, before);
    since = undefined;
    for (; number < first + scale.steps; number++) {
      if (number >= endOf(recipe)) return;
      const now = at(recipe, number);
      if (seen(now) !== seen(force)) {
        scene = stretched(photo, artworks, scale, now);
        state = restored(scene, state);
      }
      force = now;
      const place = { below: Math.max(0, finest - index), step: number - first, steps: scale.steps };
      const stepped = step(scene, state, force, place);
      state = stepped.state;
      elapsed += (performance.now() - clock) / 1000;
      const { height, width } = scale;
      const size = { scale: Math.min(index, finest), scales: finest + 1, height, width };
      const wish = yield { number, of: endOf(recipe), ...size, losses: stepped.losses, elapsed, recipe, state };
      clock = performance.now(); // what others did meanwhile was not painting
      recipe = wished(recipe, number, wish);
    }
    first += scale.steps;
    before = { scene, state };
  }
}

/**
 * The recipe with what was wished after iteration `number` written down.
 * @param {Recipe} recipe
 * @param {number} number
 * @param {Wish} [wish]
 */
export function wished(recipe, number, { settings = {}, end } = {}) {
  const steered = changed(recipe, number + 1, settings);
  return end === undefined ? steered : ending(steered, number, end);
}

/**
 * The scene of a scale: artworks as long as the photo, but next to a very narrow one not much larger.
 * @param {Pixels} photo
 * @param {Pixels[]} artworks
 * @param {Scale} scale
 * @param {Recipe} force
 */
function stretched(photo, artworks, { height, width }, force) {
  const fitting = artworks.map((artwork) => {
    const area = artwork.height * artwork.width;
    const long = Math.max(height, width) / Math.max(artwork.height, artwork.width);
    const shrink = Math.min(long, Math.sqrt((2 * height * width) / area));
    const side = /** @param {number} length */ (length) => Math.max(16, rounded(length * shrink));
    return resized(artwork, side(artwork.height), side(artwork.width));
  });
  return new Scene(resized(photo, height, width), fitting, force);
}

/**
 * The settings that a scene is made from and that may change while painting.
 * @param {Recipe} recipe
 */
function seen({ keep_colors, blend }) {
  return JSON.stringify([keep_colors, blend]);
}
