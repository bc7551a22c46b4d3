/** The view of what became of every file, and of the work that goes on. */

import { ApiError, ledger } from "./api.js";
import { chip } from "./card.js";
import { fill, h, icon, say } from "./dom.js";
import { counted, size, span } from "./format.js";
import { JobList, onJobs, refreshJobs, startJob } from "./jobs.js";
import { notice, troubleNotice } from "./notice.js";
import { remember } from "./router.js";

const PAGE = 50;
/** @type {[string, string, string][]} fate, words, and what it means */
const FATES = [
  ["", "All", ""],
  ["indexed", "Indexed", "These can be found."],
  ["quarantined", "Quarantined", "These can not be read. They are tried again when they change."],
  ["skipped", "Skipped", "These were passed over. Every run looks at them again."],
];

export class LedgerView {
  /** @param {import("./router.js").Route} route @param {AbortSignal} signal @param {import("./api.js").Status | null} status */
  constructor(route, signal, status) {
    this.signal = signal;
    this.fate = route.parameters.get("fate") ?? "";
    this.offset = Number(route.parameters.get("offset")) || 0;
    this.summary = h("dl", { class: "summary" });
    this.add = h("section", { class: "add", "aria-labelledby": "add-title" });
    this.jobs = new JobList();
    this.tabs = h("div", { class: "fates", role: "group", "aria-label": "What became of files" });
    this.means = h("p", { class: "told" });
    this.body = h("div", { class: "entries" });
    this.pager = h("nav", { class: "pager", "aria-label": "Pages" });
    // Shown at once, when it is known what there is to show: nothing jumps.
    this.rest = h("div", { class: "ledger-rest", hidden: true }, this.summary, this.add, this.tabs, this.means, this.body, this.pager);
    this.element = h("div", { class: "ledger-view" }, h("h1", {}, "Ledger"),
      h("p", { class: "lead" }, "Every file that was looked at, and what became of it."), this.rest);
    onJobs((ended) => {
      this.jobs.show();
      if (ended) this.#load();
    }, signal);
    this.facts(status);
  }

  /** @param {import("./api.js").Status | null} status */
  facts(status) {
    if (!status) return;
    this.counts = { "": status.videos + status.quarantined + status.skipped, indexed: status.videos, quarantined: status.quarantined, skipped: status.skipped };
    const facts = { Videos: status.videos.toLocaleString("en"), Segments: status.segments.toLocaleString("en"), Playing: span(status.seconds), Code: `${status.bits} bits`, "On disk": size(status.bytes_on_disk) };
    fill(this.summary, ...Object.entries(facts).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    if (status.folders.length && !this.add.firstChild) fill(this.add, ...this.#form(status.folders), this.jobs.element);
    this.add.hidden = !status.folders.length;
    this.rest.hidden = false;
    this.#drawTabs();
  }

  async begin() {
    document.title = "Ledger – bitreel";
    this.jobs.show();
    await Promise.all([this.#load(), refreshJobs().catch(() => {})]);
  }

  /** @param {string[]} folders @returns {HTMLElement[]} */
  #form(folders) {
    const input = h("input", { id: "folder", list: "folders", value: folders[0], autocomplete: "off", spellcheck: "false", required: true });
    const told = h("p", { class: "form-told", role: "alert" });
    const form = h("form", { class: "add-form" }, h("label", { for: "folder" }, "Folder on the server"),
      h("datalist", { id: "folders" }, ...folders.map((folder) => h("option", { value: folder }))), input,
      h("button", { class: "button primary" }, "Index"), told);
    form.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      told.textContent = "";
      try {
        await startJob(input.value.trim());
      } catch (error) {
        told.textContent = error instanceof ApiError ? error.message : "The server does not answer.";
      }
    });
    return [h("h2", { id: "add-title" }, "Index a folder"), form];
  }

  #drawTabs() {
    const counts = /** @type {Record<string, number>} */ (this.counts ?? {});
    if (!this.tabs.firstChild) {
      fill(this.tabs, ...FATES.map(([fate, words]) => h("button", { type: "button", class: "facet plain", "data-fate": fate, onclick: () => this.#choose(fate, 0) }, words, h("span", { class: "count" }))));
    }
    for (const tab of this.tabs.children) {
      const fate = tab.dataset.fate;
      tab.setAttribute("aria-pressed", String(fate === this.fate));
      tab.lastElementChild.textContent = counts[fate]?.toLocaleString("en") ?? "";
    }
    this.means.textContent = FATES.find(([fate]) => fate === this.fate)?.[2] ?? "";
  }

  /** @param {string} fate @param {number} offset */
  #choose(fate, offset) {
    this.fate = fate;
    this.offset = offset;
    remember({ fate, offset: offset || null });
    this.#drawTabs();
    this.#load();
  }

  async #load() {
    const { fate, offset } = this;
    try {
      const page = await ledger({ fate, offset, limit: PAGE }, this.signal);
      if (fate === this.fate && offset === this.offset) this.#show(page);
    } catch (error) {
      this.rest.hidden = false;
      if (!this.signal.aborted) fill(this.body, troubleNotice(error, () => this.#load(), this.signal));
    }
  }

  /** @param {{total: number, offset: number, items: import("./api.js").Entry[]}} page */
  #show(page) {
    if (!page.total) {
      fill(this.body, notice(this.fate ? "None" : "Nothing yet", this.fate ? "No file met this fate." : "No folder was indexed into this library."));
    } else {
      fill(this.body, h("table", { class: "table" },
        h("thead", {}, h("tr", {}, ...["File", "Fate", "Label", "Why", "Size"].map((words) => h("th", { scope: "col" }, words)))),
        h("tbody", {}, ...page.items.map(line))));
      say(counted(page.total, "file"));
    }
    const move = (/** @type {number} */ by) => this.#choose(this.fate, Math.max(0, this.offset + by * PAGE));
    const before = h("button", { type: "button", class: "button", onclick: () => move(-1) }, icon("previous"), "Previous");
    const after = h("button", { type: "button", class: "button", onclick: () => move(1) }, "Next", icon("next"));
    before.disabled = page.offset === 0;
    after.disabled = page.offset + page.items.length >= page.total;
    if (page.total <= PAGE) fill(this.pager);
    else fill(this.pager, before, h("span", {}, `Page ${page.offset / PAGE + 1} of ${Math.ceil(page.total / PAGE)}`), after);
  }
}

/** @param {import("./api.js").Entry} entry */
function line(entry) {
  const cut = entry.path.lastIndexOf("/") + 1;
  const name = entry.path.slice(cut);
  const shown = entry.video_id ? h("a", { class: "name", href: `#similar/${entry.video_id}`, title: `What looks like ${entry.path}` }, name)
    : h("span", { class: "name", title: entry.path }, name);
  const why = entry.reason ?? (entry.damage ? `Damaged: ${entry.damage}` : "");
  return h("tr", {},
    h("td", { class: "file" }, shown, h("span", { class: "folder", title: entry.path }, entry.path.slice(0, cut))),
    h("td", {}, h("span", { class: `fate ${entry.fate}` }, entry.fate)),
    h("td", {}, chip(entry.label)),
    h("td", { class: "why" }, why.replaceAll(entry.path, name)),
    h("td", { class: "size" }, size(entry.size_bytes)));
}
