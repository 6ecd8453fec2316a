// SPDX-License-Identifier: Apache-2.0
// The page: which part of it the address asks for, and the keys that work everywhere.
import {getSplits, onTokenWanted} from "./api.js";
import {askForToken, keysAreOff, showKeys} from "./dialogs.js";
import {h} from "./dom.js";
import {showEpoch} from "./page_epoch.js";
import {showMixer} from "./page_mixer.js";
import {showSample} from "./page_sample.js";
import {showSamples} from "./page_samples.js";
import {showSplit} from "./page_split.js";
import {showSplits} from "./page_splits.js";
import {readPlace} from "./place.js";

const PAGES = {
  "": [showSplits, "Splits", ""],
  split: [showSplit, "Split", ""],
  samples: [showSamples, "Samples", "samples"],
  sample: [showSample, "Sample", "samples"],
  mix: [showMixer, "Mixer", "pair"],
  pair: [showMixer, "Mixer", "pair"],
  epoch: [showEpoch, "Epochs", "epoch"],
};
const LINKS = [["", "Splits"], ["samples", "Samples"], ["pair", "Mixer"], ["epoch", "Epochs"]];

const main = document.getElementById("main");
let shown = {page: null, controller: new AbortController()};

/** How to find a control again when the page was made anew. */
function nameOf(element) {
  const group = element.closest("[aria-label]:not(a,button,input,select)")?.getAttribute("aria-label");
  const label = element.getAttribute("aria-label") ?? element.closest("label")?.firstChild.textContent ?? element.textContent;
  return `${element.tagName} ${group} ${label}`;
}

function refocus(name) {
  const same = [...main.querySelectorAll("a,button,input,select,[tabindex]")].find((element) => nameOf(element) === name);
  (same ?? main).focus({preventScroll: true});
}

async function nameless(page) {
  const {rows} = await getSplits();
  const preferred = rows.find((row) => row.name === "train") ?? rows.find((row) => row.kind !== "source") ?? rows[0];
  history.replaceState(null, "", `#/${page}/${preferred.name}`);
}

function markLinks(own) {
  document.querySelector("nav").replaceChildren(...LINKS.map(([page, text]) =>
    h("a", {href: `#/${page}`, "aria-current": page === own ? "page" : null}, text)));
}

async function show() {
  const place = readPlace(), [build, title, link] = PAGES[Object.hasOwn(PAGES, place.page) ? place.page : ""];
  const again = shown.page === place.page, focused = main.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const isFirst = shown.page === null;
  shown.controller.abort();
  const controller = new AbortController();
  shown = {page: place.page, controller};
  markLinks(link);
  document.title = `${[title, ...place.words].join(" ")} · 2NMNIST`;
  try {
    if (place.page === "samples" && !place.words[0]) await nameless("samples");
    if (!again) main.replaceChildren(h("p", {class: "note quiet"}, "Loading…"));
    await build(main, controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return;
    main.replaceChildren(h("h1", {}, "This can’t be shown"), h("p", {class: "note"}, error.message), h("p", {}, h("a", {href: "#/"}, "All splits")));
  }
  if (controller.signal.aborted || isFirst) return;
  if (again && focused) refocus(focused);
  else if (!again) { scrollTo(0, 0); main.focus({preventScroll: true}); }
}

const isTyping = (element) => element.matches("input:not([type=checkbox],[type=range]),select,textarea");
const isPressed = (element) => element.matches("button,a,[role=tab]");

const KEYS = {
  " ": (event) => {
    const play = main.querySelector(".play");
    if (!play || isPressed(event.target)) return;
    event.preventDefault();
    play.click();
  },
  n: () => main.querySelector("[data-key=n]")?.click(),
  p: () => main.querySelector("[data-key=p]")?.click(),
  "?": showKeys,
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || keysAreOff() || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  KEYS[event.key]?.(event);
});
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
document.getElementById("help").addEventListener("click", showKeys);
document.querySelector(".foot").append(
  h("span", {}, "Served by twonmnistd: nothing here comes from anywhere else."),
  h("span", {class: "links"}, h("a", {href: "v1/splits"}, "v1/splits")));
onTokenWanted(askForToken);
addEventListener("hashchange", show);
show();
