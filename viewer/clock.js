// SPDX-License-Identifier: Apache-2.0
// The time that all pictures of a page show together.

const HOLD_MS = 700; // at the end, before it begins again

/** A clock of `length` microseconds; `listen(f)` has f(clock) called at each change. */
export function createClock(length, signal, {speed = 0.1, t = 0} = {}) {
  const listeners = [];
  let frame = 0, before = 0, heldUntil = 0;
  const clock = {
    length, speed, t, playing: false,
    listen(listener) { listeners.push(listener); listener(clock); },
    seek(to) { clock.t = Math.max(0, Math.min(length, Math.round(to))); heldUntil = 0; tell(); },
    play() {
      if (clock.playing) return;
      if (clock.t >= length) clock.t = 0;
      clock.playing = true;
      before = performance.now();
      frame = requestAnimationFrame(step);
      tell();
    },
    pause() { cancelAnimationFrame(frame); clock.playing = false; tell(); },
    toggle() { clock.playing ? clock.pause() : clock.play(); },
  };

  function tell() {
    for (const listener of listeners) listener(clock);
  }

  function step(now) {
    const passed = now - before;
    before = now;
    if (clock.t < length) {
      clock.t = Math.min(length, clock.t + passed * 1000 * clock.speed);
      if (clock.t === length) heldUntil = now + HOLD_MS;
    } else if (now >= heldUntil) {
      clock.t = 0;
    }
    tell();
    if (clock.playing) frame = requestAnimationFrame(step);
  }

  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  return clock;
}
