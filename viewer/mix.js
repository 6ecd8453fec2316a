// SPDX-License-Identifier: Apache-2.0
// The mix of recordings, as the daemon makes it: every second one runs backwards, all go by time, and
// an event that is equal to one before it is dropped.
import {columns, lastTime} from "./events.js";

export function reversed(events) {
  const last = lastTime(events), ret = columns(events.n);
  for (let i = 0, j = events.n - 1; i < events.n; i++, j--) {
    ret.x[i] = events.x[j];
    ret.y[i] = events.y[j];
    ret.t[i] = last - events.t[j];
    ret.p[i] = events.p[j];
  }
  return ret;
}

/** The recordings as they go into the mix. */
export function played(recordings) {
  return recordings.map((events, i) => (i % 2 ? reversed(events) : events));
}

/** The mix of recordings that are played() already: its events; of each, `from`, the recording that
 * it is from; `meets`, 1 where one of another recording was equal; and how many were dropped. */
export function mix(parts) {
  const order = parts.flatMap((events, from) => Array.from(events.t, (t, i) => ({t, i, from})));
  order.sort((a, b) => a.t - b.t || a.from - b.from || a.i - b.i);
  const kept = [], seen = new Map();
  let now = -1;
  for (const entry of order) {
    const {x, y, p} = parts[entry.from];
    if (entry.t !== now) seen.clear();
    now = entry.t;
    const key = (x[entry.i] << 7) | (y[entry.i] << 1) | p[entry.i];
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, kept.length);
      kept.push({...entry, meets: 0});
    } else if (kept[first].from !== entry.from) {
      kept[first].meets = 1;
    }
  }
  const events = columns(kept.length);
  kept.forEach(({t, i, from}, at) => {
    events.t[at] = t;
    for (const name of ["x", "y", "p"]) events[name][at] = parts[from][name][i];
  });
  return {
    events,
    from: Uint8Array.from(kept, (entry) => entry.from),
    meets: Uint8Array.from(kept, (entry) => entry.meets),
    dropped: order.length - kept.length,
  };
}

/** Whether two lists of events are the same. */
export function equal(a, b) {
  return a.n === b.n && ["x", "y", "t", "p"].every((name) => a[name].every((v, i) => v === b[name][i]));
}
