// A painting at a studio: the socket that shows it, opened again and again until it has been seen to its end.

import { frame } from "./frames.js";

/** @typedef {import("./frames.js").Told} Told */

const PAUSES = [0.5, 1, 2, 4, 8, 15]; // seconds before the next try
const TOO_LARGE = {
  code: "message_large",
  message: "The photo and the artworks are larger than the studio takes.",
  hint: "Give smaller ones.",
};
const AGAIN = new Set(["sockets_many", "gallery_unavailable", "studio_leaving"]); // refusals that pass by themselves

/**
 * A painter: it is told actions and tells states, in the words of docs/protocol.md. Beyond those it tells `away` while
 * the studio cannot be reached, with the seconds until the next try, and says of an `error` whether it is `final`.
 */
export class Studio extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {{ action: string, data: object | null }[]} */
  #unsent = [];
  #accepted = false;
  #resting = true; // there is nothing to come: not begun, ended, or refused
  #left = false;
  #last = -1; // the newest iteration that was seen
  #tries = 0;
  #timer = 0;

  /**
   * @param {string} painting the id
   * @param {string | null} key the owner's
   * @param {(() => Promise<object>) | null} order the data of request_image; null for what somebody else has ordered
   * @param {boolean} asked whether it has been requested before
   * @param {() => Promise<string>} address of the socket
   */
  constructor(painting, key, order, asked, address) {
    super();
    this.painting = painting;
    this.key = key;
    this.order = order;
    this.address = address;
    this.#accepted = asked || order === null;
    document.addEventListener("visibilitychange", this.#seen);
    addEventListener("online", this.#seen);
    addEventListener("pageshow", this.#seen);
  }

  /** Ask for it, or come back to it. */
  begin() {
    this.#resting = false;
    this.#connect();
  }

  /**
   * @param {string} action
   * @param {object | null} data
   */
  act(action, data = null) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ action, data }));
      return;
    }
    this.#unsent.push({ action, data });
    this.begin();
  }

  /** Look away; the painting goes on. */
  close() {
    this.#left = true;
    this.#hangUp();
    document.removeEventListener("visibilitychange", this.#seen);
    removeEventListener("online", this.#seen);
    removeEventListener("pageshow", this.#seen);
  }

  // A page that nobody sees takes no frames; one that is seen again, or has its network again, does not wait.
  #seen = () => {
    if (document.hidden) {
      if (this.#accepted) this.#hangUp();
    } else if (!this.#socket && !this.#resting) {
      this.#tries = 0;
      this.#connect();
    }
  };

  #hangUp() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  async #connect() {
    clearTimeout(this.#timer);
    if (this.#socket || this.#left) return;
    let address;
    try {
      address = await this.address();
    } catch (error) {
      const { told, again } = /** @type {{ told?: Told, again?: number }} */ (error);
      if (told && !again) this.#refuse(told.data);
      else this.#retry(again);
      return;
    }
    if (this.#socket || this.#left) return;
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => this.#introduce(socket);
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#hear(typeof data === "string" ? JSON.parse(data) : frame(data));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (this.#resting || this.#left) return;
      if (code === 1009) this.#refuse(TOO_LARGE);
      else if (!document.hidden || !this.#accepted) this.#retry();
    };
  }

  /** @param {WebSocket} socket */
  async #introduce(socket) {
    if (this.#accepted) this.#say(socket, "watch", this.#sought());
    else this.#say(socket, "request_image", await this.#ordered());
    for (const { action, data } of this.#unsent.splice(0)) this.#say(socket, action, data);
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

  /** @param {number} [wait] seconds, if it was said how long */
  #retry(wait) {
    const pause = wait ?? PAUSES[Math.min(this.#tries, PAUSES.length - 1)] * (0.8 + 0.4 * Math.random());
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#connect(), pause * 1000);
    this.#tell({ state: "away", data: { again: pause, tries: this.#tries } });
  }

  /** @param {Told} told */
  #hear(told) {
    const { state, data } = told;
    if (state === "model_loading" || state === "model_loaded") {
      this.#tell(told);
      return;
    }
    if (state === "painting") this.#accepted = true;
    if (state === "end_iteration") this.#last = data.iteration;
    if (state === "end") this.#resting = true;
    else if (state !== "error") {
      this.#tries = 0;
      this.#resting = false;
    } else if (data.code === "painting_unknown" && this.order && this.#socket) {
      this.#forgotten(this.#socket);
      return;
    } else if (AGAIN.has(data.code)) {
      this.#hangUp();
      this.#retry();
      return;
    } else if (!this.#accepted || data.code.startsWith("painting_") || data.code.startsWith("ticket_")) {
      this.#refuse(data);
      return;
    }
    this.#tell(told);
  }

  /**
   * The studio has lost it, or never had it; the photo is still here.
   * @param {WebSocket} socket
   */
  async #forgotten(socket) {
    this.#accepted = false;
    this.#last = -1;
    this.#say(socket, "request_image", await this.#ordered());
  }

  /** @param {Record<string, any>} refusal */
  #refuse(refusal) {
    this.#resting = true;
    this.#tell({ state: "error", data: { ...refusal, final: true } });
  }

  /** @param {Told} told */
  #tell(told) {
    this.dispatchEvent(new CustomEvent("told", { detail: told }));
  }
}
