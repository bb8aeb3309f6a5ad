// Says on the page how the server is.

/**
 * What the server says of itself at `/healthz`.
 * @typedef {{ status: string, uptime: number }} Health
 */

/**
 * @param {Health} health
 * @returns {string}
 */
function sentence({ status, uptime }) {
  const since = new Date(Date.now() - uptime * 1000).toLocaleTimeString([], { timeStyle: "short" });
  return status === "ok" ? `The server is well, and has been up since ${since}.` : `The server says: ${status}.`;
}

/** @returns {Promise<string>} */
async function askHealth() {
  try {
    const answer = await fetch("healthz");
    if (!answer.ok) return `The server answered with an error (${answer.status}).`;
    return sentence(await answer.json());
  } catch {
    return "The server does not answer.";
  }
}

const line = document.querySelector("#health");
if (line) line.textContent = await askHealth();
