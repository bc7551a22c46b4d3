/** Puts the views, the address and the header together. */

import { status } from "./api.js";
import { watchServer } from "./connection.js";
import { byId, fill, h } from "./dom.js";
import { takesFiles } from "./drop.js";
import { counted } from "./format.js";
import { forgetJobs, onJobs, refreshJobs } from "./jobs.js";
import { LedgerView } from "./ledger.js";
import { LibraryView } from "./library.js";
import { Player } from "./player.js";
import { drop } from "./query.js";
import { ResultsView } from "./results.js";
import { go, hashOf, placeOf, routeOf } from "./router.js";

/** @type {import("./api.js").Status | null} */
let facts = null;
/** @type {LibraryView | LedgerView | ResultsView | null} */
let view = null;
let leaving = new AbortController();
let shownAs = "";
/** @type {Map<string, number>} how far each address was scrolled */
const scrolled = new Map();
const main = byId("view");

/** The address without the hit that is open: where that alone changes, the view stays. @param {import("./router.js").Route} route */
function withoutHit(route) {
  const rest = new URLSearchParams(route.parameters);
  rest.delete("hit");
  return hashOf(placeOf(route), rest);
}

async function show() {
  const route = routeOf();
  const address = withoutHit(route);
  if (address === shownAs && view instanceof ResultsView) {
    return view.showHit(route.parameters.get("hit") ?? "");
  }
  await enter(route, address);
}

/** @param {import("./router.js").Route} route @param {string} address */
async function enter(route, address) {
  leaving.abort();
  leaving = new AbortController();
  Player.close();
  shownAs = address;
  const { signal } = leaving;
  if (route.view === "ledger") view = new LedgerView(route, signal, facts);
  else if (route.view === "search" || (route.view === "similar" && route.id)) view = new ResultsView(route, signal, facts);
  else view = new LibraryView(route, signal, facts);
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link instanceof HTMLElement && link.dataset.view === route.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  fill(main, view.element);
  scrollTo(0, 0);
  await view.begin();
  if (!signal.aborted && scrolled.has(address)) scrollTo(0, scrolled.get(address) ?? 0);
}

async function learn() {
  try {
    facts = await status();
  } catch {
    return; // the banner says so
  }
  if (view && "facts" in view) view.facts(facts);
  fill(byId("foot"),
    h("span", {}, `${counted(facts.segments, "segment")} of ${counted(facts.videos, "video")}`), h("span", {}, `codes of ${facts.bits} bits`),
    h("a", { href: "/api/openapi.json" }, "API"), h("span", {}, `bitreel ${facts.version}`));
}

/** @param {File} file */
function searchWith(file) {
  drop(file);
  shownAs = ""; // another file at the same address
  if (routeOf().view === "search") history.replaceState(null, "", "#search");
  go("#search");
}

function theme() {
  const button = byId("theme");
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const tell = () => button.setAttribute("aria-pressed", String(dark()));
  button.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("bitreel-theme", next);
    } catch {
      // It holds until the page is closed.
    }
    tell();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
  tell();
}

function keys() {
  /** @type {HTMLDialogElement} */
  const help = byId("help");
  byId("keys").addEventListener("click", () => help.showModal());
  addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") help.showModal();
    else if (event.key === "/") {
      const filter = document.getElementById("filter");
      event.preventDefault();
      filter?.focus();
    } else if (event.key === "ArrowDown" && target === document.body && view && "grid" in view) {
      event.preventDefault();
      view.grid.focus();
    }
  });
}

history.scrollRestoration = "manual"; // what was scrolled to is not there yet when the browser would
addEventListener("scroll", () => scrolled.set(withoutHit(routeOf()), scrollY), { passive: true });
addEventListener("hashchange", show);
addEventListener("remembered", () => (shownAs = withoutHit(routeOf())));
addEventListener("popstate", () => withoutHit(routeOf()) === shownAs && show());
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // its address is not a view's
  main.focus();
});
takesFiles(searchWith);
theme();
keys();
watchServer(() => {
  forgetJobs();
  learn();
  refreshJobs().catch(() => {});
  enter(routeOf(), withoutHit(routeOf()));
});
onJobs((ended) => ended && learn(), new AbortController().signal);
learn();
refreshJobs().catch(() => {});
show();
