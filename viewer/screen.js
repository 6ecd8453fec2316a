// SPDX-License-Identifier: Apache-2.0
// Pictures of 34 × 34 pixels on canvases.
import {MEETING, paint} from "./colour.js";
import {SIDE, countBefore} from "./events.js";
import {countPixels, largestInWindow} from "./take.js";
import {h} from "./dom.js";

export function createCanvas(label, attributes = {}) {
  return h("canvas", {width: SIDE, height: SIDE, class: "screen", role: "img", "aria-label": label, ...attributes});
}

export function drawRgba(canvas, rgba) {
  canvas.getContext("2d").putImageData(new ImageData(rgba, SIDE, SIDE), 0, 0);
}

/** All events of a take in the times [from, to) at once. */
export function drawSpan(canvas, take, from = 0, to = Infinity) {
  const counts = countPixels(take, from, to);
  drawRgba(canvas, paint(counts, counts.reduce((a, b) => Math.max(a, b), 1), take.colours));
}

/** Events of different recordings that were equal, where they are. */
function markMeetings(canvas, {events, meets}, from, to) {
  const context = canvas.getContext("2d");
  context.fillStyle = `rgb(${MEETING})`;
  for (let i = countBefore(events, from), end = countBefore(events, to); i < end; i++)
    if (meets[i]) context.fillRect(events.x[i], events.y[i], 1, 1);
}

/** A screen that shows, at time t, the events of the `trail` microseconds before it; equal counts
 * are equally bright at all times. */
export function createScreen(canvas, take) {
  let trail = 0, largest = 1;
  return {
    canvas,
    show(t, newTrail) {
      if (newTrail !== trail) largest = largestInWindow(take, trail = newTrail);
      const from = t - trail;
      drawRgba(canvas, paint(countPixels(take, from, t), largest, take.colours));
      if (take.meets) markMeetings(canvas, take, from, t);
      canvas.dataset.from = Math.max(0, from);
      canvas.dataset.to = t;
      canvas.dataset.largest = largest;
    },
  };
}
