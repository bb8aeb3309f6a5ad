// The engine: the photo repainted with patches of the artworks. The flow alone gives the right colours but no strokes,
// the brush alone the same few patches again and again; together they paint. As model/patches.py.
import { Brush, GUIDE, Sheet } from "./brush.js";
import { bits, uniform } from "./chance.js";
import { LUMINANCE, luminance, withPaletteOf, withTonesOf } from "./colour.js";
import { Flow, POOL, PROJECTIONS, QUANTILES, chosen, projections } from "./flow.js";
import { spread } from "./numbers.js";
import { sharesOf } from "./recipe.js";
import { resized } from "./scales.js";
import { blur, blurred, dots, frame, framing, mixture, packed, samples, softened } from "./windows.js";

/** @typedef {import("./colour.js").Pixels} Pixels */
/** @typedef {import("./recipe.js").Recipe} Recipe */
/** @typedef {import("./windows.js").Patches} Samples */

/**
 * What a step changes: the picture, and where on the sheet its patches come from.
 * @typedef {{ picture: Float32Array, field: import("./brush.js").Field }} State
 */
/**
 * Where in a painting a step is: how many finer scales are below this one, and the step within its steps.
 * @typedef {{ below: number, step: number, steps: number }} Place
 */

const CONTENT = 1.2; // pull of the photo's shapes at content_weight 1
const FINE = [0.6, 0.8]; // the same on the finest scales, whose strokes the photo's finest light would flatten
const VARIATION = 0.001; // at variation_weight 1
const BLUR = 1 / 200; // of the light that the photo holds, as a share of the long side
const LEAST_BLUR = 1.5; // the same in pixels, for the small scales
const SWEEP = 20; // the brush looks for better patches as far as this part of the long side
const REST = 4; // steps at the very end without the brush, to settle
const SAMPLES = 10_000; // patches that stand for all of the artworks

/** What does not change while one scale is painted. */
export class Scene {
  /**
   * @param {Pixels} photo
   * @param {Pixels[]} artworks
   * @param {Recipe} recipe
   */
  constructor(photo, artworks, recipe) {
    const { height, width } = photo;
    if (recipe.keep_colors) {
      artworks = artworks.map((each) => ({ ...each, data: withPaletteOf(each.data, photo.data) }));
    }
    const shares = sharesOf(recipe.blend, artworks.length);
    this.photo = photo;
    this.palette = mixed(artworks, shares);
    const shown = recipe.keep_colors ? photo : onlyLight({ ...photo, data: grey(photo, this.palette) });
    const part = recipe.keep_colors ? [1, 0, 0, 0, 1, 0, 0, 0, 1] : LUMINANCE.map((each) => each / LENGTH);
    const framed = artworks.map((each) => framing(each.data, frame(each.height, each.width)));
    this.patches = chosenPatches(framed, shares);
    this.sheet = new Sheet(artworks, framed, shares, this.patches, recipe.keep_colors ? (pixels) => pixels : onlyLight);
    this.guide = softened(shown);
    const sigma = Math.max(LEAST_BLUR, BLUR * Math.max(height, width));
    this.held = held(shown, part, blur(height, sigma), blur(width, sigma));
    const noise = uniform(height * width * 2, recipe.seed, 1, height, width).map((value) => value * 2 - 1);
    this.brush = new Brush(this.sheet, this.guide, noise);
    this.directions = projections(recipe.seed, height, width);
    this.flow = new Flow(height, width, this.directions);
    /** @type {Map<number, Float64Array>} */
    this.goals = new Map();
  }

  /**
   * The quantiles of the artworks along the projections from `first` on, worked out when first wanted.
   * @param {number} first
   */
  quantiles(first) {
    const known = this.goals.get(first);
    if (known) return known;
    const goals = quantiles(this.patches, packed(this.directions, POOL, first, PROJECTIONS));
    this.goals.set(first, goals);
    return goals;
  }
}

/**
 * The first state of a scale: from the photo, or from where the scale before ended.
 * @param {Scene} scene
 * @param {{ scene: Scene, state: State }} [before]
 * @returns {State}
 */
export function begin(scene, before) {
  const { height, width } = scene.photo;
  if (!before) {
    const picture = withPaletteOf(scene.photo.data, scene.palette);
    return { picture, field: scene.sheet.nearest(framing(picture, frame(height, width)), scene.guide) };
  }
  const small = before.scene.photo;
  return {
    picture: resized({ ...small, data: before.state.picture }, height, width).data,
    field: scene.sheet.enlarged(before.state.field, small, before.scene.sheet, scene.photo),
  };
}

/**
 * The state gone on with in another scene of the same size.
 * @param {Scene} scene
 * @param {State} state
 * @returns {State}
 */
export function restored(scene, { picture, field }) {
  return { picture, field: scene.sheet.allowed(field, scene.photo) };
}

/**
 * One iteration: the brush at every other one, then the flow.
 * @param {Scene} scene
 * @param {State} state
 * @param {Recipe} recipe
 * @param {Place} place
 */
export function step(scene, { picture, field }, recipe, { below, step, steps }) {
  const rest = below ? 0 : Math.min(REST, Math.floor(steps / 4));
  if (step % 2 === 0 && steps - step > rest) {
    const turns = bits(8, recipe.seed, 3, below, step);
    const reach = Math.max(2, Math.floor(Math.max(scene.photo.height, scene.photo.width) / SWEEP));
    ({ picture, field } = scene.brush.lay(picture, field, turns, reach, GUIDE * recipe.content_weight));
  }
  const style = recipe.style_weight;
  const content = recipe.content_weight * CONTENT * (FINE[below] ?? 1);
  const variation = recipe.variation_weight * VARIATION;
  const fade = 0.35 ** (step / Math.max(1, steps - 1));
  const pace = fade / Math.max(1, (style + content + 4 * variation) / 2);
  const goals = scene.quantiles(chosen(step).first);
  const moved = scene.flow.step(picture, scene.held, goals, step, { pace, style, content, variation });
  return { state: { picture: moved.picture, field }, losses: moved.losses };
}

const LENGTH = Math.hypot(...LUMINANCE);

/**
 * @param {Pixels} pixels
 * @returns {Pixels}
 */
function onlyLight({ height, width, data }) {
  return { height, width, bands: 1, data: luminance(data).map((light) => light / LENGTH) };
}

/**
 * The photo's light in the artworks' tones, as a grey picture.
 * @param {Pixels} photo
 * @param {Float32Array} palette
 */
function grey(photo, palette) {
  const light = withTonesOf(luminance(photo.data), luminance(palette));
  return photo.data.map((_, i) => light[Math.floor(i / 3)]);
}

/**
 * @param {Pixels} shown
 * @param {number[]} part
 * @param {import("./windows.js").Blur} down
 * @param {import("./windows.js").Blur} across
 * @returns {import("./flow.js").Held}
 */
function held({ bands, data }, part, down, across) {
  const soft = new Float64Array(data.length);
  blurred(Float64Array.from(data), down, across, bands, new Float64Array(data.length), soft);
  return { shown: soft, part, bands, down, across };
}

/**
 * Colours of the artworks, of each as many as its share says.
 * @param {Pixels[]} artworks
 * @param {number[]} shares
 */
function mixed(artworks, shares) {
  const rows = mixture(artworks.map(({ height, width }) => height * width), shares, SAMPLES);
  const palette = new Float32Array(rows.reduce((sum, each) => sum + each.length, 0) * 3);
  let to = 0;
  rows.forEach((some, i) => {
    for (const at of some) {
      palette.set(artworks[i].data.subarray(at * 3, at * 3 + 3), to);
      to += 3;
    }
  });
  return palette;
}

/**
 * Patches of the artworks, of each as many as its share says.
 * @param {import("./windows.js").Framed[]} framed
 * @param {number[]} shares
 * @returns {Samples[]}
 */
function chosenPatches(framed, shares) {
  const starts = framed.map((each) => samples(each, 2 * SAMPLES));
  const rows = mixture(starts.map(({ length }) => length), shares, SAMPLES);
  return framed.map((each, i) => {
    const times = new Int32Array(starts[i].length);
    for (const at of rows[i]) times[at]++;
    return { framed: each, starts: starts[i].filter((_, at) => times[at]), times: times.filter((count) => count) };
  });
}

/**
 * The quantiles of patches along each of a step's projections: (PROJECTIONS, QUANTILES).
 * @param {Samples[]} patches
 * @param {Float64Array} kernels
 */
function quantiles(patches, kernels) {
  const total = patches.reduce((sum, { times }) => sum + times.reduce((part, count) => part + count, 0), 0);
  const lines = new Float32Array(PROJECTIONS * total); // projection by projection
  let to = 0;
  for (const { framed, starts, times } of patches) {
    const along = new Float64Array(starts.length * PROJECTIONS);
    dots(framed, starts, kernels, PROJECTIONS, along);
    for (let n = 0; n < starts.length; n++) {
      for (let time = 0; time < times[n]; time++, to++) {
        for (let k = 0; k < PROJECTIONS; k++) lines[k * total + to] = along[n * PROJECTIONS + k];
      }
    }
  }
  const goals = new Float64Array(PROJECTIONS * QUANTILES);
  const at = spread(total, QUANTILES);
  for (let k = 0; k < PROJECTIONS; k++) {
    const line = lines.subarray(k * total, (k + 1) * total).sort();
    for (let q = 0; q < QUANTILES; q++) goals[k * QUANTILES + q] = line[at[q]];
  }
  return goals;
}
