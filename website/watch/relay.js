// The baton goes from the sketch to the studio: slowly, and not before the studio has as much to show.

/**
 * @typedef {import("../painting.js").Painting} Painting
 * @typedef {import("./stage.js").Stage} Stage
 */

const PATIENCE = 2500; // milliseconds after which a studio's frame is shown even if it is coarser than the sketch

export class Relay {
  #sketched = 0; // how wide the sketch is that is to be replaced
  #since = 0;

  /** @param {Painting} painting */
  constructor(painting) {
    this.painting = painting;
  }

  /** @param {Stage} stage */
  show(stage) {
    const { newest, genuine } = this.painting;
    if (!newest) return;
    if (!genuine) {
      this.#sketched = newest.width;
      stage.show(newest);
      return;
    }
    this.#since ||= performance.now();
    const ready = newest.width >= this.#sketched || performance.now() - this.#since > PATIENCE;
    if (!ready) return;
    stage.show(newest, this.#sketched > 0);
    this.#sketched = 0;
  }
}
