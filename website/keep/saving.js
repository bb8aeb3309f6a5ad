// Takes things away from the page: a file into the downloads, a link to somebody else.

import { element, fill } from "../html.js";

/**
 * The name of the file that a painting is saved as.
 * @param {string} title of the photo
 * @param {string} artwork
 * @param {string} suffix
 */
export function fileName(title, artwork, suffix) {
  const words = [title, artwork].map((part) => part.replace(/[\p{Cc}\p{Cf}\s/\\:*?"<>|]+/gu, " ").trim());
  const name = words.filter(Boolean).join(" – ").slice(0, 100).replace(/^\.+|[.\s]+$/g, "");
  return `${name || "painting"}.${suffix}`;
}

/**
 * Download a blob under this name.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // by then every browser has begun to read it
}

/**
 * Give a link away: by what the device has for that, else by the clipboard, else in a field of `place`.
 * @param {string} url
 * @param {string} title
 * @param {HTMLElement} place
 * @returns {Promise<string>} a sentence that says what became of it; empty where the visitor saw it
 */
export async function share(url, title, place) {
  fill(place);
  try {
    if (navigator.share) {
      await navigator.share({ url, title });
      return "";
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return "";
    // Some devices offer it and then refuse it: the clipboard is next.
  }
  try {
    await navigator.clipboard.writeText(url);
    return "The link is copied.";
  } catch {
    // There is none on pages without TLS, and it may be forbidden: the visitor copies the link then.
    const field = element("input", { readonly: true, value: url, onfocus: () => field.select() });
    fill(place, element("label", { class: "link" }, "The link", field));
    field.focus();
    return "Copy the link from the field.";
  }
}
