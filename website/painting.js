// The painting that the page shows: what its painter has told of it so far.

/**
 * @typedef {import("./wire/frames.js").Told} Told
 * @typedef {{ iteration: number, image: Blob, width: number, height: number }} Frame
 * @typedef {{ iteration: number, total: number | null, style: number | null, content: number | null }} Losses
 * @typedef {{ code: string, message: string, hint: string }} Refusal
 */

const KEPT = 150; // frames, for the timeline; there are never many more on the page
const PACE = 5; // seconds over which the pace is measured

/** What is known of one painting. `change` follows whatever was told; `frame` each picture; `refused` each error. */
export class Painting extends EventTarget {
  /** @type {"waiting" | "painting" | "paused" | "recovering" | "away" | "finished" | "failed"} */
  state = "waiting";
  /** Whether it was finished before, and only its picture is here. */
  kept = false;
  /** Whether the frames are the sketch's. */
  sketched = false;
  iteration = -1;
  of = 0;
  progress = 0;
  elapsed = 0;
  /** @type {number | null} */
  eta = null;
  /** @type {number | null} */
  begins = null;
  /** @type {number | null} */
  position = null;
  /** @type {number | null} when the studio is sought again, in milliseconds since 1970 */
  again = null;
  /** @type {string | null} why it is not there, if anybody said so */
  trouble = null;
  /** @type {Record<string, any> | null} what the studio does to be able to paint */
  loading = null;
  /** @type {Record<string, any> | null} what paints, and on what */
  device = null;
  /** @type {Record<string, any> | null} what the sketch's picture was painted with */
  recipe = null;
  /** @type {string | null} where the finished picture is, if anybody said so */
  picture = null;
  /** @type {string | null} and the film */
  timelapse = null;
  /** @type {Frame[]} in the order of their iterations */
  frames = [];
  /** @type {Losses[]} */
  losses = [];
  /** @type {Refusal | null} */
  refusal = null;
  /** @type {[number, number][]} moments and iterations of the last seconds */
  #pace = [];

  /**
   * @param {string} id
   * @param {string | null} key whoever has it may take part
   * @param {boolean} bare whether the sketch is its painter, since there is no studio
   */
  constructor(id, key, bare) {
    super();
    this.id = id;
    this.key = key;
    this.bare = bare;
  }

  get owned() {
    return this.key !== null;
  }

  /** Whether anything is still to come. */
  get over() {
    return this.state === "finished" || this.state === "failed";
  }

  /** Whether the frames are its painter's, not those of a sketch that stands in. */
  get genuine() {
    return this.sketched === this.bare;
  }

  /** Iterations per second, null while it is not known. */
  get pace() {
    const [first, last] = [this.#pace[0], this.#pace.at(-1)];
    return first && last && last[0] > first[0] ? (last[1] - first[1]) / (last[0] - first[0]) : null;
  }

  /** @type {Frame | undefined} */
  get newest() {
    return this.frames.at(-1);
  }

  /**
   * It was finished before; this is its picture.
   * @param {Blob} picture
   * @param {{ width: number, height: number }} size
   * @param {number} of how many iterations it has
   * @param {number} elapsed
   */
  found(picture, { width, height }, of, elapsed) {
    Object.assign(this, { kept: true, sketched: this.bare, of, iteration: of - 1, progress: 100, elapsed });
    this.frames = [{ iteration: this.iteration, image: picture, width, height }];
    this.#rest("finished");
    this.dispatchEvent(new Event("frame"));
    this.dispatchEvent(new Event("change"));
  }

  /**
   * A frame of the sketch that stands in until the studio has one: nothing else that it tells counts.
   * @param {Told} told
   */
  sketch({ state, data, image }) {
    if (state !== "end_iteration" || !image || (this.newest && !this.sketched)) return;
    this.sketched = true;
    this.#add({ ...data, eta: this.eta }, image);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * What its painter tells.
   * @param {Told} told
   */
  hear({ state, data, image }) {
    if (this.kept) {
      // Its picture is here, whether it is still there or not.
      if (!["queued", "paused", "recovering", "end_iteration", "end"].includes(state)) return;
      this.kept = false;
    }
    if (state !== "error") this.again = this.trouble = null;
    if (state === "end_iteration" && image) {
      if (!this.genuine) this.#clear();
      this.sketched = this.bare;
      this.position = this.begins = null;
      // A frame that was on its way when the painting was paused, or went back in time, does not resume it.
      if (this.state !== "paused") this.state = "painting";
      this.#add(data, image);
    }
    else if (state === "model_loading" || state === "model_loaded") {
      if (state === "model_loading") this.loading = data;
      else [this.loading, this.device] = [null, data];
      // Where a studio has still to come, it rests no more.
      if (this.state === "away" || data?.eta) this.state = "waiting";
    } else if (state === "queued") {
      Object.assign(this, { position: data.position, begins: data.begins, eta: data.eta });
      this.state = "waiting";
    } else if (state === "paused") this.#rest("paused");
    else if (state === "recovering") [this.state, this.begins] = ["recovering", data.begins ?? null];
    else if (state === "away") {
      [this.again, this.trouble] = [Date.now() + 1000 * data.again, data.message ?? null];
      this.#rest("away");
    } else if (state === "end") {
      Object.assign(this, { elapsed: data.elapsed, of: data.iterations, progress: 100, recipe: data.recipe ?? null });
      [this.picture, this.timelapse] = [data.picture ?? null, data.timelapse ?? null];
      this.#rest("finished");
    } else if (state === "error") {
      this.refusal = /** @type {Refusal} */ (data);
      if (data.final) this.#rest("failed");
      this.dispatchEvent(new Event("refused"));
    }
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Its owner goes back: what came after this iteration counts no more.
   * @param {number} iteration
   */
  rewound(iteration) {
    this.#back(iteration + 1);
    this.iteration = iteration;
    this.dispatchEvent(new Event("frame"));
    this.dispatchEvent(new Event("change"));
  }

  /** @param {"paused" | "away" | "finished" | "failed"} state */
  #rest(state) {
    this.state = state;
    this.#pace = [];
    this.begins = this.position = null;
    if (state !== "away") this.eta = null;
  }

  /**
   * @param {Record<string, any>} data
   * @param {Blob} image
   */
  #add(data, image) {
    const { iteration, of, progress, elapsed, eta, width, height, losses } = data;
    if (iteration <= this.iteration) this.#back(iteration);
    Object.assign(this, { iteration, of, progress, elapsed, eta });
    this.frames.push({ iteration, image, width, height });
    this.losses.push({ iteration, total: losses.total, style: losses.style, content: losses.content });
    if (this.frames.length > KEPT) this.#thin();
    this.#pace.push([elapsed, iteration]);
    while (this.#pace[0][0] < elapsed - PACE) this.#pace.shift();
    this.dispatchEvent(new Event("frame"));
  }

  /** Another painter begins anew. */
  #clear() {
    this.frames = [];
    this.losses = [];
    this.#pace = [];
    this.iteration = -1;
  }

  /** @param {number} iteration what came from here on is painted again */
  #back(iteration) {
    this.frames = this.frames.filter((frame) => frame.iteration < iteration);
    this.losses = this.losses.filter((losses) => losses.iteration < iteration);
    this.#pace = [];
  }

  /** Let go of the frame whose neighbours are nearest to each other. */
  #thin() {
    let [thinnest, least] = [1, Infinity];
    for (let place = 1; place < this.frames.length - 1; place++) {
      const gap = this.frames[place + 1].iteration - this.frames[place - 1].iteration;
      if (gap < least) [thinnest, least] = [place, gap];
    }
    this.frames.splice(thinnest, 1);
  }
}
