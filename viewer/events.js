// SPDX-License-Identifier: Apache-2.0
// Events: packed in 5 bytes each as they come over the wire, and in columns as they are used here.

export const SIDE = 34; // pixels
export const PIXELS = SIDE * SIDE;
export const EVENT_BYTES = 5;

/** Room for n events: x, y, t in microseconds, p 1 where the light went up (ON). */
export function columns(n) {
  return {n, x: new Uint8Array(n), y: new Uint8Array(n), t: new Uint32Array(n), p: new Uint8Array(n)};
}

/** Packed events: x, y, then 24 bits, big-endian, of which the first is the polarity. */
export function unpack(bytes) {
  if (bytes.length % EVENT_BYTES) throw new Error(`${bytes.length} bytes are no whole events`);
  const events = columns(bytes.length / EVENT_BYTES);
  for (let i = 0, at = 0; i < events.n; i++, at += EVENT_BYTES) {
    events.x[i] = bytes[at];
    events.y[i] = bytes[at + 1];
    events.p[i] = bytes[at + 2] >> 7;
    events.t[i] = ((bytes[at + 2] & 127) << 16) | (bytes[at + 3] << 8) | bytes[at + 4];
  }
  return events;
}

/** The time of the last event, 0 where there is none. */
export function lastTime(events) {
  return events.n ? events.t[events.n - 1] : 0;
}

/** How many events come before time t: events are in the order of time. */
export function countBefore(events, t) {
  let low = 0, high = events.n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events.t[middle] < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
