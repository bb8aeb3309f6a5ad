// How a painting is, asked without taking a frame: for a page in a background tab.

const EVERY = 10_000; // milliseconds

/**
 * While nobody sees the page, ask now and then how far its painting is.
 * @param {() => string | null} painting the id of the one to ask for
 * @param {(progress: number) => void} tell
 */
export function glance(painting, tell) {
  setInterval(async () => {
    const id = painting();
    if (!document.hidden || !id) return;
    try {
      const answer = await fetch(`paintings/${id}`);
      if (answer.ok) tell((await answer.json()).progress);
    } catch {
      // The studio is away; the page says so as soon as it is seen.
    }
  }, EVERY);
}
