/**
 * What is searched with: a video of the library, or a file that was dropped.
 *
 * @typedef {{kind: "video", video: import("./api.js").VideoDetails}} VideoQuery
 * @typedef {{kind: "file", file: File, url: string, playable: boolean | null, length: number}} FileQuery
 *   playable: null until the browser has tried; length: seconds, 0 where unknown
 * @typedef {VideoQuery | FileQuery} Query
 */

import { explainFile, explainVideo, previewUrl, search, similar } from "./api.js";

/** What a preview shows at most, in seconds. */
export const PREVIEW_SECONDS = 12;

/** @type {FileQuery | null} */
let dropped = null;

/** The file that was dropped last. */
export const droppedFile = () => dropped;

/** @param {File} file */
export function drop(file) {
  if (dropped) URL.revokeObjectURL(dropped.url);
  dropped = { kind: "file", file, url: URL.createObjectURL(file), playable: null, length: 0 };
}

/** @param {Query} query */
export const nameOf = (query) => (query.kind === "video" ? query.video.name : query.file.name);

/** @param {Query} query */
export const labelOf = (query) => (query.kind === "video" ? query.video.label : null);

/** @param {Query} query @returns {number} seconds; 0 where unknown */
export const lengthOf = (query) => (query.kind === "video" ? query.video.duration_seconds : query.length);

/**
 * @param {Query} query @param {import("./api.js").Range} range @param {number} k
 * @param {import("./api.js").Filter} filter @param {AbortSignal} signal
 * @returns {Promise<import("./api.js").Answer>}
 */
export function ask(query, range, k, filter, signal) {
  return query.kind === "video" ? similar(query.video.id, range, k, filter, signal) : search(query.file, range, k, filter, signal);
}

/** @param {Query} query @param {import("./api.js").Range} range @param {import("./api.js").Id} hit a segment @param {AbortSignal} signal */
export function explain(query, range, hit, signal) {
  return query.kind === "video" ? explainVideo(query.video.id, range, hit, signal) : explainFile(query.file, range, hit, signal);
}

/**
 * A film of a range, for a player.
 *
 * @typedef {{source: string, begins: number, length: number}} Film begins: in `source`, seconds
 * @param {Query} query @param {{start: number, end: number}} range
 * @returns {Film | null} null where the browser can not play it
 */
export function filmOf(query, range) {
  if (query.kind === "video") return filmOfPlace(query.video.id, range);
  if (query.playable === false || !(range.end > range.start)) return null;
  return { source: query.url, begins: range.start, length: range.end - range.start };
}

/** @param {import("./api.js").Id} videoId @param {{start: number, end: number}} range @returns {Film} */
export function filmOfPlace(videoId, range) {
  const length = Math.min(PREVIEW_SECONDS, range.end - range.start);
  return { source: previewUrl(videoId, range), begins: 0, length };
}
