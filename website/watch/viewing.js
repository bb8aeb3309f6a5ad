// How the picture is looked at: beside its photo, and from how near.

import { byId, element, fill, offer } from "../html.js";

const ZOOMS = [1, 1.5, 2, 3, 4];

export class Viewing {
  #zoom = 0;

  constructor() {
    this.bar = byId("viewing");
    this.wall = byId("wall");
    this.easel = byId("easel");
    this.before = byId("before");
    this.split = element("input", {
      type: "range", min: 0, max: 100, value: 0, oninput: () => this.#compare(),
      "aria-valuetext": "only the painting",
    });
    this.comparing = element("label", { class: "compare" }, element("span", {}, "Compare with the photo"), this.split);
    this.nearer = element("button", { type: "button", "aria-label": "Zoom in", onclick: () => this.#step(1) }, "+");
    this.farther = element("button", { type: "button", "aria-label": "Zoom out", onclick: () => this.#step(-1) }, "−");
    this.scale = element("span");
    const zooming = element("div", { class: "zoom", role: "group", "aria-label": "Zoom" }, this.farther, this.scale, this.nearer);
    fill(this.bar, this.comparing, zooming);
    this.easel.addEventListener("dblclick", () => this.#set(this.#zoom ? 0 : 2));
    this.reset();
  }

  reset() {
    this.split.value = "0";
    this.#compare();
    this.#set(0);
  }

  /**
   * @param {import("../painting.js").Painting} painting
   * @param {boolean} comparable whether there is a photo to compare with
   */
  show({ frames, over }, comparable) {
    offer(this.bar, frames.length > 0, !over);
    this.comparing.hidden = !comparable;
  }

  hide() {
    this.reset();
    this.bar.hidden = true;
  }

  #compare() {
    const share = Number(this.split.value);
    this.before.hidden = share === 0;
    this.easel.style.setProperty("--split", `${share}%`);
    this.split.setAttribute("aria-valuetext", share === 0 ? "only the painting" : `${share} % photo, from the left`);
  }

  /** @param {number} by */
  #step(by) {
    this.#set(Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + by)));
  }

  /** @param {number} zoom */
  #set(zoom) {
    const { wall } = this;
    const middle = [wall.scrollLeft + wall.clientWidth / 2, wall.scrollTop + wall.clientHeight / 2];
    const ratio = ZOOMS[zoom] / ZOOMS[this.#zoom];
    this.#zoom = zoom;
    this.easel.style.setProperty("--zoom", String(ZOOMS[zoom]));
    wall.scrollTo(middle[0] * ratio - wall.clientWidth / 2, middle[1] * ratio - wall.clientHeight / 2);
    this.scale.textContent = `${ZOOMS[zoom] * 100} %`;
    this.nearer.disabled = zoom === ZOOMS.length - 1;
    this.farther.disabled = zoom === 0;
    // Only a picture that is larger than the wall has to be scrolled by keys.
    if (zoom) wall.tabIndex = 0;
    else wall.removeAttribute("tabindex");
  }
}
