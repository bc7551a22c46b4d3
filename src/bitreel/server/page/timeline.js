/** Two handles that trim a range out of a length of time. */

import { h } from "./dom.js";
import { range, time } from "./format.js";

const SHORTEST_SECONDS = 0.2;
/** What keys move a handle by: seconds. */
const STEPS = /** @type {Record<string, number>} */ ({
  ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1, PageDown: -1, PageUp: 1,
  Home: -Infinity, End: Infinity,
});

export class Timeline {
  /**
   * @param {number} length seconds
   * @param {{start: number, end: number}} chosen
   * @param {(chosen: {start: number, end: number}, settled: boolean) => void} changed
   */
  constructor(length, chosen, changed) {
    this.length = length;
    this.start = chosen.start;
    this.end = chosen.end;
    this.changed = changed;
    this.strip = h("div", { class: "strip", "aria-hidden": "true" });
    this.first = this.#handle("start", "Start of the range");
    this.last = this.#handle("end", "End of the range");
    this.head = h("span", { class: "head", "aria-hidden": "true" });
    this.track = h("div", { class: "track" }, this.strip, h("span", { class: "shade before" }),
      h("span", { class: "shade after" }), h("span", { class: "kept" }), this.head, this.first, this.last);
    this.words = h("output", { class: "range-words" });
    this.element = h("div", { class: "timeline", role: "group", "aria-label": "Trim the query" }, this.track,
      h("div", { class: "timeline-below" }, this.words, h("span", {}, `of ${time(length)}`)));
    this.track.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#grab(event));
    this.#show();
  }

  get isWhole() {
    return this.start <= 0.01 && this.end >= this.length - 0.01;
  }

  /** Put both handles at the ends. */
  reset() {
    this.start = 0;
    this.end = this.length;
    this.#show();
    this.changed(this, true);
  }

  /** @param {number} seconds where it plays */
  playsAt(seconds) {
    this.element.style.setProperty("--head", String(Math.min(1, seconds / this.length)));
  }

  /** @param {"start" | "end"} which @param {string} label */
  #handle(which, label) {
    return h("span", {
      class: `handle ${which}`, role: "slider", tabindex: "0", "aria-label": label, "aria-orientation": "horizontal",
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const step = STEPS[event.key];
        if (step === undefined) return;
        event.preventDefault();
        this.#set(which, this[which] + (event.shiftKey ? 10 * step : step), true);
      },
    });
  }

  /** The nearer handle goes with the pointer. @param {PointerEvent} event */
  #grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const at = this.#secondsAt(event);
    const which = Math.abs(at - this.start) < Math.abs(at - this.end) ? "start" : "end";
    (which === "start" ? this.first : this.last).focus();
    this.track.setPointerCapture(event.pointerId);
    const follow = (/** @type {PointerEvent} */ moved) => this.#set(which, this.#secondsAt(moved), false);
    const letGo = () => {
      this.track.removeEventListener("pointermove", follow);
      this.changed(this, true);
    };
    this.track.addEventListener("pointermove", follow);
    this.track.addEventListener("lostpointercapture", letGo, { once: true });
    follow(event);
  }

  /** @param {PointerEvent} event */
  #secondsAt(event) {
    const box = this.track.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * this.length;
  }

  /** @param {"start" | "end"} which @param {number} seconds @param {boolean} settled */
  #set(which, seconds, settled) {
    const least = Math.min(SHORTEST_SECONDS, this.length);
    const [low, high] = which === "start" ? [0, this.end - least] : [this.start + least, this.length];
    const wanted = Math.min(Math.max(seconds, low), high);
    this[which] = wanted === this.length ? wanted : Math.round(wanted * 100) / 100;
    this.#show();
    this.changed(this, settled);
  }

  #show() {
    this.element.style.setProperty("--from", String(this.start / this.length));
    this.element.style.setProperty("--to", String(this.end / this.length));
    for (const [handle, at, low, high] of [
      [this.first, this.start, 0, this.end], [this.last, this.end, this.start, this.length],
    ]) {
      handle.setAttribute("aria-valuemin", low.toFixed(2));
      handle.setAttribute("aria-valuemax", high.toFixed(2));
      handle.setAttribute("aria-valuenow", at.toFixed(2));
      handle.setAttribute("aria-valuetext", time(at));
    }
    this.words.textContent = range(this.start, this.end);
  }
}
