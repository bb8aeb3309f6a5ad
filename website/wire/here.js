// A studio on this host: all of it is beside the page, at the addresses of docs/protocol.md.

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
    return (await (await fetched(`paintings/${id}`)).json()).progress;
  }

  /**
   * @param {string} id
   * @param {string | null} key
   */
  async forget(id, key) {
    await forgotten(`paintings/${id}`, key);
  }
}

/**
 * @param {string} address
 * @param {RequestInit} [how]
 */
export async function fetched(address, how) {
  const answer = await fetch(address, how);
  if (!answer.ok) throw new Error(`${address} answers ${answer.status}`);
  return answer;
}

/**
 * Have a painting forgotten; one that is not there is.
 * @param {string} address
 * @param {string | null} key its owner's
 */
export async function forgotten(address, key) {
  const { ok, status } = await fetch(address, { method: "DELETE", headers: { Authorization: `Bearer ${key}` } });
  if (!ok && status !== 404) throw new Error(`${address} answers ${status}`);
}
