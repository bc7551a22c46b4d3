/** The view of a search: the query beside what looks like it. */

import { video } from "./api.js";
import { hitCard, skeletons } from "./card.js";
import { fill, h, say, whenQuiet } from "./dom.js";
import { Facets } from "./facets.js";
import { counted, duration } from "./format.js";
import { Grid } from "./grid.js";
import { button, notice, troubleNotice } from "./notice.js";
import { Player } from "./player.js";
import { ask, droppedFile, labelOf, nameOf } from "./query.js";
import { QueryPanel } from "./querypanel.js";
import { go, hashOf, remember, routeOf } from "./router.js";

const PAGE = 24;
const MOST = 200; // the server gives no more
/** Codes of clips that have nothing in common differ in half of their bits. Nearer than this is near. */
const NEAR = 0.7;

export class ResultsView {
  /** @param {import("./router.js").Route} route @param {AbortSignal} signal @param {import("./api.js").Status | null} status */
  constructor(route, signal, status) {
    this.route = route;
    this.signal = signal;
    this.wanted = PAGE;
    /** @type {string[]} of the library */
    this.labels = [];
    /** @type {import("./api.js").Answer | null} */
    this.answer = null;
    this.asked = new AbortController();
    this.grid = new Grid("Similar clips");
    this.title = h("h2", { class: "results-title" }, "Searching…");
    this.told = h("p", { class: "told" });
    this.facets = new Facets(route.parameters, () => this.#among(), () => this.#filter());
    this.facts(status);
    this.note = h("div", { class: "note" });
    this.more = button("Show more", () => this.#showMore());
    this.more.hidden = true;
    this.again = h("button", { type: "button", class: "button primary wide", hidden: true, onclick: () => this.search() }, "Search this range");
    this.results = h("section", { class: "results", "aria-label": "Results" },
      h("div", { class: "results-head" }, this.title, this.told), this.facets.element, this.note, this.grid.element,
      h("p", { class: "more" }, this.more));
    this.place = waiting();
    this.element = h("div", { class: "search-view" }, this.place, this.results);
    this.searchSoon = whenQuiet(() => this.search(), 300);
  }

  /** What is known of the library. @param {import("./api.js").Status | null} status */
  facts(status) {
    if (!status) return;
    this.labels = Object.keys(status.labels);
    this.facets.filters.facts(status);
    this.panel?.keeper?.know(this.labels);
  }

  /** Search among other videos. */
  #among() {
    remember(this.facets.filters.state);
    this.search();
  }

  async begin() {
    this.#wait();
    const query = await this.#query();
    if (!query || this.signal.aborted) return;
    this.query = query;
    const seconds = (/** @type {string} */ name) => (this.route.parameters.has(name) ? Number(this.route.parameters.get(name)) : null);
    this.panel = new QueryPanel(query, { start: seconds("start"), end: seconds("end") }, (range) => this.#ranged(range), this.signal);
    this.panel.element.append(this.again, ...(this.panel.keeper ? [this.panel.keeper.element] : []));
    this.panel.keeper?.know(this.labels);
    this.place.replaceWith(this.panel.element);
    this.place = this.panel.element;
    document.title = `${nameOf(query)} – bitreel`;
    await this.search();
    if (this.signal.aborted) return; // another view is shown, and its player may be open
    this.showHit(routeOf().parameters.get("hit") ?? ""); // the address may have moved on
  }

  /** @returns {Promise<import("./query.js").Query | null>} */
  async #query() {
    if (this.route.view === "search") {
      const file = droppedFile();
      if (!file) go("#library"); // the page was loaded anew: files do not outlive that
      return file;
    }
    try {
      return { kind: "video", video: await video(this.route.id, this.signal) };
    } catch (error) {
      this.#trouble(error, () => this.begin());
      return null;
    }
  }

  /** @param {import("./api.js").Range} range */
  #ranged(range) {
    remember({ start: range.start, end: range.end });
    if (this.query?.kind === "file") this.again.hidden = false; // it is sent and decoded again: when asked for
    else {
      this.panel?.rewind();
      this.searchSoon();
    }
  }

  async search() {
    if (!this.query || !this.panel) return;
    this.asked.abort();
    const asked = new AbortController();
    this.asked = asked;
    this.again.hidden = true;
    if (!this.answer || this.query.kind === "file") this.#wait();
    try {
      const answer = await ask(this.query, this.panel.range, this.wanted, this.facets.filters.wanted, asked.signal);
      if (asked.signal.aborted || this.signal.aborted) return;
      this.answer = answer;
      this.panel.lasts(answer.end_seconds);
      this.#show(answer);
    } catch (error) {
      if (!asked.signal.aborted && !this.signal.aborted) this.#trouble(error, () => this.search());
    }
  }

  #wait() {
    this.title.textContent = this.route.view === "search" ? "Looking at the clip…" : "Searching…";
    this.told.textContent = "";
    this.results.setAttribute("aria-busy", "true");
    fill(this.note);
    this.grid.show(skeletons(8));
  }

  /** @param {unknown} error @param {() => void} again */
  #trouble(error, again) {
    if (/** @type {Error} */ (error).name === "AbortError") return;
    this.results.removeAttribute("aria-busy");
    if (!this.panel) this.place.remove();
    this.title.textContent = "No answer";
    this.more.hidden = true;
    this.grid.show([]);
    fill(this.note, troubleNotice(error, again, this.signal));
  }

  /** @param {import("./api.js").Answer} answer */
  #show(answer) {
    const label = this.query ? labelOf(this.query) : null;
    this.results.removeAttribute("aria-busy");
    this.told.textContent = `${counted(answer.segments, "segment")} compared in ${duration(answer.milliseconds)}`;
    this.cards = answer.hits.map((hit) => hitCard(hit, answer.bits, label, () => this.#open(hit), () => go(likeHash(hit))));
    this.grid.show(this.cards);
    this.facets.count(answer.hits);
    this.more.hidden = answer.hits.length < this.wanted || this.wanted >= MOST;
    this.#filter();
    say(this.title.textContent ?? "");
  }

  /** Show the hits that the facets admit, and say how many. */
  #filter() {
    const { answer, cards } = this;
    if (!answer || !cards) return;
    const admitted = answer.hits.map((hit) => this.facets.admits(hit));
    cards.forEach((card, at) => (card.hidden = !admitted[at]));
    const shown = admitted.filter(Boolean).length;
    this.title.textContent = shown === answer.hits.length ? counted(shown, "nearest clip") : `${shown} of ${counted(answer.hits.length, "nearest clip")}`;
    fill(this.note, ...this.#remarks(answer, shown));
    const first = admitted.indexOf(true);
    cards.forEach((card, at) => (/** @type {HTMLElement} */ (card.firstElementChild).tabIndex = at === first ? 0 : -1));
  }

  /** @param {import("./api.js").Answer} answer @param {number} shown @returns {HTMLElement[]} */
  #remarks(answer, shown) {
    const clear = button("Clear the filters", () => this.facets.clear());
    if (!answer.hits.length && this.facets.filters.isOn) return [notice("No other video passes the filters", null, clear)];
    if (!answer.hits.length) {
      return [notice("Nothing similar", answer.segments ? "The library holds nothing else to compare this clip with." : "The library is empty: index some videos first.",
        h("a", { class: "button", href: "#ledger" }, "To the ledger"))];
    }
    if (!shown) return [notice("No hit passes the filters", "Ask for less similarity.", clear)];
    const remarks = [];
    if (answer.hits[0].similarity < NEAR) {
      remarks.push(h("p", { class: "remark" }, h("strong", {}, "Nothing here looks much like this clip. "),
        `Even the nearest differs in ${answer.hits[0].distance_bits} of ${answer.bits} bits; clips that have nothing in common differ in about ${Math.round(answer.bits / 2)}.`));
    }
    if (answer.damage) remarks.push(h("p", { class: "remark" }, h("strong", {}, "The query is damaged: "), answer.damage));
    return remarks;
  }

  #showMore() {
    this.wanted = Math.min(MOST, this.wanted + PAGE);
    this.search();
  }

  /** @param {import("./api.js").Hit} hit */
  #open(hit) {
    const parameters = new URLSearchParams(location.hash.split("?")[1] ?? "");
    parameters.set("hit", String(hit.segment_id));
    history.pushState({ opened: true }, "", hashOf(this.route.id ? `similar/${this.route.id}` : "search", parameters));
    this.showHit(hit.segment_id);
  }

  /** What the address says is open. @param {import("./api.js").Id} segmentId "" where nothing is */
  showHit(segmentId) {
    const hits = this.answer?.hits.filter((hit) => this.facets.admits(hit)) ?? [];
    const at = hits.findIndex((hit) => hit.segment_id === segmentId);
    if (at < 0 || !this.query || !this.panel || !this.answer) return Player.close();
    Player.open({ query: this.query, range: this.panel.shown, asked: this.panel.range, hits, at, bits: this.answer.bits, like: (hit) => go(likeHash(hit)) });
  }
}

/** In the shape of a query, while it is awaited: nothing is to jump when it comes. */
function waiting() {
  return h("section", { class: "query", "aria-hidden": "true" }, h("div", { class: "screen" }), h("p", { class: "query-name" }, "\u00a0"),
    h("p", { class: "facts" }, "\u00a0"), h("div", { class: "trim waiting" }));
}

/** @param {import("./api.js").Hit} hit */
function likeHash(hit) {
  return hashOf(`similar/${hit.video_id}`, { start: hit.start_seconds || null, end: hit.end_seconds });
}
