// SPDX-License-Identifier: Apache-2.0
// Events as points in x, y and time, which can be turned.
import {SIDE} from "./events.js";
import {MEETING} from "./colour.js";
import {h, onWidth} from "./dom.js";
import {SACCADES_US} from "./saccades.js";

const LONG = 2.1; // of the time axis, where the sensor's sides are 1
const STEP = Math.PI / 24;
const FIRST = {yaw: -0.62, pitch: 0.3};

/** Where a point goes on a canvas of that size, turned so: time runs to the right, y down. */
function projection({yaw, pitch}, width, height) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const scale = Math.min(width / (LONG + 0.75), height / 1.75);
  return (x, y, t) => {
    const a = (t - 0.5) * LONG, b = (y + 0.5) / SIDE - 0.5, c = (x + 0.5) / SIDE - 0.5;
    const across = a * cy - c * sy, deep = a * sy + c * cy;
    return [width / 2 + across * scale, height / 2 + (b * cp - deep * sp) * scale];
  };
}

function line(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

const CORNERS = [[-0.5, -0.5], [SIDE - 0.5, -0.5], [SIDE - 0.5, SIDE - 0.5], [-0.5, SIDE - 0.5]];

function drawFrame(context, at, t) {
  CORNERS.forEach(([x, y], i) => line(context, at(x, y, t), at(...CORNERS[(i + 1) % 4], t)));
}

function drawBox(context, at, length) {
  context.strokeStyle = "rgba(255,255,255,.22)";
  for (const t of [0, 1]) drawFrame(context, at, t);
  for (const [x, y] of CORNERS) line(context, at(x, y, 0), at(x, y, 1));
  context.strokeStyle = "rgba(255,255,255,.14)";
  for (const t of SACCADES_US.slice(1)) if (t < length) drawFrame(context, at, t / length);
}

function drawWords(context, at, length, ratio) {
  context.fillStyle = "rgba(255,255,255,.75)";
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.textAlign = "center";
  for (let ms = 0; ms * 1000 <= length; ms += 100) {
    const [x, y] = at(-0.5, SIDE + 2.5, (ms * 1000) / length);
    context.fillText(ms ? `${ms}` : "0 ms", x, y);
  }
}

function drawPoints(context, take, at, length, size) {
  const {x, y, t, n} = take.events;
  context.globalCompositeOperation = "lighter";
  take.colours.forEach((colour, plane) => {
    context.fillStyle = `rgba(${colour},.6)`;
    for (let i = 0; i < n; i++) {
      if (take.plane[i] !== plane) continue;
      const [across, down] = at(x[i], y[i], t[i] / length);
      context.fillRect(across - size / 2, down - size / 2, size, size);
    }
  });
  context.globalCompositeOperation = "source-over";
}

function drawMeetings(context, take, at, length, size) {
  context.fillStyle = `rgb(${MEETING})`;
  take.meets?.forEach((is, i) => {
    if (!is) return;
    const [across, down] = at(take.events.x[i], take.events.y[i], take.events.t[i] / length);
    context.fillRect(across - size, down - size, 2 * size, 2 * size);
  });
}

/** A picture of the take that a mouse, a finger or the arrow keys turn, and that follows the clock. */
export function createSpaceTime(take, clock, signal) {
  const canvas = h("canvas", {class: "spacetime", role: "img", tabindex: 0,
    "aria-label": "Events in space and time. The arrow keys turn it, Home turns it back."});
  const still = document.createElement("canvas"); // all but the moving frame
  const view = {...FIRST};
  let ratio = 1;

  function follow() {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!still.width) return;
    context.drawImage(still, 0, 0);
    context.strokeStyle = "rgba(255,255,255,.9)";
    context.lineWidth = 1.25 * ratio;
    drawFrame(context, projection(view, canvas.width, canvas.height), clock.t / clock.length);
  }

  function draw() {
    const context = still.getContext("2d"), at = projection(view, still.width, still.height);
    context.clearRect(0, 0, still.width, still.height);
    context.lineWidth = ratio;
    drawBox(context, at, clock.length);
    drawPoints(context, take, at, clock.length, 1.75 * ratio);
    drawMeetings(context, take, at, clock.length, 1.5 * ratio);
    drawWords(context, at, clock.length, ratio);
    follow();
  }

  function turn(yaw, pitch) {
    view.yaw += yaw;
    view.pitch = Math.max(-1.5, Math.min(1.5, view.pitch + pitch));
    draw();
  }

  canvas.addEventListener("keydown", (event) => {
    const turns = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP]};
    if (event.key === "Home") Object.assign(view, FIRST);
    else if (!turns[event.key]) return;
    event.preventDefault();
    turn(...(turns[event.key] ?? [0, 0]));
  });
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) turn(event.movementX / 160, event.movementY / 160);
  });
  const host = h("div", {class: "stage"}, canvas);
  onWidth(host, (width) => {
    ratio = Math.min(2, devicePixelRatio);
    const height = Math.round(Math.max(240, Math.min(420, width * 0.56)));
    for (const each of [canvas, still]) Object.assign(each, {width: width * ratio, height: height * ratio});
    draw();
  }, signal);
  clock.listen(follow);
  return host;
}
