// A photo by the camera. It is asked for when the visitor wants it, and let go as soon as the dialog closes.

import { element, fill } from "../html.js";
import { Refused } from "./refused.js";
import { encoded } from "./scaled.js";

const INSTEAD = "or choose a photo instead.";

/** Why there is no camera, by the name of the browser's error. */
const REASONS = /** @type {Record<string, [string, string]>} */ ({
  NotAllowedError: ["The camera is not allowed on this page.", `Allow it in the browser's address bar, ${INSTEAD}`],
  NotFoundError: ["No camera was found.", `Connect one, ${INSTEAD}`],
  OverconstrainedError: ["The camera is not there any more.", `Connect it again, ${INSTEAD}`],
  NotReadableError: ["The camera is in use elsewhere, or switched off.", `Close what uses it, ${INSTEAD}`],
});

export class Camera {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {string[]} ids of the cameras there are */
  #cameras = [];
  /** @type {((photo: Blob | null) => void) | null} */
  #answer = null;
  #turn = 0;

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    this.video = element("video", { autoplay: true, playsinline: true, "aria-label": "What the camera sees" });
    this.video.muted = true;
    this.video.addEventListener("loadeddata", () => (this.take.disabled = false));
    this.take = element("button", { type: "button", class: "main", onclick: () => this.#take() }, "Take the photo");
    this.turn = element("button", { type: "button", onclick: () => this.#switch() }, "Other camera");
    const cancel = element("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
    fill(
      dialog,
      element("h2", { id: "camera-title" }, "Camera"),
      this.video,
      element("div", { class: "choices" }, this.take, this.turn, cancel),
    );
    dialog.addEventListener("close", () => this.#finish(null));
    addEventListener("pagehide", () => dialog.close());
  }

  /** Whether the page may use it at all: browsers allow it on secure pages only. */
  get possible() {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  /**
   * A photo that the visitor takes; null if none was taken.
   * @returns {Promise<Blob | null>}
   */
  async photo() {
    this.take.disabled = true;
    this.turn.hidden = true;
    /** @type {Promise<Blob | null>} */
    const taken = new Promise((resolve) => (this.#answer = resolve));
    this.dialog.showModal();
    try {
      await this.#open({ facingMode: "environment" });
    } catch (error) {
      this.dialog.close();
      throw refusal(error);
    }
    return taken;
  }

  /** @param {MediaTrackConstraints} which */
  async #open(which) {
    const turn = ++this.#turn;
    this.#stop();
    const large = { width: { ideal: 1920 }, height: { ideal: 1440 } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...large, ...which } });
    if (turn !== this.#turn || !this.dialog.open) {
      stop(stream); // the visitor has gone on while the browser asked
      return;
    }
    this.#stream = stream;
    this.video.srcObject = stream;
    // A face expects a mirror; what lies before a phone does not.
    this.video.classList.toggle("mirrored", stream.getVideoTracks()[0].getSettings().facingMode !== "environment");
    const devices = await navigator.mediaDevices.enumerateDevices();
    this.#cameras = devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
    this.turn.hidden = this.#cameras.length < 2;
  }

  async #switch() {
    const current = this.#stream?.getVideoTracks()[0].getSettings().deviceId ?? "";
    const next = this.#cameras[(this.#cameras.indexOf(current) + 1) % this.#cameras.length];
    this.take.disabled = true;
    try {
      await this.#open({ deviceId: { exact: next } });
    } catch {
      await this.#open({}).catch(() => this.dialog.close()); // back to any that works
    }
  }

  async #take() {
    const { videoWidth: width, videoHeight: height } = this.video;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d")?.drawImage(this.video, 0, 0);
    const photo = await encoded(canvas, "image/jpeg");
    this.#finish(photo);
    this.dialog.close();
  }

  /** @param {Blob | null} photo */
  #finish(photo) {
    this.#turn++;
    this.#stop();
    this.#answer?.(photo);
    this.#answer = null;
  }

  #stop() {
    if (this.#stream) stop(this.#stream);
    this.#stream = this.video.srcObject = null;
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {unknown} error */
function refusal(error) {
  const name = error instanceof DOMException ? error.name : "";
  const [message, hint] = REASONS[name] ?? ["The camera cannot be used.", "Choose a photo instead."];
  return new Refused(message, hint);
}
