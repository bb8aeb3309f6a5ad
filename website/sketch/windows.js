// Patches and blurs: the small windows through which pictures are looked at. As model/windows.py.
import { rounded, spread } from "./numbers.js";

/** @typedef {import("./colour.js").Pixels} Pixels */

export const PATCH = 7;
export const EDGE = 3;
export const TAPS = PATCH * PATCH * 3; // numbers in a patch
export const LINE = PATCH * 3;

/**
 * A picture with its mirror image around it, so that patches may reach beyond its edges. `row` is the length of a line.
 * @typedef {{ height: number, width: number, row: number, data: Float64Array }} Framed
 */

/**
 * Patches of a framed picture, by where each starts and how often it counts.
 * @typedef {{ framed: Framed, starts: Int32Array, times: Int32Array }} Patches
 */

/**
 * @param {number} index
 * @param {number} length
 */
export function mirrored(index, length) {
  while (index < 0 || index >= length) index = index < 0 ? -1 - index : 2 * length - 1 - index;
  return index;
}

/**
 * @param {number} height
 * @param {number} width
 * @returns {Framed}
 */
export function frame(height, width) {
  const row = (width + 2 * EDGE) * 3;
  return { height, width, row, data: new Float64Array((height + 2 * EDGE) * row) };
}

/**
 * `framed` with this picture in it.
 * @param {Float32Array} picture
 * @param {Framed} framed
 */
export function framing(picture, framed) {
  const { height, width, row, data } = framed;
  for (let y = 0; y < height + 2 * EDGE; y++) {
    const from = mirrored(y - EDGE, height) * width * 3;
    const to = y * row;
    for (let i = 0; i < width * 3; i++) data[to + EDGE * 3 + i] = picture[from + i];
    for (let x = 0; x < EDGE; x++) {
      const [left, right] = [mirrored(x - EDGE, width), mirrored(width + x, width)];
      for (let c = 0; c < 3; c++) {
        data[to + x * 3 + c] = picture[from + left * 3 + c];
        data[to + (width + EDGE + x) * 3 + c] = picture[from + right * 3 + c];
      }
    }
  }
  return framed;
}

/**
 * Where the patches start of each pixel, or of every other both ways.
 * @param {Framed} framed
 * @param {number} [stride]
 * @param {number} [down]
 * @param {number} [across]
 */
export function places({ height, width, row }, stride = 1, down = 0, across = 0) {
  const [rows, columns] = [Math.floor(height / stride), Math.floor(width / stride)];
  const starts = new Int32Array(rows * columns);
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) starts[i++] = (y * stride + down) * row + (x * stride + across) * 3;
  }
  return starts;
}

/**
 * `count` columns of a matrix of kernels, four by four as `dots` reads them.
 * @param {Float32Array} matrix
 * @param {number} columns
 * @param {number} first
 * @param {number} count
 */
export function packed(matrix, columns, first, count) {
  const kernels = new Float64Array(TAPS * count);
  for (let k = 0, i = 0; k < count; k += 4) {
    for (let tap = 0; tap < TAPS; tap++) {
      for (let each = 0; each < 4; each++) kernels[i++] = matrix[tap * columns + first + k + each];
    }
  }
  return kernels;
}

/**
 * The dot products of patches with `count` kernels, a multiple of four: patch by patch into `out`.
 *
 * Two patches and four kernels at a time stay in the processor's registers. All floats are doubles, since converting
 * them would take as long as multiplying.
 * @param {Framed} framed
 * @param {Int32Array} starts
 * @param {Float64Array} kernels
 * @param {number} count
 * @param {Float64Array} out
 */
export function dots({ data, row }, starts, kernels, count, out) {
  const last = starts.length - 1;
  for (let k = 0; k < count; k += 4) {
    for (let n = 0; n <= last; n += 2) {
      const next = n < last ? n + 1 : n;
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      let w = k * TAPS;
      for (let line = 0; line < PATCH * row; line += row) {
        let j = starts[next] + line;
        for (let i = starts[n] + line, end = i + LINE; i < end; i++, j++, w += 4) {
          const a = data[i];
          const b = data[j];
          const w0 = kernels[w];
          const w1 = kernels[w + 1];
          const w2 = kernels[w + 2];
          const w3 = kernels[w + 3];
          a0 += a * w0;
          a1 += a * w1;
          a2 += a * w2;
          a3 += a * w3;
          b0 += b * w0;
          b1 += b * w1;
          b2 += b * w2;
          b3 += b * w3;
        }
      }
      const o = n * count + k;
      const p = next * count + k;
      out[o] = a0;
      out[o + 1] = a1;
      out[o + 2] = a2;
      out[o + 3] = a3;
      out[p] = b0;
      out[p + 1] = b1;
      out[p + 2] = b2;
      out[p + 3] = b3;
    }
  }
}

/**
 * At most about so many patches of a picture, evenly spread, none of which reaches beyond its edges.
 * @param {Framed} framed
 * @param {number} most
 */
export function samples({ height, width, row }, most) {
  const [rows, columns] = [height - PATCH + 1, width - PATCH + 1];
  const stride = Math.max(1, Math.ceil(Math.sqrt((rows * columns) / most)));
  const starts = [];
  for (let y = 0; y < rows; y += stride) {
    for (let x = 0; x < columns; x += stride) starts.push((y + EDGE) * row + (x + EDGE) * 3);
  }
  return Int32Array.from(starts);
}

/**
 * Which rows of each of several arrays make up about `count` in all, evenly spread, of each as many as its share says.
 * @param {number[]} lengths
 * @param {number[]} shares
 * @param {number} count
 */
export function mixture(lengths, shares, count) {
  return lengths.map((length, i) => spread(length, rounded(shares[i] * count)));
}

/**
 * Gauss' bell around each pixel of a line; at the ends it weighs what is there.
 * @typedef {{ bell: Float64Array, sums: Float64Array }} Blur
 */

/**
 * @param {number} length
 * @param {number} sigma
 * @returns {Blur}
 */
export function blur(length, sigma) {
  const reach = Math.min(length - 1, Math.ceil(5.5 * sigma)); // beyond, a float has no room for it
  const bell = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const sums = new Float64Array(length);
  for (let at = 0; at < length; at++) {
    for (let i = 0; i < bell.length; i++) if (at + i >= reach && at + i - reach < length) sums[at] += bell[i];
  }
  return { bell, sums };
}

/**
 * Blurs `height` × `width` pixels into `out`; the transposed blur is what a gradient goes back by.
 * @param {Float64Array} pixels
 * @param {Blur} down
 * @param {Blur} across
 * @param {number} bands
 * @param {Float64Array} between
 * @param {Float64Array} out
 * @param {boolean} [transposed]
 */
export function blurred(pixels, down, across, bands, between, out, transposed = false) {
  const [height, width] = [down.sums.length, across.sums.length];
  if (transposed) weigh(pixels, down.sums, across.sums, bands);
  smear(pixels, down.bell, 1, height * width * bands, width * bands, between);
  smear(between, across.bell, height, width * bands, bands, out);
  if (!transposed) weigh(out, down.sums, across.sums, bands);
}

/**
 * Adds up `parts` pieces of `length`, each shifted by every multiple of `step` that stays within it.
 * @param {Float64Array} from
 * @param {Float64Array} bell
 * @param {number} parts
 * @param {number} length
 * @param {number} step
 * @param {Float64Array} to
 */
function smear(from, bell, parts, length, step, to) {
  const reach = (bell.length - 1) / 2;
  to.fill(0);
  for (let part = 0; part < parts; part++) {
    const start = part * length;
    for (let i = -reach; i <= reach; i++) {
      const shift = i * step;
      const weight = bell[i + reach];
      const end = start + Math.min(length, length - shift);
      for (let at = start + Math.max(0, -shift); at < end; at++) to[at] += weight * from[at + shift];
    }
  }
}

/**
 * @param {Float64Array} pixels
 * @param {Float64Array} down
 * @param {Float64Array} across
 * @param {number} bands
 */
function weigh(pixels, down, across, bands) {
  for (let y = 0, i = 0; y < down.length; y++) {
    for (let x = 0; x < across.length; x++) {
      const weight = 1 / (down[y] * across[x]);
      for (let c = 0; c < bands; c++) pixels[i++] *= weight;
    }
  }
}

/**
 * A picture blurred by about a pixel.
 * @param {Pixels} pixels
 * @returns {Pixels}
 */
export function softened({ height, width, bands, data }) {
  const bell = Array.from({ length: PATCH }, (_, i) => Math.exp(-((i - EDGE) ** 2) / 2));
  const whole = bell.reduce((sum, weight) => sum + weight, 0);
  const [between, out] = [new Float32Array(data.length), new Float32Array(data.length)];
  for (let i = 0; i < PATCH; i++) {
    const weight = bell[i] / whole;
    for (let y = 0, to = 0; y < height; y++) {
      let from = mirrored(y + i - EDGE, height) * width * bands;
      for (let x = 0; x < width * bands; x++) between[to++] += weight * data[from++];
    }
  }
  for (let i = 0; i < PATCH; i++) {
    const weight = bell[i] / whole;
    for (let y = 0, to = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = (y * width + mirrored(x + i - EDGE, width)) * bands;
        for (let c = 0; c < bands; c++) out[to++] += weight * between[from + c];
      }
    }
  }
  return { height, width, bands, data: out };
}
