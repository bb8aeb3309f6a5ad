// One's own paintings on this device: found again after whatever happens, and listed in a dialog.

import { thumbnail } from "../choose/scaled.js";
import { element, fill } from "../html.js";
import { Shelf } from "./store.js";

const MOST = 50; // paintings
const MOST_BYTES = 100 * 2 ** 20; // of theirs, photos and pictures

/**
 * One painting as it is remembered; `order` is all that it was ordered with, so that it can be ordered again.
 * @typedef {import("../painters.js").Order} Order
 * @typedef {{
 *   id: string, key: string | null, at: number, title: string, artwork: string, state: string,
 *   photo: Blob, thumbnail?: Blob, picture?: Blob, iterations?: number, elapsed?: number, order: Order,
 * }} Entry
 */

/**
 * Remembers paintings, the newest first. `open` tells the id that was chosen in the dialog; `forget` the entry that
 * was just forgotten there, so that it can be let go elsewhere, too.
 */
export class History extends EventTarget {
  /** @type {Shelf<Entry>} */
  #shelf = new Shelf("paintings");
  #durable = true;
  #remembered = Promise.resolve(true); // what is written down last: nothing is changed before it is there
  /** @type {string[]} */
  #pictures = [];

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    super();
    this.dialog = dialog;
    dialog.addEventListener("close", () => this.#letGo());
  }

  /**
   * Write a painting down; answers when it is safe, with whether the next visit will find it.
   * @param {Entry} entry
   * @returns {Promise<boolean>}
   */
  remember(entry) {
    this.#remembered = this.#write(entry);
    return this.#remembered;
  }

  /** @param {Entry} entry */
  async #write(entry) {
    await this.#makeRoom(entry);
    this.#durable = await this.#shelf.put(entry);
    this.#miniature(entry.id, entry.photo);
    return this.#durable;
  }

  /**
   * @param {string} id
   * @param {Partial<Entry>} fields
   */
  async update(id, fields) {
    await this.#remembered;
    await this.#shelf.change(id, fields);
    if (fields.picture) await this.#miniature(id, fields.picture);
  }

  /** @returns {Promise<Entry[]>} */
  async entries() {
    const entries = await this.#shelf.all();
    return entries.sort((one, other) => other.at - one.at);
  }

  /** @param {string} id */
  find(id) {
    return this.#shelf.get(id);
  }

  /** @param {string} id */
  async forget(id) {
    await this.#remembered;
    return this.#shelf.remove(id);
  }

  /** Open the dialog. */
  async show() {
    await this.#remembered;
    await this.#list();
    this.dialog.showModal();
  }

  /**
   * Keep a small picture for the list, so that it need not read large ones.
   * @param {string} id
   * @param {Blob} picture
   */
  async #miniature(id, picture) {
    try {
      await this.#shelf.change(id, { thumbnail: await thumbnail(picture) });
    } catch {
      // What cannot be made smaller is listed as it is.
    }
  }

  /** @param {Entry} entry the one that room is for */
  async #makeRoom(entry) {
    let [count, bytes] = [1, weight(entry)];
    for (const other of await this.entries()) {
      if (other.id === entry.id) continue;
      count += 1;
      bytes += weight(other);
      if (count > MOST || bytes > MOST_BYTES) await this.#shelf.remove(other.id);
    }
  }

  async #list() {
    this.#letGo();
    const entries = await this.entries();
    fill(
      this.dialog,
      element(
        "header",
        {},
        element("h2", { id: "history-title" }, "Your paintings"),
        element("button", { type: "button", class: "quiet", onclick: () => this.dialog.close() }, "Close"),
      ),
      entries.length
        ? element("ul", { class: "paintings" }, ...entries.map((entry) => this.#item(entry)))
        : element("p", {}, "Nothing here yet: what you paint will be found here."),
      element("p", { class: "faded" }, this.#promise()),
    );
  }

  #promise() {
    if (!this.#durable) return "This browser keeps nothing for the page: they are listed until it is closed.";
    return `Kept in this browser only, the newest ${MOST} of them.`;
  }

  /** @param {Entry} entry */
  #item(entry) {
    const { id, title, artwork, at, state } = entry;
    const picture = URL.createObjectURL(entry.thumbnail ?? entry.picture ?? entry.photo);
    this.#pictures.push(picture);
    const when = new Date(at);
    const ask = element("button", { type: "button", class: "quiet", "aria-label": `Forget ${title}` }, "Forget");
    const item = element(
      "li",
      {},
      element("img", { src: picture, alt: "", width: 72, height: 72 }),
      element(
        "p",
        {},
        element("strong", {}, title),
        element("span", {}, artwork),
        element(
          "span",
          { class: "faded" },
          element("time", { datetime: when.toISOString(), title: when.toLocaleString() }, since(at)),
          `, ${state}`,
        ),
      ),
      element(
        "div",
        { class: "choices" },
        element(
          "button",
          { type: "button", "aria-label": `Open ${title}`, onclick: () => this.#chosen(id) },
          "Open",
        ),
        ask,
      ),
    );
    ask.addEventListener("click", () => {
      const sure = element("button", { type: "button", "aria-label": `Yes, forget ${title}` }, "Yes, forget");
      sure.addEventListener("click", () => this.#forgotten(entry, item));
      ask.replaceWith(sure);
      sure.focus();
    });
    return item;
  }

  /** @param {string} id */
  #chosen(id) {
    this.dialog.close();
    this.dispatchEvent(new CustomEvent("open", { detail: id }));
  }

  /**
   * @param {Entry} entry
   * @param {HTMLElement} item
   */
  async #forgotten(entry, item) {
    const next = item.nextElementSibling ?? item.previousElementSibling;
    await this.forget(entry.id);
    this.dispatchEvent(new CustomEvent("forget", { detail: entry }));
    if (next) {
      item.remove();
      next.querySelector("button")?.focus();
    } else {
      await this.#list();
      this.dialog.querySelector("button")?.focus();
    }
  }

  #letGo() {
    for (const picture of this.#pictures.splice(0)) URL.revokeObjectURL(picture);
  }
}

/**
 * How many bytes a thing takes, roughly: its blobs and texts.
 * @param {unknown} thing
 * @returns {number}
 */
function weight(thing) {
  if (thing instanceof Blob) return thing.size;
  if (typeof thing === "string") return thing.length;
  if (!thing || typeof thing !== "object") return 0;
  return Object.values(thing).reduce((sum, part) => sum + weight(part), 0);
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} and how many seconds each has */
const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/**
 * How long ago that was, in words.
 * @param {number} at milliseconds since 1970
 */
export function since(at) {
  const seconds = (at - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const [unit, length] = UNITS.find(([, length]) => -seconds >= length) ?? ["second", 0];
  return length ? words.format(Math.ceil(seconds / length), unit) : "just now";
}
