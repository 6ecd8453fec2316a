// SPDX-License-Identifier: Apache-2.0
// The training set as a trainer sees it: batch k of an epoch, and a rank's share of it.
import {getBytes, getJson, getSplits, pinned, urlOf} from "./api.js";
import {batchLines, createCode} from "./code.js";
import {choice, h, number, numberField, onWidth, plural, say, svg} from "./dom.js";
import {createGallery} from "./gallery.js";
import {placeLink, queryText, readPlace, viewOf} from "./place.js";
import {readBatch} from "./safetensors.js";

const SIZE = 32; // where the server gives that many
const U32_MAX = 4294967295;

function wishOf(query, most) {
  const standard = {seed: "1", epoch: "0", k: "0", size: String(Math.min(SIZE, most)), rank: "0", world: "1"};
  return Object.fromEntries(Object.entries(standard).map(([name, value]) => [name, /^[0-9]+$/.test(query.get(name) ?? "") ? query.get(name) : value]));
}

/** The places of the global batch, of which every `world`-th is the rank's. */
function createShares(n, wish, linkOf) {
  return h("div", {class: "shares", role: "group", "aria-label": "The global batch, and whose each sample is"}, Array.from({length: n}, (_, place) => {
    const rank = place % Number(wish.world);
    return h("a", {href: linkOf({rank}), class: rank === Number(wish.rank) ? "own" : "", "aria-label": `Place ${place}: rank ${rank}`}, rank);
  }));
}

/** Where in the split the samples of the batch are. */
function createBarcode(samples, total, signal) {
  const host = h("div", {class: "chart"});
  onWidth(host, (width) => host.replaceChildren(svg("svg", {width, height: 44, viewBox: `0 0 ${width} 44`, role: "img",
    "aria-label": "Where in the split the samples of this batch are: all over it"},
  svg("rect", {class: "band", x: 0, y: 0, width, height: 24, rx: 4}),
  samples.map((sample) => svg("line", {class: "code-line", x1: 1 + (Number(sample.index) / total) * (width - 2), x2: 1 + (Number(sample.index) / total) * (width - 2), y1: 0, y2: 24})),
  svg("text", {class: "tick", x: 0, y: 40}, "sample 0"),
  svg("text", {class: "tick", x: width, y: 40, "text-anchor": "end"}, number(total - 1)))), signal);
  return host;
}

function pythonView(view) {
  const list = (value) => `[${value.replaceAll(",", ", ")}]`;
  const words = Object.entries(view).map(([word, value]) => `${word}=${["any", "all", "none"].includes(word) ? list(value) : /^[0-9]+$/.test(value) ? value : `"${value}"`}`);
  return words.length ? `.view(${words.join(", ")})` : "";
}

function codeOf(path, query, split, wish, view, total) {
  const {seed, epoch, k, size, rank, world} = wish, server = urlOf("").replace(/\/$/, ""), words = queryText(view);
  const of = words ? "view" : "split", open = words ? `tnm_view *view;\ntnm_view_open(split, "${words}", &view);\n` : "";
  return batchLines(path, query, split, {
    c: `${open}tnm_${words ? "view" : "epoch"}_batch(${of}, ${seed}, ${epoch}, ${k}, ${size}, ${rank}, ${world}, TNM_LAST_SHORT, &batch);`,
    python: `import itertools, twonmnist

split = twonmnist.Split("${server}", "${split}")${pythonView(view)}
batches = twonmnist.loader(split, batch_size=${size}, seed=${seed}, rank=${rank}, world=${world}, last="short")
batches.set_epoch(${epoch})
frames, labels = next(itertools.islice(batches, ${k}, None))`,
    numpy: `import ${words ? "io, " : ""}numpy${words ? ", urllib.request" : ""}

order = numpy.random.RandomState([${seed}, ${epoch}]).permutation(${total})
batch = order[${k} * ${size}:(${k} + 1) * ${size}][${rank}::${world}]${words ? `
view = numpy.load(io.BytesIO(urllib.request.urlopen("${urlOf(`v1/splits/${split}/indices.npy`, view)}").read()))
samples = view[batch]` : ""}`,
  });
}

function fields(wish, linkOf, nBatches, most) {
  const go = (changes) => { location.hash = linkOf(changes); };
  const field = (name, label, range, more = {}) => numberField(label, wish[name], range, (value) => go({[name]: value, ...more}));
  return h("div", {class: "choices"}, field("seed", "Seed", {max: U32_MAX}), field("epoch", "Epoch", {max: U32_MAX}, {k: "0"}),
    field("k", "Batch k", {max: Math.max(0, nBatches - 1)}), field("size", "Size", {min: 1, max: Math.min(1024, most * Number(wish.world))}, {k: "0"}),
    field("world", "World", {min: 1, max: Number(wish.size)}, {rank: "0"}), field("rank", "Rank", {max: Number(wish.world) - 1}));
}

function steps(wish, linkOf, nBatches) {
  const k = Number(wish.k), step = (to, text, key) => (to < 0 || to >= nBatches ? h("span", {class: "button off", "aria-hidden": "true"}, text)
    : h("a", {class: "button", href: linkOf({k: to}), "data-key": key}, text));
  return h("nav", {class: "links", "aria-label": "Batches"}, step(k - 1, "Previous batch", "p"), step(k + 1, "Next batch", "n"),
    h("a", {class: "button", href: linkOf({epoch: Number(wish.epoch) + 1, k: 0})}, "Next epoch"));
}

export async function showEpoch(main, signal) {
  const {words, query} = readPlace(), {rows, limits} = await getSplits(), names = rows.map((row) => row.name);
  const name = words[0] ?? (names.includes("train") ? "train" : names[0]), view = viewOf(query), most = limits.max_batch_size, wish = wishOf(query, most);
  const split = await pinned(name), {samples: total} = await getJson(`v1/splits/${split}/statistics`, view, signal);
  const linkOf = (changes, of = name) => placeLink(["epoch", of], {...view, ...wish, ...changes});
  const nBatches = Math.ceil(total / Number(wish.size)), body = h("div", {class: "stack", "aria-busy": "true"});
  const viewWords = queryText(view);
  main.replaceChildren(
    h("div", {class: "title"}, h("h1", {}, "Epochs"), steps(wish, linkOf, nBatches)),
    h("p", {class: "lead"}, "The order of an epoch is a function of two numbers, and nothing is kept: whoever asks for the same batch gets the same bytes, on every machine, after every restart, in every number of processes."),
    h("form", {class: "filters", "aria-label": "Which batch", onsubmit: (event) => event.preventDefault()},
      h("div", {class: "choices"}, choice("Split", names.map((each) => [each, each]), name, (each) => { location.hash = linkOf({k: "0"}, each); })),
      fields(wish, linkOf, nBatches, most)), body);
  try {
    const {seed, epoch, k, ...rest} = wish, path = `v1/splits/${split}/epochs/${seed}/${epoch}/batches/${k}`, asked = {...rest, ...view};
    const batch = readBatch(await getBytes(`${path}.safetensors`, asked, signal)).samples;
    const n = Math.min(Number(wish.size), total - Number(k) * Number(wish.size)), whole = rows.find((row) => row.name === name).samples;
    body.replaceChildren(
      h("section", {class: "panel"}, h("h2", {}, `Batch ${number(Number(k))} of ${number(nBatches)} in epoch ${epoch}`),
        h("p", {class: "soft"}, `${plural(n, "sample")} of ${number(total)}${viewWords ? ` that ${viewWords.replaceAll("&", ", ")} keeps` : ""}; rank ${wish.rank} of ${wish.world} takes ${number(batch.length)} of them.`),
        createShares(n, wish, linkOf), createBarcode(batch, whole, signal)),
      createGallery(batch, {linkOf: (sample) => placeLink(["sample", name, sample.index])}),
      h("section", {class: "panel"}, h("h2", {}, "Get exactly this"), createCode(codeOf(path, asked, split, wish, view, total))));
    say(`Batch ${k} of ${nBatches}`);
  } catch (error) {
    if (!signal.aborted) body.replaceChildren(h("p", {class: "note"}, error.message));
  }
  body.removeAttribute("aria-busy");
}
