// SPDX-License-Identifier: Apache-2.0
// The address bar: what is shown is said behind the '#', so that it can be linked.

/** Of what is no percent-encoding, itself. */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** "#/samples/train?kind=pair" as {page, words, query}. */
export function readPlace(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...words] = path.split("/").map(decoded);
  return {page, words, query: new URLSearchParams(query)};
}

/** Query text with its commas as they are, without what is empty. */
export function queryText(query) {
  const rows = [...new URLSearchParams(query)].filter(([, value]) => value !== "");
  return rows.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`).join("&");
}

export function placeLink(words, query = {}) {
  const path = words.map((word) => encodeURIComponent(word).replaceAll("%2C", ",")).join("/");
  const text = queryText(query);
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Say in the address bar, without a step in the history, what was changed on the page. */
export function noteInPlace(changes) {
  const {page, words, query} = readPlace();
  for (const [name, value] of Object.entries(changes)) query.set(name, value ?? "");
  history.replaceState(history.state, "", placeLink([page, ...words], query));
}

/** The words of a view that stand in a query, as the server takes them. */
const VIEW_WORDS = ["kind", "any", "all", "none", "folds", "fold", "part", "per_class", "fold_seed"];
export function viewOf(query) {
  return Object.fromEntries(VIEW_WORDS.filter((word) => query.get(word)).map((word) => [word, query.get(word)]));
}
