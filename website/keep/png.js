// The recipe inside a PNG: an iTXt chunk named "recipe", as the studio writes and reads it.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const MOST = 2 ** 20; // bytes that a recipe may have
const HEADER = 8 + 25; // the signature and IHDR, which comes first and is always that long
const NAME = "recipe\0";

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/**
 * The same PNG with this recipe inside, in place of one that it had.
 * @param {Blob} png
 * @param {object} recipe
 * @returns {Promise<Blob>}
 */
export async function withRecipe(png, recipe) {
  const bytes = await bytesOf(png);
  if (!isPng(bytes)) throw new TypeError("Only a PNG takes a recipe.");
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [bytes.subarray(0, HEADER), chunk(recipe)];
  for (const { start, end } of chunks(bytes)) {
    if (start >= HEADER && !holdsRecipe(bytes, start, end)) parts.push(bytes.subarray(start, end));
  }
  return new Blob(parts, { type: "image/png" });
}

/**
 * The recipe that a PNG has inside; null where there is none, or a damaged one.
 * @param {Blob} blob
 * @returns {Promise<Record<string, any> | null>}
 */
export async function recipeIn(blob) {
  if (!isPng(await bytesOf(blob.slice(0, SIGNATURE.length)))) return null;
  const bytes = await bytesOf(blob);
  for (const { start, end } of chunks(bytes)) {
    if (holdsRecipe(bytes, start, end)) return parsed(bytes, start, end);
  }
  return null;
}

/**
 * @param {object} recipe
 * @returns {Uint8Array<ArrayBuffer>}
 */
function chunk(recipe) {
  // After the name: not compressed, no language, no translated name.
  const body = new TextEncoder().encode(`iTXt${NAME}\0\0\0\0${JSON.stringify(recipe)}`);
  const length = body.length - 4;
  if (length > MOST) throw new RangeError(`A recipe of ${length} bytes is more than fits.`);
  const whole = new Uint8Array(body.length + 8);
  const view = new DataView(whole.buffer);
  view.setUint32(0, length);
  whole.set(body, 4);
  view.setUint32(4 + body.length, crc(body));
  return whole;
}

/**
 * Where each chunk begins and ends, its length and checksum included.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function* chunks(bytes) {
  const view = new DataView(bytes.buffer);
  for (let start = SIGNATURE.length; start + 12 <= bytes.length; ) {
    const end = start + 12 + view.getUint32(start);
    yield { start, end };
    start = end;
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} start
 * @param {number} end
 */
function holdsRecipe(bytes, start, end) {
  const beginning = `iTXt${NAME}`;
  return end - start >= 12 + NAME.length && text(bytes.subarray(start + 4, start + 4 + beginning.length)) === beginning;
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} start
 * @param {number} end
 * @returns {Promise<Record<string, any> | null>}
 */
async function parsed(bytes, start, end) {
  if (end - start - 12 > MOST || end > bytes.length) return null;
  if (new DataView(bytes.buffer).getUint32(end - 4) !== crc(bytes.subarray(start + 4, end - 4))) return null;
  // After the name: whether it is compressed, and how; then the language and the translated name, each up to a zero.
  const rest = bytes.subarray(start + 8 + NAME.length, end - 4);
  const language = rest.indexOf(0, 2);
  const translated = rest.indexOf(0, language + 1);
  if (language < 0 || translated < 0) return null;
  const content = rest.slice(translated + 1);
  try {
    const recipe = JSON.parse(utf8(rest[0] ? await inflated(content) : content));
    return recipe && typeof recipe === "object" && !Array.isArray(recipe) ? recipe : null;
  } catch {
    return null; // it is damaged, or larger than a recipe is: either way nothing to restore
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} content
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function inflated(content) {
  const reader = new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > MOST) {
      await reader.cancel();
      throw new RangeError("The recipe is too large.");
    }
    parts.push(part.value);
  }
  return bytesOf(new Blob(parts));
}

/** @param {Uint8Array} bytes */
function crc(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = CRC_TABLE[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}

/** @param {Uint8Array} bytes */
const isPng = (bytes) => SIGNATURE.every((byte, place) => bytes[place] === byte);

/** @param {Uint8Array} bytes */
const text = (bytes) => String.fromCharCode(...bytes);

/** @param {Uint8Array} bytes */
const utf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

/**
 * @param {Blob} blob
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
