// SPDX-License-Identifier: Apache-2.0
// Screens side by side that one clock moves.
import {createControls} from "./controls.js";
import {h} from "./dom.js";
import {saccadeAt} from "./saccades.js";
import {createCanvas, createScreen} from "./screen.js";
import {lastTime} from "./events.js";

/** What of its recording a track shows at that moment. */
function momentOf({take, backwards}, t) {
  const last = lastTime(take.events);
  if (t > last) return backwards ? "at its beginning" : "at its end";
  return backwards ? `saccade ${saccadeAt(last - t) + 1}, backwards` : `saccade ${saccadeAt(t) + 1}`;
}

function createTrack(track) {
  const canvas = createCanvas(track.label), moment = h("span", {class: "moment"}), needle = h("span", {class: "needle"});
  return {
    ...track, moment, needle, screen: createScreen(canvas, track.take),
    element: h("figure", {class: "track-figure"}, canvas,
      h("div", {class: `way ${track.backwards ? "back" : ""}`, "aria-hidden": "true"}, needle),
      h("figcaption", {}, h("strong", {}, track.title), track.moments === false ? null : moment)),
  };
}

/** `tracks`: {title, label, take, backwards, moments}; `signs` stand between them. */
export function createPlayer(tracks, clock, signs = []) {
  const all = tracks.map(createTrack);
  let trail = 25000;
  const show = () => {
    for (const track of all) {
      track.screen.show(clock.t, trail);
      const last = lastTime(track.take.events), at = Math.min(1, clock.t / last);
      track.needle.style.left = `${100 * (track.backwards ? 1 - at : at)}%`;
      const moment = momentOf(track, clock.t);
      if (track.moment.textContent !== moment) track.moment.textContent = moment;
    }
  };
  const controls = createControls(clock, {onTrail: (us) => { trail = us; show(); }});
  clock.listen(show);
  return h("div", {class: "player"},
    h("div", {class: `tracks n${all.length}`}, all.map((track, i) => [
      i > 0 && h("span", {class: "sign", "aria-hidden": "true"}, signs[i - 1] ?? "+"), track.element])),
    controls);
}
