// What a picture is called that has no title but perhaps the name of a file.

const LONGEST = 60;

/**
 * @param {Blob} blob
 * @param {string} otherwise
 * @returns {string}
 */
export function titled(blob, otherwise) {
  const name = blob instanceof File ? blob.name : "";
  const words = name.replace(/\.[^.]*$/, "").replace(/[_\s]+/g, " ").trim();
  return words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words || otherwise;
}
