// Colours: luminance, an artwork's palette, a photo's tones. As model/colour.py.
import { eigen } from "./numbers.js";

/**
 * A picture, or some bands of one: floats from 0 to 1, band by band within a pixel, row by row.
 * @typedef {{ height: number, width: number, bands: number, data: Float32Array }} Pixels
 */

export const LUMINANCE = [0.299, 0.587, 0.114];
const EQUALISED = 0.5;

/** @param {Float32Array} colours */
export function luminance(colours) {
  const light = new Float32Array(colours.length / 3);
  for (let i = 0, c = 0; i < light.length; i++, c += 3) {
    light[i] = LUMINANCE[0] * colours[c] + LUMINANCE[1] * colours[c + 1] + LUMINANCE[2] * colours[c + 2];
  }
  return light;
}

/**
 * Colours moved so that their mean and covariance are those of `model`: by the linear map that moves them the least
 * (Pitié and Kokaram, 2007).
 * @param {Float32Array} colours
 * @param {Float32Array} model
 */
export function withPaletteOf(colours, model) {
  const [here, there] = [statistics(colours), statistics(model)];
  const root = power(here.covariance, 0.5);
  const inverse = power(here.covariance, -0.5);
  const middle = power(times(times(root, there.covariance), root), 0.5);
  const m = times(times(inverse, middle), inverse);
  const moved = new Float32Array(colours.length);
  for (let i = 0; i < colours.length; i += 3) {
    const r = colours[i] - here.mean[0];
    const g = colours[i + 1] - here.mean[1];
    const b = colours[i + 2] - here.mean[2];
    for (let c = 0; c < 3; c++) {
      const value = r * m[c] + g * m[3 + c] + b * m[6 + c] + there.mean[c];
      moved[i + c] = Math.min(1, Math.max(0, value));
    }
  }
  return moved;
}

/**
 * A photo's light brought into the range of an artwork's: between stretching it and equalising it.
 *
 * Stretching alone leaves tones that the artwork lacks; equalising alone makes edges of noise.
 * @param {Float32Array} light
 * @param {Float32Array} model
 */
export function withTonesOf(light, model) {
  const [here, there] = [spreadOf(light), spreadOf(model)];
  const every = Math.max(1, Math.floor(light.length / 50_000));
  const some = every === 1 ? light : light.filter((_, i) => i % every === 0);
  const [from, to] = [quantiles(some, 257), quantiles(model, 257)];
  const toned = new Float32Array(light.length);
  for (let i = 0; i < light.length; i++) {
    const stretched = ((light[i] - here.mean) / (here.deviation + 1e-4)) * there.deviation + there.mean;
    const clipped = Math.min(1, Math.max(0, stretched));
    toned[i] = clipped * (1 - EQUALISED) + interpolated(light[i], from, to) * EQUALISED;
  }
  return toned;
}

/** @param {Float32Array} colours */
function statistics(colours) {
  const count = colours.length / 3;
  const mean = [0, 0, 0];
  for (let i = 0; i < colours.length; i++) mean[i % 3] += colours[i] / count;
  const covariance = new Float64Array(9);
  for (let i = 0; i < colours.length; i += 3) {
    for (let p = 0; p < 3; p++) {
      for (let q = 0; q < 3; q++) covariance[3 * p + q] += (colours[i + p] - mean[p]) * (colours[i + q] - mean[q]);
    }
  }
  for (let i = 0; i < 9; i++) covariance[i] = covariance[i] / (count - 1) + (i % 4 === 0 ? 1e-4 : 0);
  return { mean, covariance };
}

/** @param {Float32Array} values */
function spreadOf(values) {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i];
  mean /= values.length;
  let square = 0;
  for (let i = 0; i < values.length; i++) square += (values[i] - mean) ** 2;
  return { mean, deviation: Math.sqrt(square / values.length) };
}

/**
 * @param {Float32Array} values
 * @param {number} count
 */
function quantiles(values, count) {
  const sorted = values.slice().sort();
  return Float64Array.from({ length: count }, (_, i) => {
    const at = (i / (count - 1)) * (sorted.length - 1);
    const left = Math.min(Math.floor(at), sorted.length - 2);
    return sorted[left] + (sorted[left + 1] - sorted[left]) * (at - left);
  });
}

/**
 * The value of the line through the points (from, to), flat beyond its ends.
 * @param {number} value
 * @param {Float64Array} from
 * @param {Float64Array} to
 */
function interpolated(value, from, to) {
  let low = 0;
  let high = from.length - 1;
  if (value >= from[high]) return to[high];
  if (value < from[low]) return to[low];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (from[middle] <= value) low = middle;
    else high = middle;
  }
  return to[low] + ((to[high] - to[low]) / (from[high] - from[low])) * (value - from[low]);
}

/**
 * @param {Float64Array} one
 * @param {Float64Array} other
 */
function times(one, other) {
  const product = new Float64Array(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k < 3; k++) product[3 * i + j] += one[3 * i + k] * other[3 * k + j];
    }
  }
  return product;
}

/**
 * @param {Float64Array} matrix
 * @param {number} exponent
 */
function power(matrix, exponent) {
  const { values, vectors } = eigen(matrix, 3);
  const scaled = vectors.map((value, i) => value * Math.max(values[i % 3], 0) ** exponent);
  const across = vectors.map((_, i) => vectors[(i % 3) * 3 + Math.floor(i / 3)]);
  return times(scaled, across);
}
