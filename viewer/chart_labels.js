// SPDX-License-Identifier: Apache-2.0
// Which digits stand together how often. Each field leads to the samples that it counts.
import {h, number, plural} from "./dom.js";
import {placeLink} from "./place.js";

const STEPS = 8; // of the scale, .heat0 to .heat7

/** Samples that show the digit alone. */
function alone(counted, digit) {
  const others = counted.cooccurrence[digit].reduce((sum, n, other) => sum + (other === digit ? 0 : n), 0);
  return counted.labels[digit] - others;
}

function stepOf(n, most) {
  return n === 0 ? 0 : 1 + Math.min(STEPS - 2, Math.floor(((STEPS - 1) * n) / (most + 1)));
}

/** The words of a view that show these digits, too. */
function alsoShowing(view, digits) {
  const all = new Set([...(view.all ?? "").split(",").filter(Boolean).map(Number), ...digits]);
  return {...view, all: [...all].sort((a, b) => a - b).join(",")};
}

function field(split, view, n, most, row, column) {
  const same = row === column;
  const query = same ? {...alsoShowing(view, [row]), kind: "single"} : {...alsoShowing(view, [row, column]), kind: "pair"};
  const what = same ? `${row} alone` : `${row} and ${column}`;
  const inside = n ? h("a", {href: placeLink(["samples", split], query), "aria-label": `${what}: ${plural(n, "sample")}`}, number(n)) : "0";
  return h("td", {class: `heat${stepOf(n, most)}${same ? " alone" : ""}`}, inside);
}

/** A table of the digits of the statistics of a split, or of a view of it. */
export function createHeatMap(split, counted, view) {
  const digits = counted.labels.map((_, digit) => digit);
  const counts = digits.map((row) => digits.map((column) =>
    (row === column ? alone(counted, row) : counted.cooccurrence[row][column])));
  const most = (same) => Math.max(1, ...counts.flatMap((row, i) => row.filter((_, j) => (i === j) === same)));
  const mostPairs = most(false), mostAlone = most(true);
  return h("div", {class: "scroll", role: "region", tabindex: 0, "aria-label": "Digits that stand together"},
    h("table", {class: "heat"},
      h("thead", {}, h("tr", {}, h("td", {}), digits.map((digit) => h("th", {scope: "col"}, digit)))),
      h("tbody", {}, digits.map((row) => h("tr", {}, h("th", {scope: "row"}, row),
        digits.map((column) => field(split, view, counts[row][column], row === column ? mostAlone : mostPairs, row, column)))))));
}

/** How many samples show each digit, alone or not. */
export function createDigits(split, counted, view) {
  const most = Math.max(1, ...counted.labels);
  return h("ol", {class: "digits", start: 0}, counted.labels.map((n, digit) => {
    const bar = h("span", {class: "weight"});
    bar.style.width = `${(100 * n) / most}%`;
    return h("li", {}, n ? h("a", {href: placeLink(["samples", split], alsoShowing(view, [digit])), "aria-label": `${digit}: ${plural(n, "sample")}`}, digit) : h("span", {}, digit),
      h("span", {class: "weights", "aria-hidden": "true"}, bar), h("span", {class: "numbers"}, number(n)));
  }));
}
