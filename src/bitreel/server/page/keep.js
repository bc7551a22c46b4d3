/** Adds the file that was searched with to the library. */

import { ApiError } from "./api.js";
import { fill, h } from "./dom.js";
import { jobOf, onJobs, startUpload } from "./jobs.js";

/**
 * @param {File} file @param {AbortSignal} signal
 * @returns {{element: HTMLElement, know: (labels: string[]) => void}} know: labels to choose from
 */
export function keeper(file, signal) {
  let id = "";
  const labels = h("datalist", { id: "known-labels" });
  const input = h("input", { id: "keep-label", list: "known-labels", placeholder: "No label", maxlength: "200", autocomplete: "off", spellcheck: "false" });
  const add = h("button", { class: "button" }, "Add to the library");
  const told = h("p", { class: "form-told", role: "status" });
  const element = h("form", { class: "keep" }, h("label", { class: "unseen", for: "keep-label" }, "Label of the clip"), input, labels, add, told);

  const tell = (/** @type {string} */ words, bad = false) => {
    told.textContent = words;
    told.classList.toggle("good", !bad);
  };
  const wait = (/** @type {boolean} */ waiting) => (add.disabled = input.disabled = waiting);

  element.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    wait(true);
    tell("Sending the video…");
    try {
      id = await startUpload(file, input.value.trim());
      follow();
    } catch (error) {
      wait(false);
      tell(error instanceof ApiError ? error.message : "The server does not answer.", true);
    }
  });

  function follow() {
    const job = jobOf(id);
    if (!job) return;
    if (job.state === "running") tell("Indexing…");
    else if (job.state === "done") tell("It is in the library now.");
    else {
      wait(false);
      tell(job.told || "It was not added.", true);
    }
  }
  onJobs(follow, signal);
  const know = (/** @type {string[]} */ all) => fill(labels, ...all.map((label) => h("option", { value: label })));
  return { element, know };
}
