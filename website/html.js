// Builds elements: element("button", { type: "button", class: "quiet", onclick: open }, "Open").

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * What an element may hold; null, undefined and false are left out.
 */

/**
 * Makes an element of HTML. A function becomes a listener ("onclick" hears "click"), true an attribute without a value;
 * false, null and undefined leave the attribute out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) set(made, key, value);
  made.append(...nodes(children));
  return made;
}

/**
 * Makes an element of SVG, in the same way.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) set(made, key, value);
  made.append(...nodes(children));
  return made;
}

/**
 * Puts `children` into `parent` in place of what was there.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
}

/**
 * Change the page; where that hides what has the focus, `next` has it.
 * @param {() => void} change
 * @param {() => HTMLElement} next
 */
export function keepFocus(change, next) {
  const focused = document.activeElement;
  change();
  if (focused && !focused.checkVisibility({ visibilityProperty: true })) next().focus({ preventScroll: true });
}

/**
 * Show what is possible. What may become possible keeps its place meanwhile, so that nothing else has to move.
 * @param {HTMLElement} thing
 * @param {boolean} possible
 * @param {boolean} later
 */
export function offer(thing, possible, later) {
  thing.hidden = !possible && !later;
  thing.classList.toggle("later", !possible);
}

/**
 * The element of the page with this id, which is known to be there.
 * @template {Element} [Kind=HTMLElement]
 * @param {string} id
 * @returns {Kind}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return /** @type {any} */ (found);
}

/**
 * @param {Element} made
 * @param {string} key
 * @param {any} value
 */
function set(made, key, value) {
  if (typeof value === "function") made.addEventListener(key.replace(/^on/, ""), value);
  else if (value === true) made.setAttribute(key, "");
  else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  /** @type {(Node | string)[]} */
  const kept = [];
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    kept.push(child instanceof Node ? child : String(child));
  }
  return kept;
}
