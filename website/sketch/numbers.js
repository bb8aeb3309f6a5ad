// Arithmetic that Python brings along: its rounding, evenly spread numbers, eigenvectors.

/**
 * To the nearest whole number, a half to the even one.
 * @param {number} value
 */
export function rounded(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/**
 * `count` places of a list of `length`, evenly spread from the first to the last.
 * @param {number} length
 * @param {number} count
 */
export function spread(length, count) {
  const places = new Int32Array(count);
  const apart = (length - 1) / Math.max(1, count - 1);
  for (let i = 0; i < count; i++) places[i] = rounded(i * apart);
  return places;
}

/**
 * The eigenvalues of a symmetric matrix, and the eigenvectors as columns (Jacobi's rotations).
 * @param {Float64Array} matrix
 * @param {number} size
 */
export function eigen(matrix, size) {
  const a = matrix.slice();
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    let whole = 0;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        whole += a[i * size + j] ** 2;
        if (i !== j) off += a[i * size + j] ** 2;
      }
    }
    if (off <= 1e-24 * whole) break;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
  }
  return { values: Float64Array.from({ length: size }, (_, i) => a[i * size + i]), vectors };
}

/**
 * @param {Float64Array} a
 * @param {Float64Array} vectors
 * @param {number} size
 * @param {number} p
 * @param {number} q
 */
function rotate(a, vectors, size, p, q) {
  const off = a[p * size + q];
  if (off === 0) return;
  const theta = (a[q * size + q] - a[p * size + p]) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < size; i++) turn(a, i * size + p, i * size + q, c, s);
  for (let i = 0; i < size; i++) turn(a, p * size + i, q * size + i, c, s);
  for (let i = 0; i < size; i++) turn(vectors, i * size + p, i * size + q, c, s);
}

/**
 * @param {Float64Array} a
 * @param {number} i
 * @param {number} j
 * @param {number} c
 * @param {number} s
 */
function turn(a, i, j, c, s) {
  const one = a[i];
  const other = a[j];
  a[i] = c * one - s * other;
  a[j] = s * one + c * other;
}
