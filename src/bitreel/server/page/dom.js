/**
 * Elements out of values. Text is always set as text: what a server sends is never read as HTML.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [properties] `class`, `on…` handlers, `--custom` CSS properties,
 *   `data-…`, `aria-…` and other attributes; true sets an empty attribute, false and null none
 * @param {...Child} children
 * @returns {any} the element; its kind is known by the tag
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {any} */ (value));
    else if (name.startsWith("--")) element.style.setProperty(name, String(value));
    else if (name === "muted") /** @type {any} */ (element).muted = true; // the attribute is only a default
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...shown(children));
  return element;
}

/** @param {Child[]} children @returns {(Node | string)[]} */
function shown(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** @param {Element} element @param {...Child} children */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
}

/** @template {HTMLElement} [T=HTMLElement] @param {string} id @returns {T} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return /** @type {any} */ (element);
}

const SHAPES = {
  play: "M6 4l10 6-10 6z",
  pause: "M6 4h3v12H6zM11 4h3v12h-3z",
  like: "M3 4h6v6H3zM11 4h6v6h-6zM3 12h6v5H3zM14 12v5m-2.5-2.5h5",
  close: "M5 5l10 10M15 5L5 15",
  previous: "M12 4l-6 6 6 6",
  next: "M8 4l6 6-6 6",
  film: "M3 4h14v12H3zM7 4v12M13 4v12M3 8h4M3 12h4M13 8h4M13 12h4",
  search: "M9 3a6 6 0 1 0 0 12A6 6 0 0 0 9 3zM13.5 13.5L17 17",
};

/** @param {keyof typeof SHAPES} name @returns {SVGElement} */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", name === "play" || name === "pause" ? "icon solid" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** Tell people who do not see the page. @param {string} text */
export function say(text) {
  byId("said").textContent = text;
}

/** Whether things may move by themselves. */
export function mayMove() {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * @template {(...given: any[]) => void} F
 * @param {F} act @param {number} milliseconds of quiet before it is done
 * @returns {F}
 */
export function whenQuiet(act, milliseconds) {
  let timer = 0;
  return /** @type {F} */ (
    (...given) => {
      clearTimeout(timer);
      timer = window.setTimeout(() => act(...given), milliseconds);
    }
  );
}
