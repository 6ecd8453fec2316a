// SPDX-License-Identifier: Apache-2.0
// The first page: what 2NMNIST is, shown by a pair mixed now, and the splits that are here.
import {getBytes, getSplits, pinned} from "./api.js";
import {createClock} from "./clock.js";
import {h, number, plural, sizeText} from "./dom.js";
import {unpack} from "./events.js";
import {mix, played} from "./mix.js";
import {placeLink, readPlace} from "./place.js";
import {createPlayer} from "./player.js";
import {readBatch} from "./safetensors.js";
import {asRecording, byRecording, lengthOf} from "./take.js";

const SEED = 42;

function hero() {
  return h("div", {class: "hero"},
    h("h1", {}, "Two digits, one stream of events"),
    h("p", {class: "lead"}, "An event camera has no pictures: each pixel tells, to the microsecond, when it became brighter or darker. ",
      "N-MNIST holds what such a camera saw of handwritten digits while it was moved in three short saccades. ",
      "2NMNIST lays one recording over another that is played backwards. Can a network tell which two digits there were?"));
}

const FACTS = [
  ["Time in both directions", "A recording lasts about 300 ms, in three movements of the camera. Of the second digit the last movement comes first; brighter stays brighter, and darker stays darker."],
  ["Laid over, not added", "All events go by their time. Where two recordings have the very same event, one of the two stays."],
  ["A function of its URL", "Samples, orders of epochs and fresh pairs follow from the numbers in the address: the same bytes for everybody, checked by their CRC-32C."],
];

function bar(row) {
  const singles = h("span", {class: "singles"}), pairs = h("span", {class: "pairs"});
  singles.style.flexGrow = row.singles;
  pairs.style.flexGrow = row.pairs;
  return h("div", {class: "share", role: "img", "aria-label": `${plural(row.singles, "single digit")}, ${plural(row.pairs, "pair")}`},
    row.singles ? singles : null, row.pairs ? pairs : null);
}

function card(row) {
  const kind = row.kind === "source" ? "recordings of single digits" : "2NMNIST, digits alone and in pairs";
  return h("article", {class: "card"},
    h("h3", {}, h("a", {href: placeLink(["split", row.name])}, row.name)),
    h("p", {class: "soft"}, `${row.origin === "synthetic" ? "synthetic " : ""}${kind}`),
    bar(row),
    h("p", {class: "numbers"}, `${plural(row.samples, "sample")} · ${plural(row.pairs, "pair")} · ${sizeText(row.bytes)}`),
    h("p", {class: "links"}, h("a", {href: placeLink(["samples", row.name])}, "Samples"),
      row.kind === "source" ? h("a", {href: placeLink(["pair", row.name, "42", "0"])}, "Mix") : h("a", {href: placeLink(["epoch", row.name])}, "Epochs"),
      row.damaged ? h("strong", {class: "bad"}, "damaged") : null));
}

async function recordingsOf(source, sources, signal) {
  const name = await pinned(source);
  return Promise.all(sources.map(async (i) => unpack(await getBytes(`v1/sources/${name}/samples/${i}.bin`, {order: "time"}, signal))));
}

/** A fresh pair and what it is made of, playing. */
async function demonstration(source, index, signal) {
  const bytes = await getBytes(`v1/pairs/${await pinned(source)}/${SEED}/batches/${index}.safetensors`, {size: 1}, signal);
  const [pair] = readBatch(bytes).samples;
  const parts = played(await recordingsOf(source, pair.sources, signal));
  const names = pair.sources.map((i) => `recording ${i}`), takes = parts.map((part, i) => asRecording(part, i, names));
  const whole = byRecording(mix(parts), 2, names);
  const clock = createClock(Math.max(...takes.map(lengthOf)), signal);
  return h("section", {class: "panel demo", "aria-label": "A pair, mixed now"},
    createPlayer([
      {title: "One digit", label: "The first recording, playing", take: takes[0]},
      {title: "Another, backwards", label: "The second recording, playing backwards", take: takes[1], backwards: true},
      {title: "A sample of 2NMNIST", label: "Their mix, playing", take: whole, moments: false}], clock, ["+", "="]),
    h("p", {class: "demo-links"}, h("a", {class: "button", href: placeLink([], {pair: index + 1}), "data-key": "n"}, "Another pair"),
      h("a", {href: placeLink(["pair", source, SEED, index])}, "Open it in the mixer")));
}

export async function showSplits(main, signal) {
  const {rows} = await getSplits();
  const {query} = readPlace(), source = rows.find((row) => row.kind === "source" && row.name.includes("train")) ?? rows.find((row) => row.kind === "source");
  const stage = h("div", source ? {"aria-busy": "true"} : {});
  const total = rows.reduce((sum, row) => sum + row.events, 0);
  main.replaceChildren(hero(), stage,
    h("section", {class: "three", "aria-label": "In short"}, FACTS.map(([title, text]) => h("div", {}, h("h2", {}, title), h("p", {}, text)))),
    h("section", {}, h("h2", {}, "The splits on this server"),
      h("p", {class: "soft"}, `${number(total)} events in ${plural(rows.length, "file")}, each with a revision that commits to every byte of it.`),
      h("div", {class: "cards"}, rows.map(card))));
  if (source) stage.replaceWith(await demonstration(source.name, Number(query.get("pair") ?? 0) || 0, signal).catch((error) => h("p", {class: "note"}, error.message)));
}
