// Questions over HTTP. None is waited for without end, and each that fails says whether to ask it again.

const PATIENCE = 30_000; // milliseconds: the API waits no longer for the launcher, either
const LONG = 300_000; // for pictures and films, however slow the link

/** What keeps a painting from its studio. It passes, unless it is `final`; `again` is in how many seconds, if known. */
export class Hindrance extends Error {
  /**
   * @param {Record<string, any>} refusal why; empty if nobody said so
   * @param {{ final?: boolean, again?: number }} outlook
   */
  constructor(refusal, { final = false, again }) {
    super(refusal.message);
    this.refusal = refusal;
    this.final = final;
    this.again = again;
  }
}

/**
 * What is answered in JSON.
 * @param {string} address
 * @param {RequestInit} [how]
 * @returns {Promise<any>}
 */
export async function asked(address, { signal, ...how } = {}) {
  const answer = await fetch(address, { ...how, signal: limited(PATIENCE, signal) });
  const said = await answer.json();
  if (answer.ok) return said;
  // An API that has too much to do answers in the launcher's place, and has no `data`.
  const refusal = said.data ?? {};
  const again = Number(answer.headers.get("Retry-After")) || undefined;
  const passes = answer.status === 429 || answer.status >= 500;
  throw new Hindrance(refusal, { final: Boolean(refusal.code) && !passes && !again, again });
}

/**
 * A picture or a film.
 * @param {string} address
 * @param {AbortSignal} [signal]
 */
export async function fetched(address, signal) {
  const answer = await fetch(address, { signal: limited(LONG, signal) });
  if (!answer.ok) throw new Error(`${address} answers ${answer.status}`);
  return answer;
}

/**
 * Have a painting forgotten; one that is not there is.
 * @param {string} address
 * @param {string | null} key its owner's
 */
export async function forgotten(address, key) {
  const how = { method: "DELETE", headers: { Authorization: `Bearer ${key}` }, signal: limited(PATIENCE) };
  const { ok, status } = await fetch(address, how);
  if (!ok && status !== 404) throw new Error(`${address} answers ${status}`);
}

/**
 * @param {number} limit
 * @param {AbortSignal | null} [signal]
 */
function limited(limit, signal) {
  const late = AbortSignal.timeout(limit);
  return signal ? AbortSignal.any([signal, late]) : late;
}
