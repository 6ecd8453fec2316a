// SPDX-License-Identifier: Apache-2.0
// Events as they are looked at: each belongs to a plane, of a colour of its own, which is its polarity
// or the recording that it is from.
import {OFF, ON, RECORDINGS, WHITE} from "./colour.js";
import {PIXELS, SIDE, countBefore, lastTime} from "./events.js";

/** Charts show the planes that are `up` above their axis, the others below. */
export function byPolarity(events) {
  return {events, plane: events.p, colours: [OFF, ON], names: ["OFF", "ON"], up: [false, true]};
}

export function merged(events) {
  return {events, plane: events.p, colours: [WHITE], names: ["events"], up: [true]};
}

/** Of a mix() of `n` recordings: those that are played backwards are not up. */
export function byRecording({events, from, meets}, n, names) {
  return {
    events, plane: from, meets, names,
    colours: RECORDINGS.slice(0, n),
    up: Array.from({length: n}, (_, i) => i % 2 === 0),
  };
}

/** One recording alone, in the colour that it has in its mix. */
export function asRecording(events, which, names) {
  const n = which + 1;
  return byRecording({events, from: new Uint8Array(events.n).fill(which)}, n, names);
}

/** How long it is: the first time at which nothing is left. */
export function lengthOf(take) {
  return lastTime(take.events) + 1;
}

function placeOf({events, plane}, i) {
  return plane[i] * PIXELS + events.y[i] * SIDE + events.x[i];
}

function emptyCounts(take) {
  return new Uint16Array(take.colours.length * PIXELS);
}

/** How many events each pixel of each plane has in the times [from, to). */
export function countPixels(take, from = 0, to = Infinity) {
  const counts = emptyCounts(take), end = countBefore(take.events, to);
  for (let i = countBefore(take.events, from); i < end; i++) counts[placeOf(take, i)]++;
  return counts;
}

/** The largest of these counts in any window of so many microseconds; at least 1. */
export function largestInWindow(take, width) {
  const counts = emptyCounts(take), {t, n} = take.events;
  let largest = 1, first = 0;
  for (let i = 0; i < n; i++) {
    while (t[first] + width <= t[i]) counts[placeOf(take, first++)]--;
    largest = Math.max(largest, ++counts[placeOf(take, i)]);
  }
  return largest;
}

/** How many events of each plane lie in each of the equal bins of [0, length). */
export function ratesOf(take, length, nBins) {
  const rates = take.colours.map(() => new Float64Array(nBins));
  for (let i = 0; i < take.events.n; i++)
    rates[take.plane[i]][Math.floor((take.events.t[i] * nBins) / length)]++;
  return rates;
}
