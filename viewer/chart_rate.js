// SPDX-License-Identifier: Apache-2.0
// How many events there are at each moment: what is `up` above the axis, the rest below, one on the other.
import {h, number, onWidth, svg} from "./dom.js";
import {saccadesOf} from "./saccades.js";
import {ratesOf} from "./take.js";

const BIN_US = 3000;
const HEIGHT = 150, TOP = 8, BOTTOM = 26, LEFT = 56, RIGHT = 8;

const rgb = (colour) => `rgb(${colour})`;

function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 5, 8, 10].map((step) => step * power).find((top) => top >= value);
}

/** Where each plane begins and ends, on those before it on its side of the axis: [from, to] each. */
function stack(rates, up) {
  const ends = new Map([true, false].map((side) => [side, new Float64Array(rates[0].length)]));
  return rates.map((own, plane) => {
    const from = ends.get(up[plane]), to = from.map((end, i) => end + own[i]);
    ends.set(up[plane], to);
    return [from, to];
  });
}

function area([from, to], x, y) {
  const there = Array.from(to, (rate, i) => `${x(i)},${y(rate)}H${x(i + 1)}`);
  const back = Array.from(from, (rate, i) => `${x(i + 1)},${y(rate)}H${x(i)}`).reverse();
  return `M${there.join("L")}L${back.join("L")}Z`;
}

function draw(width, take, length) {
  const nBins = Math.ceil(length / BIN_US), stacked = stack(ratesOf(take, nBins * BIN_US, nBins), take.up);
  const binMs = BIN_US / 1000, most = niceTop(Math.max(1, ...stacked.flatMap(([, to]) => [...to])) / binMs) * binMs;
  const both = take.up.some((up) => !up), high = HEIGHT - TOP - BOTTOM;
  const zero = TOP + (both ? high / 2 : high), unit = (both ? high / 2 : high) / most;
  const x = (i) => LEFT + Math.min(1, (i * BIN_US) / length) * (width - LEFT - RIGHT);
  const perMs = number(most / binMs);
  const label = (at, text, anchor = "end") => svg("text", {x: LEFT - 8, y: at + 4, "text-anchor": anchor, class: "tick"}, text);
  return svg("svg", {width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, class: "rate", role: "img",
    "aria-label": `Rate of events over time: ${take.names.join(" and ")}, up to ${perMs} events per millisecond`},
  saccadesOf(length).map(([, from, to], i) => svg("rect", {class: i % 2 ? "band" : "band odd", x: x(from / BIN_US), y: TOP,
    width: x(to / BIN_US) - x(from / BIN_US), height: high})),
  stacked.map((own, plane) => svg("path", {fill: rgb(take.colours[plane]), class: "area",
    d: area(own, x, (rate) => zero + (take.up[plane] ? -rate : rate) * unit)})),
  svg("line", {class: "axis", x1: LEFT, x2: width - RIGHT, y1: zero, y2: zero}),
  label(TOP + 4, `${perMs}/ms`), label(zero, "0"), both && label(TOP + high - 4, perMs),
  [0, 50, 100, 150, 200, 250, 300].filter((ms) => ms * 1000 <= length).map((ms) =>
    svg("text", {class: "tick", x: x((ms * 1000) / BIN_US), y: HEIGHT - 8, "text-anchor": ms ? "middle" : "start"}, `${ms}${ms ? "" : " ms"}`)),
  svg("line", {class: "head", y1: TOP, y2: TOP + high}));
}

/** A chart of the take that follows the clock; a click goes there. */
export function createRateChart(take, clock, signal) {
  const host = h("div", {class: "chart"});
  const place = (width) => LEFT + (clock.t / clock.length) * (width - LEFT - RIGHT);
  let chart = null;
  const follow = () => {
    const head = chart?.querySelector(".head"), at = chart && place(chart.width.baseVal.value);
    for (const name of ["x1", "x2"]) head?.setAttribute(name, at);
  };
  host.addEventListener("click", (event) => {
    const box = host.getBoundingClientRect();
    clock.pause();
    clock.seek(((event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT)) * clock.length);
  });
  onWidth(host, (width) => { host.replaceChildren(chart = draw(width, take, clock.length)); follow(); }, signal);
  clock.listen(follow);
  return host;
}
