/** Pictures along a timeline: of the library's thumbnails, or drawn from a film that the browser plays. */

import { thumbnailUrl } from "./api.js";
import { h } from "./dom.js";

const PICTURES = 6;

/** @param {HTMLElement} strip @param {import("./api.js").Id} videoId @param {number} length seconds */
export function stripOfLibrary(strip, videoId, length) {
  for (let at = 0; at < PICTURES; at += 1) {
    const range = { start: round((at * length) / PICTURES), end: round(((at + 1) * length) / PICTURES) };
    const image = h("img", { alt: "", draggable: "false", src: thumbnailUrl(videoId, range) });
    image.addEventListener("error", () => image.classList.add("missing"));
    strip.append(image);
  }
}

/** @param {number} seconds */
const round = (seconds) => Math.round(seconds * 1000) / 1000;

/**
 * @param {HTMLElement} strip
 * @param {string} url of a blob
 * @param {AbortSignal} signal
 */
export function stripOfFilm(strip, url, signal) {
  return draw(url, signal, (length) => Array.from({ length: PICTURES }, (_, at) => ({ into: strip, seconds: ((at + 0.5) * length) / PICTURES })));
}

/** Frames of a film, each into a box. @param {{picture: HTMLElement, seconds: number}[]} wanted @param {string} url of a blob @param {AbortSignal} signal */
export function pictureOfFilm(wanted, url, signal) {
  return draw(url, signal, () => wanted.map(({ picture, seconds }) => ({ into: picture, seconds })));
}

/**
 * @param {string} url @param {AbortSignal} signal
 * @param {(length: number) => {into: HTMLElement, seconds: number}[]} places by the seconds that the film lasts
 */
async function draw(url, signal, places) {
  const film = h("video", { muted: true, preload: "auto", src: url });
  try {
    await heard(film, "loadeddata", signal);
    for (const { into, seconds } of places(film.duration)) {
      film.currentTime = seconds;
      await heard(film, "seeked", signal);
      const canvas = h("canvas", { width: 96, height: 72 });
      paint(canvas, film);
      into.append(canvas);
    }
  } catch {
    // The boxes stay plain: pictures are an ornament, and all else works without them.
  }
  film.removeAttribute("src");
  film.load();
}

/** Fill a canvas with a frame, cut at the sides. @param {HTMLCanvasElement} canvas @param {HTMLVideoElement} film */
function paint(canvas, film) {
  const scale = Math.max(canvas.width / film.videoWidth, canvas.height / film.videoHeight);
  const [width, height] = [film.videoWidth * scale, film.videoHeight * scale];
  canvas.getContext("2d")?.drawImage(film, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

/** @param {HTMLVideoElement} film @param {string} event @param {AbortSignal} signal @returns {Promise<void>} */
function heard(film, event, signal) {
  return new Promise((resolve, reject) => {
    film.addEventListener(event, () => resolve(), { once: true });
    film.addEventListener("error", reject, { once: true });
    signal.addEventListener("abort", reject, { once: true });
  });
}
