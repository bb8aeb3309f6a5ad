// A studio on this host: all of it is beside the page, at the addresses of docs/protocol.md.

import { asked, fetched, forgotten } from "./asking.js";

/** @typedef {import("../painting.js").Painting} Painting */

export class Here {
  /** The address of its socket. */
  async enter() {
    const url = new URL("styletransfer?frames=binary", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  }

  /** @param {Painting} painting */
  async picture({ id }) {
    return (await fetched(`paintings/${id}/picture`)).blob();
  }

  /** @param {Painting} painting */
  async film({ id }) {
    return (await fetched(`paintings/${id}/timelapse`)).blob();
  }

  /**
   * @param {string} id
   * @returns {Promise<number>} how much of it is painted, in %
   */
  async progress(id) {
    return (await asked(`paintings/${id}`)).progress;
  }

  /**
   * @param {string} id
   * @param {string | null} key
   */
  async forget(id, key) {
    await forgotten(`paintings/${id}`, key);
  }
}
