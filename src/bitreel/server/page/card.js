/** Clips as cards. */

import { h, icon } from "./dom.js";
import { counted, hue, range, readable, time } from "./format.js";
import { picture, playsOnRest } from "./preview.js";

/**
 * @param {string | null} label
 * @param {boolean} [same] as the query's
 * @returns {HTMLElement | null}
 */
export function chip(label, same = false) {
  if (!label) return null;
  const shown = h("span", { class: "chip", "--hue": hue(label) }, readable(label));
  if (same) shown.append(h("span", { class: "same", title: "The query's label" }, "✓"));
  return shown;
}

/** How near, as a row of bits. @param {number} similarity 0 to 1 @returns {HTMLElement} */
export function bar(similarity) {
  return h("span", { class: "bits", "--part": similarity, "aria-hidden": "true" });
}

/**
 * @param {{videoId: import("./api.js").Id, range: import("./api.js").Range, name: string, open: () => void,
 *   like: (() => void) | null}} clip
 * @param {(HTMLElement | null)[]} over what lies on the picture
 * @param {(HTMLElement | null)[]} below
 * @returns {HTMLLIElement}
 */
function card(clip, over, below) {
  const box = picture(clip.videoId, clip.range);
  box.append(...over.filter((part) => part !== null));
  const main = h("button", { type: "button", class: "card-main" }, box, h("span", { class: "card-text" }, ...below));
  const item = h("li", { class: "card" }, main);
  const toggle = playsOnRest(item, box, clip.videoId, clip.range);
  main.addEventListener("click", clip.open);
  main.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === " ") {
      event.preventDefault(); // space plays, Enter opens
      if (!event.repeat) toggle();
    } else if (event.key.toLowerCase() === "m" && clip.like && !event.ctrlKey && !event.metaKey) clip.like();
  });
  main.addEventListener("keyup", (/** @type {KeyboardEvent} */ event) => event.key === " " && event.preventDefault());
  if (clip.like) {
    const words = `More like ${clip.name}`;
    item.append(
      h("button", { type: "button", class: "card-like", tabindex: "-1", title: "More like this (M)", "aria-label": words, onclick: clip.like }, icon("like")),
    );
  }
  return item;
}

/**
 * @param {import("./api.js").Hit} hit
 * @param {number} bits of a code
 * @param {string | null} queryLabel
 * @param {() => void} open
 * @param {() => void} like
 */
export function hitCard(hit, bits, queryLabel, open, like) {
  const place = { start: hit.start_seconds, end: hit.end_seconds };
  return card(
    { videoId: hit.video_id, range: place, name: hit.name, open, like },
    [
      h("span", { class: "rank" }, h("span", { class: "unseen" }, "Hit "), hit.rank),
      h("span", { class: "when" }, range(hit.start_seconds, hit.end_seconds)),
    ],
    [
      h("span", { class: "near" }, bar(hit.similarity), distance(hit.distance_bits, bits)),
      h("span", { class: "name", title: hit.name }, hit.name),
      chip(hit.label, hit.label !== null && hit.label === queryLabel),
    ],
  );
}

/** @param {number} distanceBits @param {number} bits @returns {HTMLElement} */
export function distance(distanceBits, bits) {
  const words = `${counted(distanceBits, "bit")} of ${bits} differ`;
  return h("span", { class: "distance", title: words }, h("strong", {}, distanceBits), ` ${distanceBits === 1 ? "bit" : "bits"} apart`);
}

/** @param {import("./api.js").Video} video @param {() => void} open */
export function videoCard(video, open) {
  const parts = video.segments > 1 ? `, ${counted(video.segments, "segment")}` : "";
  return card(
    { videoId: video.id, range: {}, name: video.name, open, like: null },
    [h("span", { class: "when" }, time(video.duration_seconds) + parts)],
    [
      h("span", { class: "name", title: video.name }, video.name),
      chip(video.label),
      video.damage ? h("span", { class: "damage", title: video.damage }, "damaged") : null,
    ],
  );
}

/** @param {number} count @returns {HTMLElement[]} in the shape of cards, while they are awaited */
export function skeletons(count) {
  return Array.from({ length: count }, () =>
    h("li", { class: "card skeleton", "aria-hidden": "true" },
      h("span", { class: "card-main" },
        h("span", { class: "picture" }),
        h("span", { class: "card-text" }, h("span", { class: "line" }), h("span", { class: "line short" })))),
  );
}
