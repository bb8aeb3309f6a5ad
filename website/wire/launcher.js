// The launcher: finds a studio or starts one, and says how far it is.

const EVERY = 2000; // milliseconds between two questions

/**
 * What the launcher says of a studio: where its socket is once it is ready, with a ticket, and else how long it takes.
 * @typedef {{ id: string, state: string, eta: number | null, url: string, ticket: string }} Launched
 */

/**
 * The address of a socket that lets this painting in. It may take minutes; `tell` hears how far it is.
 * @param {string} launcher its address
 * @param {string} painting the id, which is also the key of the request: asked twice, nothing is launched twice
 * @param {(phase: string, eta: number | null) => void} tell
 * @param {AbortSignal} signal that nobody waits for it any more
 * @returns {Promise<string>} rejected with what the launcher says if it refuses
 */
export async function launch(launcher, painting, tell, signal) {
  /** @type {Launched} */
  let studio = await asked(`${launcher}/launch`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key: painting, painting }),
    signal,
  });
  while (studio.state !== "ready") {
    tell(studio.state, studio.eta);
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    studio = await asked(`${launcher}/studios/${studio.id}?painting=${painting}`, { signal });
  }
  const url = new URL(studio.url, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("frames", "binary");
  url.searchParams.set("ticket", studio.ticket);
  return url.href;
}

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
