// The page: choose a photo, mark, paint, compare, download.

import { Marks, View, markImage } from "./view.js";

const $ = (id) => document.getElementById(id);
const view = new View($("view"));
const PIXELS = new Intl.NumberFormat("en");

const HINTS = {
  mask: "Paint over the skin that is missing: exactly the pixels you mark become skin.",
  region: "Paint over a sleeve or trouser leg: the model finds the skin in it, and the rest and a thin margin become background.",
  expose: "The limbs are found by the pose; the rest of their clothes and a thin margin become background.",
};

const state = {
  file: null, // the photo as it was chosen
  photo: null, // decoded
  marks: null,
  models: [],
  token: "",
  tool: "brush",
  work: null, // aborts the request that runs
  result: null, // the address of the painted photo
};

// --- talking to the server ---

class Refused extends Error {}

async function ask(path, options = {}) {
  const headers = { Accept: "image/png", ...options.headers };
  if (state.token) headers.Authorization = `Bearer ${state.token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server cannot be reached. Is it still running?");
  }
  if (response.ok) return response;
  if (response.status === 401) $("login").hidden = false;
  const problem = await response.json().catch(() => ({}));
  throw new Refused(problem.error || `The server answered with the status ${response.status}.`);
}

async function loadModels() {
  try {
    state.models = (await (await ask("v1/models")).json()).models;
  } catch (error) {
    report(error);
    return;
  }
  $("login").hidden = true;
  $("error").textContent = "";
  $("model").replaceChildren(...state.models.map(({ name }) => new Option(name, name)));
  $("model-choice").hidden = state.models.length < 2;
  chooseMode();
}

function say(text) {
  $("status").textContent = text;
}

function report(error) {
  if (error.name === "AbortError") return;
  say("");
  $("error").textContent = error instanceof Refused ? error.message : `The page failed: ${error.message}`;
}

// Runs something, with its error shown.
function tried(action) {
  return async (...values) => {
    $("error").textContent = "";
    try {
      await action(...values);
    } catch (error) {
      report(error);
    }
  };
}

// --- choosing a photo ---

const open = tried(async (file) => {
  if (!file) return;
  if (state.marks?.done.length && !confirm("Open another photo and lose the marks on this one?")) return;
  state.work?.abort();
  say("Reading the photo …");
  let photo;
  try {
    photo = await createImageBitmap(file);
  } catch {
    throw new Refused(`${file.name}: this browser cannot show the file. Choose a PNG, JPEG or WebP.`);
  }
  Object.assign(state, { file, photo, marks: new Marks(photo.width, photo.height) });
  $("start").hidden = true;
  $("other").hidden = false;
  edit();
  view.fit();
  $("view").focus();
  say(`${file.name || "Photo"}: ${photo.width} by ${photo.height} pixels.`);
  await findHoles(file);
});

async function findHoles(file) {
  const body = new FormData();
  body.append("photo", file);
  const response = await ask("v1/holes", { method: "POST", body });
  const { pixels } = JSON.parse(response.headers.get("Skinfw-Report"));
  const image = await markImage(await response.blob());
  if (state.file !== file || !pixels || state.marks.done.length) return;
  state.marks.add({ tool: "image", image });
  changed();
  say(`Marked ${PIXELS.format(pixels)} pixels that look like holes. Erase what is not one.`);
}

function restart() {
  state.work?.abort();
  if (state.result) URL.revokeObjectURL(state.result);
  Object.assign(state, { file: null, photo: null, marks: null, result: null });
  for (const id of ["editor", "result", "stage", "other"]) $(id).hidden = true;
  $("start").hidden = false;
  $("file").value = "";
  $("file").focus();
  say("");
  $("error").textContent = "";
}

// --- marking ---

function mode() {
  return document.querySelector("input[name=mode]:checked").value;
}

function model() {
  return state.models.find(({ name }) => name === $("model").value);
}

function chooseMode() {
  const region = document.querySelector("input[value=region]");
  region.disabled = !(model()?.finds_skin ?? true);
  if (region.disabled && region.checked) document.querySelector("input[value=mask]").checked = true;
  const byName = mode() === "expose";
  $("limbs").hidden = !byName;
  $("tools").hidden = byName;
  $("hint").textContent = HINTS[mode()] + (region.disabled ? " This model cannot take clothes off that you mark." : "");
  if (state.photo && !$("editor").hidden) edit();
}

function edit() {
  $("editor").hidden = $("stage").hidden = false;
  $("result").hidden = true;
  $("keys").hidden = false;
  view.show(state.photo, { marks: mode() === "expose" ? null : state.marks.canvas });
  changed();
}

function changed() {
  $("undo").disabled = !state.marks.done.length;
  $("redo").disabled = !state.marks.undone.length;
  view.draw();
}

function choose(tool) {
  state.tool = tool;
  for (const id of ["brush", "eraser", "hand"]) $(id).setAttribute("aria-pressed", String(id === tool));
  $("view").classList.toggle("moving", tool === "hand");
}

// The brush in pixels of the photo: the slider goes from one pixel to a quarter of the photo.
function brushSize() {
  const most = Math.max(state.photo.width, state.photo.height) / 4;
  return Math.max(1, most ** ($("size").value / 100));
}

function marking() {
  return !$("editor").hidden && mode() !== "expose" && !state.work;
}

function begin(point) {
  state.marks.add({ tool: state.tool, size: brushSize(), points: [point] });
  changed();
}

function extend(point) {
  state.marks.extend(point);
  view.draw();
}

// --- mouse, pen, fingers ---

const fingers = new Map();
let drag = null; // "mark", "move" or "line"

function pinch(before) {
  const [one, two] = [...fingers.values()];
  const middle = { x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 };
  const apart = Math.hypot(one.x - two.x, one.y - two.y);
  if (before) {
    view.move(middle.x - before.middle.x, middle.y - before.middle.y);
    view.zoom(apart / before.apart, middle.x, middle.y);
  }
  return { middle, apart };
}

let pinched = null;

$("view").addEventListener("pointerdown", (event) => {
  if (!state.photo) return;
  const place = view.place(event);
  $("view").setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, place);
  if (fingers.size === 2) {
    // the first finger has begun a stroke that was not meant
    if (drag === "mark") {
      state.marks.undo();
      state.marks.undone.pop();
      changed();
    }
    drag = null;
    pinched = pinch(null);
    return;
  }
  if (view.before && Math.abs(place.x - view.line) < 20 * view.ratio) drag = "line";
  else if (event.button === 1 || state.tool === "hand" || !marking()) drag = "move";
  else if (event.button === 0) {
    drag = "mark";
    begin(view.toPhoto(place.x, place.y));
  }
  event.preventDefault();
  $("view").focus({ preventScroll: true });
});

$("view").addEventListener("pointermove", (event) => {
  if (!state.photo) return;
  const place = view.place(event);
  const before = fingers.get(event.pointerId);
  if (before) fingers.set(event.pointerId, place);
  if (fingers.size === 2) {
    pinched = pinch(pinched);
    return;
  }
  const point = view.toPhoto(place.x, place.y);
  if (drag === "move" && before) view.move(place.x - before.x, place.y - before.y);
  else if (drag === "line") splitAt(point.x / state.photo.width);
  else if (drag === "mark") {
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const at = view.place(each);
      extend(view.toPhoto(at.x, at.y));
    }
  }
  if (marking() && state.tool !== "hand") view.cursor = { ...point, size: brushSize() };
  view.draw();
});

for (const name of ["pointerup", "pointercancel"]) {
  $("view").addEventListener(name, (event) => {
    fingers.delete(event.pointerId);
    drag = pinched = null;
  });
}

$("view").addEventListener("pointerleave", () => {
  view.cursor = null;
  view.draw();
});

$("view").addEventListener(
  "wheel",
  (event) => {
    if (!state.photo) return;
    event.preventDefault();
    const place = view.place(event);
    view.zoom(Math.exp(-event.deltaY / 500), place.x, place.y);
  },
  { passive: false },
);

// --- keys ---

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let held = false; // whether Space is down

function undo(redo) {
  if (!state.marks || !marking() || drag === "mark" || held) return;
  if (redo) state.marks.redo();
  else state.marks.undo();
  changed();
}

$("view").addEventListener("keydown", (event) => {
  if (!state.photo || event.altKey) return;
  if (event.ctrlKey || event.metaKey) return; // handled for the whole page
  const { key } = event;
  if (drag === "mark") return;
  if (ARROWS[key]) arrow(ARROWS[key], event.shiftKey);
  else if (key === " " && marking()) {
    if (!held) begin({ ...cursor() });
    held = true;
  } else if (key === "+" || key === "=") view.zoom(1.25);
  else if (key === "-") view.zoom(0.8);
  else if (key === "0") view.fit();
  else if (key === "1") view.zoom(view.ratio / view.scale);
  else if (key === "[" || key === "]") resizeBrush(key === "]" ? 3 : -3);
  else if (key === "b") choose("brush");
  else if (key === "e") choose("eraser");
  else if (key === "h") choose("hand");
  else return;
  event.preventDefault();
});

$("view").addEventListener("keyup", (event) => {
  if (event.key === " ") held = false;
});

$("view").addEventListener("blur", () => {
  held = false;
});

function resizeBrush(by) {
  $("size").value = Number($("size").value) + by;
  if (view.cursor) view.cursor.size = brushSize();
  view.draw();
}

function cursor() {
  const { width, height } = view.canvas;
  view.cursor ??= { ...view.toPhoto(width / 2, height / 2), size: brushSize() };
  return view.cursor;
}

function arrow([x, y], fine) {
  if (!marking() || state.tool === "hand") {
    if (view.before && y === 0) splitAt(view.split + (fine ? 0.01 : 0.05) * x);
    else view.move(-40 * view.ratio * x, -40 * view.ratio * y);
    return;
  }
  const step = fine ? 1 : (12 * view.ratio) / view.scale;
  const { width, height } = state.photo;
  const at = cursor();
  at.x = Math.min(width, Math.max(0, at.x + step * x));
  at.y = Math.min(height, Math.max(0, at.y + step * y));
  view.reveal(at);
  if (held) extend({ x: at.x, y: at.y });
  view.draw();
}

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=password]")) return;
  const key = event.key.toLowerCase();
  if (key === "z" || key === "y") {
    event.preventDefault();
    undo(key === "y" || event.shiftKey);
  }
});

// --- painting ---

const paint = tried(async () => {
  if (state.work) return;
  state.work = new AbortController();
  busy(true);
  try {
    await send(state.file, state.work.signal);
  } catch (error) {
    if (error.name === "AbortError") say("Canceled.");
    throw error;
  } finally {
    state.work = null;
    busy(false);
  }
});

async function send(file, signal) {
  const body = new FormData();
  body.append("photo", file);
  body.append("model", $("model").value);
  if (mode() === "expose") {
    const limbs = [...$("limbs").querySelectorAll("input:checked")].map(({ value }) => value);
    if (!limbs.length) throw new Refused("Choose at least one limb.");
    body.append("expose", limbs.join(","));
  } else {
    const blob = await state.marks.toBlob();
    if (!blob) throw new Refused("Mark something on the photo first.");
    body.append(mode(), blob, `${mode()}.png`);
  }
  const response = await ask("v1/paint", { method: "POST", body, signal });
  const made = JSON.parse(response.headers.get("Skinfw-Report"));
  const blob = await response.blob();
  const after = await createImageBitmap(blob);
  if (state.file === file) compare(blob, after, made);
}

function busy(works) {
  $("paint").disabled = works;
  $("cancel").hidden = !works;
  if (works) say("Painting … this takes a few seconds.");
}

function compare(blob, after, made) {
  if (state.result) URL.revokeObjectURL(state.result);
  state.result = URL.createObjectURL(blob);
  $("download").href = state.result;
  $("download").download = `${(state.file.name || "photo").replace(/\.[^.]*$/, "")}-painted.png`;
  $("notes").replaceChildren(
    ...made.warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
  $("editor").hidden = true;
  $("result").hidden = false;
  $("keys").hidden = true;
  view.show(after, { before: state.photo });
  splitAt(0.5);
  $("download").focus();
  say(`Painted ${PIXELS.format(made.painted)} pixels.`);
}

function splitAt(part) {
  view.split = Math.min(1, Math.max(0, part));
  $("split").value = 100 * view.split;
  view.draw();
}

// --- buttons and dropping ---

view.onScale = (scale) => ($("scale").textContent = `${Math.round(100 * scale)}%`);
$("file").addEventListener("change", () => open($("file").files[0]));
$("other").addEventListener("click", restart);
$("model").addEventListener("change", chooseMode);
$("modes").addEventListener("change", chooseMode);
for (const tool of ["brush", "eraser", "hand"]) $(tool).addEventListener("click", () => choose(tool));
$("undo").addEventListener("click", () => undo(false));
$("redo").addEventListener("click", () => undo(true));
$("clear").addEventListener("click", () => {
  if (!marking()) return;
  state.marks.add({ tool: "clear" });
  changed();
});
$("paint").addEventListener("click", paint);
$("cancel").addEventListener("click", () => state.work?.abort());
$("back").addEventListener("click", () => {
  edit();
  $("view").focus();
});
$("split").addEventListener("input", () => splitAt($("split").value / 100));
$("in").addEventListener("click", () => view.zoom(1.25));
$("out").addEventListener("click", () => view.zoom(0.8));
$("fit").addEventListener("click", () => view.fit());
$("full").addEventListener("click", () => view.zoom(view.ratio / view.scale));
$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  state.token = $("token").value;
  loadModels();
});

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.add("over");
  });
}
document.addEventListener("dragleave", () => $("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  open(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const file = event.clipboardData.files[0];
  if (file) open(file);
});

choose("brush");
loadModels();
