// How far a painting is, asked without taking a frame: for a page in a background tab.

const SOON = 10_000; // milliseconds; each time it is waited twice as long,
const MOST = 60_000; // up to this

/**
 * While nobody sees the page, ask now and then how far its painting is, until it is painted.
 * @param {() => string | null} painting the id of the one to ask for
 * @param {(id: string) => Promise<number>} ask
 * @param {(progress: number) => void} tell
 */
export function glance(painting, ask, tell) {
  let timer = 0;

  const wait = (/** @type {number} */ pause) => {
    const mine = (timer = setTimeout(async () => {
      const id = painting();
      const progress = id ? await ask(id).catch(() => 0) : 0; // if it is away, the page says so as soon as it is seen
      if (timer !== mine) return;
      if (progress) tell(progress);
      if (progress < 100) wait(Math.min(2 * pause, MOST));
    }, pause));
  };

  const begin = () => {
    clearTimeout(timer);
    timer = 0;
    if (document.hidden) wait(SOON);
  };
  document.addEventListener("visibilitychange", begin);
  begin();
}
