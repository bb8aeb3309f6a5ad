// The brush: each patch of the picture is replaced by the artwork's most similar one. As model/brush.py.
import { normal, uniform } from "./chance.js";
import { eigen, rounded } from "./numbers.js";
import { EDGE, LINE, TAPS, dots, frame, framing, mirrored, packed, places, softened } from "./windows.js";

/** @typedef {import("./colour.js").Pixels} Pixels */
/** @typedef {import("./windows.js").Patches} Patches */
/** @typedef {import("./windows.js").Framed} Framed */

/**
 * Where on the sheet the patch of each place comes from: row and column, place by place.
 * @typedef {Int32Array} Field
 */
/** @typedef {{ height: number, width: number }} Size */

const FEATURES = 16; // principal components by which patches are compared
export const GUIDE = 4; // weight of the photo's local light in the comparison of patches at content_weight 1
const OPACITY = 0.8;
const FORBIDDEN = 1e6;
const MOST_COMPARED = 20_000_000; // pairs of patches compared at the start
const BLOCK = FEATURES + 8; // directions looked for to find the principal ones
const TURNS = 24;

/** All artworks of one scale on one sheet, one below the other. */
export class Sheet {
  /**
   * The sheet of these artworks; `patches` are some of theirs, `part` makes of a colour the `bands` that guide.
   * @param {Pixels[]} artworks
   * @param {Framed[]} framed
   * @param {number[]} shares
   * @param {Patches[]} patches
   * @param {(pixels: Pixels) => Pixels} part
   */
  constructor(artworks, framed, shares, patches, part) {
    this.shares = shares;
    /** @type {Size[]} */
    this.sizes = artworks.map(({ height, width }) => ({ height, width }));
    this.tops = [0];
    for (const { height } of this.sizes) this.tops.push(this.tops[this.tops.length - 1] + height);
    this.height = this.tops.pop() ?? 0;
    this.width = Math.max(...this.sizes.map(({ width }) => width));
    this.kernels = principal(patches);
    const guides = artworks.map((artwork) => softened(part(artwork)));
    this.bands = guides[0].bands;
    const area = this.height * this.width;
    this.colours = new Float32Array(area * 3);
    this.features = new Float32Array(area * FEATURES);
    this.guide = new Float32Array(area * this.bands);
    this.bias = new Float32Array(area).fill(FORBIDDEN);
    artworks.forEach(({ height, width, data }, i) => {
      const features = new Float64Array(height * width * FEATURES);
      dots(framed[i], places(framed[i]), this.kernels, FEATURES, features);
      for (let y = 0; y < height; y++) {
        const at = (this.tops[i] + y) * this.width;
        this.colours.set(data.subarray(y * width * 3, (y + 1) * width * 3), at * 3);
        this.features.set(features.subarray(y * width * FEATURES, (y + 1) * width * FEATURES), at * FEATURES);
        this.guide.set(guides[i].data.subarray(y * width * this.bands, (y + 1) * width * this.bands), at * this.bands);
      }
      if (!shares[i]) return;
      // Patches that reach over an edge are not the artwork's.
      const price = -0.1 * variance(features) * Math.log(shares[i] / Math.max(...shares));
      for (let y = EDGE; y < height - EDGE; y++) {
        const at = (this.tops[i] + y) * this.width;
        this.bias.fill(price, at + EDGE, at + width - EDGE);
      }
    });
  }

  /**
   * The most similar patch for every place, by looking at all, or in a large picture at evenly spread ones.
   * @param {Framed} framed
   * @param {Pixels} guide
   * @returns {Field}
   */
  nearest(framed, guide) {
    const { bands, bias } = this;
    const count = framed.height * framed.width;
    const size = FEATURES + bands;
    const wanted = new Float64Array(count * FEATURES);
    dots(framed, places(framed), this.kernels, FEATURES, wanted);
    let allowed = [];
    for (let at = 0; at < bias.length; at++) if (bias[at] < FORBIDDEN) allowed.push(at);
    const every = Math.ceil((count * allowed.length) / MOST_COMPARED);
    allowed = allowed.filter((_, i) => i % every === 0);
    const keys = new Float64Array(allowed.length * size);
    allowed.forEach((at, i) => {
      for (let f = 0; f < FEATURES; f++) keys[i * size + f] = this.features[at * FEATURES + f];
      for (let b = 0; b < bands; b++) keys[i * size + FEATURES + b] = GUIDE * this.guide[at * bands + b];
    });
    const prices = Float64Array.from(allowed, (at) => bias[at]);
    const query = new Float64Array(size);
    const field = new Int32Array(count * 2);
    for (let place = 0, won = 0; place < count; place++) {
      for (let f = 0; f < FEATURES; f++) query[f] = wanted[place * FEATURES + f];
      for (let b = 0; b < bands; b++) query[FEATURES + b] = GUIDE * guide.data[place * bands + b];
      // What goes on where the last place's patch does is likely to be good, and then spares most of the work.
      won = nearestOf(keys, prices, query, Math.min(won + 1, prices.length - 1));
      field[2 * place] = Math.floor(allowed[won] / this.width);
      field[2 * place + 1] = allowed[won] % this.width;
    }
    return field;
  }

  /**
   * The field, each place without a patch of a wanted artwork, as after a change of shares, given another.
   * @param {Field} field
   * @param {Size} shape
   * @returns {Field}
   */
  allowed(field, { height, width }) {
    /** @type {Float32Array | undefined} */
    let chance;
    const found = field.slice();
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        if (this.bias[field[2 * i] * this.width + field[2 * i + 1]] < FORBIDDEN) continue;
        chance ??= uniform(height * width, 4);
        let [which, sum] = [0, this.shares[0]];
        while (which < this.shares.length - 1 && sum <= chance[i]) sum += this.shares[++which];
        const size = this.sizes[which];
        found[2 * i] = this.tops[which] + EDGE + Math.floor((y * (size.height - 2 * EDGE)) / height);
        found[2 * i + 1] = EDGE + Math.floor((x * (size.width - 2 * EDGE)) / width);
      }
    }
    return found;
  }

  /**
   * The field of a small scale as a guess for this one: each patch goes on where it went on in the artwork.
   * @param {Field} field
   * @param {Size} small
   * @param {Sheet} old
   * @param {Size} shape
   * @returns {Field}
   */
  enlarged(field, small, old, shape) {
    const { height, width } = shape;
    const [tall, wide] = [height / small.height, width / small.width];
    const large = new Int32Array(height * width * 2);
    for (let y = 0, i = 0; y < height; y++) {
      const above = Math.min(Math.trunc(y / tall), small.height - 1);
      for (let x = 0; x < width; x++, i += 2) {
        const left = Math.min(Math.trunc(x / wide), small.width - 1);
        const at = 2 * (above * small.width + left);
        let which = old.tops.length - 1;
        while (old.tops[which] > field[at]) which--;
        const [size, before] = [this.sizes[which], old.sizes[which]];
        const row = rounded((field[at] - old.tops[which]) * (size.height / before.height) + y - above * tall);
        const column = rounded(field[at + 1] * (size.width / before.width) + x - left * wide);
        large[i] = this.tops[which] + within(row, EDGE, size.height - 1 - EDGE);
        large[i + 1] = within(column, EDGE, size.width - 1 - EDGE);
      }
    }
    return this.allowed(large, shape);
  }
}

/** The brush at one scale, with room for all that it has to remember within a step. */
export class Brush {
  /**
   * @param {Sheet} sheet
   * @param {Pixels} guide
   * @param {Float32Array} noise
   */
  constructor(sheet, guide, noise) {
    const count = guide.height * guide.width;
    this.sheet = sheet;
    this.guide = guide;
    this.noise = noise;
    this.framed = frame(guide.height, guide.width);
    this.starts = places(this.framed);
    this.wanted = new Float64Array(count * FEATURES);
    this.best = new Float64Array(count);
    /** @type {Field} */
    this.other = new Int32Array(count * 2);
  }

  /**
   * Find better patches for every place, then lay them on: the new picture and field.
   * @param {Float32Array} picture
   * @param {Field} field
   * @param {Uint32Array} turns how the noise is turned for each search
   * @param {number} reach
   * @param {number} weight of the guide
   */
  lay(picture, field, turns, reach, weight) {
    dots(framing(picture, this.framed), this.starts, this.sheet.kernels, FEATURES, this.wanted);
    const square = weight * weight;
    field = field.slice();
    for (let place = 0; place < this.best.length; place++) {
      this.best[place] = this.#price(place, field[2 * place], field[2 * place + 1], square, Infinity);
    }
    for (let sweep = 0; sweep < 2; sweep++) {
      const far = sweep + 1;
      field = this.#asked(field, 0, far, square);
      field = this.#asked(field, far, 0, square);
      field = this.#asked(field, 0, -far, square);
      field = this.#asked(field, -far, 0, square);
      for (let closer = 0; closer < 2; closer++) {
        const at = 4 * sweep + 2 * closer;
        this.#searched(field, turns[at] % 4096, turns[at + 1] % 4096, reach / 4 ** closer, square);
      }
    }
    return { picture: this.#laid(picture, field), field: field.slice() };
  }

  /**
   * Each place asks the one `down` and `across` back where its patch would go on.
   * @param {Field} field
   * @param {number} down
   * @param {number} across
   * @param {number} square
   */
  #asked(field, down, across, square) {
    const { best, guide, sheet } = this;
    const { height, width } = guide;
    const found = this.other;
    for (let y = 0, place = 0; y < height; y++) {
      const above = mirrored(y - down, height);
      for (let x = 0; x < width; x++, place++) {
        const left = mirrored(x - across, width);
        const asked = 2 * (above * width + left);
        const row = within(field[asked] - above + y, 0, sheet.height - 1);
        const column = within(field[asked + 1] - left + x, 0, sheet.width - 1);
        found[2 * place] = field[2 * place];
        found[2 * place + 1] = field[2 * place + 1];
        if (row === field[2 * place] && column === field[2 * place + 1]) continue;
        const price = this.#price(place, row, column, square, best[place]);
        if (price < best[place]) {
          best[place] = price;
          found[2 * place] = row;
          found[2 * place + 1] = column;
        }
      }
    }
    this.other = field;
    return found;
  }

  /**
   * Each place looks around by chance.
   * @param {Field} field
   * @param {number} down
   * @param {number} across
   * @param {number} reach
   * @param {number} square
   */
  #searched(field, down, across, reach, square) {
    const { best, guide, noise, sheet } = this;
    const { height, width } = guide;
    const lowest = height * Math.ceil(down / height) - down;
    const leftmost = width * Math.ceil(across / width) - across;
    for (let y = 0, place = 0; y < height; y++) {
      const line = ((y + lowest) % height) * width;
      for (let x = 0; x < width; x++, place++) {
        const at = 2 * (line + ((x + leftmost) % width));
        const row = within(field[2 * place] + Math.round(noise[at] * reach), 0, sheet.height - 1);
        const column = within(field[2 * place + 1] + Math.round(noise[at + 1] * reach), 0, sheet.width - 1);
        const price = this.#price(place, row, column, square, best[place]);
        if (price < best[place]) {
          best[place] = price;
          field[2 * place] = row;
          field[2 * place + 1] = column;
        }
      }
    }
  }

  /**
   * How unlike a place's patch and one of the sheet are; anything above `enough` if they are at least so.
   * @param {number} place
   * @param {number} row
   * @param {number} column
   * @param {number} square
   * @param {number} enough
   */
  #price(place, row, column, square, enough) {
    const { bands, bias, features, guide, width } = this.sheet;
    const { wanted } = this;
    const hint = this.guide.data;
    const at = row * width + column;
    let price = 0;
    for (let b = 0; b < bands; b++) {
      const apart = guide[at * bands + b] - hint[place * bands + b];
      price += apart * apart;
    }
    price = bias[at] + square * price;
    let i = place * FEATURES;
    for (let f = at * FEATURES, end = f + FEATURES; f < end && price < enough; f += 4, i += 4) {
      const a = features[f] - wanted[i];
      const b = features[f + 1] - wanted[i + 1];
      const c = features[f + 2] - wanted[i + 2];
      const d = features[f + 3] - wanted[i + 3];
      price += a * a + b * b + c * c + d * d;
    }
    return price;
  }

  /**
   * The picture with all patches laid on it, each with those that overlap it averaged.
   * @param {Float32Array} picture
   * @param {Field} field
   */
  #laid(picture, field) {
    const { height, width } = this.guide;
    const { sheet } = this;
    const { colours } = sheet;
    const laid = new Float32Array(picture.length);
    let whole = 0;
    for (let down = -3; down <= 3; down += 2) {
      for (let across = -3; across <= 3; across += 2) whole += part(down, across);
    }
    for (let i = 0; i < picture.length; i++) laid[i] = picture[i] * (1 - OPACITY);
    for (let down = -3; down <= 3; down += 2) {
      for (let across = -3; across <= 3; across += 2) {
        const share = (OPACITY * part(down, across)) / whole;
        for (let y = 0, i = 0; y < height; y++) {
          const above = mirrored(y - down, height);
          for (let x = 0; x < width; x++, i += 3) {
            const left = mirrored(x - across, width);
            const asked = 2 * (above * width + left);
            const row = within(field[asked] - above + y, 0, sheet.height - 1);
            const column = within(field[asked + 1] - left + x, 0, sheet.width - 1);
            const at = 3 * (row * sheet.width + column);
            laid[i] += share * colours[at];
            laid[i + 1] += share * colours[at + 1];
            laid[i + 2] += share * colours[at + 2];
          }
        }
      }
    }
    return laid;
  }
}

/**
 * @param {number} down
 * @param {number} across
 */
function part(down, across) {
  return Math.exp(-(down * down + across * across) / 8);
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function within(value, low, high) {
  return value < low ? low : value > high ? high : value;
}

/**
 * Which of the keys is nearest to the query; the first guess is looked at first.
 * @param {Float64Array} keys
 * @param {Float64Array} prices
 * @param {Float64Array} query
 * @param {number} guess
 */
function nearestOf(keys, prices, query, guess) {
  const size = query.length;
  let won = guess;
  let best = prices[guess];
  for (let d = 0; d < size; d++) best += (keys[guess * size + d] - query[d]) ** 2;
  for (let i = 0; i < prices.length; i++) {
    let price = prices[i];
    for (let d = 0, k = i * size; d < size && price < best; d++, k++) {
      const apart = keys[k] - query[d];
      price += apart * apart;
    }
    if (price < best) {
      best = price;
      won = i;
    }
  }
  return won;
}

/**
 * The sum of the features' variances.
 * @param {Float64Array} features
 */
function variance(features) {
  const count = features.length / FEATURES;
  const sums = new Float64Array(FEATURES);
  let squares = 0;
  for (let i = 0; i < features.length; i++) {
    sums[i % FEATURES] += features[i];
    squares += features[i] * features[i];
  }
  return squares / count - sums.reduce((whole, sum) => whole + (sum / count) ** 2, 0);
}

/**
 * The directions in which patches differ most, as kernels. Python looks for all directions; here a few more than
 * wanted are turned into the principal ones, again and again (subspace iteration).
 * @param {Patches[]} patches
 */
function principal(patches) {
  const matrix = scatter(patches);
  let block = orthogonal(Float64Array.from(normal(TAPS * BLOCK, 5)));
  for (let turn = 0; turn < TURNS; turn++) block = orthogonal(applied(matrix, block));
  const image = applied(matrix, block);
  const small = new Float64Array(BLOCK * BLOCK);
  for (let p = 0; p < BLOCK; p++) for (let q = 0; q < BLOCK; q++) small[p * BLOCK + q] = dot(block, p, image, q);
  for (let p = 0; p < BLOCK; p++) for (let q = 0; q < p; q++) small[p * BLOCK + q] = small[q * BLOCK + p];
  const { values, vectors } = eigen(small, BLOCK);
  const order = Array.from(values.keys()).sort((p, q) => values[q] - values[p]);
  const kernels = new Float32Array(TAPS * FEATURES);
  for (let f = 0; f < FEATURES; f++) {
    for (let b = 0; b < BLOCK; b++) {
      const share = vectors[b * BLOCK + order[f]];
      for (let tap = 0; tap < TAPS; tap++) kernels[tap * FEATURES + f] += share * block[b * TAPS + tap];
    }
  }
  return packed(kernels, FEATURES, 0, FEATURES);
}

/**
 * How much the numbers of patches vary together: (TAPS, TAPS).
 * @param {Patches[]} patches
 */
function scatter(patches) {
  const side = TAPS + 1; // an even number, so that two columns go with two
  const matrix = new Float64Array(side * side);
  const mean = new Float64Array(TAPS);
  const some = 64; // patches at a time, column by column, so that they stay in the processor's cache
  const columns = new Float64Array(side * some);
  let total = 0;
  for (const { framed, starts, times } of patches) {
    for (let first = 0; first < starts.length; first += some) {
      columns.fill(0);
      for (let n = 0; n < Math.min(some, starts.length - first); n++) {
        const count = times[first + n];
        const root = Math.sqrt(count);
        total += count;
        for (let tap = 0; tap < TAPS; tap++) {
          const value = framed.data[starts[first + n] + Math.floor(tap / LINE) * framed.row + (tap % LINE)];
          columns[tap * some + n] = root * value;
          mean[tap] += count * value;
        }
      }
      products(columns, some, side, matrix);
    }
  }
  const whole = new Float64Array(TAPS * TAPS);
  for (let p = 0; p < TAPS; p++) {
    for (let q = 0; q < TAPS; q++) {
      const sum = p <= q ? matrix[p * side + q] : matrix[q * side + p];
      whole[p * TAPS + q] = sum - (mean[p] * mean[q]) / total;
    }
  }
  return whole;
}

/**
 * Adds the dot products of all pairs of columns to the upper half of a matrix.
 * @param {Float64Array} columns
 * @param {number} length
 * @param {number} side
 * @param {Float64Array} matrix
 */
function products(columns, length, side, matrix) {
  for (let p = 0; p < side; p += 2) {
    for (let q = p; q < side; q += 2) {
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = p * length, j = q * length, end = i + length; i < end; i++, j++) {
        const one = columns[i];
        const other = columns[i + length];
        const left = columns[j];
        const right = columns[j + length];
        a += one * left;
        b += one * right;
        c += other * left;
        d += other * right;
      }
      matrix[p * side + q] += a;
      matrix[p * side + q + 1] += b;
      matrix[(p + 1) * side + q] += c;
      matrix[(p + 1) * side + q + 1] += d;
    }
  }
}

/**
 * @param {Float64Array} matrix
 * @param {Float64Array} block
 */
function applied(matrix, block) {
  const image = new Float64Array(block.length);
  for (let b = 0; b < BLOCK; b++) for (let p = 0; p < TAPS; p++) image[b * TAPS + p] = dot(matrix, p, block, b);
  return image;
}

/**
 * The vectors made perpendicular to one another, of length 1 (Gram and Schmidt's way).
 * @param {Float64Array} block
 */
function orthogonal(block) {
  for (let b = 0; b < BLOCK; b++) {
    for (let before = 0; before < b; before++) {
      const share = dot(block, b, block, before);
      for (let tap = 0; tap < TAPS; tap++) block[b * TAPS + tap] -= share * block[before * TAPS + tap];
    }
    const length = Math.sqrt(dot(block, b, block, b)) || 1;
    for (let tap = 0; tap < TAPS; tap++) block[b * TAPS + tap] /= length;
  }
  return block;
}

/**
 * @param {Float64Array} one
 * @param {number} p
 * @param {Float64Array} other
 * @param {number} q
 */
function dot(one, p, other, q) {
  let sum = 0;
  for (let i = p * TAPS, j = q * TAPS, end = i + TAPS; i < end; i++, j++) sum += one[i] * other[j];
  return sum;
}
