/** Among which videos: a text in the path, a label, a length, a folder. One row, wherever one is asked. */

import { fill, h, icon, whenQuiet } from "./dom.js";
import { readable } from "./format.js";

const QUIET_MILLISECONDS = 250;
/** @type {[string, string, number | null, number | null][]} value, words, seconds from and to */
const LENGTHS = [
  ["", "Any length", null, null],
  ["short", "Under 5 s", null, 5],
  ["medium", "5 to 30 s", 5, 30],
  ["long", "30 s to 5 min", 30, 300],
  ["hours", "Over 5 min", 300, null],
];

export class Filters {
  /** @param {URLSearchParams} given @param {() => void} changed */
  constructor(given, changed) {
    // What was typed just before another view came is not that view's to remember.
    this.changed = () => this.element.isConnected && changed();
    this.label = given.get("label") ?? "";
    this.text = h("input", { type: "search", id: "filter", placeholder: "Filter by name", value: given.get("text") ?? "", autocomplete: "off", spellcheck: "false" });
    this.labels = h("select", { "aria-label": "Label" });
    this.lengths = h("select", { "aria-label": "Length" }, ...LENGTHS.map(([value, words]) => h("option", { value }, words)));
    this.lengths.value = given.get("length") ?? "";
    this.folder = h("input", { type: "text", list: "known-folders", placeholder: "Any folder", "aria-label": "Folder", value: given.get("folder") ?? "", autocomplete: "off", spellcheck: "false" });
    this.folders = h("datalist", { id: "known-folders" });
    this.element = h("div", { class: "filters", role: "search", "aria-label": "Among which videos" },
      h("label", { class: "field" }, icon("search"), h("span", { class: "unseen" }, "Filter by name"), this.text, h("kbd", { "aria-hidden": "true" }, "/")),
      this.labels, this.lengths, this.folder, this.folders);
    this.text.addEventListener("input", whenQuiet(this.changed, QUIET_MILLISECONDS));
    this.folder.addEventListener("change", this.changed);
    this.labels.addEventListener("change", () => this.choose(this.labels.value));
    this.lengths.addEventListener("change", this.changed);
    this.facts(null);
  }

  /** For the address. */
  get state() {
    return { text: this.text.value.trim(), label: this.label, length: this.lengths.value, folder: this.folder.value.trim() };
  }

  /** For the API. @returns {import("./api.js").Filter} */
  get wanted() {
    const { text, label, length, folder } = this.state;
    const [, , least, most] = LENGTHS.find(([value]) => value === length) ?? LENGTHS[0];
    return { text, label, folder, min_seconds: least, max_seconds: most };
  }

  get isOn() {
    return Object.values(this.state).some(Boolean);
  }

  /** @param {string} label none where it is empty */
  choose(label) {
    this.label = label;
    this.labels.value = label;
    this.changed();
  }

  clear() {
    this.text.value = this.folder.value = this.lengths.value = "";
    this.choose("");
  }

  /** What is known of the library. @param {import("./api.js").Status | null} status */
  facts(status) {
    const labels = Object.entries(status?.labels ?? {}).sort((one, other) => other[1] - one[1]);
    if (this.label && !labels.some(([label]) => label === this.label)) labels.unshift([this.label, 0]);
    fill(this.labels, h("option", { value: "" }, "Any label"),
      ...labels.map(([label, count]) => h("option", { value: label }, count ? `${readable(label)} (${count})` : readable(label))));
    this.labels.value = this.label;
    this.labels.disabled = !labels.length;
    if (status) this.know(status.folders);
  }

  /** Folders to choose from. @param {string[]} folders */
  know(folders) {
    const known = new Set([...this.folders.children].map((one) => one.value));
    for (const folder of folders) {
      if (!known.has(folder)) this.folders.append(h("option", { value: folder }));
      known.add(folder);
    }
  }
}
