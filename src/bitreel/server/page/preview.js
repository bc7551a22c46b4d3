/** A picture of a place in a video, which plays while a pointer or the focus rests on it. */

import { previewUrl, thumbnailUrl } from "./api.js";
import { h, icon, mayMove } from "./dom.js";

const REST_MILLISECONDS = 160; // a pointer that only passes by asks for no film

/**
 * @param {import("./api.js").Id} videoId
 * @param {import("./api.js").Range} range
 * @returns {HTMLElement} a box that keeps its shape whatever arrives
 */
export function picture(videoId, range) {
  const image = h("img", { alt: "", loading: "lazy", decoding: "async", draggable: "false" });
  const box = h("span", { class: "picture" }, image);
  image.addEventListener("load", () => box.classList.add("loaded"));
  image.addEventListener("error", () => {
    box.classList.add("loaded", "missing");
    image.replaceWith(icon("film"));
  });
  image.src = thumbnailUrl(videoId, range);
  return box;
}

/**
 * Let the picture in a card play.
 *
 * @param {HTMLElement} card hears of pointer and focus
 * @param {HTMLElement} box from `picture`
 * @param {import("./api.js").Id} videoId
 * @param {import("./api.js").Range} range
 * @returns {() => void} plays, or stops what plays
 */
export function playsOnRest(card, box, videoId, range) {
  let timer = 0;
  /** @type {HTMLVideoElement | null} */
  let film = null;

  function play() {
    clearTimeout(timer);
    if (film) return;
    film = h("video", { muted: true, loop: true, playsinline: true, "aria-hidden": "true" });
    const shown = /** @type {HTMLVideoElement} */ (film);
    shown.addEventListener("playing", () => shown.classList.add("playing"));
    shown.addEventListener("error", stop);
    shown.src = previewUrl(videoId, range);
    box.append(shown);
    shown.play().catch(() => {}); // it was stopped before it began
  }

  function stop() {
    clearTimeout(timer);
    if (!film) return;
    const gone = film;
    film = null;
    gone.remove();
    gone.removeAttribute("src"); // ends its download
    gone.load();
  }

  const rest = () => {
    if (mayMove()) timer = window.setTimeout(play, REST_MILLISECONDS);
  };
  card.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && rest());
  card.addEventListener("pointerleave", stop);
  card.addEventListener("focusin", rest);
  card.addEventListener("focusout", stop);
  return () => (film ? stop() : play());
}
