/** Folders and uploads that are being indexed: followed from wherever on the page one is. */

import { cancel, health, index, jobEvents, jobs, parsed, upload } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { button } from "./notice.js";

/** @type {Map<import("./api.js").Id, import("./api.js").Job>} */
const known = new Map();
/** @type {Map<import("./api.js").Id, EventSource>} */
const followed = new Map();
/** @type {Set<(ended: boolean) => void>} */
const listeners = new Set();

/** @param {(ended: boolean) => void} listener hears of changes, and whether a job ended @param {AbortSignal} signal */
export function onJobs(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
}

/** Learn of the jobs that there are. */
export async function refreshJobs() {
  for (const job of await jobs()) learn(job);
}

/** @param {string} folder */
export async function startJob(folder) {
  learn(await index(folder));
}

/** @param {File} file @param {string} label none where it is empty @returns {Promise<import("./api.js").Id>} the job */
export async function startUpload(file, label) {
  const job = await upload(file, label);
  learn(job);
  return job.id;
}

/** @param {import("./api.js").Id} id */
export const jobOf = (id) => known.get(id);

/** @param {import("./api.js").Job} job */
function learn(job) {
  const before = known.get(job.id);
  known.set(job.id, job);
  if (job.state === "running") follow(job.id);
  else {
    followed.get(job.id)?.close(); // or the browser would connect again
    followed.delete(job.id);
  }
  const running = [...known.values()].filter((one) => one.state === "running");
  const pill = byId("running");
  pill.hidden = !running.length;
  if (running.length) fill(pill, h("span", { class: "spin", "aria-hidden": "true" }), "Indexing ", h("span", { class: "numbers" }, amount(running[0])));
  const ended = before?.state === "running" && job.state !== "running";
  for (const listener of listeners) listener(ended);
}

/** @param {import("./api.js").Id} id */
function follow(id) {
  if (followed.has(id)) return;
  const events = jobEvents(id);
  followed.set(id, events);
  events.addEventListener("message", (event) => learn(parsed(event.data)));
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) health().catch(() => {}); // gone? the banner says so
    else followed.delete(id);
  });
}

/** After the server was gone: its jobs went with it. */
export function forgetJobs() {
  for (const events of followed.values()) events.close();
  followed.clear();
  known.clear();
  byId("running").hidden = true;
}

/** @param {import("./api.js").Job} job */
function amount(job) {
  return job.total ? `${job.done} of ${job.total}` : "…";
}

const WORDS = { running: "Indexing", done: "Done", failed: "Failed", cancelled: "Cancelled" };

/** Draws the jobs, newest first, and keeps what is drawn: a button that has the focus stays. */
export class JobList {
  constructor() {
    this.element = h("ul", { class: "jobs", role: "list", "aria-label": "Jobs" });
    /** @type {Map<import("./api.js").Id, {item: HTMLElement, show: (job: import("./api.js").Job) => void}>} */
    this.drawn = new Map();
  }

  show() {
    for (const job of known.values()) {
      let one = this.drawn.get(job.id);
      if (!one) {
        one = row(job);
        this.drawn.set(job.id, one);
        this.element.prepend(one.item);
      }
      one.show(job);
    }
    this.element.hidden = !this.drawn.size;
  }
}

/** @param {import("./api.js").Job} first */
function row(first) {
  const state = h("strong", {});
  const told = h("span", { class: "job-told" });
  const meter = h("progress", { "aria-label": `Progress of ${first.folder}` });
  const stop = button("Cancel", () => {
    stop.disabled = true;
    cancel(first.id).then(learn, () => (stop.disabled = false));
  });
  stop.classList.add("small");
  const item = h("li", { class: "job" }, h("div", { class: "job-text" }, state, h("span", { class: "name", title: first.folder }, first.folder), told), meter, stop);
  const show = (/** @type {import("./api.js").Job} */ job) => {
    item.dataset.state = job.state;
    state.textContent = WORDS[job.state] ?? job.state;
    const running = job.state === "running";
    told.textContent = running ? [job.total ? amount(job) : "Looking for videos…", job.note].filter(Boolean).join(", ") : job.told;
    meter.hidden = stop.hidden = !running;
    if (job.total) {
      meter.max = job.total;
      meter.value = job.done;
    }
  };
  return { item, show };
}
