// Coarse to fine: which sizes a painting goes through, how many steps it spends on each, and pictures at other sizes.
// As model/scales.py, with the filters of Pillow.
import { rounded } from "./numbers.js";

/** @typedef {import("./colour.js").Pixels} Pixels */
/** @typedef {{ height: number, width: number, steps: number }} Scale */

const COARSER = 1.19;
const SMALLEST = 64;
const MIN_SIDE = 16;

/**
 * The scales of a painting of this size, coarsest first, each with a step.
 * @param {number} height
 * @param {number} width
 * @param {number} steps
 * @returns {Scale[]}
 */
export function plan(height, width, steps) {
  const [long, short] = [Math.max(height, width), Math.min(height, width)];
  let count = 1;
  while (long >> count >= SMALLEST && short >> count >= MIN_SIDE) count++;
  count = Math.min(count, steps);
  const weights = Array.from({ length: count }, (_, i) => COARSER ** (count - 1 - i));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  let [sum, end] = [0, 0];
  return weights.map((weight, i) => {
    const level = count - 1 - i;
    const first = end;
    sum += weight / whole;
    end = rounded(sum * (steps - count)) + i + 1;
    return {
      height: Math.max(MIN_SIDE, rounded(height / 2 ** level)),
      width: Math.max(MIN_SIDE, rounded(width / 2 ** level)),
      steps: end - first,
    };
  });
}

/**
 * The size of a picture with its long side at `size`, and its short side at no less than the least.
 * @param {number} height
 * @param {number} width
 * @param {number} size
 */
export function fit(height, width, size) {
  const scale = size / Math.max(height, width);
  return { height: Math.max(MIN_SIDE, rounded(height * scale)), width: Math.max(MIN_SIDE, rounded(width * scale)) };
}

/**
 * A picture at another size: by Lanczos' filter when lower, else by cubic interpolation.
 * @param {Pixels} pixels
 * @param {number} height
 * @param {number} width
 * @returns {Pixels}
 */
export function resized(pixels, height, width) {
  if (pixels.height === height && pixels.width === width) return pixels;
  const [filter, reach] = height < pixels.height ? [lanczos, 3] : [cubic, 2];
  const data = twice(pixels, height, width, filter, reach, (value) => value);
  for (let i = 0; i < data.length; i++) data[i] = Math.min(1, Math.max(0, data[i]));
  return { height, width, bands: 3, data };
}

/**
 * A picture of whole numbers, 0 to 255, at another size by Lanczos' filter, in whole numbers.
 * @param {Pixels} pixels
 * @param {number} height
 * @param {number} width
 * @returns {Pixels}
 */
export function fitted(pixels, height, width) {
  if (pixels.height === height && pixels.width === width) return pixels;
  const whole = /** @param {number} value */ (value) => Math.min(255, Math.max(0, Math.floor(value + 0.5)));
  return { height, width, bands: 3, data: twice(pixels, height, width, lanczos, 3, whole) };
}

/**
 * @param {Pixels} pixels
 * @param {number} height
 * @param {number} width
 * @param {(x: number) => number} filter
 * @param {number} reach
 * @param {(value: number) => number} kept
 */
function twice(pixels, height, width, filter, reach, kept) {
  let { data } = pixels;
  if (width !== pixels.width) data = across(data, pixels.height, pixels.width, width, filter, reach).map(kept);
  if (height !== pixels.height) data = down(data, pixels.height, width, height, filter, reach).map(kept);
  return data;
}

/**
 * @param {Float32Array} data
 * @param {number} height
 * @param {number} from
 * @param {number} to
 * @param {(x: number) => number} filter
 * @param {number} reach
 */
function across(data, height, from, to, filter, reach) {
  const out = new Float32Array(height * to * 3);
  const { firsts, counts, weights, most } = shares(from, to, filter, reach);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < to; x++) {
      let r = 0;
      let g = 0;
      let b = 0;
      let i = (y * from + firsts[x]) * 3;
      for (let w = x * most; w < x * most + counts[x]; w++, i += 3) {
        const weight = weights[w];
        r += weight * data[i];
        g += weight * data[i + 1];
        b += weight * data[i + 2];
      }
      const o = (y * to + x) * 3;
      out[o] = r;
      out[o + 1] = g;
      out[o + 2] = b;
    }
  }
  return out;
}

/**
 * @param {Float32Array} data
 * @param {number} from
 * @param {number} width
 * @param {number} to
 * @param {(x: number) => number} filter
 * @param {number} reach
 */
function down(data, from, width, to, filter, reach) {
  const row = width * 3;
  const out = new Float32Array(to * row);
  const line = new Float64Array(row);
  const { firsts, counts, weights, most } = shares(from, to, filter, reach);
  for (let y = 0; y < to; y++) {
    line.fill(0);
    for (let each = 0; each < counts[y]; each++) {
      const weight = weights[y * most + each];
      const start = (firsts[y] + each) * row;
      for (let i = 0; i < row; i++) line[i] += weight * data[start + i];
    }
    out.set(line, y * row);
  }
  return out;
}

/**
 * Which pixels of a line go into each pixel of the new one, and how much of them.
 * @param {number} from
 * @param {number} to
 * @param {(x: number) => number} filter
 * @param {number} reach
 */
function shares(from, to, filter, reach) {
  const step = from / to;
  const wide = Math.max(1, step);
  const most = Math.ceil(reach * wide) * 2 + 1;
  const [firsts, counts] = [new Int32Array(to), new Int32Array(to)];
  const weights = new Float64Array(to * most);
  for (let x = 0; x < to; x++) {
    const centre = (x + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - reach * wide + 0.5));
    const count = Math.min(from, Math.trunc(centre + reach * wide + 0.5)) - first;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += weights[x * most + i] = filter((i + first - centre + 0.5) / wide);
    for (let i = 0; i < count; i++) weights[x * most + i] /= sum;
    firsts[x] = first;
    counts[x] = count;
  }
  return { firsts, counts, weights, most };
}

/** @param {number} x */
function lanczos(x) {
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** @param {number} x */
function cubic(x) {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
