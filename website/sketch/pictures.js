// Pictures in, pictures out: what the page sends becomes floats, and floats become a file.
import { Refusal } from "./errors.js";
import { fit, fitted, resized } from "./scales.js";

/** @typedef {import("./colour.js").Pixels} Pixels */

const MOST = 2048; // long side beyond which the browser makes a picture smaller first, which is quick
const LEAST = 3; // pixels of the short side
const MOST_ASPECT = 20;

/**
 * What the page has sent, on white, with its long side at `size`.
 * @param {unknown} picture
 * @param {string} name
 * @param {number} size
 * @returns {Promise<Pixels>}
 */
export async function read(picture, name, size) {
  const { height, width, data } = await pixelsOf(picture, name);
  const rgb = new Float32Array(height * width * 3);
  for (let i = 0, o = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) rgb[o++] = data[i + c];
  const target = fit(height, width, size);
  const small = fitted({ height, width, bands: 3, data: rgb }, target.height, target.width);
  return { ...small, data: small.data.map((value) => value / 255) };
}

/**
 * @param {unknown} picture
 * @param {string} name
 */
async function pixelsOf(picture, name) {
  const bitmap = picture instanceof ImageData ? await createImageBitmap(picture) : picture;
  if (!(bitmap instanceof ImageBitmap) || !bitmap.width) {
    const problem = `${name}: The picture cannot be read.`;
    throw new Refusal("picture_unreadable", problem, "Choose it again, or another one.");
  }
  const [long, short] = [Math.max(bitmap.width, bitmap.height), Math.min(bitmap.width, bitmap.height)];
  if (short < LEAST) {
    const problem = `${name}: The picture has ${bitmap.width}×${bitmap.height} pixels, too few to paint.`;
    throw new Refusal("picture_too_small", problem, "Choose a larger one.");
  }
  if (long > MOST_ASPECT * short) {
    const problem = `${name}: The picture has ${bitmap.width}×${bitmap.height} pixels, too narrow to paint.`;
    throw new Refusal("picture_too_narrow", problem, "Cut it to a shape closer to a square.");
  }
  const shrink = Math.min(1, MOST / long);
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * shrink)));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("the browser has no room for a picture.");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/**
 * A file of the picture: what is watched as JPEG, what is kept as PNG, which loses nothing.
 * @param {Pixels} pixels
 * @param {"jpeg" | "png"} format
 */
export function encoded({ height, width, data }, format) {
  const image = new ImageData(width, height);
  for (let i = 0, o = 0; i < data.length; i += 3, o += 4) {
    for (let c = 0; c < 3; c++) image.data[o + c] = Math.floor(data[i + c] * 255 + 0.5);
    image.data[o + 3] = 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: `image/${format}`, quality: 0.9 });
}

/**
 * An iteration's picture, made as large as the photo if asked to.
 * @param {import("./style_transfer.js").Iteration} iteration
 * @param {Pixels} [photo]
 * @returns {Pixels}
 */
export function pictureOf({ height, width, state }, photo) {
  const pixels = { height, width, bands: 3, data: state.picture };
  return photo ? resized(pixels, photo.height, photo.width) : pixels;
}
