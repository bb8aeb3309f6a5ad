// The timelapse of a painting that no studio has: its frames, drawn one after the other and recorded by the browser.

const TYPES = ["mp4;codecs=avc1", "mp4;codecs=avc1.42E01E", "webm;codecs=vp9", "webm;codecs=vp8"]; // of video
const LENGTH = 8; // seconds, unless that makes the frames too fast or too slow
const SLOWEST = 5; // frames per second
const FASTEST = 25;
const HOLD = 1.5; // seconds for the last frame
const MOST = 1920; // pixels

/**
 * A video of these frames. It takes as long to make as to watch.
 * @param {Blob[]} frames
 * @param {{ onprogress?: (share: number) => void, signal?: AbortSignal }} [how]
 * @returns {Promise<{ blob: Blob, suffix: "mp4" | "webm" }>}
 */
export async function film(frames, { onprogress, signal } = {}) {
  const type = filmType();
  if (!type) throw new Error("This browser cannot make films; save the picture instead.");
  if (!frames.length) throw new Error("There is no frame yet to make a film of; let it paint a little first.");
  const canvas = await sized(frames[frames.length - 1]);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  context.imageSmoothingQuality = "high";
  const rate = Math.min(FASTEST, Math.max(SLOWEST, frames.length / LENGTH));
  const holds = Math.ceil(HOLD * rate);
  const stream = canvas.captureStream(FASTEST);
  const bits = canvas.width * canvas.height * rate * 0.25;
  const recorder = new MediaRecorder(stream, {
    mimeType: type,
    videoBitsPerSecond: Math.min(16e6, Math.max(2e6, bits)),
  });
  const recorded = recording(recorder);
  try {
    for (let turn = 0; turn < frames.length + holds; turn++) {
      signal?.throwIfAborted();
      const shown = wait(1000 / rate);
      if (turn < frames.length) await draw(context, frames[turn]);
      // A film ends with the last frame that came, so the one that is held comes again and again.
      else context.drawImage(canvas, 0, 0);
      if (recorder.state === "inactive") recorder.start();
      await shown;
      onprogress?.((turn + 1) / (frames.length + holds));
    }
  } finally {
    if (recorder.state !== "inactive") recorder.stop();
    for (const track of stream.getTracks()) track.stop();
  }
  return { blob: await recorded, suffix: type.startsWith("video/mp4") ? "mp4" : "webm" };
}

/** The kind of film that this browser makes; undefined if it makes none. */
export function filmType() {
  if (!globalThis.MediaRecorder || !HTMLCanvasElement.prototype.captureStream) return undefined;
  return TYPES.map((type) => `video/${type}`).find((type) => MediaRecorder.isTypeSupported(type));
}

/**
 * A canvas for frames as large as this one, with even sides, as codecs want them.
 * @param {Blob} frame
 */
async function sized(frame) {
  const bitmap = await createImageBitmap(frame);
  const scale = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = 2 * Math.max(1, Math.round((bitmap.width * scale) / 2));
  canvas.height = 2 * Math.max(1, Math.round((bitmap.height * scale) / 2));
  bitmap.close();
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Blob} frame
 */
async function draw(context, frame) {
  const bitmap = await createImageBitmap(frame);
  context.drawImage(bitmap, 0, 0, context.canvas.width, context.canvas.height);
  bitmap.close();
}

/**
 * @param {MediaRecorder} recorder
 * @returns {Promise<Blob>}
 */
function recording(recorder) {
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  return new Promise((resolve, reject) => {
    recorder.onstop = () => resolve(new Blob(parts, { type: recorder.mimeType.split(";")[0] }));
    recorder.onerror = () => reject(new Error("The browser broke off the film; save the picture instead."));
  });
}

/** @param {number} milliseconds */
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
