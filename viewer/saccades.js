// SPDX-License-Identifier: Apache-2.0
// The three movements of the sensor that made a recording. They begin where the filter `stabilize`
// has them begin.

export const SACCADES_US = [0, 105000, 210000];
export const SACCADE_NAMES = ["1st saccade", "2nd saccade", "3rd saccade"];

/** Which of the three a time is in. */
export function saccadeAt(t) {
  return t > SACCADES_US[2] ? 2 : t > SACCADES_US[1] ? 1 : 0;
}

/** [name, from, to] of each, as far as a recording of that length goes. */
export function saccadesOf(length) {
  return SACCADE_NAMES.map((name, i) => [name, SACCADES_US[i], Math.min(length, SACCADES_US[i + 1] ?? length)])
    .filter(([, from, to]) => to > from);
}
