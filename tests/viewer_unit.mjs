// SPDX-License-Identifier: Apache-2.0
// Run by test_viewer_modules.py: what the page's modules make of what stands on standard input, as JSON.
import {readFileSync} from "node:fs";

const [folder] = process.argv.slice(2);
const {crc32c, statedCrc} = await import(`${folder}/crc32c.js`);
const {unpack, countBefore} = await import(`${folder}/events.js`);
const {readBatch} = await import(`${folder}/safetensors.js`);
const {readNpy} = await import(`${folder}/npy.js`);
const {level, paint} = await import(`${folder}/colour.js`);
const {mix, played, equal} = await import(`${folder}/mix.js`);
const {byPolarity, byRecording, countPixels, largestInWindow, merged} = await import(`${folder}/take.js`);
const {readPlace, placeLink, queryText, viewOf} = await import(`${folder}/place.js`);

const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));
const rows = ({n, x, y, t, p}) => Array.from({length: n}, (_, i) => [t[i], x[i], y[i], p[i]]);
const fault = (call) => { try { call(); return null; } catch (error) { return error.message; } };

const RUNS = {
  crc: ({bytes}) => crc32c(bytesOf(bytes)),
  stated: ({header}) => statedCrc(header),
  unpack: ({bytes}) => rows(unpack(bytesOf(bytes))),
  fault: ({bytes}) => fault(() => unpack(bytesOf(bytes))),
  before: ({bytes, times}) => times.map((t) => countBefore(unpack(bytesOf(bytes)), t)),
  batch: ({bytes}) => readBatch(bytesOf(bytes)).samples.map((sample) => ({...sample, index: String(sample.index), events: rows(sample.events)})),
  npy: ({bytes}) => { const {shape, values} = readNpy(bytesOf(bytes)); return {shape, values: [...values]}; },
  levels: ({largest}) => Array.from({length: largest + 1}, (_, count) => level(count, largest)),
  picture: ({bytes, from, to, largest, isMerged}) => {
    const events = unpack(bytesOf(bytes)), take = isMerged ? merged(events) : byPolarity(events);
    const counts = countPixels(take, from, to ?? Infinity);
    return [...paint(counts, largest ?? counts.reduce((a, b) => Math.max(a, b), 1), take.colours)];
  },
  largest: ({bytes, width}) => largestInWindow(byPolarity(unpack(bytesOf(bytes))), width),
  mix: ({recordings}) => {
    const parts = played(recordings.map((bytes) => unpack(bytesOf(bytes)))), whole = mix(parts);
    const take = byRecording(whole, parts.length, recordings.map(String));
    return {events: rows(whole.events), from: [...whole.from], meets: [...whole.meets], dropped: whole.dropped,
      colours: take.colours.length, same: equal(whole.events, whole.events), other: equal(whole.events, parts[0])};
  },
  place: ({hash}) => { const {page, words, query} = readPlace(hash); return {page, words, view: viewOf(query), again: placeLink([page, ...words], query)}; },
  query: ({query}) => queryText(query),
};

const asked = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(([name, argument]) => RUNS[name](argument))));
