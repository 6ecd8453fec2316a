// SPDX-License-Identifier: Apache-2.0
// What is known of a thing, as a list of names and values.
import {h} from "./dom.js";

/** `rows`: [name, value] each; those without a value are left out. */
export function createFacts(rows) {
  const there = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", {class: "facts"}, there.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Large figures with a word under each. */
export function createFigures(rows) {
  return h("dl", {class: "figures"}, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

export function createKey() {
  return h("p", {class: "key"}, h("span", {class: "swatch on"}), "ON: it became brighter",
    h("span", {class: "swatch off"}), "OFF: it became darker");
}
