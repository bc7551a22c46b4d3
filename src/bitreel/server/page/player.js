/** The dialog that shows a hit beside the query. */

import { fileUrl } from "./api.js";
import { bar, chip, distance } from "./card.js";
import { byId, fill, h, icon, mayMove } from "./dom.js";
import { ExplanationPanel } from "./explanation.js";
import { range } from "./format.js";
import { InStep } from "./instep.js";
import { filmOf, filmOfPlace, labelOf, nameOf, PREVIEW_SECONDS } from "./query.js";
import { remember } from "./router.js";

/**
 * asked: the range that was searched with, nothing where it was the whole.
 *
 * @typedef {{query: import("./query.js").Query, range: {start: number, end: number}, asked: import("./api.js").Range,
 *   hits: import("./api.js").Hit[], at: number, bits: number,
 *   like: (hit: import("./api.js").Hit) => void}} Shown
 */

/** @type {HTMLDialogElement} */
const dialog = byId("player");
/** @type {Shown | null} */
let shown = null;
/** @type {InStep | null} */
let pair = null;
const why = new ExplanationPanel(); // stays open from hit to hit

export const Player = {
  /** @param {Shown} next */
  open(next) {
    shown = next;
    show();
    if (!dialog.open) dialog.showModal();
    /** @type {HTMLElement | null} */ (dialog.querySelector("[data-play]"))?.focus();
  },
  /** Because the address says so: it is not to be changed for that. */
  close() {
    shown = null;
    if (dialog.open) dialog.close();
  },
};

function show() {
  if (!shown) return;
  const { query, hits, at, bits } = shown;
  const hit = hits[at];
  pair?.end();
  const place = { start: hit.start_seconds, end: hit.end_seconds };
  const left = figure("The query", nameOf(query), shown.range, labelOf(query), filmOf(query, shown.range));
  const right = figure(`Hit ${hit.rank}`, hit.name, place, hit.label, filmOfPlace(hit.video_id, place));
  const play = h("button", { type: "button", class: "button primary square", "data-play": true, "aria-label": "Play" }, icon("play"));
  const slider = h("input", { type: "range", class: "scrub", min: "0", max: "1000", value: "0", "aria-label": "Position" });
  const films = [left, right].flatMap(({ video, film }) => (video && film ? [{ video, film }] : []));
  const steps = new InStep(films, (part) => {
    slider.value = String(Math.round(part * 1000));
    slider.style.setProperty("--part", String(part));
  }, (playing) => {
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    fill(play, icon(playing ? "pause" : "play"));
  });
  pair = steps;
  play.addEventListener("click", () => steps.toggle());
  slider.addEventListener("input", () => steps.seek((Number(slider.value) / 1000) * steps.length));
  fill(dialog,
    h("header", { class: "player-head" },
      h("h2", { id: "player-title" }, `Hit ${hit.rank}`, h("span", { class: "of" }, ` of ${hits.length} shown`)),
      step("previous", "Previous hit", -1), step("next", "Next hit", 1),
      h("button", { type: "button", class: "button quiet square", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
    h("div", { class: "pair" }, left.element, right.element),
    h("div", { class: "controls" }, play, slider, sameLength(films, steps)),
    h("footer", { class: "player-foot" },
      h("div", { class: "verdict" }, bar(hit.similarity), distance(hit.distance_bits, bits), h("span", {}, `${Math.round(hit.similarity * 100)} % similar`)),
      h("a", { class: "button quiet", href: `${fileUrl(hit.video_id)}#t=${hit.start_seconds},${hit.end_seconds}`, target: "_blank", rel: "noopener" }, "Original file"),
      whyButton(),
      h("button", { type: "button", class: "button", onclick: () => like(hit) }, icon("like"), "More like this")),
    why.element);
  if (why.isOpen) why.show(query, shown.asked, hit);
  if (mayMove()) steps.play();
}

function whyButton() {
  const button = h("button", { type: "button", class: "button", "data-why": true, "aria-expanded": String(why.isOpen), "aria-controls": "why", onclick: () => explain(!why.isOpen) }, "Why this hit?");
  return button;
}

/** @param {boolean} open */
function explain(open) {
  if (!shown) return;
  why.set(open);
  dialog.classList.toggle("explained", open);
  dialog.querySelector("[data-why]")?.setAttribute("aria-expanded", String(open));
  if (!open) return;
  why.show(shown.query, shown.asked, shown.hits[shown.at]);
  why.element.scrollIntoView({ block: "nearest", behavior: mayMove() ? "smooth" : "auto" });
}

/** @param {{film: import("./query.js").Film}[]} films @param {InStep} steps */
function sameLength(films, steps) {
  if (films.length < 2 || Math.abs(films[0].film.length - films[1].film.length) < 0.05) return null;
  const box = h("input", { type: "checkbox" });
  box.addEventListener("change", () => steps.match(box.checked));
  return h("label", { class: "check", title: "The shorter clip plays slower, so that both begin and end together" }, box, "Same length");
}

/**
 * @param {string} title @param {string} name @param {{start: number, end: number}} place
 * @param {string | null} label @param {import("./query.js").Film | null} film
 */
function figure(title, name, place, label, film) {
  const video = film ? h("video", { muted: true, playsinline: true, preload: "auto", "aria-label": `${title}: ${name}` }) : null;
  const none = h("p", { class: "no-film" }, "Your browser can not play this file.");
  const screen = h("div", { class: "screen" }, video ?? none);
  video?.addEventListener("error", () => video.getAttribute("src") && fill(screen, none));
  const cut = place.end - place.start > PREVIEW_SECONDS && film && film.begins === 0 && film.length === PREVIEW_SECONDS;
  const words = range(place.start, place.end) + (cut ? `, of which the first ${PREVIEW_SECONDS} s` : "");
  const element = h("figure", {}, screen, h("figcaption", {}, h("strong", {}, title), h("span", { class: "name", title: name }, name),
    h("span", { class: "facts" }, chip(label), place.end ? words : "")));
  return { element, video, film };
}

/** @param {"previous" | "next"} shape @param {string} label @param {number} by */
function step(shape, label, by) {
  const button = h("button", { type: "button", class: "button quiet square", "aria-label": label, onclick: () => move(by) }, icon(shape));
  button.disabled = !shown?.hits[shown.at + by];
  return button;
}

/** @param {number} by */
function move(by) {
  if (!shown?.hits[shown.at + by]) return;
  shown.at += by;
  remember({ hit: shown.hits[shown.at].segment_id });
  show();
  /** @type {HTMLElement | null} */ (dialog.querySelector("[data-play]"))?.focus();
}

/** @param {import("./api.js").Hit} hit */
function like(hit) {
  const { like: act } = /** @type {Shown} */ (shown);
  shown = null; // the address goes on from here, not back
  dialog.close();
  act(hit);
}

dialog.addEventListener("close", () => {
  if (dialog.open) return; // opened again before this was heard
  pair?.end();
  pair = null;
  why.set(false);
  dialog.classList.remove("explained");
  const left = shown;
  shown = null;
  fill(dialog);
  if (!left || !location.hash.includes("hit=")) return;
  if (history.state?.opened) history.back();
  else remember({ hit: null });
});

dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // outside

dialog.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.matches("input") || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowLeft") move(-1);
  else if (event.key === "ArrowRight") move(1);
  else if (event.key === " " && !target.matches("button, a")) pair?.toggle();
  else if (event.key.toLowerCase() === "w") explain(!why.isOpen);
  else if (event.key.toLowerCase() === "m" && shown) like(shown.hits[shown.at]);
  else return;
  event.preventDefault();
});
