// The launcher: finds a studio or starts one, and knows what was painted without one.

import { Hindrance, asked, fetched, forgotten } from "./asking.js";

const EVERY = 2000; // milliseconds between two questions
const LATER = 10; // seconds after which one who only looks asks again
const BOOTS = 2; // studios in a row that may end while they are waited for, until another is launched by hand alone
const BROKEN = {
  message: "The studios end before they are ready.",
  hint: "Try again in some minutes; if it stays so, tell whoever runs this site.",
};

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
      if (rests && (state === "finished" || !studio)) return told(known, painting, signal);
      if (studio && (state || ordered)) {
        const entered = await this.#entered(studio, id, tell, signal);
        if (entered) return entered;
      } else if (studio) {
        const awaited = await this.#studio(studio, id, signal); // its owner is on the way there
        if (awaited) tell(awaited);
        await pause();
        continue;
      }
      if (painting.owned) break;
      throw new Hindrance({ message: "No studio is painting it just now." }, { again: LATER });
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
   * How far a studio is; null if it has ended.
   * @param {string} studio
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<Launched | null>}
   */
  async #studio(studio, id, signal) {
    try {
      return await asked(`${this.address}/studios/${studio}?painting=${id}`, { signal });
    } catch (error) {
      if (GONE.has(codeOf(error))) return null;
      throw error;
    }
  }

  /**
   * Have a studio found or started, and another if it ends before it is ready. The painting's id is the key of the
   * request: asked twice, nothing is started twice.
   * @param {string} id
   * @param {(studio: Launched) => void} tell
   * @param {AbortSignal} signal
   */
  async #launched(id, tell, signal) {
    const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key: id, painting: id }) };
    for (let boots = 0; boots < BOOTS; boots += 1) {
      /** @type {Launched} */
      const studio = await asked(`${this.address}/launch`, { ...how, signal });
      tell(studio);
      if (studio.state === "ready") return socket(studio);
      await pause();
      const entered = await this.#entered(studio.id, id, tell, signal);
      if (entered) return entered;
    }
    throw new Hindrance(BROKEN, { final: true });
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
      const studio = await this.#studio(id, painting, signal);
      if (!studio) return null;
      tell(studio);
      if (studio.state === "ready") return socket(studio);
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
    const studio = await this.#studio(known.studio, known.painting);
    if (studio?.state !== "ready") throw new Error("The studio is not ready.");
    return `${new URL(path, new URL(studio.url, document.baseURI))}?ticket=${studio.ticket}`;
  }
}

/**
 * What a studio would tell of a painting that is at rest.
 * @param {Known} known
 * @param {Painting} painting
 * @param {AbortSignal} signal
 * @returns {Promise<Told[]>}
 */
async function told({ state, picture, error, ...known }, painting, signal) {
  if (state === "failed") return [{ state: "error", data: error }];
  if (state !== "finished" || !picture) return [{ state: "paused", data: known }];
  const { of, elapsed } = known;
  const end = { state: "end", data: { ...known, picture, iterations: of } };
  // What is kept here may be from before more was painted, or something else.
  if (painting.kept && painting.of === of && painting.elapsed === elapsed) return [end];
  const data = { ...known, iteration: of - 1, progress: 100, elapsed, eta: null, format: "png" };
  return [{ state: "end_iteration", data, image: await typed(picture, "image/png", signal) }, end];
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
 * @param {AbortSignal} [signal]
 */
async function typed(address, type, signal) {
  return new Blob([await (await fetched(address, signal)).arrayBuffer()], { type });
}

const pause = () => new Promise((resolve) => setTimeout(resolve, EVERY));

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Hindrance ? error.refusal.code : undefined);
