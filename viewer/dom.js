// SPDX-License-Identifier: Apache-2.0
// Elements, and the few words that several pages share.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

const numbers = new Intl.NumberFormat("en");
export const number = (value) => numbers.format(value);

export function plural(n, one, many = `${one}s`) {
  return `${number(n)} ${Number(n) === 1 ? one : many}`;
}

/** "0, 1 and 5". */
export function listed(things) {
  return [things.slice(0, -1).join(", "), things.at(-1)].filter((part) => part !== "").join(" and ");
}

export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, by] = bytes < 999500 ? ["kB", 1e3] : bytes < 999500000 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / by).toFixed(bytes / by < 10 ? 1 : 0)} ${unit}`;
}

export const milliseconds = (us) => `${Math.round(us / 1000)} ms`;

/** Tell those who do not see the page. */
export function say(text) {
  document.getElementById("status").textContent = text;
}

export function reducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

async function copy(text, area) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // not allowed on plain http
    getSelection().selectAllChildren(area);
    return document.execCommand("copy");
  }
}

/** A text with a button that copies it. */
export function copyable(text, label, attributes = {}) {
  const area = h("pre", {tabindex: 0, role: "region", "aria-label": label, ...attributes}, text);
  const button = h("button", {type: "button", class: "small copy", "aria-label": `Copy: ${label}`,
    onclick: async () => {
      button.textContent = (await copy(text, area)) ? "Copied" : "Select it";
      say(button.textContent);
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    }}, "Copy");
  return h("div", {class: "copyable"}, area, button);
}

/** A labelled choice. `options`: [value, text] each. */
export function choice(label, options, value, onchange) {
  const select = h("select", {onchange: () => onchange(select.value)},
    options.map(([key, text]) => h("option", {value: key, selected: String(key) === String(value)}, text)));
  return h("label", {class: "field"}, h("span", {}, label), select);
}

/** A labelled number. */
export function numberField(label, value, {min = 0, max, wide, optional} = {}, onchange = () => {}) {
  const input = h("input", {type: "text", inputmode: "numeric", pattern: "[0-9]*", value, class: wide ? "wide" : null,
    onchange: () => {
      const good = optional && input.value === "" || /^[0-9]+$/.test(input.value) && BigInt(input.value) >= BigInt(min) &&
        (max === undefined || BigInt(input.value) <= BigInt(max));
      if (good) onchange(input.value);
      else { input.value = value; say(`${label} is a number from ${min}${max === undefined ? "" : ` to ${max}`}`); }
    }});
  return h("label", {class: "field"}, h("span", {}, label), input);
}

/** Buttons of which one is pressed. */
export function segments(label, options, value, onchange) {
  return h("div", {class: "segments", role: "group", "aria-label": label},
    options.map(([key, text]) => h("button", {type: "button", "aria-pressed": String(key === value),
      onclick: (event) => {
        for (const button of event.currentTarget.parentNode.children)
          button.setAttribute("aria-pressed", String(button === event.currentTarget));
        onchange(key);
      }}, text)));
}

/** Call `draw(width)` now and whenever the element has another width. */
export function onWidth(element, draw, signal) {
  let drawn = 0;
  const observer = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width && width !== drawn) draw(drawn = width);
  });
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}
