// SPDX-License-Identifier: Apache-2.0
// The mixer: recordings of a source, or a fresh pair by its numbers; what they are, and their mix.
import {getBytes, getSplits, pinned, urlOf} from "./api.js";
import {createRateChart} from "./chart_rate.js";
import {createClock} from "./clock.js";
import {createCode, sampleLines} from "./code.js";
import {choice, h, listed, number, numberField, plural, say, segments} from "./dom.js";
import {unpack} from "./events.js";
import {createFacts, createKey} from "./facts.js";
import {equal, mix, played} from "./mix.js";
import {readNpy} from "./npy.js";
import {noteInPlace, placeLink, readPlace} from "./place.js";
import {createPlayer} from "./player.js";
import {readBatch} from "./safetensors.js";
import {save} from "./saving.js";
import {createSpaceTime} from "./spacetime.js";
import {asRecording, byPolarity, byRecording, lengthOf} from "./take.js";

const MOST = 10, FORMATS = ["bin", "npy", "json", "safetensors", "png"];
const U64_MAX = 18446744073709551615n, I64_MAX = 9223372036854775807n;

/** Numbers of recordings of that many different digits, by chance. */
async function randomRecordings(source, n, signal) {
  const {shape: [total, digits], values} = readNpy(await getBytes(`v1/splits/${await pinned(source)}/labels.npy`, {}, signal));
  const digitOf = (i) => values.subarray(i * digits, (i + 1) * digits).indexOf(1), chosen = new Map();
  for (let tries = 0; chosen.size < n && tries < 10000; tries++) {
    const i = Math.floor(Math.random() * total);
    if (!chosen.has(digitOf(i))) chosen.set(digitOf(i), i);
  }
  return [...chosen.values()];
}

function randomU32() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/** What the address says: {isPair, source, seed, index, recordings, path}. */
function wishOf({page, words: [source, first, second]}) {
  if (page === "pair") return {isPair: true, source, seed: first ?? "42", index: second ?? "0"};
  return {isPair: false, source, recordings: (first ?? "0,1").split(",").map(Number)};
}

const linkOfPair = (source, seed, index) => placeLink(["pair", source, seed, index]);
const linkOfMix = (source, recordings) => placeLink(["mix", source, recordings.join(",")]);

function pairFields({source, seed, index}) {
  const go = (newSeed, newIndex) => { location.hash = linkOfPair(source, newSeed, newIndex); };
  const at = BigInt(index), step = (to, text, key) => (to < 0n || to > U64_MAX
    ? h("span", {class: "button off", "aria-hidden": "true"}, text)
    : h("a", {class: "button", href: linkOfPair(source, seed, to), "data-key": key}, text));
  return [numberField("Seed", seed, {max: U64_MAX, wide: true}, (value) => go(value, index)),
    numberField("Index", index, {max: U64_MAX, wide: true}, (value) => go(seed, value)),
    h("span", {class: "links"}, step(at - 1n, "Previous", "p"), step(at + 1n, "Next", "n"),
      h("button", {type: "button", onclick: () => go(randomU32(), randomU32())}, "Random"))];
}

function mixFields({source, recordings}, signal) {
  const go = (list) => { location.hash = linkOfMix(source, list); };
  const input = h("input", {type: "text", inputmode: "numeric", value: recordings.join(","), class: "wide", onchange: () => {
    const list = input.value.split(/[ ,]+/).filter(Boolean);
    if (list.length >= 2 && list.length <= MOST && list.every((word) => /^[0-9]+$/.test(word))) go(list);
    else say("Two to ten numbers of recordings, with commas between them");
  }});
  const many = h("select", {}, Array.from({length: MOST - 1}, (_, i) => h("option", {value: i + 2, selected: i + 2 === recordings.length}, plural(i + 2, "digit"))));
  return [h("label", {class: "field grow"}, h("span", {}, "Recordings"), input),
    h("label", {class: "field"}, h("span", {}, "By chance"), many),
    h("span", {class: "links"}, h("button", {type: "button", onclick: async () => go(await randomRecordings(source, Number(many.value), signal))}, "Random"),
      h("button", {type: "button", onclick: () => go([...recordings].reverse())}, "Other way round"))];
}

async function fetchParts(wish, signal) {
  const split = await pinned(wish.source);
  const path = wish.isPair ? `v1/pairs/${split}/${wish.seed}/${wish.index}` : `v1/mix/${split}/${wish.recordings.join(",")}`;
  const [served] = readBatch(await getBytes(`${path}.safetensors`, {}, signal)).samples;
  const sources = wish.isPair ? served.sources : wish.recordings;
  const recordings = await Promise.all(sources.map(async (i) =>
    readBatch(await getBytes(`v1/splits/${split}/batch.safetensors`, {indices: i, order: "time"}, signal)).samples[0]));
  return {split, path, served, sources, recordings};
}

function tracksOf(parts, whole, recordings, names, colour) {
  const each = parts.map((events, i) => ({
    title: `${recordings[i].labels[0]}${i % 2 ? ", backwards" : ""}`, label: `Recording ${names[i]}, playing${i % 2 ? " backwards" : ""}`,
    take: colour === "recording" ? asRecording(events, i, names) : byPolarity(events), backwards: i % 2 === 1}));
  const all = listed(recordings.map((recording) => recording.labels[0]));
  return [...each, {title: `The mix: ${all}`, label: "Their mix, playing", moments: false,
    take: colour === "recording" ? byRecording(whole, parts.length, names) : byPolarity(whole.events)}];
}

function codeOf(wish, {path, split}) {
  const server = urlOf("").replace(/\/$/, "");
  const c = (value) => (BigInt(value) > I64_MAX ? `${value}u` : value);
  if (wish.isPair) return sampleLines(path, split, {c: `tnm_pair(split, ${c(wish.seed)}, ${c(wish.index)}, &batch);`,
    python: `import twonmnist\n\nevents, label = twonmnist.Pairs("${server}", "${split}", seed=${wish.seed})[${wish.index}]`});
  return sampleLines(path, split, {c: `tnm_mix(split, (uint64_t[]){${wish.recordings.join(", ")}}, ${wish.recordings.length}, &batch);`});
}

function results(wish, found, signal) {
  const parts = played(found.recordings.map((recording) => recording.events)), whole = mix(parts);
  const names = found.sources.map((source) => `#${source}`), {query} = readPlace();
  const colour = query.get("colour") === "polarity" ? "polarity" : "recording";
  const tracks = tracksOf(parts, whole, found.recordings, names, colour), last = tracks.at(-1).take;
  const clock = createClock(Math.max(...tracks.map((track) => lengthOf(track.take))), signal);
  const same = equal(whole.events, found.served.events), meetings = whole.meets.reduce((sum, is) => sum + is, 0);
  const recolour = (value) => { noteInPlace({colour: value, t: Math.round(clock.t)}); dispatchEvent(new Event("hashchange")); };
  return [
    h("section", {class: "panel", "aria-label": "Playback"},
      h("div", {class: "line"}, segments("Colours", [["recording", "By recording"], ["polarity", "By polarity"]], colour, recolour),
        colour === "polarity" ? createKey() : h("p", {class: "key"}, h("span", {class: "swatch meeting"}), "where two recordings have the very same event")),
      createPlayer(tracks, clock, [...parts.slice(1).map(() => "+"), "="]),
      h("h2", {}, "Rate of events"),
      h("p", {class: "soft"}, colour === "recording" ? "Above the axis what plays forwards, below it what plays backwards: the movements of the sensor meet their mirror." : "Above the axis ON, below it OFF."),
      createRateChart(last, clock, signal)),
    h("div", {class: "two"},
      h("section", {class: "panel dark"}, h("h2", {}, "In space and time"), createSpaceTime(last, clock, signal)),
      h("section", {class: "panel"}, h("h2", {}, "What it is"),
        createFacts([
          ...found.recordings.map((recording, i) => [`Recording ${names[i]}`, [h("a", {href: placeLink(["sample", wish.source, found.sources[i]])}, `a ${recording.labels[0]}`), `, ${number(recording.events.n)} events${i % 2 ? ", played backwards" : ""}`]]),
          ["The mix", `${number(whole.events.n)} events`],
          ["Events of two recordings that are equal", number(meetings)],
          ["Events dropped, since one before is equal", number(whole.dropped)],
          ["Mixed here, too", same ? "the same events, one by one" : h("strong", {class: "bad"}, "other events than the server’s")]]))),
    h("section", {class: "panel"}, h("h2", {}, "Get exactly this"), createCode(codeOf(wish, found)),
      h("p", {class: "links"}, FORMATS.map((ending) =>
        h("button", {type: "button", class: "small", onclick: save(`${found.path}.${ending}`)}, `Download .${ending}`)))),
  ];
}

export async function showMixer(main, signal) {
  const place = readPlace(), {rows} = await getSplits(), sources = rows.filter((row) => row.kind === "source").map((row) => row.name);
  if (!sources.length) throw new Error("This server has no recordings to mix.");
  if (!place.words[0]) place.words[0] = sources.find((name) => name.includes("train")) ?? sources[0];
  const wish = wishOf(place), body = h("div", {class: "stack", "aria-busy": "true"});
  const other = (value) => { location.hash = value === "pair" ? linkOfPair(wish.source, 42, 0) : linkOfMix(wish.source, body.sources ?? [0, 1]); };
  main.replaceChildren(
    h("div", {class: "title"}, h("h1", {}, "Mixer")),
    h("p", {class: "lead"}, "Recordings of different digits become one sample: every second one is played backwards, all events go by time, and one that is equal to another is dropped."),
    h("form", {class: "filters", "aria-label": "What to mix", onsubmit: (event) => event.preventDefault()},
      h("div", {class: "choices"}, segments("What", [["pair", "A fresh pair"], ["mix", "Chosen recordings"]], wish.isPair ? "pair" : "mix", other),
        choice("Source", sources.map((name) => [name, name]), wish.source, (name) => { location.hash = wish.isPair ? linkOfPair(name, wish.seed, wish.index) : linkOfMix(name, [0, 1]); }),
        wish.isPair ? pairFields(wish) : mixFields(wish, signal))),
    body);
  try {
    const found = await fetchParts(wish, signal);
    body.sources = found.sources;
    body.replaceChildren(...results(wish, found, signal));
  } catch (error) {
    if (!signal.aborted) body.replaceChildren(h("p", {class: "note"}, error.message));
  }
  body.removeAttribute("aria-busy");
}
