/** Whether the server is there: a banner where it is not, and word when it is back. */

import { health, onHeard } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { button } from "./notice.js";

const LOOK_MILLISECONDS = 10_000;
const RETRY_MILLISECONDS = 2_000;

/** @param {() => void} back is called when the server answers again */
export function watchServer(back) {
  const banner = byId("banner");
  let there = true;
  let timer = 0;

  const look = () => health().catch(() => {}); // onHeard is told either way
  const later = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => (document.hidden ? later() : look()), there ? LOOK_MILLISECONDS : RETRY_MILLISECONDS);
  };
  onHeard((answered) => {
    const before = there;
    there = answered;
    later();
    if (answered === before) return;
    banner.hidden = answered;
    if (answered) back();
    else fill(banner, h("span", {}, h("strong", {}, "The server does not answer. "), "It was stopped, perhaps. This page tries again by itself."), button("Try now", look));
  });
  later();
}
