// SPDX-License-Identifier: Apache-2.0
// The colours of pictures: the same rule as that of the daemon's pictures, to the last bit.
import {PIXELS} from "./events.js";

export const ON = [230, 159, 0];
export const OFF = [86, 180, 233];
export const WHITE = [255, 255, 255];

/** For recordings, where a picture tells these apart instead of polarities. */
export const RECORDINGS = [
  [0, 170, 130], [214, 110, 176], [86, 140, 255], [213, 94, 0], [170, 200, 60],
  [150, 110, 220], [160, 120, 80], [120, 200, 220], [200, 90, 110], [150, 150, 150],
];

/** Where recordings have the very same event. */
export const MEETING = [255, 236, 90];

/** Brightness of a count: the root of its share of the largest, in whole numbers 0 to 255. */
export function level(count, largest) {
  return Math.floor(Math.sqrt(Math.floor((65025 * count) / largest)));
}

/** RGBA of one plane of counts for each of `colours`, each as bright as its share of `largest`. */
export function paint(counts, largest, colours = [OFF, ON]) {
  const rgba = new Uint8ClampedArray(4 * PIXELS).fill(255);
  for (let i = 0; i < PIXELS; i++) {
    const levels = colours.map((_, plane) => level(counts[plane * PIXELS + i], largest));
    for (let c = 0; c < 3; c++) {
      const sum = levels.reduce((all, own, plane) => all + colours[plane][c] * own, 127);
      rgba[4 * i + c] = Math.min(255, Math.floor(sum / 255));
    }
  }
  return rgba;
}
