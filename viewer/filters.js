// SPDX-License-Identifier: Apache-2.0
// The words of a view, as things to press.
import {choice, h, numberField, segments} from "./dom.js";

const DIGITS = [...Array(10).keys()];
const KINDS = [["", "All"], ["single", "One digit"], ["pair", "Two digits"]];
const SETS = [["any", "Any of"], ["all", "All of"], ["none", "None of"]];

function digitsOf(view, word) {
  return new Set((view[word] ?? "").split(",").filter(Boolean).map(Number));
}

function chips(view, word, label, onchange) {
  const chosen = digitsOf(view, word);
  return h("div", {class: "chips", role: "group", "aria-label": `${label} these digits`}, h("span", {class: "chips-name"}, label),
    DIGITS.map((digit) => h("button", {type: "button", "aria-pressed": String(chosen.has(digit)), onclick: () => {
      chosen.has(digit) ? chosen.delete(digit) : chosen.add(digit);
      onchange({[word]: [...chosen].sort().join(",")});
    }}, digit)));
}

function folds(view, onchange) {
  const part = choice("Part", [["", "all of it"], ["rest", "to train on"], ["held", "held out"]], view.part ?? "",
    (value) => onchange(value ? {part: value, folds: view.folds ?? "10", fold: view.fold ?? "0"} : {part: "", folds: "", fold: ""}));
  const few = numberField("Per class", view.per_class ?? "", {min: 1, max: 2147483647, optional: true}, (value) => onchange({per_class: value}));
  if (!view.part) return [part, few];
  return [part, numberField("Fold", view.fold ?? "0", {max: 999}, (value) => onchange({fold: value})),
    numberField("of", view.folds ?? "10", {min: 2, max: 1000}, (value) => onchange({folds: value})), few];
}

/** `onchange(changes)` has the words that are other now, "" where one is gone. */
export function createFilters(view, onchange) {
  const given = Object.keys(view).length > 0;
  return h("form", {class: "filters", "aria-label": "Which samples", onsubmit: (event) => event.preventDefault()},
    segments("Kind of sample", KINDS, view.kind ?? "", (kind) => onchange({kind})),
    SETS.map(([word, label]) => chips(view, word, label, onchange)),
    h("div", {class: "choices"}, folds(view, onchange),
      given ? h("button", {type: "button", class: "small", onclick: () => onchange(Object.fromEntries(Object.keys(view).map((word) => [word, ""])))}, "Show all") : null));
}
