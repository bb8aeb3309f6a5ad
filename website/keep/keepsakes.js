// What one takes home: the picture with its recipe, a film of how it came about, a link to share.

import { byId, element, fill, offer } from "../html.js";
import { film } from "./film.js";
import { withRecipe } from "./png.js";
import { fileName, save, share } from "./saving.js";

/** @typedef {import("../painting.js").Painting} Painting */

/** Tells `refused` with a message and a hint, and `another` when the visitor wants a new painting. */
export class Keepsakes extends EventTarget {
  /** @type {Painting | null} */
  #painting = null;
  #titles = { photo: "", artwork: "" };

  /** @param {import("../main.js").Place | null} place where pictures and films are kept */
  constructor(place) {
    super();
    this.place = place;
    this.section = byId("keep");
    this.picture = this.#button("Save picture", () => this.#savePicture());
    this.timelapse = this.#button("Save film", () => this.#saveFilm());
    this.link = this.#button("Share link", () => this.#share());
    this.another = element("button", { type: "button", onclick: () => this.dispatchEvent(new Event("another")) }, "New painting");
    this.shared = element("div");
    this.said = element("p", { class: "faded" });
    fill(
      this.section,
      element("h2", { id: "keep-title" }, "Keep it"),
      element("div", { class: "row" }, this.picture, this.timelapse, this.link, this.another),
      this.shared,
      this.said,
    );
  }

  /**
   * @param {Painting} painting
   * @param {{ photo: string, artwork: string }} titles
   */
  begin(painting, titles) {
    [this.#painting, this.#titles] = [painting, titles];
    this.said.textContent = "";
    fill(this.shared);
  }

  /** Follow the painting. */
  show() {
    const painting = this.#painting;
    this.section.hidden = !painting;
    if (!painting) return;
    const { frames, genuine, bare, over, timelapse } = painting;
    offer(this.picture, frames.length > 0, !over);
    offer(this.timelapse, (frames.length > 1 || timelapse !== null) && genuine, !over);
    this.link.hidden = bare || (over && !frames.length);
  }

  hide() {
    this.#painting = null;
    this.section.hidden = true;
  }

  /**
   * The picture as the studio keeps it, without loss; where it cannot be had, the newest frame.
   * @returns {Promise<Blob | undefined>}
   */
  async kept() {
    const painting = /** @type {Painting} */ (this.#painting);
    const { newest, recipe, genuine, kept } = painting;
    const whole = newest?.image.type === "image/png"; // what is streamed is not
    if (!this.place) return whole && recipe ? withRecipe(newest.image, recipe) : newest?.image;
    if (kept || whole || !genuine) return newest?.image;
    return this.place.picture(painting).catch(() => newest?.image);
  }

  async #savePicture() {
    const picture = await this.kept();
    if (!picture) return;
    const suffix = picture.type === "image/png" ? "png" : "jpg";
    this.#save(picture, suffix);
    this.said.textContent = suffix === "png" ? "Saved. The file knows its recipe: give it as a photo to paint like it." : "Saved as it is now.";
  }

  async #saveFilm() {
    const painting = /** @type {Painting} */ (this.#painting);
    this.said.textContent = "Making the film…";
    const made = await this.place?.film(painting).catch(() => null);
    // Where there is no film, and no studio to make one, the frames that were seen here make one, too.
    if (!made && painting.frames.length < 2) throw new Error("The film cannot be fetched just now; try again later.");
    const { blob, suffix } = made ? { blob: made, suffix: "mp4" } : await film(painting.frames.map(({ image }) => image));
    this.#save(blob, suffix);
    this.said.textContent = "The film is saved.";
  }

  async #share() {
    const painting = /** @type {Painting} */ (this.#painting);
    const url = new URL(`display?id=${painting.id}`, document.baseURI).href;
    this.said.textContent = await share(url, this.#titles.photo, this.shared);
  }

  /**
   * @param {Blob} blob
   * @param {string} suffix
   */
  #save(blob, suffix) {
    save(blob, fileName(this.#titles.photo, this.#titles.artwork, suffix));
  }

  /**
   * @param {string} title
   * @param {() => Promise<void>} act
   */
  #button(title, act) {
    const button = element("button", {
      type: "button",
      onclick: async () => {
        if (button.ariaDisabled) return;
        button.ariaDisabled = "true"; // and not disabled, which would take the focus away
        try {
          await act();
        } catch (error) {
          this.said.textContent = "";
          this.dispatchEvent(new CustomEvent("refused", { detail: { message: /** @type {Error} */ (error).message, hint: "" } }));
        }
        button.ariaDisabled = null;
      },
    }, title);
    return button;
  }
}
