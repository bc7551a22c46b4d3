/** Words in place of what could not be shown. */

import { ApiError, ServerGone } from "./api.js";
import { h, say } from "./dom.js";

/**
 * @param {string} title
 * @param {import("./dom.js").Child} [text]
 * @param {...HTMLElement} actions
 * @returns {HTMLElement}
 */
export function notice(title, text, ...actions) {
  say(title);
  return h("div", { class: "notice" }, h("p", { class: "notice-title" }, title), text && h("p", {}, text),
    actions.length ? h("p", { class: "actions" }, ...actions) : null);
}

/** @param {string} words @param {() => void} act */
export const button = (words, act) => h("button", { type: "button", class: "button", onclick: act }, words);

/**
 * What went wrong, and what to do.
 *
 * @param {unknown} error
 * @param {() => void} again
 * @param {AbortSignal} signal ends the wait for a turn
 * @returns {HTMLElement}
 */
export function troubleNotice(error, again, signal) {
  const retry = button("Try again", again);
  if (error instanceof ServerGone) return notice("The server does not answer", "Is it still running? This page goes on as soon as it is back.", retry);
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 429) return waitNotice(error, again, signal);
  if (error.status === 413) return notice("This file is too large", error.message);
  if (error.status === 422) return notice("This can not be searched with", error.message);
  if (error.status === 404) return notice("Not there", error.message, h("a", { class: "button", href: "#library" }, "To the library"));
  if (error.status === 401) return notice("A token is needed", error.message);
  if (error.status === 503) return notice("Not just now", error.message, retry);
  return notice("Something went wrong", error.message, retry);
}

/** Too many searches: go on by itself when it is allowed. @param {ApiError} error @param {() => void} again @param {AbortSignal} signal */
function waitNotice(error, again, signal) {
  let left = error.retryAfter || 2;
  const words = () => `Searches are counted so that nobody is left waiting. Yours goes on in ${left} s.`;
  const text = h("span", {}, words());
  const timer = setInterval(() => {
    left -= 1;
    text.textContent = words();
    if (left > 0) return;
    clearInterval(timer);
    again();
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(timer));
  return notice("Many searches at once", text);
}
