/** A file that is dropped anywhere, pasted or chosen. */

import { byId, say } from "./dom.js";

/** @param {(file: File) => void} take */
export function takesFiles(take) {
  const cover = byId("drop");
  /** @type {HTMLInputElement} */
  const input = byId("file");
  const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // dragenter and dragleave come for every element on the way

  const cleared = () => {
    depth = 0;
    cover.hidden = true;
  };
  addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    depth += 1;
    cover.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (carries(event) && (depth -= 1) <= 0) cleared();
  });
  addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    cleared();
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
    else say("Nothing that could be searched with was dropped.");
  });
  addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) take(file);
  });
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    input.value = ""; // the same file may be chosen again
    if (file) take(file);
  });
  byId("choose").addEventListener("click", () => input.click());
}
