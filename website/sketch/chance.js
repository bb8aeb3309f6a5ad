// Chance that can be told again: numbers from a hash of where they are used. The same as those of model/chance.py.

/**
 * `count` hashes of 32 bits, different for each key (the finaliser of MurmurHash3 over a counter).
 * @param {number} count
 * @param {number[]} key
 */
export function bits(count, ...key) {
  let start = 0x9e3779b9;
  for (const part of key) start = (mixed(start ^ part) + 0x9e3779b9) >>> 0;
  const hashes = new Uint32Array(count);
  for (let i = 0; i < count; i++) hashes[i] = mixed(Math.imul(i, 0x9e3779b1) + start);
  return hashes;
}

/**
 * Numbers between 0 and 1, neither of them reached.
 * @param {number} count
 * @param {number[]} key
 */
export function uniform(count, ...key) {
  const numbers = new Float32Array(count);
  const hashes = bits(count, ...key);
  for (let i = 0; i < count; i++) numbers[i] = ((hashes[i] >>> 9) + 0.5) * 2 ** -23;
  return numbers;
}

/**
 * Normal numbers (Box and Muller's transform).
 * @param {number} count
 * @param {number[]} key
 */
export function normal(count, ...key) {
  const numbers = new Float32Array(count);
  const [radii, angles] = [uniform(count, ...key, 1), uniform(count, ...key, 2)];
  for (let i = 0; i < count; i++) numbers[i] = Math.sqrt(-2 * Math.log(radii[i])) * Math.cos(2 * Math.PI * angles[i]);
  return numbers;
}

/** @param {number} value */
function mixed(value) {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
