/** Which hits are wanted: by label and other filters, which are searched among, and by similarity. */

import { fill, h } from "./dom.js";
import { Filters } from "./filters.js";
import { hue, readable } from "./format.js";

const SHOWN_LABELS = 8;

export class Facets {
  /**
   * @param {URLSearchParams} given @param {() => void} changed hears that another search is due
   * @param {() => void} slid hears that other hits of this one are shown
   */
  constructor(given, changed, slid) {
    this.slid = slid;
    this.least = 0;
    this.all = false;
    /** @type {[string, number][]} of the hits among all labels */
    this.counts = [];
    this.filters = new Filters(given, () => {
      this.#draw();
      changed();
    });
    this.list = h("div", { class: "facet-labels", role: "group", "aria-label": "Labels" });
    this.slider = h("input", { type: "range", id: "least", min: "0", max: "100", value: "0", step: "1" });
    this.words = h("output", { for: "least" });
    this.slider.addEventListener("input", () => this.#slide());
    this.element = h("div", { class: "facets" }, this.filters.element,
      h("div", { class: "similarity" }, h("label", { for: "least" }, "Similarity at least"), this.slider, this.words), this.list);
    this.#slide();
    this.#draw();
  }

  /** @param {import("./api.js").Hit} hit */
  admits(hit) {
    return hit.similarity >= this.least;
  }

  clear() {
    this.slider.value = "0";
    this.#slide();
    if (this.filters.isOn) this.filters.clear();
  }

  /** Labels to choose from: those of the hits, as long as none is chosen. @param {import("./api.js").Hit[]} hits */
  count(hits) {
    this.filters.know([...new Set(hits.map((hit) => hit.folder))]);
    if (!this.filters.label) {
      /** @type {Map<string, number>} */
      const counts = new Map();
      for (const { label } of hits) if (label) counts.set(label, (counts.get(label) ?? 0) + 1);
      this.counts = [...counts].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
    }
    this.#draw();
  }

  #draw() {
    const { label } = this.filters;
    const counts = label && !this.counts.some(([one]) => one === label) ? [...this.counts, /** @type {[string, number]} */ ([label, 0])] : this.counts;
    const most = this.all ? counts.length : SHOWN_LABELS;
    const shown = counts.filter(([one], at) => at < most || one === label);
    const focused = this.list.contains(document.activeElement) && /** @type {HTMLElement} */ (document.activeElement).dataset.label;
    const buttons = shown.map(([one, count]) => this.#facet(one, count, one === label));
    if (counts.length > shown.length) buttons.push(this.#more(counts.length - shown.length));
    fill(this.list, ...buttons);
    if (focused) buttons.find((one) => one.dataset.label === focused)?.focus();
  }

  /** @param {string} label @param {number} count @param {boolean} pressed */
  #facet(label, count, pressed) {
    return h("button", {
      type: "button", class: "facet", "--hue": hue(label), "aria-pressed": String(pressed), "data-label": label,
      onclick: () => this.filters.choose(pressed ? "" : label),
    }, readable(label), count ? h("span", { class: "count" }, count) : null);
  }

  /** @param {number} left */
  #more(left) {
    const show = () => {
      this.all = true;
      this.#draw();
    };
    return h("button", { type: "button", class: "facet plain", onclick: show }, `${left} more`);
  }

  #slide() {
    this.least = Number(this.slider.value) / 100;
    this.words.textContent = this.least ? `${this.slider.value} %` : "any";
    this.slider.style.setProperty("--part", String(this.least));
    this.slid();
  }
}
