/**
 * The hash says what is shown: #library, #ledger, #search (a file that was dropped), #similar/ID.
 * An id is "" where there is none. What follows "?" is a state of that view: a range, a filter, the
 * hit that is open.
 *
 * @typedef {{view: string, id: import("./api.js").Id, parameters: URLSearchParams}} Route
 */

/** @param {string} [hash] @returns {Route} */
export function routeOf(hash = location.hash) {
  const [path, query = ""] = hash.slice(1).split("?");
  const [view, id] = path.split("/");
  return { view: view || "library", id: /^[1-9]\d*$/.test(id ?? "") ? id : "", parameters: new URLSearchParams(query) };
}

/** @param {string} path @param {Record<string, unknown> | URLSearchParams} [parameters] @returns {string} */
export function hashOf(path, parameters = {}) {
  const given = parameters instanceof URLSearchParams ? [...parameters] : Object.entries(parameters);
  const query = new URLSearchParams();
  for (const [name, value] of given) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `#${path}${text && `?${text}`}`;
}

/** What is shown, without the state of its parts. @param {Route} route */
export function placeOf(route) {
  return route.id ? `${route.view}/${route.id}` : route.view;
}

/** @param {string} hash */
export function go(hash) {
  if (location.hash === hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = hash;
}

/** Keep a state in the address, without a step for the back button. @param {Record<string, unknown>} changes */
export function remember(changes) {
  const route = routeOf();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") route.parameters.delete(name);
    else route.parameters.set(name, String(value));
  }
  history.replaceState(history.state, "", hashOf(placeOf(route), route.parameters));
  window.dispatchEvent(new Event("remembered"));
}
