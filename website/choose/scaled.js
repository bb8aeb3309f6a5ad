// A picture as it is sent: upright, no larger than it need be, and without what cameras write into files.

import { Refused } from "./refused.js";

/** @typedef {{ blob: Blob, width: number, height: number }} Scaled */

const MOST = 2048; // pixels of the long side
const KEPT = 2 * 2 ** 20; // bytes of a PNG that is sent as it is
const QUALITY = 0.92;
const LEAST = 16; // pixels of the short side, as in the studio
const NARROWEST = 20;
const WHOLE_FILE = "Get the file again, whole, and try that.";
const OTHER_KIND = "Open it in another program and export it as JPEG or PNG.";

/** What a file's first bytes say it is. */
const KINDS = /** @type {[string, RegExp][]} */ ([
  ["JPEG", /^\xff\xd8\xff/],
  ["PNG", /^\x89PNG/],
  ["GIF", /^GIF8/],
  ["WebP", /^RIFF.{4}WEBP/s],
  ["AVIF", /^.{4}ftypavi[fs]/s],
  ["HEIC", /^.{4}ftyp(hei|hev|mif1|msf1)/s],
  ["TIFF", /^(II\*\0|MM\0\*|II\+\0|MM\0\+)/],
  ["BMP", /^BM/],
  ["SVG", /<svg\b/i],
]);

/**
 * The picture in a file, its long side at `most` at most.
 * @param {Blob} blob
 * @param {number} [most]
 * @returns {Promise<Scaled>}
 */
export async function scaled(blob, most = MOST) {
  const head = await beginning(blob);
  const kind = KINDS.find(([, pattern]) => pattern.test(head))?.[0];
  const bitmap = await decoded(blob, kind);
  try {
    check(bitmap);
    const share = Math.min(1, most / Math.max(bitmap.width, bitmap.height));
    const width = Math.round(bitmap.width * share);
    const height = Math.round(bitmap.height * share);
    if (share === 1 && canStay(blob, kind, head)) return { blob, width, height };
    const canvas = drawn(bitmap, width, height);
    const clear = kind !== "JPEG" && kind !== "BMP" && hasClear(canvas);
    return { blob: await encoded(canvas, clear ? "image/png" : "image/jpeg"), width, height };
  } finally {
    bitmap.close();
  }
}

/**
 * A small JPEG of a picture, for lists.
 * @param {Blob} blob
 * @param {number} [most] pixels of the long side
 * @returns {Promise<Blob>}
 */
export async function thumbnail(blob, most = 192) {
  const bitmap = await createImageBitmap(blob);
  const share = Math.min(1, most / Math.max(bitmap.width, bitmap.height));
  const canvas = drawn(bitmap, Math.ceil(bitmap.width * share), Math.ceil(bitmap.height * share));
  bitmap.close();
  return encoded(canvas, "image/jpeg", 0.8);
}

/**
 * What a canvas shows, as a file.
 * @param {HTMLCanvasElement} canvas
 * @param {"image/jpeg" | "image/png"} type
 * @param {number} [quality]
 * @returns {Promise<Blob>}
 */
export function encoded(canvas, type, quality = QUALITY) {
  return new Promise((resolve, reject) => {
    const problem = "The picture does not fit into this browser's memory.";
    const refused = new Refused(problem, "Make it smaller, and try again.");
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(refused)), type, quality);
  });
}

/**
 * The file's first bytes, one character each: enough to tell its kind, and a JPEG's metadata, by.
 * @param {Blob} blob
 */
async function beginning(blob) {
  const bytes = new Uint8Array(await blob.slice(0, 4096).arrayBuffer());
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/**
 * @param {Blob} blob
 * @param {string | undefined} kind
 * @returns {Promise<ImageBitmap>}
 */
async function decoded(blob, kind) {
  if (!blob.size) throw new Refused("The picture is empty: it has 0 bytes.", WHOLE_FILE);
  try {
    return await createImageBitmap(blob);
  } catch {
    throw unreadable(blob, kind);
  }
}

/**
 * @param {Blob} blob
 * @param {string | undefined} kind
 */
function unreadable(blob, kind) {
  const name = blob instanceof File && blob.name ? `“${blob.name}”` : "The file";
  if (!kind) return new Refused(`${name} is not a picture.`, "Choose a JPEG, PNG, WebP, GIF or AVIF.");
  if (kind === "SVG") return new Refused(`${name} is an SVG drawing, which has no pixels.`, OTHER_KIND);
  if (kind === "HEIC") {
    const hint = "Export it as JPEG, or set the phone's camera to its most compatible format.";
    return new Refused(`${name} is an HEIC photo, which this browser cannot open.`, hint);
  }
  if (kind === "TIFF") return new Refused(`${name} is a TIFF picture, which this browser cannot open.`, OTHER_KIND);
  return new Refused(`${name} is a damaged ${kind} picture.`, WHOLE_FILE);
}

/** @param {ImageBitmap} bitmap */
function check({ width, height }) {
  const size = `The picture has ${width} × ${height} pixels`;
  if (Math.min(width, height) < LEAST) {
    throw new Refused(`${size}, less than ${LEAST} on a side.`, "Choose a larger picture.");
  }
  if (Math.max(width, height) > NARROWEST * Math.min(width, height)) {
    throw new Refused(`${size}, which is narrower than 1:${NARROWEST}.`, "Crop it, and try again.");
  }
}

/**
 * Whether a file that is small enough already may be sent as it is.
 * @param {Blob} blob
 * @param {string | undefined} kind
 * @param {string} head
 */
function canStay(blob, kind, head) {
  if (kind === "PNG") return blob.size <= KEPT;
  // Metadata (APP1) may say where a photo was taken, and which side of it is up; such a JPEG is written anew.
  return kind === "JPEG" && blob.size <= KEPT && !head.includes("Exif\0") && !head.includes("http://ns.adobe.com/xap");
}

/**
 * Halved until the last step is a small one: a browser looks at a few pixels only when it scales, and would skip most.
 * @param {ImageBitmap} bitmap
 * @param {number} width
 * @param {number} height
 * @returns {HTMLCanvasElement}
 */
function drawn(bitmap, width, height) {
  /** @type {ImageBitmap | HTMLCanvasElement} */
  let source = bitmap;
  while (source.width > 2 * width && source.height > 2 * height) {
    source = copied(source, Math.ceil(source.width / 2), Math.ceil(source.height / 2), "low"); // is exact for halves
  }
  return copied(source, width, height, "high");
}

/**
 * @param {ImageBitmap | HTMLCanvasElement} source
 * @param {number} width
 * @param {number} height
 * @param {ImageSmoothingQuality} quality
 */
function copied(source, width, height, quality) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = quality;
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

/** @param {HTMLCanvasElement} canvas */
function hasClear(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let alpha = 3; alpha < data.length; alpha += 4) if (data[alpha] < 255) return true;
  return false;
}
