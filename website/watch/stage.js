// The stage: the picture, large. Frames are decoded aside and drawn when the screen is, the newest only.

import { byId } from "../html.js";

const FADE = 900; // milliseconds in which one painter's picture gives way to another's

/** @typedef {{ image: Blob, width: number, height: number }} Shown */

export class Stage {
  /** @type {Shown | null} what is to be drawn next */
  #next = null;
  #drawing = false;
  /** @type {number} counts what was shown, so that nothing late is drawn */
  #turn = 0;

  constructor() {
    this.easel = byId("easel");
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("picture"));
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    this.before = /** @type {HTMLImageElement} */ (byId("before"));
  }

  /**
   * Hang up a photo: its shape is the picture's from now on. One that cannot be decoded leaves what hangs there.
   * @param {Blob} photo
   */
  async hang(photo) {
    const turn = ++this.#turn;
    this.#next = null;
    const bitmap = await createImageBitmap(photo).catch(() => null);
    if (bitmap && turn === this.#turn) {
      this.#shape(bitmap.width, bitmap.height);
      this.context.drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
      URL.revokeObjectURL(this.before.src);
      this.before.src = URL.createObjectURL(photo);
      this.easel.hidden = false;
    }
    bitmap?.close();
  }

  /** Take down what hangs there. */
  clear() {
    this.#turn++;
    this.#next = null;
    this.easel.hidden = true;
    URL.revokeObjectURL(this.before.src);
    this.before.removeAttribute("src");
  }

  get photographed() {
    return this.before.hasAttribute("src");
  }

  /**
   * @param {Shown} frame
   * @param {boolean} fade let the picture that is there give way slowly
   */
  show(frame, fade = false) {
    if (fade) this.#fade();
    this.#next = frame;
    if (!this.#drawing) this.#draw();
  }

  async #draw() {
    this.#drawing = true;
    while (this.#next) {
      const turn = this.#turn;
      const { image, width, height } = this.#next;
      this.#next = null;
      try {
        const [across, down] = this.#room(width, height);
        // Decoded and enlarged aside; what is left to do on the page takes no time.
        const bitmap = await createImageBitmap(image, { resizeWidth: across, resizeHeight: down, resizeQuality: "high" });
        if (!document.hidden) await new Promise(requestAnimationFrame);
        if (turn === this.#turn) {
          if (this.canvas.width !== across || this.canvas.height !== down) this.#shape(across, down);
          this.context.drawImage(bitmap, 0, 0);
          this.easel.hidden = false;
        }
        bitmap.close();
      } catch {
        // A picture that this browser cannot decode leaves the one before it.
      }
    }
    this.#drawing = false;
  }

  /**
   * How many pixels the canvas needs: those that it has, unless the frame is larger or of another shape.
   * @param {number} width
   * @param {number} height
   */
  #room(width, height) {
    const { canvas, easel } = this;
    const alike = Math.abs((width * canvas.height) / (height * canvas.width) - 1) < 0.05;
    return alike && !easel.hidden && width <= canvas.width ? [canvas.width, canvas.height] : [width, height];
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #shape(width, height) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.easel.style.setProperty("--ratio", String(width / height));
  }

  #fade() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || this.easel.hidden) return;
    const last = /** @type {HTMLCanvasElement} */ (this.canvas.cloneNode());
    last.removeAttribute("id");
    last.setAttribute("aria-hidden", "true");
    last.className = "last";
    last.getContext("2d")?.drawImage(this.canvas, 0, 0);
    this.canvas.after(last);
    last.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE, easing: "ease-in-out" }).onfinish = () => last.remove();
  }
}
