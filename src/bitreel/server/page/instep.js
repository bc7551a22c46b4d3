/** Two films that play in step: started, paused, moved and repeated as one. */

const DRIFT_SECONDS = 0.15; // less is not seen, and correcting it is
const SLOWEST = 0.25;

export class InStep {
  /**
   * @param {{video: HTMLVideoElement, film: import("./query.js").Film}[]} parts
   * @param {(part: number) => void} moved hears how far it is, 0 to 1
   * @param {(playing: boolean) => void} turned
   */
  constructor(parts, moved, turned) {
    this.parts = parts;
    this.moved = moved;
    this.turned = turned;
    this.length = Math.max(0.1, ...parts.map((part) => part.film.length));
    this.at = 0;
    this.playing = false;
    this.matched = false;
    this.frame = 0;
    for (const { video, film } of parts) {
      video.addEventListener("loadedmetadata", () => this.seek(this.at));
      video.src = film.source;
    }
  }

  /** The length of both is the same where it is asked for: the shorter one plays slower. @param {boolean} matched */
  match(matched) {
    this.matched = matched;
    for (const { video, film } of this.parts) video.playbackRate = matched ? Math.max(SLOWEST, film.length / this.length) : 1;
    this.seek(this.at);
  }

  play() {
    this.playing = true;
    this.turned(true);
    this.before = performance.now();
    for (const { video } of this.parts) video.play().catch(() => {});
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => this.#tick(now));
  }

  pause() {
    this.playing = false;
    this.turned(false);
    cancelAnimationFrame(this.frame);
    for (const { video } of this.parts) video.pause();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {number} seconds of the longer film */
  seek(seconds) {
    this.at = Math.min(Math.max(seconds, 0), this.length);
    for (const part of this.parts) this.#put(part, 0.01);
    this.moved(this.at / this.length);
  }

  end() {
    this.pause();
    for (const { video } of this.parts) {
      video.removeAttribute("src");
      video.load();
    }
  }

  /** @param {number} now */
  #tick(now) {
    if (!this.playing) return;
    const waits = this.parts.some(({ video }) => video.readyState < 3 && !video.error && !video.ended);
    if (!waits) this.at += (now - (this.before ?? now)) / 1000;
    this.before = now;
    if (this.at >= this.length) this.seek(0);
    for (const part of this.parts) {
      this.#put(part, DRIFT_SECONDS);
      if (part.video.paused && !part.video.error) part.video.play().catch(() => {});
    }
    this.moved(this.at / this.length);
    this.frame = requestAnimationFrame((next) => this.#tick(next));
  }

  /** A shorter film begins anew while the longer one plays on. @param {{video: HTMLVideoElement, film: import("./query.js").Film}} part @param {number} tolerance seconds */
  #put({ video, film }, tolerance) {
    if (video.readyState < 1) return;
    const within = this.matched ? (this.at * film.length) / this.length : film.length ? this.at % film.length : 0;
    const last = Number.isFinite(video.duration) ? video.duration - 0.05 : Infinity;
    const wanted = Math.min(film.begins + within, Math.max(0, last));
    if (Math.abs(video.currentTime - wanted) > tolerance && !video.seeking) video.currentTime = wanted;
  }
}
