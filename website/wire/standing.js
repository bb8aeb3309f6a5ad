// What stands behind the page: a studio on the same host, a launcher that finds one, or nothing.

/**
 * `days` is for how long a painting is kept there.
 * @typedef {{ studio?: boolean, launcher?: string, days?: number }} Standing
 */

/**
 * What config.json says. A page that cannot read it has nothing behind it, and sketches.
 * @returns {Promise<Standing>}
 */
export async function standing() {
  try {
    const answer = await fetch("config.json");
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}
