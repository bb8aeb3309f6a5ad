// The sketch: a painter that lives in a worker of this page, and speaks the words of docs/protocol.md.

/**
 * What a painter tells.
 * @typedef {{ state: string, data: any, image?: Blob }} Told
 */

/** Tells by `told` events, whose detail is a `Told`. Made early, it is warm when it is needed. */
export class Sketch extends EventTarget {
  /** @type {Worker | undefined} */
  #worker;
  #turn = 0; // counts requests, so that nothing of an earlier one is taken for the newest

  constructor() {
    super();
    this.#worker = this.#start();
  }

  /**
   * `request_image` {photo, artworks, and settings} paints anew, instead of what was being painted. Photo and artworks
   * are each an ImageBitmap or ImageData. All others (`steer`, `pause`, `resume`, `finish`, `more`, `rewind`) are about
   * that painting.
   * @param {string} action
   * @param {any} [data]
   */
  act(action, data = null) {
    if (action === "request_image") {
      this.#turn++;
      this.#worker ??= this.#start();
    }
    try {
      this.#worker?.postMessage({ turn: this.#turn, action, data });
    } catch (error) {
      const problem = `The browser cannot hand this on: ${error instanceof Error ? error.message : error}`;
      const data = { code: "picture_unreadable", message: problem, hint: "Choose the pictures again." };
      queueMicrotask(() => this.#tell({ state: "error", data }));
    }
  }

  /** Ends the painting and the worker. */
  close() {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start() {
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data: { turn, ...told } }) => {
      // A page that is not looked at draws no frames, and then gets none.
      if (told.image) requestAnimationFrame(() => worker.postMessage({ taken: true }));
      if (turn === this.#turn) this.#tell(told);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#broken(event.message);
    });
    worker.addEventListener("messageerror", () => this.#broken("a message was lost"));
    return worker;
  }

  /** @param {string} [reason] */
  #broken(reason) {
    this.close();
    if (!this.#turn) return; // the next request tries again
    const problem = `The sketch has stopped: ${reason || "its program could not be loaded"}.`;
    const hint = "Paint again; if it stops again, reload the page.";
    this.#tell({ state: "error", data: { code: "sketch_broken", message: problem, hint } });
  }

  /** @param {Told} told */
  #tell(told) {
    this.dispatchEvent(new CustomEvent("told", { detail: told }));
  }
}
