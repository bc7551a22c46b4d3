/** Values in words. */

/** @param {number} seconds @returns {string} 2.2 s, 1:04, 1:02:03 */
export function time(seconds) {
  if (seconds < 60) return `${trimmed(seconds)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
}

/** @param {number} start @param {number} end @returns {string} 0–2.2 s */
export function range(start, end) {
  if (end < 60) return `${trimmed(start)}–${trimmed(end)} s`;
  return `${time(start)}–${time(end)}`;
}

/** @param {number} seconds */
function trimmed(seconds) {
  return String(Math.round(seconds * 10) / 10);
}

/** @param {number} count @param {string} one @param {string} [many] @returns {string} */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** @param {number} bytes @returns {string} */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = bytes;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${at === 0 || left >= 10 ? Math.round(left) : left.toFixed(1)} ${units[at]}`;
}

/** @param {number} seconds @returns {string} about how long: 3 min, 2.5 h */
export function span(seconds) {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** @param {number} milliseconds @returns {string} */
export function duration(milliseconds) {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A hue that is the same for the same label, on every page. @param {string} label @returns {number} */
export function hue(label) {
  let hash = 7;
  for (const character of label) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return (hash * 137) % 360; // close hashes, far hues
}

/** A label as people write it. @param {string} label @returns {string} */
export function readable(label) {
  return label.replaceAll("_", " ").replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2");
}
