// Who paints: the studio; a sketch until the studio has its first frame; the sketch alone where there is no studio.

import { Sketch } from "./sketch/sketch.js";
import { Studio } from "./wire/studio.js";

/**
 * Everything that a painting is ordered with.
 * @typedef {import("./choose/choice.js").Artwork} Artwork
 * @typedef {{ photo: Blob, artworks: Artwork[], blend: number[], settings: Record<string, any> }} Order
 * @typedef {import("./painting.js").Painting} Painting
 * @typedef {import("./wire/frames.js").Told} Told
 */

const PATIENCE = 150; // milliseconds that a studio has for its first frame before a sketch stands in
const RETURN = 1500; // and for the frames of a painting that it should have already
const STAND_IN = { size: 256, iterations: 80 }; // the stand-in's own, whatever was ordered

/** @type {Sketch | null} */
let warm = null;

/** Have a sketch ready, so that its first stroke does not wait for its code. */
export function warmUp() {
  warm ??= new Sketch();
}

export class Painters {
  /** @type {Studio | null} */
  #studio = null;
  /** @type {Sketch | null} */
  #sketch = null;
  #timer = 0;

  /**
   * @param {Painting} painting
   * @param {Order | null} order null for a painting that is somebody else's
   * @param {import("./wire/studio.js").Enter | null} enter the studio, null if there is none
   */
  constructor(painting, order, enter) {
    this.painting = painting;
    this.order = order;
    this.enter = enter;
  }

  /**
   * @param {boolean} asked whether the studio may have it already
   * @param {boolean} revived whether it goes on if it was given up there
   */
  begin(asked = false, revived = false) {
    if (!this.enter) {
      this.#stroke((told) => this.#alone(told), {});
      return;
    }
    const { painting } = this;
    const order = painting.kept ? null : this.order; // what was finished once is not painted again
    const studio = new Studio(painting.id, painting.key, order && (() => ordered(order)), asked, this.enter);
    this.#studio = studio;
    studio.addEventListener("told", (event) => this.#hear(/** @type {CustomEvent<Told>} */ (event).detail));
    if (revived) studio.act("resume");
    else studio.begin();
    if (order) this.#timer = setTimeout(() => this.#standIn(), asked ? RETURN : PATIENCE);
  }

  /**
   * @param {string} action
   * @param {Record<string, any> | null} data
   */
  act(action, data) {
    this.#studio?.act(action, this.#placed(data));
    if (!this.#studio || action === "steer") this.#sketch?.act(action, data);
  }

  /** Leave it: what a studio paints goes on. */
  close() {
    this.#studio?.close();
    this.#endSketch();
  }

  /** @param {Told} told */
  #hear(told) {
    const { state } = told;
    if (state === "end_iteration" || state === "end" || state === "paused") this.#endSketch();
    this.painting.hear(told);
  }

  /**
   * What the sketch tells where it is the painter.
   * @param {Told} told
   */
  #alone({ state, data, image }) {
    if (state === "error") data.final = data.code === "sketch_broken" || !this.painting.frames.length;
    // The sketch knows its artworks as pixels only; whoever takes up the recipe wants their names.
    if (state === "end") data.recipe.artworks = this.order?.artworks.map(({ name }) => ({ name }));
    this.painting.hear({ state, data, image });
  }

  /**
   * The same with the shares as the studio numbers the artworks.
   * @param {Record<string, any> | null} data
   */
  #placed(data) {
    const artworks = this.order?.artworks ?? [];
    return data?.blend ? { ...data, blend: places(artworks).map((place) => data.blend[place]) } : data;
  }

  #standIn() {
    if (this.painting.genuine && this.painting.frames.length) return;
    this.#stroke((told) => this.painting.sketch(told), STAND_IN);
  }

  /**
   * @param {(told: Told) => void} hear
   * @param {object} instead settings that count instead of those ordered
   */
  async #stroke(hear, instead) {
    if (!this.order) return;
    warmUp();
    const sketch = /** @type {Sketch} */ (warm);
    warm = null;
    this.#sketch = sketch;
    sketch.addEventListener("told", (event) => {
      if (this.#sketch === sketch) hear(/** @type {CustomEvent<Told>} */ (event).detail);
    });
    const { photo, artworks, blend, settings } = this.order;
    try {
      const [photographed, ...styles] = await Promise.all([photo, ...artworks.map(picture)].map(async (blob) => createImageBitmap(await blob)));
      if (this.#sketch !== sketch) return;
      const shares = styles.length > 1 ? { blend } : {};
      sketch.act("request_image", { ...settings, ...shares, ...instead, photo: photographed, artworks: styles });
    } catch {
      if (this.#sketch !== sketch) return;
      this.#endSketch();
      hear({ state: "error", data: { ...UNREADABLE } });
    }
  }

  #endSketch() {
    clearTimeout(this.#timer);
    this.#sketch?.close();
    this.#sketch = null;
  }
}

const UNREADABLE = {
  code: "picture_unreadable",
  message: "The photo or the artwork could not be read.",
  hint: "Check the network and try again, or begin a new painting with another.",
};

/**
 * What `request_image` takes.
 * @param {Order} order
 */
async function ordered({ photo, artworks, blend, settings }) {
  const own = artworks.filter((artwork) => artwork.blob);
  const named = artworks.filter((artwork) => !artwork.blob).map((artwork) => artwork.name);
  const [content, ...styles] = await Promise.all([photo, ...own.map(picture)].map(async (blob) => base64(await blob)));
  return {
    content_image: content,
    ...(styles.length && { style_images: styles }),
    ...(named.length && { artwork: named }),
    ...(artworks.length > 1 && { blend: places(artworks).map((place) => blend[place]) }),
    ...settings,
  };
}

/**
 * The artworks' places in the order of the studio: it numbers the pictures that are sent before those of its collection.
 * @param {Artwork[]} artworks
 */
function places(artworks) {
  return artworks.map((_, place) => place).sort((a, b) => Number(!artworks[a].blob) - Number(!artworks[b].blob));
}

/**
 * @param {Artwork} artwork
 * @returns {Promise<Blob>}
 */
async function picture({ blob, url }) {
  if (blob) return blob;
  const answer = await fetch(/** @type {string} */ (url));
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return answer.blob();
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
