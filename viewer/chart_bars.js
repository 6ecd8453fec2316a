// SPDX-License-Identifier: Apache-2.0
// How many samples have how many events.
import {h, number, onWidth, plural, svg} from "./dom.js";

const HEIGHT = 190, TOP = 10, BOTTOM = 38, LEFT = 40, RIGHT = 4;

function draw(width, {bins, bin_width: binWidth, mean}) {
  const most = Math.max(1, ...bins), high = HEIGHT - TOP - BOTTOM, base = TOP + high;
  const step = (width - LEFT - RIGHT) / bins.length, x = (events) => LEFT + (events / binWidth) * step;
  const every = Math.ceil((bins.length * 56) / (width - LEFT)) * binWidth;
  const ticks = bins.map((_, i) => i * binWidth).filter((events) => events % (every > binWidth ? Math.max(every, 2 * binWidth) : every) === 0);
  return svg("svg", {width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img",
    "aria-label": `Events per sample, ${Math.round(mean)} on average`},
  bins.map((n, i) => svg("rect", {class: "bar-fill", x: LEFT + i * step + 0.5, width: Math.max(1, step - 1),
    y: base - (n / most) * high, height: (n / most) * high},
  svg("title", {}, `${number(i * binWidth)} to ${number((i + 1) * binWidth - 1)} events: ${plural(n, "sample")}`))),
  svg("line", {class: "axis", x1: LEFT, x2: width - RIGHT, y1: base, y2: base}),
  svg("line", {class: "mean", x1: x(mean), x2: x(mean), y1: TOP, y2: base}),
  svg("text", {class: "tick", x: LEFT - 8, y: TOP + 4, "text-anchor": "end"}, number(most)),
  svg("text", {class: "tick", x: LEFT - 8, y: base + 4, "text-anchor": "end"}, "0"),
  ticks.map((events) => svg("text", {class: "tick", x: x(events), y: base + 16, "text-anchor": events ? "middle" : "start"}, number(events))),
  svg("text", {class: "tick", x: width - RIGHT, y: HEIGHT - 4, "text-anchor": "end"}, "events per sample"));
}

export function createHistogram(counts, signal) {
  const host = h("div", {class: "chart"});
  onWidth(host, (width) => host.replaceChildren(draw(width, counts)), signal);
  return host;
}
