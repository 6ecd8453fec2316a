// SPDX-License-Identifier: Apache-2.0
// One sample, or one recording: playing, its rate, in space and time, and in every form.
import {getBytes, getSplits, pinned} from "./api.js";
import {createRateChart} from "./chart_rate.js";
import {createClock} from "./clock.js";
import {createCode, sampleLines} from "./code.js";
import {h, milliseconds, number} from "./dom.js";
import {createFacts, createKey} from "./facts.js";
import {createForms} from "./forms.js";
import {readNpy} from "./npy.js";
import {placeLink, readPlace, viewOf} from "./place.js";
import {createPlayer} from "./player.js";
import {readBatch} from "./safetensors.js";
import {createSpaceTime} from "./spacetime.js";
import {byPolarity, lengthOf} from "./take.js";

function sourcesOf(sample, row) {
  if (row.kind === "source") return null;
  return sample.sources.map((source, i) => [i ? " and " : "", row.source ? h("a", {href: placeLink(["sample", row.source, source])}, `${row.source} #${source}`) : `#${source}`]);
}

/** The samples before and behind it, in the view that it was found in; undefined where there is none. */
async function neighbours(split, i, total, view, signal) {
  if (!Object.keys(view).length) return [i > 0 ? i - 1 : undefined, i + 1 < total ? i + 1 : undefined];
  const {values} = readNpy(await getBytes(`v1/splits/${split}/indices.npy`, view, signal));
  return [values.findLast((at) => at < i), values.find((at) => at > i)];
}

function steps(name, [before, behind], view) {
  const step = (to, text, key) => (to === undefined ? h("span", {class: "button off", "aria-hidden": "true"}, text)
    : h("a", {class: "button", href: placeLink(["sample", name, to], view), "data-key": key}, text));
  return h("nav", {class: "links", "aria-label": "Neighbours"}, step(before, "Previous", "p"), step(behind, "Next", "n"));
}

export async function showSample(main, signal) {
  const {words: [name, text], query} = readPlace(), i = Number(text), view = viewOf(query);
  const row = (await getSplits()).byName.get(name), split = await pinned(name);
  const [bytes, around] = await Promise.all([
    getBytes(`v1/splits/${split}/batch.safetensors`, {indices: i, order: "time"}, signal),
    neighbours(split, i, row.samples, view, signal)]);
  const [sample] = readBatch(bytes).samples, take = byPolarity(sample.events);
  const clock = createClock(lengthOf(take), signal), path = `v1/${row.kind === "source" ? "sources" : "splits"}/${split}/samples/${i}`;
  const digits = sample.labels.join(" and ");
  main.replaceChildren(
    h("p", {class: "crumbs"}, h("a", {href: "#/"}, "Splits"), " / ", h("a", {href: placeLink(["split", name])}, name), " / ",
      h("a", {href: placeLink(["samples", name], view)}, "samples"), ` / ${i}`),
    h("div", {class: "title"}, h("h1", {}, `Sample ${number(i)}: ${digits}`), steps(name, around, view)),
    h("div", {class: "watch"},
      h("section", {class: "panel", "aria-label": "Playback"},
        createPlayer([{title: `It shows ${digits}`, label: `Sample ${i}, playing`, take, moments: sample.labels.length === 1}], clock)),
      h("div", {class: "stack"},
        h("section", {class: "panel dark"}, h("h2", {}, "In space and time"), createSpaceTime(take, clock, signal)),
        h("section", {class: "panel"}, h("h2", {}, "Rate of events"), createRateChart(take, clock, signal), createKey()))),
    h("section", {class: "panel"}, h("h2", {}, "What it is"), createFacts([["Events", number(sample.events.n)], ["Last event", milliseconds(clock.length)],
      ["Recordings", sourcesOf(sample, row)], ["Packed", `${number(5 * sample.events.n)} bytes`],
      row.kind !== "source" && sample.sources.length > 1 && row.source ? ["Mixer", h("a", {href: placeLink(["mix", row.source, sample.sources.join(",")])}, "see how it was mixed")] : ["", null]])),
    h("section", {}, h("h2", {}, "The same sample in every form"),
      h("p", {class: "soft"}, "What a server sends is chosen by the URL; below each form is what it weighs on the wire."), createForms(path, row.order === "published" ? {order: "time"} : {}, signal)),
    h("section", {class: "panel"}, h("h2", {}, "Get exactly this"), createCode(sampleLines(path, split, {
      c: `tnm_samples(split, (uint64_t[]){${i}}, 1, &batch);`,
      python: `import twonmnist\n\nevents, label = twonmnist.Split("${document.baseURI.split("#")[0].replace(/\/$/, "")}", "${split}")[${i}]`}))));
}
