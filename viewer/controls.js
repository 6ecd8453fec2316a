// SPDX-License-Identifier: Apache-2.0
// The controls of playback: play, scrub, how fast, and how much of the past is shown.
import {choice, h, milliseconds, reducedMotion} from "./dom.js";
import {noteInPlace, readPlace} from "./place.js";
import {saccadesOf} from "./saccades.js";

const SPEEDS = [["0.02", "1/50 speed"], ["0.05", "1/20 speed"], ["0.1", "1/10 speed"], ["0.25", "1/4 speed"], ["1", "real time"]];
const TRAILS = [["10", "last 10 ms"], ["25", "last 25 ms"], ["50", "last 50 ms"], ["100", "last 100 ms"], ["all", "all so far"]];
const ALL_US = 1 << 24; // longer than any recording

function known(options, value, standard) {
  return options.some(([key]) => key === value) ? value : standard;
}

function saccadeMarks(length) {
  return h("div", {class: "saccades", "aria-hidden": "true"}, saccadesOf(length).map(([name, from, to]) => {
    const mark = h("span", {}, name);
    mark.style.flexGrow = to - from;
    return mark;
  }));
}

/** Controls of the clock; `onTrail(microseconds)` is called when that is chosen. What is chosen
 * stands in the address bar. */
export function createControls(clock, {onTrail}) {
  const {query} = readPlace();
  const still = reducedMotion();
  const trail = known(TRAILS, query.get("trail"), still ? "all" : "25");
  const button = h("button", {type: "button", class: "play", onclick: () => clock.toggle()});
  const scrub = h("input", {type: "range", class: "scrub", min: 0, max: 1000 * Math.ceil(clock.length / 1000), step: 1000,
    "aria-label": "Time", oninput: () => { clock.pause(); clock.seek(Number(scrub.value)); }});
  const readout = h("output", {class: "readout"});
  const setTrail = (value) => onTrail(value === "all" ? ALL_US : Number(value) * 1000);
  clock.speed = Number(known(SPEEDS, query.get("speed"), "0.1"));
  setTrail(trail);
  clock.listen(() => {
    const text = clock.playing ? "Pause" : "Play";
    if (button.textContent !== text) button.textContent = text;
    scrub.value = clock.t === clock.length ? scrub.max : clock.t;
    scrub.setAttribute("aria-valuetext", milliseconds(clock.t));
    readout.textContent = milliseconds(clock.t);
  });
  const given = query.get("t");
  if (given !== null && /^[0-9]+$/.test(given)) clock.seek(Number(given));
  else if (still) clock.seek(clock.length);
  else clock.play();
  scrub.addEventListener("change", () => noteInPlace({t: Math.round(clock.t)}));
  button.addEventListener("click", () => noteInPlace({t: clock.playing ? "" : Math.round(clock.t)}));
  return h("div", {class: "controls", role: "group", "aria-label": "Playback"},
    button,
    h("div", {class: "track"}, scrub, saccadeMarks(clock.length)),
    readout,
    h("div", {class: "choices"},
      choice("Speed", SPEEDS, String(clock.speed), (value) => { clock.speed = Number(value); noteInPlace({speed: value}); }),
      choice("Shown", TRAILS, trail, (value) => { setTrail(value); noteInPlace({trail: value}); })));
}
