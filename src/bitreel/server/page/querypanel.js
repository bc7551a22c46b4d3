/** The query: what it looks like, and the part of it that is searched with. */

import { chip } from "./card.js";
import { fill, h, mayMove } from "./dom.js";
import { stripOfFilm, stripOfLibrary } from "./filmstrip.js";
import { counted, size, time } from "./format.js";
import { keeper } from "./keep.js";
import { filmOf, labelOf, lengthOf, nameOf } from "./query.js";
import { Timeline } from "./timeline.js";

const UNPLAYABLE = "Your browser can not play this file. bitreel reads more kinds, and tries all the same.";

export class QueryPanel {
  /**
   * @param {import("./query.js").Query} query
   * @param {{start: number | null, end: number | null}} chosen
   * @param {(range: import("./api.js").Range) => void} ranged hears of a range that is to be searched with
   * @param {AbortSignal} signal
   */
  constructor(query, chosen, ranged, signal) {
    this.query = query;
    this.chosen = chosen;
    this.ranged = ranged;
    this.signal = signal;
    /** @type {Timeline | null} */
    this.timeline = null;
    /** @type {HTMLVideoElement} */
    this.film = h("video", { muted: true, playsinline: true, "aria-label": "The query" });
    this.screen = h("div", { class: "screen" }, this.film);
    this.trim = h("div", { class: "trim" });
    this.element = h("section", { class: "query", "aria-labelledby": "query-name" }, this.screen,
      h("h1", { id: "query-name", class: "query-name", title: nameOf(query) }, nameOf(query)),
      h("p", { class: "facts" }, chip(labelOf(query)), this.#facts()), this.trim);
    this.keeper = query.kind === "file" ? keeper(query.file, signal) : null;
    this.#open();
  }

  /** The range that is chosen, or nothing where it is the whole. @returns {import("./api.js").Range} */
  get range() {
    const line = this.timeline;
    if (!line) return this.chosen;
    return line.isWhole ? { start: null, end: null } : { start: line.start, end: line.end };
  }

  /** @returns {{start: number, end: number}} seconds */
  get shown() {
    return { start: this.timeline?.start ?? 0, end: this.timeline?.end ?? lengthOf(this.query) };
  }

  /** How long a file is that the browser can not play: told by the server. @param {number} seconds */
  lasts(seconds) {
    if (this.query.kind !== "file" || this.query.length || this.query.playable !== false) return;
    this.query.length = seconds;
    this.#line();
  }

  #facts() {
    if (this.query.kind === "file") return size(this.query.file.size);
    const { duration_seconds: seconds, segments, damage } = this.query.video;
    return `${time(seconds)}, ${counted(segments, "segment")}${damage ? `; damaged: ${damage}` : ""}`;
  }

  #open() {
    const { query, film } = this;
    film.addEventListener("loadedmetadata", () => {
      if (query.kind === "file" && Number.isFinite(film.duration)) {
        query.playable = film.videoWidth > 0;
        query.length = film.duration;
        if (!query.playable) this.#unplayable();
      }
      if (!this.timeline) this.#line();
    });
    film.addEventListener("error", () => this.#unplayable());
    film.addEventListener("timeupdate", () => this.#follow());
    film.addEventListener("ended", () => this.#again());
    this.screen.addEventListener("click", () => (film.paused ? film.play().catch(() => {}) : film.pause()));
    this.signal.addEventListener("abort", () => this.#close());
    if (query.kind === "video") this.#line();
    else if (query.playable === false) return this.#unplayable();
    this.#load();
    if (mayMove()) film.play().catch(() => {});
    else film.controls = true;
  }

  #close() {
    this.film.pause();
    this.film.removeAttribute("src");
    this.film.load();
  }

  /** A library's video is previewed by ranges; a file is there as a whole. */
  #load() {
    const film = this.query.kind === "file" ? { source: this.query.url } : filmOf(this.query, this.shown);
    if (film) this.film.src = film.source;
  }

  #unplayable() {
    if (this.query.kind === "file") this.query.playable = false;
    const words = this.query.kind === "file" ? UNPLAYABLE : "There is no preview of this video.";
    fill(this.screen, h("p", { class: "no-film" }, words));
    if (!this.timeline) this.#line();
  }

  #line() {
    const length = lengthOf(this.query);
    if (!length) return;
    const chosen = { start: Math.min(this.chosen.start ?? 0, length), end: Math.min(this.chosen.end ?? length, length) };
    const line = new Timeline(length, chosen, (_, settled) => this.#changed(settled));
    this.timeline = line;
    this.whole = h("button", { type: "button", class: "button small quiet", onclick: () => line.reset() }, "Whole video");
    this.whole.disabled = line.isWhole;
    line.words.after(this.whole);
    fill(this.trim, line.element);
    if (this.query.kind === "video") stripOfLibrary(line.strip, this.query.video.id, length);
    else if (this.query.playable) stripOfFilm(line.strip, this.query.url, this.signal);
  }

  /** @param {boolean} settled */
  #changed(settled) {
    const line = /** @type {Timeline} */ (this.timeline);
    this.whole.disabled = line.isWhole;
    if (this.query.kind === "file") this.film.currentTime = line.start;
    if (settled) this.ranged(this.range);
  }

  /** Show what the handles enclose, once they rest. */
  rewind() {
    if (this.query.kind !== "video") return;
    this.#load();
    if (mayMove()) this.film.play().catch(() => {});
  }

  /** Keep to the range, and show where it plays. */
  #follow() {
    const begins = this.query.kind === "file" ? 0 : this.shown.start;
    this.timeline?.playsAt(begins + this.film.currentTime);
    if (this.query.kind === "file" && this.film.currentTime >= this.shown.end) this.#again();
  }

  #again() {
    this.film.currentTime = this.query.kind === "file" ? this.shown.start : 0;
    if (mayMove()) this.film.play().catch(() => {});
  }
}
