// Ways to give a picture to the page as a whole: dropping it anywhere, and pasting it.

import { element } from "../html.js";
import { Refused } from "./refused.js";

/**
 * @callback Given
 * @param {File[]} files
 * @param {EventTarget | null} where
 * @returns {void}
 */

/**
 * Hear what is dropped. While something is dragged over the page, a sign says what would become of it.
 * @param {HTMLElement} artworks where pictures become artworks instead of the photo
 * @param {Given} given
 * @param {(error: Refused) => void} refuse
 */
export function hearDrops(artworks, given, refuse) {
  const sign = element("div", { class: "dropping", "aria-hidden": "true", hidden: true });
  document.body.append(sign);

  /** @param {boolean} shown */
  const show = (shown) => {
    sign.hidden = !shown;
    if (!shown) artworks.classList.remove("dragged");
  };
  document.addEventListener("dragover", (event) => {
    if (!isGift(event)) return;
    event.preventDefault();
    const over = isWithin(event.target, artworks);
    artworks.classList.toggle("dragged", over);
    sign.textContent = over ? "Drop it to add it to the artworks" : "Drop it to paint it";
    show(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) show(false); // it has left the window
  });
  document.addEventListener("drop", (event) => {
    show(false);
    if (!isGift(event)) return;
    event.preventDefault(); // the browser would leave the page for it
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) given(files, event.target);
    else refuse(new Refused("What was dropped is not a file.", "Save the picture on this device, and drop that."));
  });
}

/**
 * Hear what is pasted, except while one types.
 * @param {Given} given
 * @param {(error: Refused) => void} refuse
 */
export function hearPastes(given, refuse) {
  document.addEventListener("paste", (event) => {
    if (isTextField(event.target)) return;
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) given(files, event.target);
    else refuse(new Refused("The clipboard holds no picture.", "Copy a picture, not its address, and paste that."));
  });
}

/**
 * @param {EventTarget | null} target
 * @param {Element} element
 */
export const isWithin = (target, element) => target instanceof Node && element.contains(target);

/** @param {DragEvent} event */
function isGift({ dataTransfer, target }) {
  if (isTextField(target)) return false;
  return !!dataTransfer && ["Files", "text/uri-list"].some((type) => dataTransfer.types.includes(type));
}

const NOT_TYPED = ["button", "checkbox", "file", "radio", "range", "submit"];

/** @param {EventTarget | null} target */
function isTextField(target) {
  if (target instanceof HTMLInputElement) return !NOT_TYPED.includes(target.type);
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLElement && target.isContentEditable);
}
