// The launcher: finds a studio or starts one, and knows what was painted without one.

import { fetched, forgotten } from "./here.js";

const EVERY = 2000; // milliseconds between two questions
const LATER = 10; // seconds after which one who only looks asks again

// Not there any more: another will be found.
const GONE = new Set(["studio_ended", "studio_unknown"]);
// What is at rest needs no studio, until its owner does one of these.
const AWAKENING = /** @type {Record<string, string[]>} */ ({
  finished: ["more", "rewind"],
  paused: ["resume", "finish", "more", "rewind"],
  failed: ["resume", "rewind"],
});

/**
 * What the launcher says of a studio: where its socket is once it is ready, with a ticket, and else how long it takes;
 * and of a painting, in which state it is (null: not begun), who has it, and where its picture is once it is finished.
 * @typedef {import("../painting.js").Painting} Painting
 * @typedef {import("./frames.js").Told} Told
 * @typedef {import("./studio.js").Wish} Wish
 * @typedef {{ id: string, state: string, eta: number | null, url: string, ticket: string }} Launched
 * @typedef {Record<string, any> & { state: string | null, studio: string | null, picture?: string }} Known
 */

export class Launcher {
  /** @param {string} address */
  constructor(address) {
    this.address = address;
  }

  /**
   * The address of a socket that lets this painting in, or what there is to tell of it without a studio. It may take
   * minutes: `painting` hears how far the studio is. Rejected with what the launcher says if it refuses.
   * @param {Painting} painting
   * @param {Wish} wish
   * @param {AbortSignal} signal that nobody waits for it any more
   * @returns {Promise<string | Told[]>}
   */
  async enter(painting, { accepted, ordered, actions }, signal) {
    const { id } = painting;
    const tell = (/** @type {Launched} */ { state: phase, eta }) => painting.hear({ state: "model_loading", data: { phase, eta } });
    while (accepted) {
      const known = await this.#known(id, signal).catch((error) => {
        if (!ordered || codeOf(error) !== "painting_unknown") throw error;
      });
      if (!known) break; // it has to be begun, or was lost: whoever has ordered it does so again
      const { state, studio } = known;
      const awakening = state && AWAKENING[state];
      const rests = awakening && !actions.some((action) => awakening.includes(action));
      if (rests && (state === "finished" || !studio)) return told(known, painting);
      if (studio && (state || ordered)) {
        const entered = await this.#entered(studio, id, tell, signal);
        if (entered) return entered;
      } else if (studio) {
        tell(await this.#studio(studio, id, signal)); // its owner is on the way there
        await pause();
        continue;
      }
      if (painting.owned) break;
      throw Object.assign(new Error(), { told: { data: { message: "No studio is painting it just now." } }, again: LATER });
    }
    return this.#launched(id, tell, signal);
  }

  /**
   * The finished picture.
   * @param {Painting} painting
   */
  async picture({ id, picture }) {
    const address = picture ?? (await this.#known(id)).picture;
    if (!address) throw new Error("It is not finished.");
    return typed(address, "image/png");
  }

  /**
   * The film, from the gallery or from a studio that is there anyway.
   * @param {Painting} painting
   */
  async film({ id, timelapse }) {
    const known = timelapse ? null : await this.#known(id);
    const address = timelapse ?? known?.timelapse ?? (await this.#within(known, `paintings/${id}/timelapse`));
    return typed(address, "video/mp4");
  }

  /**
   * @param {string} id
   * @returns {Promise<number>} how much of it is painted, in %
   */
  async progress(id) {
    return (await this.#known(id)).progress ?? 0;
  }

  /**
   * Have a painting forgotten where it is: in the studio that has it, else in the gallery.
   * @param {string} id
   * @param {string | null} key
   */
  async forget(id, key) {
    try {
      await forgotten(await this.#within(await this.#known(id), `paintings/${id}`), key);
    } catch {
      await forgotten(`${this.address}/paintings/${id}`, key);
    }
  }

  /**
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<Known>}
   */
  #known(id, signal) {
    return asked(`${this.address}/paintings/${id}`, { signal });
  }

  /**
   * @param {string} studio
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<Launched>}
   */
  #studio(studio, id, signal) {
    return asked(`${this.address}/studios/${studio}?painting=${id}`, { signal });
  }

  /**
   * Have a studio found or started. The painting's id is the key of the request: asked twice, nothing is started twice.
   * @param {string} id
   * @param {(studio: Launched) => void} tell
   * @param {AbortSignal} signal
   */
  async #launched(id, tell, signal) {
    const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key: id, painting: id }) };
    for (;;) {
      /** @type {Launched} */
      const studio = await asked(`${this.address}/launch`, { ...how, signal });
      tell(studio);
      if (studio.state === "ready") return socket(studio);
      await pause();
      const entered = await this.#entered(studio.id, id, tell, signal);
      if (entered) return entered;
    }
  }

  /**
   * Wait for a studio.
   * @param {string} id
   * @param {string} painting
   * @param {(studio: Launched) => void} tell
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>} the address of its socket; null if it ends before
   */
  async #entered(id, painting, tell, signal) {
    for (;;) {
      try {
        const studio = await this.#studio(id, painting, signal);
        tell(studio);
        if (studio.state === "ready") return socket(studio);
      } catch (error) {
        if (GONE.has(codeOf(error))) return null;
        throw error;
      }
      await pause();
    }
  }

  /**
   * An address within the studio that has a painting.
   * @param {Known | null} known
   * @param {string} path
   */
  async #within(known, path) {
    if (!known?.studio) throw new Error("No studio has it.");
    const { state, url, ticket } = await this.#studio(known.studio, known.painting);
    if (state !== "ready") throw new Error("The studio is not ready.");
    return `${new URL(path, new URL(url, document.baseURI))}?ticket=${ticket}`;
  }
}

/**
 * What a studio would tell of a painting that is at rest.
 * @param {Known} known
 * @param {Painting} painting
 * @returns {Promise<Told[]>}
 */
async function told({ state, picture, error, ...known }, { kept }) {
  if (state === "failed") return [{ state: "error", data: error }];
  if (state !== "finished" || !picture) return [{ state: "paused", data: known }];
  const { of, elapsed } = known;
  const end = { state: "end", data: { ...known, picture, iterations: of } };
  if (kept) return [end];
  const data = { ...known, iteration: of - 1, progress: 100, elapsed, eta: null, format: "png" };
  return [{ state: "end_iteration", data, image: await typed(picture, "image/png") }, end];
}

/** @param {Launched} studio */
function socket({ url, ticket }) {
  const address = new URL(url, document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  address.searchParams.set("frames", "binary");
  address.searchParams.set("ticket", ticket);
  return address.href;
}

/**
 * What is at an address; the gallery does not say of what kind it is.
 * @param {string} address
 * @param {string} type
 */
async function typed(address, type) {
  return new Blob([await (await fetched(address)).arrayBuffer()], { type });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, EVERY));

/**
 * @param {string} address
 * @param {RequestInit} how
 */
async function asked(address, how) {
  const answer = await fetch(address, how);
  const said = await answer.json();
  if (!answer.ok) {
    throw Object.assign(new Error(said.data.message), { told: said, again: Number(answer.headers.get("Retry-After")) });
  }
  return said;
}

/** @param {any} error */
const codeOf = (error) => error.told?.data.code;
