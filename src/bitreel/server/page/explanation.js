/** Why a hit was found: the bits that agree, what the distance says of labels, the frames that weigh most. */

import { thumbnailUrl } from "./api.js";
import { fill, h } from "./dom.js";
import { pictureOfFilm } from "./filmstrip.js";
import { counted, time } from "./format.js";
import { troubleNotice } from "./notice.js";
import { explain } from "./query.js";

const DOUBTFUL = 0.1; // from 0.5, where a bit would be the other
const FRAME_SECONDS = 0.04; // around a frame, for its picture

export class ExplanationPanel {
  constructor() {
    this.isOpen = false;
    this.asked = new AbortController();
    this.body = h("div", { class: "explanation-body" });
    this.element = h("section", { class: "explanation", id: "why", "aria-label": "Why this hit", tabindex: "-1", hidden: true }, this.body);
  }

  /** @param {boolean} open */
  set(open) {
    this.isOpen = open;
    this.element.hidden = !open;
    if (!open) this.stop();
  }

  stop() {
    this.asked.abort();
    fill(this.body);
  }

  /**
   * @param {import("./query.js").Query} query @param {import("./api.js").Range} range
   * @param {import("./api.js").Hit} hit
   */
  async show(query, range, hit) {
    this.asked.abort();
    const { signal } = (this.asked = new AbortController());
    this.element.setAttribute("aria-busy", "true");
    fill(this.body, h("p", { class: "told" }, "Looking at the bits…"));
    try {
      const found = await explain(query, range, hit.segment_id, signal);
      if (signal.aborted) return;
      fill(this.body, bits(found), labels(found), frames(found, query, signal));
    } catch (error) {
      if (signal.aborted || /** @type {Error} */ (error).name === "AbortError") return;
      fill(this.body, troubleNotice(error, () => this.show(query, range, hit), signal));
    } finally {
      if (!signal.aborted) this.element.removeAttribute("aria-busy");
    }
  }
}

/** @param {string} title @param {...(Node | string | null)} parts */
function part(title, ...parts) {
  return h("div", { class: "explanation-part" }, h("h3", {}, title), ...parts);
}

/** @param {import("./api.js").Explanation} found */
function bits(found) {
  const differ = found.distance_bits;
  const agree = found.bits.length - differ;
  const doubtful = found.bits.filter((bit) => bit.query !== bit.hit && inDoubt(bit)).length;
  const words = `${agree} of ${found.bits.length} bits agree`;
  const strip = h("div", { class: "bit-strip", role: "img", "aria-label": `${words}, ${differ} differ` },
    ...found.bits.map((bit) => h("span", { class: bit.query === bit.hit ? "bit" : inDoubt(bit) ? "bit differs doubtful" : "bit differs" })));
  const legend = h("p", { class: "legend", "aria-hidden": "true" }, key("bit", `${agree} agree`), key("bit differs", `${differ - doubtful} differ`),
    doubtful ? key("bit differs doubtful", `${doubtful} differ, and the query was in doubt`) : null);
  return part(words, strip, legend);
}

/** @param {{relaxed: number | null}} bit */
const inDoubt = (bit) => bit.relaxed !== null && Math.abs(bit.relaxed - 0.5) < DOUBTFUL;

/** @param {string} kind @param {string} words */
const key = (kind, words) => h("span", { class: "key" }, h("span", { class: kind }), words);

/** @param {import("./api.js").Explanation} found */
function labels(found) {
  const shared = found.shared_label;
  if (!shared) {
    return part("The label", h("p", {}, `How often clips that far apart share the label is not known: ${found.shared_label_unknown}.`));
  }
  const apart = shared.low_bits === shared.high_bits ? counted(shared.low_bits, "bit") : `${shared.low_bits} to ${shared.high_bits} bits`;
  const [share, low, high, base] = [shared.share, shared.low, shared.high, shared.base_share].map(percent);
  const sentence = h("p", {}, `Of clips ${apart} apart, `, h("strong", {}, `${share} %`), ` (${low} to ${high} %) share the label; among all pairs ${base} %.`);
  const scale = h("div", { class: "share", "aria-hidden": "true", "--share": shared.share, "--low": shared.low, "--high": shared.high, "--base": shared.base_share },
    h("span", { class: "share-range" }), h("span", { class: "share-point" }), h("span", { class: "share-base", title: "All pairs" }));
  const counts = `Counted on ${counted(shared.pairs, "pair")} of clips of ${counted(shared.videos, "labelled video")} of this library.`;
  return part("The label", sentence, scale, h("p", { class: "told" }, counts));
}

/** @param {number} share */
const percent = (share) => Math.round(100 * share);

/** @param {import("./api.js").Explanation} found @param {import("./query.js").Query} query @param {AbortSignal} signal */
function frames(found, query, signal) {
  if (!found.frames.length) return part("The query's frames", h("p", {}, `Which of them weigh most is not known: ${found.frames_unknown}.`));
  const most = Math.max(0.01, ...found.frames.map((frame) => Math.abs(frame.weight_bits)));
  const top = found.frames.reduce((one, other) => (other.weight_bits > one.weight_bits ? other : one));
  const list = h("ul", { class: "frames", role: "list" });
  const pictures = found.frames.map((frame) => {
    const picture = h("span", { class: "frame-picture" });
    const less = frame.weight_bits < 0;
    list.append(h("li", { class: frame === top && !less ? "frame heaviest" : less ? "frame less" : "frame", "--part": Math.abs(frame.weight_bits) / most }, picture,
      h("span", { class: "frame-bar", "aria-hidden": "true" }),
      h("span", { class: "frame-text" }, time(Math.round(frame.time_seconds * 100) / 100), h("span", { class: "unseen" }, ": "), h("strong", {}, signed(frame.weight_bits)), h("span", { class: "unseen" }, " bits"))));
    return { picture, seconds: frame.time_seconds };
  });
  paint(pictures, query, signal);
  return part("The query's frames", h("p", { class: "told" }, "By how many bits each brings the query nearer to this hit than the frames beside it would."), list);
}

/** @param {number} weight */
function signed(weight) {
  const text = Math.abs(weight).toFixed(1);
  return text === "0.0" ? "0" : `${weight < 0 ? "−" : "+"}${text}`;
}

/** @param {{picture: HTMLElement, seconds: number}[]} pictures @param {import("./query.js").Query} query @param {AbortSignal} signal */
function paint(pictures, query, signal) {
  if (query.kind === "file") {
    if (query.playable !== false) pictureOfFilm(pictures, query.url, signal);
    return;
  }
  for (const { picture, seconds } of pictures) {
    const start = Math.max(0, seconds - FRAME_SECONDS / 2);
    const image = h("img", { alt: "", loading: "lazy", src: thumbnailUrl(query.video.id, { start: Number(start.toFixed(3)), end: Number((start + FRAME_SECONDS).toFixed(3)) }) });
    image.addEventListener("error", () => image.remove());
    picture.append(image);
  }
}
