// SPDX-License-Identifier: Apache-2.0
// The lines that give, in a terminal or a program, exactly what the page shows.
import {urlOf} from "./api.js";
import {copyable, h} from "./dom.js";
import {noteInPlace, readPlace} from "./place.js";

const server = () => urlOf("").replace(/\/$/, "");

function numpyEvents(url) {
  return `import io, numpy, urllib.request\n\nevents = numpy.load(io.BytesIO(urllib.request.urlopen("${url}").read()))`;
}

function pythonEvents(url) {
  return `import struct, urllib.request

events = []                                       # (t, x, y, p)
for x, y, a, b, c in struct.iter_unpack("5B", urllib.request.urlopen("${url}").read()):
    events.append(((a & 127) << 16 | b << 8 | c, x, y, a >> 7))`;
}

function cLines(split, call) {
  return `#include <twonmnist.h>

tnm_client *client;
tnm_split *split;
tnm_batch *batch;
tnm_open((const char *[]){"${server()}"}, 1, NULL, &client);
tnm_split_open(client, "${split}", &split);
${call}
const uint8_t *events = tnm_batch_events(batch);  /* [tnm_batch_n_events(batch)][5] */`;
}

/** Lines for one sample at `path`, without its ending: name -> text. */
export function sampleLines(path, split, {c, python}) {
  return {
    URL: urlOf(`${path}.npy`),
    curl: `curl -o sample.npy '${urlOf(`${path}.npy`)}'`,
    C: cLines(split, c),
    Python: python ?? pythonEvents(urlOf(`${path}.bin`)),
    NumPy: numpyEvents(urlOf(`${path}.npy`)),
  };
}

/** Lines for a batch at `path` with a query. */
export function batchLines(path, query, split, {c, python, numpy}) {
  const url = urlOf(`${path}.safetensors`, query);
  return {URL: url, curl: `curl -o batch.safetensors '${url}'`, C: cLines(split, c), Python: python, NumPy: numpy};
}

/** One of the texts at a time, chosen by tabs. */
export function createCode(lines) {
  const names = Object.keys(lines), host = h("div", {role: "tabpanel", id: "code-panel"});
  const tabs = names.map((name) => h("button", {type: "button", role: "tab", "aria-controls": "code-panel", id: `code-${name}`,
    onclick: () => { choose(name); noteInPlace({code: name}); }}, name));
  function choose(name) {
    tabs.forEach((tab) => {
      const is = tab.textContent === name;
      tab.setAttribute("aria-selected", String(is));
      tab.tabIndex = is ? 0 : -1;
    });
    host.setAttribute("aria-labelledby", `code-${name}`);
    host.replaceChildren(copyable(lines[name], `${name} for this`));
  }
  const given = readPlace().query.get("code");
  choose(names.includes(given) ? given : names[0]);
  const list = h("div", {role: "tablist", "aria-label": "Programs", class: "segments", onkeydown: (event) => {
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key], at = tabs.indexOf(document.activeElement);
    if (!by || at < 0) return;
    const next = tabs[(at + by + tabs.length) % tabs.length];
    next.click();
    next.focus();
  }}, tabs);
  return h("div", {class: "code"}, list, host);
}
