// A frame in one binary message: the length of a JSON header, the header, the picture.

/**
 * What a painter tells: a state, what belongs to it, and the picture of a frame.
 * @typedef {{ state: string, data: Record<string, any>, image?: Blob }} Told
 */

/**
 * @param {ArrayBuffer} message
 * @returns {Told}
 */
export function frame(message) {
  const length = new DataView(message).getUint32(0);
  const { state, data } = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length)));
  return { state, data, image: new Blob([new Uint8Array(message, 4 + length)], { type: `image/${data.format}` }) };
}
