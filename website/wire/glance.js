// How far a painting is, asked without taking a frame: for a page in a background tab.

const EVERY = 10_000; // milliseconds

/**
 * While nobody sees the page, ask now and then how far its painting is.
 * @param {() => string | null} painting the id of the one to ask for
 * @param {(id: string) => Promise<number>} ask
 * @param {(progress: number) => void} tell
 */
export function glance(painting, ask, tell) {
  setInterval(async () => {
    const id = painting();
    if (!document.hidden || !id) return;
    try {
      tell(await ask(id));
    } catch {
      // The studio is away; the page says so as soon as it is seen.
    }
  }, EVERY);
}
