// How much of a painting is done, and how long the rest will take: finer scales are slower.
import { endOf } from "./recipe.js";
import { passes } from "./style_transfer.js";

// An iteration takes as its pixels and so many more do, and what comes before the first of a pass so many iterations.
const OVERHEAD = 10_000;
const PREPARATION = 2;

/**
 * @param {import("./colour.js").Pixels} photo
 * @param {import("./recipe.js").Recipe} recipe
 * @param {number} done iterations
 * @param {number} elapsed seconds
 */
export function forecast(photo, recipe, done, elapsed) {
  const [spent, whole] = [work(photo, recipe, done), work(photo, recipe, endOf(recipe))];
  return {
    progress: Math.round((1000 * spent) / whole) / 10,
    eta: Math.round((10 * elapsed * (whole - spent)) / spent) / 10,
  };
}

/**
 * @param {import("./colour.js").Pixels} photo
 * @param {import("./recipe.js").Recipe} recipe
 * @param {number} iterations
 */
function work(photo, recipe, iterations) {
  let sum = 0;
  for (const { height, width, steps } of passes(photo, recipe)) {
    const painted = Math.min(iterations, steps);
    if (painted) sum += (painted + PREPARATION) * (height * width + OVERHEAD);
    iterations -= painted;
  }
  return sum;
}
