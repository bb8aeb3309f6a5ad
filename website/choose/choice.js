// The choice of what is painted: a photo, and one artwork or several.

import { recipeIn } from "../keep/png.js";
import { Artworks } from "./artworks.js";
import { Camera } from "./camera.js";
import { fetched, listed } from "./collection.js";
import { PhotoPlace } from "./photo.js";
import { Refused } from "./refused.js";
import { scaled } from "./scaled.js";
import { titled } from "./titles.js";
import { hearDrops, hearPastes, isWithin } from "./ways.js";

/**
 * @typedef {import("./artworks.js").Artwork} Artwork
 * @typedef {{ blob: Blob, title: string, width: number, height: number }} Photo
 */

/**
 * What the visitor has chosen. `change` follows another photo or other artworks, `blend` other shares of the same;
 * `recipe` tells the recipe that was inside the photo; `refused` a message and a hint, and what was chosen stays.
 */
export class Choice extends EventTarget {
  /** @type {Photo | null} */
  #photo = null;
  #enabled = true;
  #turn = 0; // of the photos that were given: the last one counts, however long it takes to read

  /** @param {Record<"drop" | "artworks" | "blend" | "photo" | "camera", HTMLElement>} places */
  constructor({ drop, artworks, blend, photo, camera }) {
    super();
    this.collection = new Artworks(artworks, blend);
    this.place = new PhotoPlace(drop, photo);
    this.camera = new Camera(/** @type {HTMLDialogElement} */ (camera));
    this.collection.addEventListener("change", () => this.dispatchEvent(new Event("change")));
    this.collection.addEventListener("blend", () => this.dispatchEvent(new Event("blend")));
    this.collection.addEventListener("refused", (event) => this.#tell(/** @type {CustomEvent} */ (event).detail));
    this.place.addEventListener("files", (event) => this.#given(/** @type {CustomEvent<File[]>} */ (event).detail));
    this.place.addEventListener("sample", (event) => this.#sample(/** @type {CustomEvent} */ (event).detail));
    this.place.addEventListener("camera", () => this.#take());
    const refuse = (/** @type {Refused} */ error) => this.#refuse(error);
    hearDrops(artworks, (files, where) => this.#dropped(files, isWithin(where, artworks)), refuse);
    hearPastes((files) => this.#given(files, "Pasted picture"), refuse);
  }

  get photo() {
    return this.#photo;
  }

  /** @returns {Artwork[]} */
  get artworks() {
    return this.collection.chosen;
  }

  /** The share of each artwork, in per cent; none for a single one. */
  get blend() {
    return this.collection.blend;
  }

  get enabled() {
    return this.#enabled;
  }

  /** Whether anything can be chosen. */
  set enabled(enabled) {
    this.#enabled = this.collection.enabled = this.place.enabled = enabled;
  }

  /** Load what can be chosen. */
  async begin() {
    await this.collection.recall();
    const loading = [
      listed("artworks").then((artworks) => this.collection.offer(artworks)),
      listed("samples").then((samples) => this.place.offer(samples)),
    ];
    await Promise.all(loading.map((each) => each.catch((error) => this.#refuse(error))));
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Choose again what was chosen before.
   * @param {{ photo: { blob: Blob, title: string }, artworks: (Artwork | string)[], blend: number[] }} before
   */
  async restore({ photo, artworks, blend }) {
    this.collection.restore(artworks, blend);
    if (!(await this.#read(photo.blob, photo.title))) return;
    this.place.say("");
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Take a picture as the photo, if it can be one.
   * @param {Blob} blob
   * @param {string} title
   * @param {string} [note] to be said of it
   */
  async picked(blob, title, note = "") {
    const read = await this.#read(blob, title);
    if (!read) return;
    const restored = read.recipe ? this.#restored(read.recipe) : "";
    this.place.say([note, restored].filter(Boolean).join(" "), `“${title}” is chosen.`);
    this.dispatchEvent(new Event("change"));
    if (read.recipe) this.dispatchEvent(new CustomEvent("recipe", { detail: read.recipe }));
  }

  /**
   * Make a picture the photo. Null if it cannot be one, or if another was given meanwhile.
   * @param {Blob} blob
   * @param {string} title
   */
  async #read(blob, title) {
    const turn = ++this.#turn;
    this.place.wait();
    try {
      const [picture, recipe] = await Promise.all([scaled(blob), recipeIn(blob)]);
      if (turn !== this.#turn) return null;
      this.#photo = { ...picture, title };
      this.place.show(this.#photo);
      return { recipe };
    } catch (error) {
      if (turn === this.#turn) this.#refuse(error);
      return null;
    }
  }

  /**
   * Choose the artworks that a recipe names.
   * @param {Record<string, any>} recipe
   * @returns {string} what to say of it
   */
  #restored({ artworks, blend }) {
    const names = Array.isArray(artworks) ? artworks.map((source) => source?.name).filter(isText) : [];
    const shares = Array.isArray(blend) ? blend.map(Number) : [];
    const missing = this.collection.restore(names, shares);
    const restored = "It was painted here: its settings are back.";
    if (!missing.length) return restored;
    const which = missing.map((name) => `“${name}”`).join(" and ");
    return `${restored} Its artwork ${which} is not here; add it to use it again.`;
  }

  /**
   * @param {File[]} files
   * @param {boolean} overArtworks
   */
  #dropped(files, overArtworks) {
    if (!overArtworks) this.#given(files);
    else if (this.#enabled) this.collection.add(files);
    else this.#refuse(busy());
  }

  /**
   * @param {File[]} files
   * @param {string} [title]
   */
  #given(files, title) {
    if (!this.#enabled) {
      this.#refuse(busy());
      return;
    }
    const file = files.find(({ type }) => type.startsWith("image/")) ?? files[0];
    const name = title ?? titled(file, "Your photo");
    const note = `It is the first of ${files.length} files; one is painted at a time.`;
    this.picked(file, name, files.length > 1 ? note : "");
  }

  /** @param {import("./collection.js").Listed} sample */
  async #sample({ url, title }) {
    try {
      const answer = await fetched(url, `The sample “${title}” could not be loaded.`);
      await this.picked(await answer.blob(), title);
    } catch (error) {
      this.#refuse(error);
    }
  }

  async #take() {
    if (!this.camera.possible) {
      this.place.pick(true);
      return;
    }
    try {
      const photo = await this.camera.photo();
      if (photo) await this.picked(photo, "From the camera");
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** @param {unknown} error */
  #refuse(error) {
    this.place.say("");
    if (!(error instanceof Refused)) throw error;
    this.#tell({ message: error.message, hint: error.hint });
  }

  /** @param {{ message: string, hint: string }} refusal */
  #tell(refusal) {
    this.dispatchEvent(new CustomEvent("refused", { detail: refusal }));
  }
}

const busy = () => new Refused("A painting is in the making.", "Begin a new one first, then give its photo.");

/** @param {unknown} value */
const isText = (value) => typeof value === "string";
