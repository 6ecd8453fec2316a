// SPDX-License-Identifier: Apache-2.0
// Every form of a sample, drawn from what the server sends, with its size on the wire.
import {getBytes, urlOf} from "./api.js";
import {OFF, ON, paint} from "./colour.js";
import {h, number, sizeText} from "./dom.js";
import {PIXELS, unpack} from "./events.js";
import {readNpy} from "./npy.js";
import {readSafetensors} from "./safetensors.js";
import {save} from "./saving.js";
import {createCanvas, drawRgba, drawSpan} from "./screen.js";
import {byPolarity, merged} from "./take.js";

const CELLS = 8;

const FORMS = [
  {title: "Events", help: "5 bytes for each: the recording itself", ending: "bin", query: {}, draw: drawEvents},
  {title: "Frames of 1 ms", help: "dense, by lava-dl’s rule: what networks are trained on", ending: "npy", query: {as: "frames"}, draw: drawFrames},
  {title: "Bits", help: "the same, a bit for each place", ending: "npy", query: {as: "bits"}, draw: drawBits},
  {title: "Sparse", help: "the same, without its zeros", ending: "safetensors", query: {as: "sparse"}, draw: drawSparse},
  {title: "Windows", help: "of 40 ms, from the first event: Tonic’s time_window", ending: "npy", query: {as: "frames", slice: "window", timestep: 40000}, draw: drawFrames},
  {title: "Time bins", help: "8 of equal length: Tonic’s n_time_bins", ending: "npy", query: {as: "frames", slice: "time-bins", bins: CELLS}, draw: drawFrames},
  {title: "Event counts", help: "500 events in each frame: Tonic’s event_count", ending: "npy", query: {as: "frames", slice: "event-count", events: 500}, draw: drawFrames},
  {title: "Event bins", help: "8 of as many events each: Tonic’s n_event_bins", ending: "npy", query: {as: "frames", slice: "event-bins", bins: CELLS}, draw: drawFrames},
  {title: "By number", help: "8 of as many events each, the last takes the rest: SpikingJelly’s split_by", ending: "npy", query: {as: "frames", slice: "number", bins: CELLS}, draw: drawFrames},
  {title: "By time", help: "8 of equal length: SpikingJelly’s split_by=\"time\"", ending: "npy", query: {as: "frames", slice: "time", bins: CELLS}, draw: drawFrames},
  {title: "By duration", help: "as many as there are of 40 ms: SpikingJelly’s fixed duration", ending: "npy", query: {as: "frames", slice: "duration", timestep: 40000}, draw: drawFrames},
  {title: "Voxel grid", help: "8 bins, each event shared by two: Tonic’s ToVoxelGrid", ending: "npy", query: {as: "frames", slice: "voxel", bins: CELLS}, draw: drawVoxels},
  {title: "Denoised", help: "events with a neighbour within 10 ms: Tonic’s Denoise", ending: "bin", query: {denoise: 10000}, draw: drawEvents},
  {title: "Stabilized", help: "the sensor’s path taken off: Tonic’s stabilize", ending: "bin", query: {stabilize: "yes"}, draw: drawEvents},
  {title: "First saccade", help: "the first 100 ms alone", ending: "bin", query: {t1: 100000}, draw: drawEvents},
  {title: "Polarity merged", help: "light that changed, whichever way", ending: "bin", query: {polarity: "merge"}, draw: drawMerged},
];

const largestOf = (counts) => counts.reduce((a, b) => Math.max(a, b), 1);

function drawTake(take) {
  const canvas = createCanvas("All events at once");
  drawSpan(canvas, take);
  return [canvas];
}

function drawEvents(bytes) {
  return drawTake(byPolarity(unpack(bytes)));
}

function drawMerged(bytes) {
  return drawTake(merged(unpack(bytes)));
}

/** Planes of counts as pictures that are equally bright where their counts are equal. */
function drawStrip(cells, colours) {
  const largest = Math.max(1, ...cells.map(largestOf));
  return cells.map((cell, i) => {
    const canvas = createCanvas(`Part ${i + 1} of ${cells.length}`);
    drawRgba(canvas, paint(cell, largest, colours));
    return canvas;
  });
}

/** `countAt(i)` of `n` frames of two planes, put together to as many as are shown. */
function together(n, addTo) {
  const cells = Array.from({length: Math.min(n, CELLS)}, () => new Float64Array(2 * PIXELS));
  for (let i = 0; i < n; i++) addTo(cells[Math.floor((i * cells.length) / n)], i);
  return drawStrip(cells, [OFF, ON]);
}

function drawFrames(bytes) {
  const {shape: [n], values} = readNpy(bytes), size = 2 * PIXELS;
  return together(n, (cell, i) => { for (let at = 0; at < size; at++) cell[at] += values[i * size + at]; });
}

function drawBits(bytes) {
  const {shape: [n], values} = readNpy(bytes), size = 2 * PIXELS;
  return together(8 * n, (cell, i) => {
    for (let at = 0; at < size; at++) cell[at] += (values[(i >> 3) * size + at] >> (7 - (i & 7))) & 1;
  });
}

function drawSparse(bytes) {
  const {counts, places} = readSafetensors(bytes).tensors;
  let next = 0;
  return together(counts.values.length, (cell, i) => {
    for (let left = counts.values[i]; left > 0; left--) cell[places.values[next++]]++;
  });
}

function drawVoxels(bytes) {
  const {shape: [n], values} = readNpy(bytes);
  const cells = Array.from({length: n}, (_, i) => Float64Array.from({length: 2 * PIXELS}, (_unused, at) =>
    Math.max(0, values[i * PIXELS + (at % PIXELS)] * (at < PIXELS ? -1 : 1))));
  return drawStrip(cells, [OFF, ON]);
}

function card(form) {
  const picture = h("div", {class: "strip"}), size = h("span", {class: "size"}, "…"), bar = h("span", {class: "weight"});
  const words = new URLSearchParams(form.query).toString().replaceAll("&", " ");
  return {
    picture, size, bar,
    element: h("article", {class: "card form"}, h("h3", {}, form.title), h("p", {class: "soft"}, form.help), picture,
      h("p", {class: "weights", "aria-hidden": "true"}, bar), h("p", {class: "numbers"}, size),
      h("p", {class: "query"}, h("a", {href: urlOf(form.path, form.query), onclick: save(form.path, form.query)}, `.${form.ending}`), " ", h("code", {}, words))),
  };
}

async function show(form, own, least, signal) {
  const bytes = await getBytes(form.path, form.query, signal), n = bytes.length;
  own.size.textContent = `${sizeText(n)} (${number(n)} bytes)`;
  own.bar.style.width = `${Math.max(1, 100 * Math.log(n / least) / Math.log(1e6 / least))}%`;
  const pictures = form.draw(bytes);
  own.picture.classList.toggle("one", pictures.length === 1);
  own.picture.replaceChildren(...pictures);
}

/** Cards of all forms of the sample at `path`, without its ending, which fill themselves; `query` goes
 * with each. */
export function createForms(path, query, signal) {
  const cards = FORMS.map((row) => {
    const form = {...row, path: `${path}.${row.ending}`, query: {...row.query, ...query}}, own = card(form);
    show(form, own, 500, signal).catch((error) => { if (!signal.aborted) own.size.textContent = error.message; });
    return own.element;
  });
  return h("div", {class: "cards forms"}, cards);
}
