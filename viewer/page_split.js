// SPDX-License-Identifier: Apache-2.0
// One split, or a view of it: what is in it, and what it is.
import {getJson, getSplits, pinned} from "./api.js";
import {createHistogram} from "./chart_bars.js";
import {createDigits, createHeatMap} from "./chart_labels.js";
import {copyable, h, number, sizeText} from "./dom.js";
import {EVENT_BYTES} from "./events.js";
import {createFacts, createFigures} from "./facts.js";
import {placeLink, readPlace, viewOf} from "./place.js";

const LICENCES = {"CC-BY-SA-4.0": "Creative Commons Attribution-ShareAlike 4.0"};

function plan(row) {
  if (!row.plan) return null;
  return row.plan === "published" ? "published: the mixtures of the published archive" : `seed ${row.plan}`;
}

function about(row, listed) {
  return createFacts([
    ["Revision", h("code", {}, row.revision)],
    ["Mixed by the plan", plan(row)],
    ["Mixed from", listed.source ? h("a", {href: placeLink(["split", listed.source])}, listed.source) : null],
    ["Order of events", row.order],
    ["Sensor", `${row.sensor.width} × ${row.sensor.height} pixels, ${row.sensor.polarities} polarities`],
    ["Licence", LICENCES[row.licence] ?? row.licence],
    ["DOI of the recordings", row.doi ? h("code", {}, row.doi) : null],
    ["Made by", row.generator],
    ["All data held against its checksums", listed.scrub.verified ? "yes" : "not yet"],
  ]);
}

export async function showSplit(main, signal) {
  const {words: [name], query} = readPlace(), view = viewOf(query), isView = Object.keys(view).length > 0;
  const {byName} = await getSplits(), path = `v1/splits/${await pinned(name)}`;
  const [row, counts] = await Promise.all([getJson(path, {}, signal), getJson(`${path}/statistics`, view, signal)]);
  main.replaceChildren(
    h("p", {class: "crumbs"}, h("a", {href: "#/"}, "Splits"), " / ", name),
    h("div", {class: "title"}, h("h1", {}, name, isView ? h("span", {class: "soft"}, ` · ${counts.view}`) : null),
      h("p", {class: "links"}, h("a", {class: "button", href: placeLink(["samples", name], view)}, "Look at the samples"),
        row.kind === "source" ? h("a", {class: "button", href: placeLink(["pair", name, "42", "0"])}, "Mix some")
          : h("a", {class: "button", href: placeLink(["epoch", name], view)}, "Look at an epoch"))),
    createFigures([["samples", number(counts.samples)], ["single digits", number(counts.singles)], ["pairs", number(counts.pairs)],
      ["events", number(counts.events)], ["events per sample", number(Math.round(counts.event_counts.mean))], isView ? ["of packed events", sizeText(EVENT_BYTES * counts.events)] : ["in its file", sizeText(row.bytes)]]),
    h("div", {class: "two"},
      h("section", {class: "panel"}, h("h2", {}, "Digits that stand together"),
        h("p", {class: "soft"}, "Samples for each pair of digits; on the diagonal, of one digit alone. Each leads to them."),
        createHeatMap(name, counts, view)),
      h("section", {class: "panel"}, h("h2", {}, "Events per sample"),
        h("p", {class: "soft"}, `From ${number(counts.event_counts.min)} to ${number(counts.event_counts.max)}; the line is the mean. Two digits make about twice as many as one.`),
        createHistogram(counts.event_counts, signal),
        h("h2", {}, "Samples that show a digit"), createDigits(name, counts, view))),
    h("section", {class: "panel"}, h("h2", {}, "What it is"), about(row, byName.get(name))),
    row.citation ? h("section", {class: "panel"}, h("h2", {}, "To cite"), copyable(row.citation, "citation", {class: "wrap"})) : null);
}
