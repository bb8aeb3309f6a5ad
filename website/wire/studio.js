// A painting at a studio: the socket that shows it, opened again and again until it has been seen to its end.

import { Hindrance } from "./asking.js";
import { frame } from "./frames.js";

/** @typedef {import("./frames.js").Told} Told */

const PAUSES = [0.5, 1, 2, 4, 8, 15]; // seconds before the next try
const UNSEEN = 60; // and at least that many where nobody sees the page: it is asked again as soon as it is seen
const SILENCE = 60_000; // milliseconds after which a socket that should have something to say may be dead
const TOO_LARGE = {
  code: "message_large",
  message: "The photo and the artworks are larger than the studio takes.",
  hint: "Give smaller ones.",
};
const UNREADABLE = {
  code: "picture_unreadable",
  message: "The photo or an artwork cannot be read any more.",
  hint: "Begin a new painting, and give it again.",
};
const CLOSED = "The studio has closed.";
// Refusals that pass by themselves. A ticket's end does so, too: whoever comes again is given another.
const AGAIN = new Set(["sockets_many", "gallery_unavailable", "studio_leaving", "ticket_expired", "ticket_used"]);
// Refusals of a single action: the painting is as it was.
const MERE = new Set([
  "action_unknown", "change_invalid", "field_invalid", "iterations_many", "key_wrong", "message_invalid", "messages_many",
  "move_illegal", "painting_elsewhere", "recipe_invalid", "setting_invalid",
]);

/**
 * Why the socket's address is asked for: whether the painting was accepted, could be ordered, and what is to be done
 * with it. Where no studio is needed for that, there is something to tell in place of an address.
 * @typedef {{ accepted: boolean, ordered: boolean, actions: string[] }} Wish
 * @typedef {(wish: Wish, signal: AbortSignal) => Promise<string | Told[]>} Enter
 */

/**
 * A painter: it is told actions and tells states, in the words of docs/protocol.md. Beyond those it tells `away` while
 * the studio cannot be reached, with the seconds until the next try, and says of an `error` whether it is `final`.
 */
export class Studio extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  #asking = false; // for the socket's address
  /** @type {{ action: string, data: object | null }[]} */
  #unsent = [];
  #accepted = false;
  #requested = false; // on this socket
  #known = false; // on this socket it has been said how it stands with the painting
  #resting = true; // there is nothing to come: not begun, ended, or refused
  #leaving = new AbortController();
  #last = -1; // the newest iteration that was seen
  #tries = 0;
  #timer = 0;
  #silence = 0;
  #paused = false;
  #resumed = false; // on this socket, and nothing is heard of that yet
  #moved = false; // the studio has said that it closes
  /** @type {Record<string, any> | null} what was refused last */
  #refusal = null;

  /**
   * @param {string} painting the id
   * @param {string | null} key the owner's
   * @param {(() => Promise<object>) | null} order the data of request_image; null for what is not to be ordered
   * @param {boolean} asked whether it has been requested before
   * @param {Enter} enter
   */
  constructor(painting, key, order, asked, enter) {
    super();
    this.painting = painting;
    this.key = key;
    this.order = order;
    this.enter = enter;
    this.#accepted = asked || order === null;
    const { signal } = this.#leaving;
    document.addEventListener("visibilitychange", this.#seen, { signal });
    addEventListener("online", this.#seen, { signal });
    addEventListener("pageshow", this.#seen, { signal });
  }

  /** Ask for it, or come back to it. */
  begin() {
    this.#resting = false;
    this.#connect();
  }

  /**
   * What is done before the studio has said that it knows the painting waits for that.
   * @param {string} action
   * @param {object | null} data
   */
  act(action, data = null) {
    if (this.#known && this.#socket?.readyState === WebSocket.OPEN) {
      this.#say(this.#socket, action, data);
      return;
    }
    const before = this.#unsent.find((each) => each.action === action);
    if (before) before.data = { ...before.data, ...data };
    else this.#unsent.push({ action, data });
    // What is steered when there is nothing to paint waits for what is.
    if (action !== "steer" || !this.#resting) this.begin();
  }

  /** Look away; the painting goes on. */
  close() {
    this.#leaving.abort();
    this.#hangUp();
  }

  get #left() {
    return this.#leaving.signal.aborted;
  }

  // A page that nobody sees takes no frames; one that is seen again, or has its network again, does not wait.
  #seen = (/** @type {Event} */ { type }) => {
    if (document.hidden) {
      if (this.#accepted) this.#hangUp();
      return;
    }
    if (type === "online" && this.#accepted) this.#hangUp(); // it may be dead, and nobody told the browser
    if (this.#socket || this.#resting) return;
    this.#tries = 0;
    this.#connect();
  };

  #hangUp() {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  async #connect() {
    clearTimeout(this.#timer);
    if (this.#socket || this.#asking || this.#left) return;
    this.#asking = true;
    try {
      let actions, found;
      do {
        actions = this.#unsent.map(({ action }) => action);
        const wish = { accepted: this.#accepted, ordered: this.order !== null, actions };
        found = await this.enter(wish, this.#leaving.signal);
        if (this.#left) return;
        // What was to be done came meanwhile, perhaps, and needs a studio.
      } while (typeof found !== "string" && this.#unsent.length > actions.length);
      if (typeof found !== "string") this.#rest(found);
      else if (!(document.hidden && this.#accepted)) this.#open(new WebSocket(found));
    } catch (error) {
      if (this.#left) return;
      const hindrance = error instanceof Hindrance ? error : null;
      if (hindrance?.final) this.#refuse(hindrance.refusal);
      else this.#retry(hindrance?.refusal.message, hindrance?.again);
    } finally {
      this.#asking = false;
    }
  }

  /** @param {WebSocket} socket */
  #open(socket) {
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#known = this.#requested = this.#moved = this.#resumed = false;
    this.#listen();
    socket.onopen = () => this.#introduce(socket);
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#hear(typeof data === "string" ? JSON.parse(data) : frame(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#silence);
      this.#socket = null;
      if (this.#resting) return;
      if (code === 1009) this.#refuse(TOO_LARGE);
      else if (code === 1008 && this.#refusal?.code === reason) this.#refuse(this.#refusal);
      else if (!document.hidden || !this.#accepted) this.#retry(this.#moved ? CLOSED : undefined);
    };
  }

  /** A link may break without a word to the browser: where there is something to come, silence does not last. */
  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (!this.#accepted || this.#resting || this.#paused) return;
      this.#hangUp();
      this.#connect();
    }, SILENCE);
  }

  /** @param {WebSocket} socket */
  async #introduce(socket) {
    if (this.#accepted) {
      this.#say(socket, "watch", this.#sought());
      return;
    }
    this.#requested = true;
    try {
      this.#say(socket, "request_image", await this.#ordered());
    } catch {
      if (socket === this.#socket) this.#refuse(UNREADABLE);
    }
  }

  /**
   * @param {WebSocket} socket
   * @param {string} action
   * @param {object | null} data
   */
  #say(socket, action, data) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ action, data }));
  }

  #sought() {
    const { painting, key } = this;
    return { painting, from: this.#last + 1, format: "jpeg", ...(key && { key }) };
  }

  async #ordered() {
    const order = this.order ? await this.order() : {};
    return { ...order, painting: this.painting, key: this.key, format: "jpeg" };
  }

  /**
   * @param {string} [message] why, if anybody said so
   * @param {number} [wait] seconds, if it was said how long
   */
  #retry(message, wait) {
    const usual = PAUSES[Math.min(this.#tries, PAUSES.length - 1)] * (0.8 + 0.4 * Math.random());
    const pause = Math.max(wait ?? usual, document.hidden && this.#accepted ? UNSEEN : 0);
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#connect(), pause * 1000);
    this.#tell({ state: "away", data: { again: pause, message } });
  }

  /** @param {Told} told */
  #hear(told) {
    const { state, data } = told;
    this.#listen();
    if (state === "error") {
      this.#heed(data);
      return;
    }
    this.#moved = state === "moved";
    if (!["model_loading", "model_loaded", "moved"].includes(state)) {
      this.#tries = 0;
      this.#accepted = true;
      this.#resting = state === "end";
      if (state === "end_iteration") this.#last = data.iteration;
      else if (state !== "start_iteration") [this.#paused, this.#resumed] = [state === "paused", false];
      this.#acquainted();
    }
    this.#tell(told);
  }

  /**
   * It is at rest, and no studio is needed to tell so.
   * @param {Told[]} said
   */
  #rest(said) {
    this.#tries = 0;
    this.#resting = true;
    this.#unsent = this.#unsent.filter(({ action }) => action === "steer");
    for (const each of said) {
      if (each.state === "error") this.#refuse(each.data);
      else this.#tell(each);
    }
  }

  /** The studio knows the painting: what was to be done with it is done now. */
  #acquainted() {
    const [socket, unsent] = [/** @type {WebSocket} */ (this.#socket), this.#unsent.splice(0)];
    this.#known = true;
    this.#resumed ||= unsent.some(({ action }) => action === "resume");
    for (const { action, data } of unsent) this.#say(socket, action, data);
    // Whoever has requested it is sent away at its end, and may not be heard any more: what is next needs a new socket.
    if (document.hidden || (this.#resting && this.#requested)) this.#hangUp();
  }

  /** @param {Record<string, any>} refusal */
  #heed(refusal) {
    const { code, message } = refusal;
    if (code === "painting_unknown" && this.order && this.#socket) {
      // The studio has lost it, or never had it; the photo is still here.
      this.#accepted = false;
      this.#last = -1;
      this.#unsent = this.#unsent.filter(({ action }) => action !== "resume");
      this.#introduce(this.#socket);
    } else if (AGAIN.has(code) && !this.#known) {
      this.#hangUp();
      this.#retry(message);
    } else if (this.#accepted && this.#unsent.length) {
      this.#acquainted(); // it has failed, and is to go on
      this.#resumed = false;
    } else if (this.#resumed && (code === "move_illegal" || !(MERE.has(code) || AGAIN.has(code)))) {
      this.#resumed = false; // it goes on anyway, or that is what it had failed of
    } else if (this.#known && (MERE.has(code) || AGAIN.has(code))) {
      this.#refusal = refusal;
      this.#tell({ state: "error", data: refusal });
    } else {
      this.#refuse(refusal);
    }
  }

  /** @param {Record<string, any>} refusal */
  #refuse(refusal) {
    this.#resting = true;
    this.#unsent = [];
    if (!this.#accepted) this.#hangUp();
    this.#tell({ state: "error", data: { ...refusal, final: true } });
  }

  /** @param {Told} told */
  #tell(told) {
    this.dispatchEvent(new CustomEvent("told", { detail: told }));
  }
}
