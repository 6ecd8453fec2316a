// SPDX-License-Identifier: Apache-2.0
// The samples of a split, or of a view of it, page by page.
import {getBytes, getJson, getSplits, pinned} from "./api.js";
import {choice, h, number, plural, say} from "./dom.js";
import {createKey} from "./facts.js";
import {createFilters} from "./filters.js";
import {createGallery} from "./gallery.js";
import {placeLink, readPlace, viewOf} from "./place.js";
import {readBatch} from "./safetensors.js";

const PAGE = 48; // samples, where the server gives that many
const PICTURES = [["moment", "a moment of 40 ms"], ["saccade", "the first saccade"], ["whole", "the whole sample"]];
const SPANS = {moment: [20000, 60000], saccade: [0, 100000], whole: [0, Infinity]};

function pager(page, last, link) {
  const step = (to, text, key) => (to < 0 || to > last || to === page
    ? h("span", {class: "button off", "aria-hidden": "true"}, text)
    : h("a", {class: "button", href: link(to), "data-key": key}, text));
  return h("nav", {class: "pager", "aria-label": "Pages of samples"}, step(page - 1, "Previous", "p"),
    h("span", {}, `Page ${number(page + 1)} of ${number(last + 1)}`), step(page + 1, "Next", "n"));
}

async function pageOf(name, view, page, size, signal) {
  const row = (await getSplits()).byName.get(name), path = `v1/${row?.kind === "source" ? "sources" : "splits"}/${await pinned(name)}`;
  const list = await getJson(`${path}/samples`, {offset: page * size, length: size, ...view}, signal);
  const indices = list.samples.map((sample) => sample.index).join(",");
  const bytes = indices ? await getBytes(`v1/splits/${await pinned(name)}/batch.safetensors`, {indices, order: "time"}, signal) : null;
  return {total: list.total, samples: bytes ? readBatch(bytes).samples : []};
}

export async function showSamples(main, signal) {
  const {words: [name], query} = readPlace(), view = viewOf(query), page = Number(query.get("page") ?? 0) || 0;
  const {rows, limits} = await getSplits(), size = Math.min(PAGE, limits.max_batch_size);
  const pictures = Object.hasOwn(SPANS, query.get("pictures")) ? query.get("pictures") : "moment", kept = pictures === "moment" ? {} : {pictures};
  const link = (changes, split = name) => placeLink(["samples", split], {...view, ...kept, ...changes});
  const go = (changes) => { location.hash = link(changes); };
  const body = h("div", {class: "results", "aria-busy": "true"});
  main.replaceChildren(
    h("p", {class: "crumbs"}, h("a", {href: "#/"}, "Splits"), " / ", h("a", {href: placeLink(["split", name])}, name), " / samples"),
    h("div", {class: "title"}, h("h1", {}, "Samples"),
      h("div", {class: "choices"}, choice("Split", rows.map((row) => [row.name, row.name]), name, (split) => { location.hash = link({}, split); }),
        choice("Pictures", PICTURES, pictures, (value) => go({pictures: value, page})))),
    createFilters(view, go), body);
  try {
    const {total, samples} = await pageOf(name, view, page, size, signal), last = Math.max(0, Math.ceil(total / size) - 1);
    body.replaceChildren(
      h("div", {class: "line"}, h("p", {}, h("strong", {}, plural(total, "sample")), " ", h("a", {href: placeLink(["split", name], view)}, "what can be counted of them")), createKey()),
      createGallery(samples, {span: SPANS[pictures], linkOf: (sample) => placeLink(["sample", name, sample.index], view)}),
      pager(page, last, (to) => link({page: to})));
    say(`${plural(total, "sample")}, page ${page + 1} of ${last + 1}`);
  } catch (error) {
    if (signal.aborted) return;
    body.replaceChildren(h("p", {class: "note"}, error.message));
    say(error.message);
  }
  body.removeAttribute("aria-busy");
}
