"use strict";
const many = 12, by = id => document.getElementById(id);
const data = JSON.parse(by("gallery-data").textContent);
const rows = data.samples.map((sample, place) => ({...sample, place}));
let found = rows, page = 0, viewed = [], at = 0, alone = -1, opener = null;

function add(parent, tag, text, name) {
  const child = document.createElement(tag);
  if (text !== undefined) child.textContent = text;
  if (name) child.className = name;
  parent.append(child);
  return child;
}

function draw(parent, tag, attributes) {
  const child = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([key, value]) => child.setAttribute(key, value));
  parent.append(child);
  return child;
}

function number(value, {unit, direction}) {
  if (value === null) return "n/a";
  const sign = direction === "zero" && value >= 0 ? "+" : "";
  return sign + (unit ? value.toFixed(2) : String(Number(value.toPrecision(4))));
}

// smaller for a better value
function badness(value, direction) {
  if (value === null) return null;
  return direction === "zero" ? Math.abs(value) : direction === "higher" ? -value : value;
}

// how to order the samples: a metric from either end, name, or skin tone; samples without a value come last
const orders = [];
data.metrics.forEach((metric, index) => {
  const value = row => badness(row.values[index][0], metric.direction);
  orders.push({label: `${metric.label}, worst first`, metric: index, value, sign: -1});
  orders.push({label: `${metric.label}, best first`, metric: index, value, sign: 1});
});
orders.push({label: "name", value: row => row.name, sign: 1});
if (data.tones.length) {
  orders.push({label: "skin tone, lightest first", value: row => row.ita, sign: -1});
  orders.push({label: "skin tone, darkest first", value: row => row.ita, sign: 1});
}

function order() { return orders[by("sort").selectedIndex]; }

function search() {
  const part = by("filter").value.toLowerCase(), tone = by("tone").value, {value, sign} = order();
  found = rows.filter(row => row.name.toLowerCase().includes(part) && (!tone || row.tone === tone));
  found.sort((one, other) => {
    const [first, second] = [value(one), value(other)];
    if (first === null || second === null) return (first === null) - (second === null);
    return sign * ((first > second) - (first < second));
  });
  turn(0);
}

function turn(to) {
  const pages = Math.max(1, Math.ceil(found.length / many));
  page = Math.min(Math.max(to, 0), pages - 1);
  by("cards").replaceChildren(...found.slice(page * many, (page + 1) * many).map(card));
  by("place").textContent = `page ${page + 1} of ${pages} (${found.length} of ${rows.length})`;
  by("back").disabled = page === 0;
  by("on").disabled = page === pages - 1;
}

function turned(step) {
  turn(page + step);
  by("gallery").scrollIntoView();
}

function card(row) {
  const button = document.createElement("button"), image = new Image();
  const index = order().metric ?? data.ranking, [height, width] = data.size;
  button.className = "card";
  image.src = row.file;
  image.alt = `${data.parts.slice(0, data.main).map(part => part.name).join(", ")} of ${row.name}`;
  image.loading = "lazy";
  if (data.small) image.className = "small";
  // on a narrow screen the first three: input, output and target
  image.style.setProperty("--wide", data.main * width / height);
  image.style.setProperty("--narrow", Math.min(3, data.main) * width / height);
  button.append(image);
  if (index !== null) {
    const metric = data.metrics[index], {label, unit} = metric;
    const values = row.values[index].map((value, place) =>
      `${place ? `${data.inpainters[place]} ` : ""}${number(value, metric)}${place ? "" : ` ${unit}`}`);
    add(button, "span", `${label} ${values.join(" · ")}`, "value");
  }
  add(button, "span", row.tone === null || !data.tones.length ? row.name : `${row.name} · ${row.tone} skin`, "note");
  button.onclick = () => view(found, found.indexOf(row), button);
  return button;
}

// one part of a strip: the page contains the examples themselves, which need no file
function part(row, index) {
  const embedded = document.querySelectorAll(`.example[data-place="${row.place}"] img`)[index];
  const [height, width] = data.size, {name, kind} = data.parts[index];
  const button = document.createElement("button");
  button.className = "part";
  if (embedded) {
    const image = embedded.cloneNode();
    image.loading = "eager";
    button.append(image);
  } else {
    // the inner svg cuts off the other parts at any size of the outer one
    const outer = draw(button, "svg", {
      viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${name} of ${row.name}`, class: data.small ? "small" : "",
    });
    const inner = draw(outer, "svg", {width, height});
    draw(inner, "image", {href: row.file, x: -index * width, width: data.parts.length * width, height});
  }
  const caption = add(button, "span", name, "name");
  add(caption, "span", kind);
  button.onclick = () => single(alone === index ? -1 : index);
  return button;
}

function view(list, index, from) {
  viewed = list;
  opener = from ?? opener;
  at = Math.min(Math.max(index, 0), list.length - 1);
  const row = list[at], tone = row.tone === null ? "" : `, ${row.tone} skin (typology angle ${row.ita}°)`;
  by("viewed").textContent = row.name;
  by("about").textContent = `${at + 1} of ${list.length}${tone}`;
  by("parts").replaceChildren(...data.parts.map((_, place) => part(row, place)));
  by("numbers").replaceChildren(...table(row));
  by("previous").disabled = at === 0;
  by("next").disabled = at === list.length - 1;
  single(alone);
  if (!by("viewer").open) by("viewer").showModal();
}

function single(index) {
  alone = index;
  [...by("parts").children].forEach((each, place) => { each.hidden = index >= 0 && place !== index; });
  by("parts").classList.toggle("alone", index >= 0);
  by("parts").children[index]?.focus();
}

function table(row) {
  const head = document.createElement("thead"), body = document.createElement("tbody");
  const top = add(head, "tr");
  ["metric", ...data.inpainters].forEach(text => add(top, "th", text));
  data.metrics.forEach((metric, index) => {
    const {label, unit, direction, arrow} = metric, line = add(body, "tr"), values = row.values[index];
    const known = values.filter(value => value !== null).map(value => badness(value, direction));
    const best = known.length > 1 ? Math.min(...known) : null;
    add(line, "th", `${label}${unit ? ` (${unit})` : ""}\u00a0${arrow}`);
    values.forEach(value => add(line, "td", number(value, metric),
      value !== null && badness(value, direction) === best ? "best" : ""));
  });
  return [head, body];
}

function start() {
  orders.forEach(({label}) => add(by("sort"), "option", label));
  by("sort").selectedIndex = data.ranking === null ? orders.findIndex(({label}) => label === "name") : 2 * data.ranking;
  data.tones.filter(tone => rows.some(row => row.tone === tone)).forEach(tone => add(by("tone"), "option", tone));
  by("tones-label").hidden = !data.tones.length;
  document.querySelector(".bar").hidden = false;
  const examples = [...document.querySelectorAll(".example[data-place]")];
  const shown = examples.map(each => rows[each.dataset.place]);
  examples.forEach((each, place) => each.querySelectorAll("img").forEach(image => {
    image.tabIndex = 0;
    image.classList.add("opens");
    image.onclick = () => { alone = -1; view(shown, place, image); };
    image.onkeydown = event => { if (event.key === "Enter") image.onclick(); };
  }));
  search();
}

by("sort").onchange = by("tone").onchange = by("filter").oninput = search;
by("back").onclick = () => turned(-1);
by("on").onclick = () => turned(1);
by("previous").onclick = () => view(viewed, at - 1);
by("next").onclick = () => view(viewed, at + 1);
by("close").onclick = () => by("viewer").close();
by("viewer").onclick = event => { if (event.target === by("viewer")) by("viewer").close(); };
by("viewer").onclose = () => { alone = -1; opener?.focus(); };
document.addEventListener("keydown", event => {
  if (!by("viewer").open || event.ctrlKey || event.metaKey || event.altKey) return;
  const count = data.parts.length;
  const keys = {
    ArrowLeft: () => view(viewed, at - 1), ArrowRight: () => view(viewed, at + 1),
    ArrowDown: () => single((alone + 1) % count), ArrowUp: () => single((Math.max(alone, 0) + count - 1) % count),
  };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
start();
