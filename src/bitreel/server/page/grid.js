/** A list of cards that arrow keys move over. It is one stop for Tab, not one for each card. */

import { fill, h } from "./dom.js";

export class Grid {
  /** @param {string} label */
  constructor(label) {
    /** @type {HTMLUListElement} */
    this.element = h("ul", { class: "grid", "aria-label": label, role: "list" });
    this.element.addEventListener("keydown", (event) => this.#move(event));
    this.element.addEventListener("focusin", (event) => this.#enter(/** @type {HTMLElement} */ (event.target)));
  }

  /** @param {HTMLElement[]} cards */
  show(cards) {
    fill(this.element, ...cards);
    this.#mains().forEach((main, at) => (main.tabIndex = at ? -1 : 0));
  }

  /** @param {number} [at] */
  focus(at = 0) {
    this.#mains()[at]?.focus();
  }

  /** @returns {HTMLButtonElement[]} */
  #mains() {
    return [...this.element.querySelectorAll("button.card-main")].filter(
      /** @returns {main is HTMLButtonElement} */ (main) => !main.closest("[hidden]"),
    );
  }

  /** @param {HTMLElement} target */
  #enter(target) {
    if (!target.matches(".card-main")) return;
    for (const main of this.#mains()) main.tabIndex = main === target ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const mains = this.#mains();
    const from = mains.findIndex((main) => main.parentElement?.contains(document.activeElement));
    if (from < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: mains.length - 1 }[event.key];
    const next = to ?? (event.key === "ArrowUp" ? beyond(mains, from, -1) : event.key === "ArrowDown" ? beyond(mains, from, 1) : null);
    if (next === null) return;
    event.preventDefault();
    const target = mains[Math.min(Math.max(next, 0), mains.length - 1)];
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  }
}

/**
 * The card above or below, found by where cards are: how many stand in a row is the window's affair.
 *
 * @param {HTMLElement[]} mains @param {number} from @param {-1 | 1} step
 */
function beyond(mains, from, step) {
  const { left, top } = mains[from].getBoundingClientRect();
  for (let at = from + step; at >= 0 && at < mains.length; at += step) {
    const there = mains[at].getBoundingClientRect();
    if (Math.abs(there.left - left) < 2 && Math.abs(there.top - top) > 2) return at;
  }
  return step > 0 ? mains.length - 1 : from;
}
