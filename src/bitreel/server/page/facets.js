/** Which of the hits are shown: by label, and by how similar they are. */

import { fill, h } from "./dom.js";
import { hue, readable } from "./format.js";

const SHOWN_LABELS = 8;

export class Facets {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {Set<string>} none chosen: all are shown */
    this.labels = new Set();
    this.least = 0;
    this.all = false;
    this.list = h("div", { class: "facet-labels", role: "group", "aria-label": "Labels" });
    this.slider = h("input", { type: "range", id: "least", min: "0", max: "100", value: "0", step: "1" });
    this.words = h("output", { for: "least" });
    this.slider.addEventListener("input", () => this.#slide());
    this.element = h("div", { class: "facets" }, this.list,
      h("div", { class: "similarity" }, h("label", { for: "least" }, "Similarity at least"), this.slider, this.words));
    this.#slide();
  }

  /** @param {import("./api.js").Hit} hit */
  admits(hit) {
    return hit.similarity >= this.least && (this.labels.size === 0 || this.labels.has(hit.label ?? ""));
  }

  clear() {
    this.labels.clear();
    this.slider.value = "0";
    this.#slide();
  }

  /** @param {import("./api.js").Hit[]} hits */
  count(hits) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const hit of hits) counts.set(hit.label ?? "", (counts.get(hit.label ?? "") ?? 0) + 1);
    for (const label of this.labels) if (!counts.has(label)) this.labels.delete(label);
    const ordered = [...counts].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
    const most = this.all ? ordered.length : SHOWN_LABELS;
    const buttons = ordered.slice(0, most).map(([label, count]) => this.#facet(label, count));
    if (ordered.length > most) buttons.push(this.#more(ordered.length - most, hits));
    this.list.hidden = counts.size < 2 && this.labels.size === 0; // one label tells nothing apart
    fill(this.list, ...buttons);
  }

  /** @param {string} label @param {number} count */
  #facet(label, count) {
    const pressed = this.labels.has(label);
    const facet = h("button", {
      type: "button", class: label ? "facet" : "facet plain", "--hue": hue(label), "aria-pressed": String(pressed),
      onclick: () => {
        const on = !this.labels.delete(label);
        if (on) this.labels.add(label);
        facet.setAttribute("aria-pressed", String(on));
        this.changed();
      },
    }, label ? readable(label) : "no label", h("span", { class: "count" }, count));
    return facet;
  }

  /** @param {number} left @param {import("./api.js").Hit[]} hits */
  #more(left, hits) {
    const show = () => {
      this.all = true;
      this.count(hits);
    };
    return h("button", { type: "button", class: "facet plain", onclick: show }, `${left} more`);
  }

  #slide() {
    this.least = Number(this.slider.value) / 100;
    this.words.textContent = this.least ? `${this.slider.value} %` : "any";
    this.slider.style.setProperty("--part", String(this.least));
    this.changed();
  }
}
