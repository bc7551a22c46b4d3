/** The view of what is in the library, to pick a query from. */

import { videos } from "./api.js";
import { skeletons, videoCard } from "./card.js";
import { byId, fill, h, icon, say } from "./dom.js";
import { Filters } from "./filters.js";
import { counted } from "./format.js";
import { Grid } from "./grid.js";
import { button, notice, troubleNotice } from "./notice.js";
import { go, remember } from "./router.js";

const PAGE = 24;

export class LibraryView {
  /** @param {import("./router.js").Route} route @param {AbortSignal} signal @param {import("./api.js").Status | null} status */
  constructor(route, signal, status) {
    this.signal = signal;
    this.offset = Number(route.parameters.get("offset")) || 0;
    this.asked = new AbortController();
    this.grid = new Grid("Videos of the library");
    this.note = h("div", { class: "note" });
    this.count = h("p", { class: "told" });
    this.pager = h("nav", { class: "pager", "aria-label": "Pages" });
    this.filters = new Filters(route.parameters, () => this.#move(0));
    this.element = h("div", { class: "library-view" }, hero(),
      h("section", { class: "pick", "aria-labelledby": "pick-title" },
        h("div", { class: "pick-head" },
          h("h2", { id: "pick-title" }, "Or start from a clip of the library"),
          this.filters.element,
          this.count),
        this.note, this.grid.element, this.pager));
    this.facts(status);
  }

  /** What is known of the library. @param {import("./api.js").Status | null} status */
  facts(status) {
    if (status) this.filters.facts(status);
    this.element.classList.toggle("empty", status?.videos === 0);
    this.canIndex = Boolean(status?.folders.length);
  }

  async begin() {
    document.title = "bitreel";
    this.grid.show(skeletons(12));
    await this.#load();
  }

  /** @param {number} offset */
  #move(offset) {
    this.offset = offset;
    remember({ ...this.filters.state, offset: offset || null });
    this.#load();
  }

  async #load() {
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    try {
      const page = await videos({ ...this.filters.wanted, offset: this.offset, limit: PAGE }, signal);
      if (!signal.aborted && !this.signal.aborted) this.#show(page);
    } catch (error) {
      if (signal.aborted || this.signal.aborted) return;
      this.grid.show([]);
      fill(this.pager);
      fill(this.note, troubleNotice(error, () => this.#load(), this.signal));
    }
  }

  /** @param {{total: number, offset: number, items: import("./api.js").Video[]}} page */
  #show(page) {
    const filtered = this.filters.isOn;
    this.filters.know([...new Set(page.items.map((video) => video.folder))]);
    this.grid.show(page.items.map((video) => videoCard(video, () => go(`#similar/${video.id}`))));
    const words = counted(page.total, "video");
    this.count.textContent = page.total > page.items.length && page.items.length
      ? `${page.offset + 1}–${page.offset + page.items.length} of ${words}` : words;
    fill(this.note, ...(page.total ? [] : [filtered ? this.#none() : this.#empty()]));
    if (page.total) say(`${words}${filtered ? " found" : ""}`);
    this.#pages(page);
  }

  #none() {
    return notice("No video passes the filters", null, button("Clear the filters", () => this.filters.clear()));
  }

  #empty() {
    const how = this.canIndex ? "Index a folder of videos, and they can be searched."
      : "Index a folder of videos with: bitreel index LIBRARY FOLDER";
    return notice("The library is empty", how, ...(this.canIndex ? [h("a", { class: "button primary", href: "#ledger" }, "Index a folder")] : []));
  }

  /** @param {{total: number, offset: number, items: unknown[]}} page */
  #pages(page) {
    const move = (/** @type {number} */ by) => {
      this.#move(Math.max(0, page.offset + by * PAGE));
      this.element.querySelector(".pick")?.scrollIntoView();
    };
    const before = h("button", { type: "button", class: "button", onclick: () => move(-1) }, icon("previous"), "Previous");
    const after = h("button", { type: "button", class: "button", onclick: () => move(1) }, "Next", icon("next"));
    before.disabled = page.offset === 0;
    after.disabled = page.offset + page.items.length >= page.total;
    if (page.total <= PAGE) fill(this.pager);
    else fill(this.pager, before, h("span", {}, `Page ${page.offset / PAGE + 1} of ${Math.ceil(page.total / PAGE)}`), after);
  }
}

function hero() {
  return h("section", { class: "hero" },
    h("div", { class: "hero-text" },
      h("h1", {}, "Find clips that show the same action"),
      h("p", {}, "Drop a video anywhere on this page. It is compared, bit by bit, with every clip of the library, and is not kept.")),
    h("button", { type: "button", class: "dropzone", onclick: () => byId("file").click() }, icon("film"),
      h("span", { class: "dropzone-title" }, "Drop a video here"), h("span", {}, "or choose a file")));
}
