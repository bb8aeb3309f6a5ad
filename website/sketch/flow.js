// The flow: the picture's patches move towards the artwork's distribution of patches. As model/flow.py.
import { normal } from "./chance.js";
import { EDGE, LINE, PATCH, TAPS, blurred, dots, frame, framing, mirrored, packed, places } from "./windows.js";

/** @typedef {import("./windows.js").Blur} Blur */

export const POOL = 128; // projections made for a scale, of which each step takes the next ones
export const PROJECTIONS = 32;
const BINS = 1024;
export const QUANTILES = 512;
const STRIDE = 2; // a step looks at every other patch both ways; four steps look at all

/**
 * What is held of the photo: its blurred light or colours, how they come from colours, and the blurs.
 * @typedef {{ shown: Float64Array, part: number[], bands: number, down: Blur, across: Blur }} Held
 */
/** @typedef {{ total: number, style: number, content: number, variation: number }} Losses */

/**
 * Random directions in the space of patches, of length 1: (7·7·3, POOL).
 *
 * Their even and odd rows and columns have equal sums. Otherwise a step, which moves every other patch, would print a
 * grid into flat areas.
 * @param {number[]} key
 */
export function projections(...key) {
  const random = normal(TAPS * POOL, ...key);
  const sums = Array.from({ length: STRIDE ** 2 }, () => new Float64Array(3 * POOL));
  const counts = sums.map(() => 0);
  const part = /** @param {number} place */ (place) => STRIDE * (Math.floor(place / PATCH) % 2) + ((place % PATCH) % 2);
  for (let place = 0; place < PATCH * PATCH; place++) {
    const sum = sums[part(place)];
    counts[part(place)]++;
    for (let i = 0; i < 3 * POOL; i++) sum[i] += random[place * 3 * POOL + i];
  }
  const mean = sums[0].map((_, i) => sums.reduce((total, sum) => total + sum[i], 0) / sums.length);
  const squares = new Float64Array(POOL);
  for (let place = 0; place < PATCH * PATCH; place++) {
    const [sum, count] = [sums[part(place)], counts[part(place)]];
    for (let i = 0; i < 3 * POOL; i++) {
      random[place * 3 * POOL + i] += (mean[i] - sum[i]) / count;
      squares[i % POOL] += random[place * 3 * POOL + i] ** 2;
    }
  }
  for (let i = 0; i < random.length; i++) random[i] /= Math.sqrt(squares[i % POOL]);
  return random;
}

/**
 * Which of the projections a step uses, and how they are shifted to the patches that are its turn.
 * @param {number} step
 */
export function chosen(step) {
  const first = (step * PROJECTIONS) % POOL;
  // So that in time each projection sees all patches.
  const turn = (step + Math.floor((step * PROJECTIONS) / POOL)) % STRIDE ** 2;
  return { first, down: Math.floor(turn / STRIDE), across: turn % STRIDE };
}

/** The flow at one scale, with room for all that it has to remember within a step. */
export class Flow {
  /**
   * @param {number} height
   * @param {number} width
   * @param {Float32Array} directions
   */
  constructor(height, width, directions) {
    this.height = height;
    this.width = width;
    this.directions = directions;
    const count = Math.floor(height / STRIDE) * Math.floor(width / STRIDE) * PROJECTIONS;
    this.framed = frame(height, width);
    this.gradient = new Float64Array(this.framed.data.length);
    this.along = new Float64Array(count);
    this.bins = new Uint16Array(count);
    this.moves = new Float64Array(PROJECTIONS * BINS);
    this.light = new Float64Array(height * width * 3);
    this.between = new Float64Array(height * width * 3);
    this.apart = new Float64Array(height * width * 3);
  }

  /**
   * One step of gradient descent: the new picture, and the losses of the old one.
   * @param {Float32Array} picture
   * @param {Held} held
   * @param {Float64Array} goals quantiles of the artworks along the step's projections
   * @param {number} step
   * @param {{ pace: number, style: number, content: number, variation: number }} numbers
   * @returns {{ picture: Float32Array, losses: Losses }}
   */
  step(picture, held, goals, step, numbers) {
    const { height, width, gradient, framed } = this;
    const style = this.#style(picture, goals, step, numbers.style);
    const content = this.#content(picture, held, numbers.content);
    const variation = this.#variation(picture, numbers.variation);
    const moved = new Float32Array(picture.length);
    for (let y = 0, i = 0; y < height; y++) {
      for (let g = (y + EDGE) * framed.row + EDGE * 3, end = g + width * 3; g < end; g++, i++) {
        moved[i] = Math.min(1, Math.max(0, picture[i] - numbers.pace * gradient[g]));
      }
    }
    const total = numbers.style * style + numbers.content * content + numbers.variation * variation;
    return { picture: moved, losses: { total, style, content, variation } };
  }

  /**
   * The loss of style. Its gradient, as all here times the number of pixels, is the first that is written down.
   * @param {Float32Array} picture
   * @param {Float64Array} goals
   * @param {number} step
   * @param {number} weight
   */
  #style(picture, goals, step, weight) {
    const { height, width, framed, gradient, along, bins, moves, directions } = this;
    const { first, down, across } = chosen(step);
    const starts = places(framed, STRIDE, down, across);
    dots(framing(picture, framed), starts, packed(directions, POOL, first, PROJECTIONS), PROJECTIONS, along);
    displacement(along, goals, bins, moves);
    const pull = (-3 * weight * height * width) / along.length;
    let squares = 0;
    for (let i = 0; i < along.length; i++) {
      const apart = moves[(i % PROJECTIONS) * BINS + bins[i]];
      squares += apart * apart;
      along[i] = pull * apart;
    }
    gradient.fill(0);
    gather(along, starts, framed.row, threes(directions, first), gradient);
    unframed(gradient, framed);
    return (1.5 * squares) / along.length;
  }

  /**
   * @param {Float32Array} picture
   * @param {Held} held
   * @param {number} weight
   */
  #content(picture, { shown, part, bands, down, across }, weight) {
    const { height, width, gradient, framed, light, between, apart } = this;
    light.fill(0);
    for (let i = 0, o = 0; i < picture.length; i += 3, o += bands) {
      for (let c = 0; c < 3; c++) for (let b = 0; b < bands; b++) light[o + b] += picture[i + c] * part[c * bands + b];
    }
    blurred(light, down, across, bands, between, apart);
    const count = height * width * bands;
    let squares = 0;
    for (let i = 0; i < count; i++) {
      apart[i] -= shown[i];
      squares += apart[i] * apart[i];
    }
    blurred(apart, down, across, bands, between, light, true);
    for (let y = 0, i = 0; y < height; y++) {
      let g = (y + EDGE) * framed.row + EDGE * 3;
      for (let x = 0; x < width; x++, i += bands, g += 3) {
        for (let c = 0; c < 3; c++) {
          for (let b = 0; b < bands; b++) gradient[g + c] += weight * light[i + b] * part[c * bands + b];
        }
      }
    }
    return (0.5 * squares) / (height * width);
  }

  /**
   * @param {Float32Array} picture
   * @param {number} weight
   */
  #variation(picture, weight) {
    const { height, width, gradient, framed } = this;
    const count = (height - 1) * (width - 1);
    const share = (weight * height * width) / count;
    let whole = 0;
    for (let y = 0; y < height - 1; y++) {
      let i = y * width * 3;
      let g = (y + EDGE) * framed.row + EDGE * 3;
      for (let x = 0; x < width - 1; x++, i += 3, g += 3) {
        let square = 1e-4;
        for (let c = 0; c < 3; c++) {
          const right = picture[i + 3 + c] - picture[i + c];
          const below = picture[i + width * 3 + c] - picture[i + c];
          square += right * right + below * below;
        }
        const root = Math.sqrt(square);
        whole += root;
        for (let c = 0; c < 3; c++) {
          const right = ((picture[i + 3 + c] - picture[i + c]) / root) * share;
          const below = ((picture[i + width * 3 + c] - picture[i + c]) / root) * share;
          gradient[g + 3 + c] += right;
          gradient[g + framed.row + c] += below;
          gradient[g + c] -= right + below;
        }
      }
    }
    return whole / count;
  }
}

/**
 * How far each projected patch has to move for each projection's distribution to become the artwork's: by the bin of a
 * histogram that it falls into.
 * @param {Float64Array} along
 * @param {Float64Array} goals
 * @param {Uint16Array} bins
 * @param {Float64Array} moves
 */
export function displacement(along, goals, bins, moves) {
  const low = new Float64Array(PROJECTIONS).fill(Infinity);
  const width = new Float64Array(PROJECTIONS).fill(-Infinity);
  for (let i = 0, k = 0; i < along.length; i++, k = (k + 1) % PROJECTIONS) {
    const value = along[i];
    if (value < low[k]) low[k] = value;
    if (value > width[k]) width[k] = value;
  }
  for (let k = 0; k < PROJECTIONS; k++) width[k] = (width[k] - low[k] + 1e-4) / BINS;
  moves.fill(0);
  for (let i = 0, k = 0; i < along.length; i++, k = (k + 1) % PROJECTIONS) {
    const bin = Math.floor((along[i] - low[k]) / width[k]);
    bins[i] = bin;
    moves[k * BINS + bin]++;
  }
  const count = along.length / PROJECTIONS;
  for (let k = 0; k < PROJECTIONS; k++) {
    let below = 0;
    for (let bin = 0; bin < BINS; bin++) {
      const here = moves[k * BINS + bin];
      below += here;
      const rank = ((below - here / 2) / count) * (QUANTILES - 1);
      const left = Math.min(Math.floor(rank), QUANTILES - 2);
      const at = k * QUANTILES + left;
      const goal = goals[at] + (goals[at + 1] - goals[at]) * (rank - left);
      moves[k * BINS + bin] = goal - (low[k] + width[k] * (bin + 0.5));
    }
  }
}

/**
 * The step's projections, three taps by three as `gather` reads them.
 * @param {Float32Array} directions
 * @param {number} first
 */
function threes(directions, first) {
  const taps = new Float64Array(TAPS * PROJECTIONS);
  for (let tap = 0, i = 0; tap < TAPS; tap += 3) {
    for (let k = first; k < first + PROJECTIONS; k++) {
      for (let each = 0; each < 3; each++) taps[i++] = directions[(tap + each) * POOL + k];
    }
  }
  return taps;
}

/**
 * The way back of `dots`: adds to each patch's pixels what comes by each projection.
 * @param {Float64Array} along
 * @param {Int32Array} starts
 * @param {number} row
 * @param {Float64Array} taps
 * @param {Float64Array} gradient
 */
function gather(along, starts, row, taps, gradient) {
  const last = starts.length - 1;
  for (let n = 0; n <= last; n += 2) {
    const paired = n < last;
    for (let tap = 0, w = 0; tap < TAPS; tap += 3) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let j = (paired ? n + 1 : n) * PROJECTIONS;
      for (let i = n * PROJECTIONS, end = i + PROJECTIONS; i < end; i++, j++, w += 3) {
        const a = along[i];
        const b = along[j];
        const w0 = taps[w];
        const w1 = taps[w + 1];
        const w2 = taps[w + 2];
        a0 += a * w0;
        a1 += a * w1;
        a2 += a * w2;
        b0 += b * w0;
        b1 += b * w1;
        b2 += b * w2;
      }
      const place = Math.floor(tap / LINE) * row + (tap % LINE);
      const one = starts[n] + place;
      gradient[one] += a0;
      gradient[one + 1] += a1;
      gradient[one + 2] += a2;
      if (!paired) continue;
      const two = starts[n + 1] + place;
      gradient[two] += b0;
      gradient[two + 1] += b1;
      gradient[two + 2] += b2;
    }
  }
}

/**
 * Adds to the pixels what their mirror images around the picture have got.
 * @param {Float64Array} gradient
 * @param {import("./windows.js").Framed} framed
 */
function unframed(gradient, { height, width, row }) {
  for (let y = -EDGE; y < height + EDGE; y++) {
    const inner = y >= 0 && y < height;
    const [from, to] = [(y + EDGE) * row, (mirrored(y, height) + EDGE) * row];
    for (let x = -EDGE; x < width + EDGE; x++) {
      if (inner && x === 0) x = width;
      const [at, home] = [from + (x + EDGE) * 3, to + (mirrored(x, width) + EDGE) * 3];
      for (let c = 0; c < 3; c++) gradient[home + c] += gradient[at + c];
    }
  }
}
