// SPDX-License-Identifier: Apache-2.0
// Samples as pictures in a grid, in which the arrow keys move.
import {byPolarity} from "./take.js";
import {createCanvas, drawSpan} from "./screen.js";
import {h, plural} from "./dom.js";

function columnsOf(cells) {
  const top = cells[0].offsetTop, below = cells.findIndex((cell) => cell.offsetTop > top);
  return below < 0 ? cells.length : below;
}

function move(cells, at, key) {
  const by = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columnsOf(cells), ArrowDown: columnsOf(cells)}[key];
  const to = key === "Home" ? 0 : key === "End" ? cells.length - 1 : at + by;
  return cells[to] ? to : at;
}

/** `samples` of readBatch(); `linkOf(sample)` is where each leads, `noteOf(sample)` stands beside
 * its labels, `span` is which times the pictures show. */
export function createGallery(samples, {linkOf, noteOf = (sample) => `#${sample.index}`, span = [20000, 60000]}) {
  const cells = samples.map((sample, i) => {
    const canvas = createCanvas("");
    canvas.removeAttribute("role");
    canvas.removeAttribute("aria-label");
    canvas.setAttribute("aria-hidden", "true");
    drawSpan(canvas, byPolarity(sample.events), ...span);
    const digits = sample.labels.join(" + ");
    return h("a", {class: "cell", href: linkOf(sample), tabindex: i ? -1 : 0,
      "aria-label": `Sample ${sample.index}: ${digits}, ${plural(sample.events.n, "event")}`},
    canvas, h("span", {class: "cell-words"}, h("strong", {}, digits), h("span", {}, noteOf(sample, i))));
  });
  return h("div", {class: "gallery", role: "group", "aria-label": "Samples; the arrow keys move among them", onkeydown: (event) => {
    const at = cells.indexOf(document.activeElement);
    if (at < 0 || !/^(Arrow|Home$|End$)/.test(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const to = move(cells, at, event.key);
    cells.forEach((cell, i) => { cell.tabIndex = i === to ? 0 : -1; });
    cells[to].focus();
  }}, cells);
}
