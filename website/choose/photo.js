// Where a photo is given: the empty wall, and beside it the photo that was chosen.

import { element, fill } from "../html.js";

const PATIENCE = 400; // milliseconds before it is said that a photo is being read

/** @typedef {import("./collection.js").Listed} Listed */
/** @typedef {import("./choice.js").Photo} Photo */

/** `files` tells files that were picked, `sample` a sample photo, `camera` that one is to be taken. */
export class PhotoPlace extends EventTarget {
  /** @type {Photo | null} */
  #photo = null;
  /** @type {Listed[]} */
  #samples = [];
  #enabled = true;
  #said = 0;

  /**
   * @param {HTMLElement} drop
   * @param {HTMLElement} place
   */
  constructor(drop, place) {
    super();
    this.drop = drop;
    this.files = element("input", {
      type: "file",
      accept: "image/*",
      hidden: true,
      onchange: () => {
        const files = [...(this.files.files ?? [])];
        this.files.value = ""; // so that the same file can be given again
        this.files.removeAttribute("capture");
        if (files.length) this.dispatchEvent(new CustomEvent("files", { detail: files }));
      },
    });
    this.chosen = element("div", { class: "chosen" });
    this.note = element("p", { class: "note", role: "status" });
    place.append(this.chosen, this.note, this.files);
    this.#show();
  }

  /** @param {Listed[]} samples */
  offer(samples) {
    this.#samples = samples;
    this.#show();
  }

  /** @param {Photo | null} photo */
  show(photo) {
    const lost = this.drop.contains(document.activeElement) || this.chosen.contains(document.activeElement);
    this.#photo = photo;
    this.#show();
    if (lost && photo) this.chosen.querySelector("button")?.focus({ preventScroll: true });
  }

  /** @param {boolean} enabled */
  set enabled(enabled) {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    this.#enable();
  }

  /**
   * Say something on the photo that was given.
   * @param {string} sentence
   * @param {string} [unseen] what those who see the page see already
   */
  say(sentence, unseen = "") {
    clearTimeout(this.#said);
    fill(this.note, unseen && element("span", { class: "unseen" }, `${unseen} `), sentence);
  }

  /** Say that it is being read, if that takes a while. */
  wait() {
    clearTimeout(this.#said);
    this.#said = setTimeout(() => this.say("Reading the photo…"), PATIENCE);
  }

  /** Let the visitor pick a file; a device without TLS takes its photo this way, too. */
  pick(capture = false) {
    if (capture) this.files.setAttribute("capture", "environment");
    this.files.click();
  }

  #show() {
    const photo = this.#photo;
    if (photo) {
      fill(this.drop);
      const ways = this.#ways("Another photo", false);
      fill(this.chosen, this.#thumbnail(photo), this.#facts(photo), ways, this.#gallery());
    } else {
      const invitation = [
        element("h2", {}, "Your photo goes here"),
        element("p", { class: "faded gestures" }, "Drop one, paste one, or"),
        this.#ways("Choose a photo", true),
      ];
      fill(this.drop, element("div", { class: "invitation" }, invitation, this.#gallery("Or begin with one of these")));
      fill(this.chosen, element("p", { class: "faded" }, "None yet."));
    }
    this.#enable();
  }

  #enable() {
    for (const button of [...this.drop.querySelectorAll("button"), ...this.chosen.querySelectorAll("button")]) {
      button.disabled = !this.#enabled;
    }
  }

  /** @param {Photo} photo */
  #thumbnail({ blob }) {
    const address = URL.createObjectURL(blob);
    const image = element("img", { src: address, alt: "", width: 96, height: 96, draggable: "false" });
    image.addEventListener("load", () => URL.revokeObjectURL(address));
    return image;
  }

  /** @param {Photo} photo */
  #facts({ title, width, height }) {
    return element(
      "p",
      {},
      element("strong", {}, title),
      element("span", { class: "faded" }, `${width} × ${height} pixels`),
    );
  }

  /**
   * @param {string} words
   * @param {boolean} main whether that is the main thing to do
   */
  #ways(words, main) {
    return element(
      "div",
      { class: "choices" },
      element("button", { type: "button", class: main && "main", onclick: () => this.pick() }, words),
      element("button", { type: "button", onclick: () => this.dispatchEvent(new Event("camera")) }, "Use the camera"),
    );
  }

  /** @param {string} [title] */
  #gallery(title) {
    if (!this.#samples.length) return null;
    const buttons = this.#samples.map((sample) =>
      element(
        "button",
        { type: "button", onclick: () => this.dispatchEvent(new CustomEvent("sample", { detail: sample })) },
        element("img", {
          src: sample.small,
          alt: sample.title,
          title: sample.title,
          width: 112,
          height: 84,
          draggable: "false",
          decoding: "async",
        }),
      ),
    );
    return element(
      "div",
      { class: "samples", role: "group", "aria-label": "Sample photos" },
      title && element("p", { class: "faded" }, title),
      element("div", {}, ...buttons),
    );
  }
}
