/**
 * The HTTP API, as described at /api/openapi.json.
 *
 * @typedef {string} Id
 * @typedef {{id: Id, name: string, folder: string, label: string | null, duration_seconds: number,
 *   segments: number, damage: string | null}} Video
 * @typedef {Video & {segments_in_time: {id: Id, start_seconds: number, end_seconds: number}[]}} VideoDetails
 * @typedef {{rank: number, video_id: Id, segment_id: Id, name: string, folder: string,
 *   label: string | null, start_seconds: number, end_seconds: number, distance_bits: number,
 *   similarity: number}} Hit
 * @typedef {{query: string, start_seconds: number, end_seconds: number, query_segments: number,
 *   segments: number, bits: number, damage: string | null, milliseconds: number, hits: Hit[]}} Answer
 * @typedef {{version: string, videos: number, segments: number, seconds: number, quarantined: number,
 *   skipped: number, damaged: number, bits: number, model: string, bytes_on_disk: number,
 *   labels: Record<string, number>, folders: string[]}} Status
 * @typedef {{path: string, fate: string, video_id?: Id | null, label: string | null, reason: string | null,
 *   damage: string | null, size_bytes: number}} Entry
 * @typedef {{id: Id, folder: string, state: "running" | "done" | "failed" | "cancelled",
 *   done: number, total: number, note: string, told: string}} Job
 * @typedef {{share: number, low: number, high: number, level: number, low_bits: number, high_bits: number,
 *   pairs: number, videos: number, base_share: number, base_pairs: number}} SharedLabel
 * @typedef {{distance_bits: number, bits: {query: boolean, hit: boolean, relaxed: number | null}[],
 *   shared_label: SharedLabel | null, shared_label_unknown: string | null,
 *   frames: {time_seconds: number, weight_bits: number}[], frames_unknown: string | null}} Explanation
 * @typedef {{start?: number | null, end?: number | null}} Range seconds
 * @typedef {{text?: string, label?: string, folder?: string, min_seconds?: number | null,
 *   max_seconds?: number | null}} Filter among which videos
 */

/** An answer that is no success. detail: what the server says of it. */
export class ApiError extends Error {
  /** @param {number} status @param {string} detail @param {number} retryAfter seconds; 0 where not said */
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** No answer at all. */
export class ServerGone extends Error {}

/**
 * Ids stay text: those of a library on a server have more digits than a number is exact to here.
 *
 * @param {string} text JSON @returns {any}
 */
export const parsed = (text) => JSON.parse(text.replace(/("(?:\w+_)?id": ?)(\d+)/g, '$1"$2"'));

/** Hears of every answer (true) and of every one that never came (false). */
let heard = (/** @type {boolean} */ _there) => {};

/** @param {(there: boolean) => void} listener */
export function onHeard(listener) {
  heard = listener;
}

/**
 * @param {string} path below /api
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(`/api${path}`, options);
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    heard(false);
    throw new ServerGone("The server does not answer.");
  }
  heard(true);
  if (response.ok) return parsed(await response.text());
  throw await problemOf(response);
}

/** @param {Response} response */
async function problemOf(response) {
  let detail = `${response.status} ${response.statusText}`;
  try {
    detail = (await response.json()).detail || detail;
  } catch {
    // Something between here and the server answered: its status has to do.
  }
  return new ApiError(response.status, detail, Number(response.headers.get("Retry-After")) || 0);
}

/** @param {Record<string, unknown>} values @returns {string} with "?", or nothing */
function queryOf(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text && `?${text}`;
}

/** @returns {Promise<Status>} */
export const status = () => ask("/status");

export const health = () => ask("/health");

/**
 * @param {Record<string, unknown>} filter text, label, folder, min_seconds, max_seconds, offset, limit
 * @param {AbortSignal} [signal]
 * @returns {Promise<{total: number, offset: number, items: Video[]}>}
 */
export const videos = (filter, signal) => ask(`/videos${queryOf(filter)}`, { signal });

/** @param {Id} id @param {AbortSignal} [signal] @returns {Promise<VideoDetails>} */
export const video = (id, signal) => ask(`/videos/${id}`, { signal });

/** @param {Id} id @param {Range} range @param {number} k @param {Filter} filter @param {AbortSignal} [signal] @returns {Promise<Answer>} */
export const similar = (id, range, k, filter, signal) =>
  ask(`/videos/${id}/similar${queryOf({ ...range, k, ...filter })}`, { signal });

/** @param {File} file @param {Range} range @param {number} k @param {Filter} filter @param {AbortSignal} [signal] @returns {Promise<Answer>} */
export const search = (file, range, k, filter, signal) => send("/search", file, { ...range, k, ...filter }, signal);

/** @param {Id} id @param {Range} range @param {Id} hit a segment @param {AbortSignal} [signal] @returns {Promise<Explanation>} */
export const explainVideo = (id, range, hit, signal) => ask(`/videos/${id}/explanation${queryOf({ ...range, hit })}`, { signal });

/** @param {File} file @param {Range} range @param {Id} hit a segment @param {AbortSignal} [signal] @returns {Promise<Explanation>} */
export const explainFile = (file, range, hit, signal) => send("/explain", file, { ...range, hit }, signal);

/** @param {string} path @param {File} file @param {Record<string, unknown>} values @param {AbortSignal} [signal] */
function send(path, file, values, signal) {
  const form = new FormData();
  form.set("file", file);
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") form.set(name, String(value));
  }
  return ask(path, { method: "POST", body: form, signal });
}

/** @param {Record<string, unknown>} filter fate, offset, limit @param {AbortSignal} [signal] @returns {Promise<{total: number, offset: number, items: Entry[]}>} */
export const ledger = (filter, signal) => ask(`/ledger${queryOf(filter)}`, { signal });

/** @returns {Promise<Job[]>} */
export const jobs = () => ask("/jobs");

/** @param {string} folder @returns {Promise<Job>} */
export const index = (folder) =>
  ask("/jobs", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ folder }),
  });

/** Keep a file, and index it as a job. @param {File} file @param {string} label none where it is empty @returns {Promise<Job>} */
export const upload = (file, label) => send("/uploads", file, { label });

/** @param {Id} id @returns {Promise<Job>} */
export const cancel = (id) => ask(`/jobs/${id}`, { method: "DELETE" });

/** @param {Id} id */
export const jobEvents = (id) => new EventSource(`/api/jobs/${id}/events`);

/** @param {Id} id @param {Range} [range] */
export const thumbnailUrl = (id, range = {}) => `/api/videos/${id}/thumbnail${queryOf({ ...range })}`;

/** @param {Id} id @param {Range} [range] */
export const previewUrl = (id, range = {}) => `/api/videos/${id}/preview${queryOf({ ...range })}`;

/** @param {Id} id */
export const fileUrl = (id) => `/api/videos/${id}/file`;
