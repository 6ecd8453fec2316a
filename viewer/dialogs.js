// SPDX-License-Identifier: Apache-2.0
// What the page asks and tells in a box of its own: the token, the keys.
import {h} from "./dom.js";

const KEYS = [
  ["Space", "play or pause"], ["n", "next sample, page, pair or batch"], ["p", "previous"],
  ["← → ↑ ↓", "among samples; along the time; turn what is in space and time"],
  ["Home", "turn it back"], ["?", "this list"],
];
const OFF = "twonmnist-keys-off";

export function keysAreOff() {
  return localStorage.getItem(OFF) !== null;
}

function open(dialog) {
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

/** Something that a person has to know. */
export function tell(title, text) {
  const dialog = h("dialog", {"aria-labelledby": "told-title"}, h("h2", {id: "told-title"}, title), h("p", {}, text),
    h("p", {class: "links"}, h("button", {type: "button", autofocus: true, onclick: () => dialog.close()}, "Close")));
  open(dialog);
}

export function showKeys() {
  if (document.querySelector("dialog")) return;
  const dialog = h("dialog", {"aria-labelledby": "keys-title"}, h("h2", {id: "keys-title"}, "Keys"),
    h("dl", {class: "facts"}, KEYS.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)))),
    h("label", {class: "check"}, h("input", {type: "checkbox", checked: !keysAreOff(), onchange: (event) => {
      event.target.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1");
    }}), "Single keys do this"),
    h("p", {class: "links"}, h("button", {type: "button", autofocus: true, onclick: () => dialog.close()}, "Close")));
  open(dialog);
}

/** The token that somebody types, or null. */
export function askForToken(why) {
  return new Promise((resolve) => {
    const input = h("input", {type: "password", autocomplete: "off", required: true, class: "wide", autofocus: true});
    let token = null;
    const dialog = h("dialog", {"aria-labelledby": "token-title", onclose: () => resolve(token)},
      h("h2", {id: "token-title"}, "This server wants a token"), h("p", {class: "soft"}, `${why}. It is kept until this tab is closed.`),
      h("form", {onsubmit: (event) => { event.preventDefault(); token = input.value.trim(); dialog.close(); }},
        h("label", {class: "field"}, h("span", {}, "Token"), input),
        h("p", {class: "links"}, h("button", {class: "button", type: "submit"}, "Use it"), h("button", {type: "button", onclick: () => dialog.close()}, "Cancel"))));
    open(dialog);
  });
}
