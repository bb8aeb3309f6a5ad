// Picking artworks: those of the collection and one's own, one of them or a blend of several.

import { element, fill } from "../html.js";
import { Shelf } from "../keep/store.js";
import { Blend } from "./blend.js";
import { Listbox } from "./listbox.js";
import { Refused } from "./refused.js";
import { scaled } from "./scaled.js";
import { titled } from "./titles.js";

const MOST = 8; // artworks in a painting
const MOST_OWN = 24; // that are kept on this device
const SIDE = 1024; // pixels; a painting seldom is larger

/**
 * An artwork of the collection, by its name and address, or one's own, by its file.
 * @typedef {{
 *   name: string, title: string, manner?: string, year?: number, url?: string, small?: string, blob?: Blob,
 * }} Artwork
 * @typedef {Artwork & { blob: Blob, at: number }} Own
 */

/** `change` follows another choice, `blend` other shares; `refused` tells an error. */
export class Artworks extends EventTarget {
  /** @type {Artwork[]} */
  #collection = [];
  /** @type {Own[]} */
  #own = [];
  /** @type {string[]} names, in the order of their choice */
  #chosen = [];
  #several = false;
  #enabled = true;
  /** @type {Shelf<Own>} */
  #shelf = new Shelf("artworks");
  /** @type {Map<string, string>} addresses of one's own pictures, by name */
  #pictures = new Map();

  /**
   * @param {HTMLElement} place
   * @param {HTMLElement} blend the place of the shares
   */
  constructor(place, blend) {
    super();
    this.place = place;
    this.listbox = new Listbox({ id: "artworks", class: "artworks", "aria-label": "Artwork" });
    this.blending = new Blend(blend);
    this.caption = element("p", { class: "caption" });
    this.several = element(
      "button",
      { type: "button", "aria-pressed": "false", onclick: () => this.#blendSeveral(!this.#several) },
      "Blend several",
    );
    this.files = element("input", {
      type: "file",
      accept: "image/*",
      multiple: true,
      hidden: true,
      onchange: () => {
        this.add([...(this.files.files ?? [])]);
        this.files.value = ""; // so that the same file can be given again
      },
    });
    this.adding = element("button", { type: "button", onclick: () => this.files.click() }, "Add your own");
    this.remove = element("button", { type: "button", class: "quiet", onclick: () => this.#remove() }, "Remove");
    place.append(
      this.listbox.element,
      this.caption,
      element("div", { class: "choices" }, this.several, this.adding, this.files),
    );
    this.listbox.addEventListener("pick", (event) => this.#pick(/** @type {CustomEvent<string>} */ (event).detail));
    this.listbox.addEventListener("active", () => this.#describe());
    this.listbox.addEventListener("remove", () => this.#remove());
    this.blending.addEventListener("change", () => this.dispatchEvent(new Event("blend")));
  }

  /** @returns {Artwork[]} */
  get chosen() {
    return this.#chosen.map((name) => /** @type {Artwork} */ (this.#find(name)));
  }

  /** The shares of those chosen, in per cent; none for a single one. */
  get blend() {
    return this.blending.shares;
  }

  /** @param {boolean} enabled */
  set enabled(enabled) {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    this.listbox.enabled = enabled;
    for (const button of [this.several, this.adding, this.remove]) button.disabled = !enabled;
  }

  /** One's own, as they were left at the last visit. */
  async recall() {
    const own = await this.#shelf.all();
    this.#own = own.sort((one, other) => other.at - one.at);
    this.#offer();
  }

  /** @param {Artwork[]} collection */
  offer(collection) {
    this.#collection = collection;
    this.#offer();
    if (!this.#chosen.length && collection.length) this.#choose([collection[0].name]);
  }

  /**
   * Choose these, as far as they are here: artworks, or names such as a recipe has.
   * @param {(Artwork | string)[]} wanted
   * @param {number[]} shares
   * @returns {string[]} the names of those that are not here
   */
  restore(wanted, shares) {
    const found = wanted.map((each) => this.#found(each));
    const missing = wanted.filter((_, place) => !found[place]);
    const here = found.filter((artwork) => artwork !== undefined);
    const names = [...new Set(here.map(({ name }) => name))].slice(0, MOST);
    if (names.length) {
      this.#several = names.length > 1;
      this.#choose(names, missing.length ? [] : shares);
      this.listbox.activate(names[0]);
    }
    return missing.map((each) => (typeof each === "string" ? each : each.title));
  }

  /**
   * Take pictures in as artworks of one's own, and choose them.
   * @param {Blob[]} files
   */
  async add(files) {
    if (!this.#enabled) return;
    /** @type {Own[]} */
    const added = [];
    for (const file of files) {
      try {
        if (this.#own.length + added.length >= MOST_OWN) {
          throw new Refused(`There are ${MOST_OWN} artworks of your own, and no more are kept.`, "Remove one first.");
        }
        const { blob } = await scaled(file, SIDE);
        added.push({ name: newName(), title: titled(file, "Your artwork"), blob, at: Date.now() - added.length });
      } catch (error) {
        this.#refuse(error);
      }
    }
    if (!added.length) return;
    this.#own.unshift(...added);
    this.#offer();
    const names = added.map(({ name }) => name);
    if (this.#several) this.#choose([...this.#chosen, ...names].slice(0, MOST));
    else this.#choose([names[0]]);
    this.listbox.activate(names[0]);
    this.#changed();
    const kept = await Promise.all(added.map((own) => this.#shelf.put(own)));
    if (kept.includes(false)) {
      const message = "This browser has no room to keep your artwork for the next visit.";
      this.#refuse(new Refused(message, "It can be painted with until the page is closed; then add it again."));
    }
  }

  /**
   * @param {Artwork | string} wanted
   * @returns {Artwork | undefined}
   */
  #found(wanted) {
    if (typeof wanted === "string") {
      return this.#find(wanted) ?? this.#find(wanted.replace(/^.*\//, "").replace(/\.[^.]*$/, ""));
    }
    const known = this.#find(wanted.name);
    if (known || !wanted.blob) return known;
    // It was removed since: a painting that was made with it brings it back.
    const own = { ...wanted, blob: wanted.blob, at: Date.now() };
    this.#own.unshift(own);
    this.#shelf.put(own);
    this.#offer();
    return own;
  }

  /** @param {string} name */
  #find(name) {
    return [...this.#own, ...this.#collection].find((artwork) => artwork.name === name);
  }

  #offer() {
    const options = [...this.#own, ...this.#collection].map((artwork) => ({
      name: artwork.name,
      title: artwork.title,
      picture: this.#picture(artwork),
    }));
    this.listbox.offer(options);
    this.listbox.mark(this.#chosen, this.#several);
    this.#describe();
  }

  /** @param {Artwork} artwork */
  #picture({ name, small, url, blob }) {
    if (!blob) return small ?? url ?? "";
    const picture = this.#pictures.get(name) ?? URL.createObjectURL(blob);
    this.#pictures.set(name, picture);
    return picture;
  }

  /** @param {string} name */
  #pick(name) {
    const there = this.#chosen.includes(name);
    if (!this.#several) {
      if (there) return;
      this.#choose([name]);
    } else if (there && this.#chosen.length === 1) {
      this.#refuse(new Refused("A painting needs at least one artwork.", "Choose another before this one goes."));
      return;
    } else if (there) {
      this.#choose(this.#chosen.filter((other) => other !== name));
    } else if (this.#chosen.length === MOST) {
      this.#refuse(new Refused(`At most ${MOST} artworks can be blended.`, "Take one away first."));
      return;
    } else {
      this.#choose([...this.#chosen, name]);
    }
    this.#changed();
  }

  /** @param {boolean} several */
  #blendSeveral(several) {
    this.#several = several;
    const { active } = this.listbox;
    const single = this.#chosen.includes(active) ? active : this.#chosen[0];
    const fewer = !several && this.#chosen.length > 1;
    this.#choose(fewer ? [single] : this.#chosen);
    if (fewer) this.#changed();
  }

  /**
   * @param {string[]} names
   * @param {number[]} [shares]
   */
  #choose(names, shares) {
    this.#chosen = names;
    this.listbox.mark(names, this.#several);
    if (names.length === 1) this.listbox.activate(names[0]);
    this.blending.offer(this.chosen.map(({ title }) => title), shares);
    this.several.setAttribute("aria-pressed", String(this.#several));
    this.#describe();
  }

  #remove() {
    const own = this.#own.find(({ name }) => name === this.listbox.active);
    if (!own) return;
    this.#own = this.#own.filter((other) => other !== own);
    const rest = this.#chosen.filter((name) => name !== own.name);
    const next = rest.length ? rest : [...this.#own, ...this.#collection].slice(0, 1).map(({ name }) => name);
    const chosen = next.join() !== this.#chosen.join();
    this.#chosen = [];
    this.#offer();
    this.#choose(next);
    URL.revokeObjectURL(this.#picture(own));
    this.#pictures.delete(own.name);
    this.#shelf.remove(own.name);
    this.listbox.element.focus({ preventScroll: true });
    if (chosen) this.#changed();
  }

  /** Say what the option is that the keys are at. */
  #describe() {
    const artwork = this.#find(this.listbox.active);
    if (!artwork) {
      fill(this.caption);
      return;
    }
    const { title, manner, year, blob } = artwork;
    const rest = blob ? "your own" : [manner, year].filter(Boolean).join(", ");
    fill(this.caption, element("span", {}, element("strong", {}, title), ` ${rest}`), blob && this.remove);
    if (this.#several && this.#chosen.length < 2) {
      this.caption.append(element("span", { class: "faded" }, "Choose another to blend it with."));
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** @param {unknown} error */
  #refuse(error) {
    if (!(error instanceof Refused)) throw error;
    this.dispatchEvent(new CustomEvent("refused", { detail: { message: error.message, hint: error.hint } }));
  }
}

/** A name for an artwork of one's own, unlike any of the collection's. */
function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return `own-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
