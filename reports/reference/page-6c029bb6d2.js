"use strict";
(() => {
// The page itself: how things are found, and which theme it has.
const root = document.documentElement;
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (tag, attributes = {}, ...children) => { // text is never read as markup
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const say = (text) => { one("#said").textContent = text; };
const preference = matchMedia("(prefers-color-scheme: dark)");
const phone = matchMedia("(max-width: 34rem)");

const remembered = { // a page opened as a file may have no storage
  get() { try { return localStorage.getItem("theme"); } catch { return null; } },
  set(value) { try { localStorage.setItem("theme", value); } catch { /* then only this once */ } },
};
if (["dark", "light"].includes(remembered.get())) root.dataset.theme = remembered.get();
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : preference.matches);

function theme() {
  const button = one("#theme");
  const show = () => { button.setAttribute("aria-pressed", String(isDark())); redraw(); };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered.set(root.dataset.theme);
    show();
  });
  preference.addEventListener("change", show);
  button.setAttribute("aria-pressed", String(isDark()));
}

// Data that the page carries: text, gzip, JSON; unpacked once, when it is asked for.
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"; // RFC 1924, a comma for <
const VALUES = new Uint8Array(128);
[...LETTERS].forEach((letter, value) => { VALUES[letter.charCodeAt(0)] = value; });
const unpacked = new Map();

function bytesOf(text) { // five letters are four bytes; the last group may be shorter
  const missing = (5 - (text.length % 5)) % 5;
  const padded = text + "~".repeat(missing);
  const bytes = new Uint8Array((padded.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let from = 0, to = 0; from < padded.length; from += 5, to += 4) {
    let number = 0;
    for (let i = from; i < from + 5; i += 1) number = number * 85 + VALUES[padded.charCodeAt(i)];
    view.setUint32(to, number);
  }
  return bytes.subarray(0, bytes.length - missing);
}

async function unpack(element) {
  const stream = new Blob([bytesOf(element.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function payload(id) {
  if (!unpacked.has(id)) {
    const element = document.getElementById(id);
    unpacked.set(id, element ? unpack(element) : Promise.resolve(null));
  }
  return unpacked.get(id);
}

// Figures: drawn when they come into view, in the colours of the theme; their tables when asked for.
const asked = new Set(); // the boxes whose figures are drawn, or wait in the queue for it
const figures = new Map(); // box → figure, as the payload or a view of one case has it

// Plotly is nearly all of a page's script: it runs when the first figure is due, so that text and tables need not wait.
let running; // the promise of it
function plotly() {
  running ??= new Promise((resolve, reject) => {
    const held = one("#plotly"); // the script itself, or where it lies
    const { src } = held.dataset;
    const script = make("script", src ? { src } : {}, held.textContent);
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => {
      one("#main").prepend(make("p", { class: "hint" }, `Figures can't be drawn: ${src} is not beside this page. Keep the pages of a folder together, or make one file of a page with --single-file.`));
      reject(new Error(`${src} is not beside this page`));
    });
    document.head.append(script);
    if (!src) resolve(); // it has run
  });
  return running;
}

async function load(box) {
  if (!figures.has(box)) {
    const found = await payload(box.dataset.payload);
    figures.set(box, found[box.id].figure);
  }
  return figures.get(box);
}

function shownIn(section) {
  const hidden = new Set();
  for (const button of all("button[data-kind]", section)) {
    if (button.getAttribute("aria-pressed") === "false") hidden.add(button.dataset.kind + button.dataset.number);
  }
  return (meta) => !["op", "dtype", "device"].some((kind) => hidden.has(kind + meta[kind]));
}

function recoloured(trace, shown, colour) {
  const meta = trace.meta ?? {};
  const visible = shown(meta) && trace.visible !== false;
  if (meta.colour === undefined) return { ...trace, visible };
  const c = colour(`--c${meta.colour}`);
  const bars = (b) => b && { ...b, color: c };
  const marker = trace.marker && { ...trace.marker, color: c, line: { ...trace.marker.line, color: c } };
  const band = trace.fill && { fillcolor: `${c}2e` }; // the colour at 18 %
  return {
    ...trace, visible, ...band,
    line: { ...trace.line, color: c }, ...(marker && { marker }),
    error_x: bars(trace.error_x), error_y: bars(trace.error_y),
  };
}

function recolouredShape(shape, colour) { // its name says which colour it has
  if (!/^c\d$/.test(shape.name ?? "")) return shape;
  const c = colour(`--${shape.name}`);
  return { ...shape, ...(shape.fillcolor && { fillcolor: c }), line: { ...shape.line, color: c } };
}

function narrowed(figure, box, shown) { // a heat map keeps the rows that are shown
  const [trace] = figure.data;
  const rows = trace.meta.heat.map((meta, row) => (shown(meta) ? row : -1)).filter((row) => row >= 0);
  const pick = (list) => rows.map((row) => list[row]);
  const names = pick(figure.layout.yaxis.ticktext);
  const longest = Math.max(0, ...names.map((name) => name.length));
  const height = 64 + trace.meta.row * Math.max(1, rows.length);
  box.style.minWidth = `${7 * longest + trace.meta.column * trace.x.length}px`;
  box.style.height = `${height}px`;
  const places = rows.map((_, place) => place);
  return {
    data: [{ ...trace, y: places, z: pick(trace.z), text: pick(trace.text), ...(trace.hovertext && { hovertext: pick(trace.hovertext) }), zmin: trace.meta.low, zmax: trace.meta.high }],
    layout: {
      ...figure.layout,
      height,
      yaxis: { ...figure.layout.yaxis, ticktext: names, tickvals: places, range: [rows.length - 0.5, -0.5] },
      annotations: (figure.layout.annotations ?? [])
        .filter((note) => rows.includes(note.y))
        .map((note) => ({ ...note, y: rows.indexOf(note.y) })),
    },
  };
}

function stacked(figure, box, shown) { // a dot plot keeps the rows that are shown, slowest first
  const { row, edge, least, phone: small } = figure.layout.meta;
  const slowest = new Map();
  for (const { meta, x: [time], y: [place] } of figure.data) {
    if (shown(meta)) slowest.set(place, Math.max(time, slowest.get(place) ?? 0));
  }
  const rows = [...slowest.keys()].sort((a, b) => slowest.get(b) - slowest.get(a) || a - b);
  const names = phone.matches ? small.names : figure.layout.yaxis.ticktext;
  const height = Math.max(least, edge + row * rows.length);
  box.style.height = `${height}px`;
  return {
    data: figure.data.map((trace) => ({ ...trace, y: [rows.indexOf(trace.y[0])] })),
    layout: {
      ...figure.layout,
      height,
      xaxis: { ...figure.layout.xaxis, ...(phone.matches ? small.ticks : {}) },
      yaxis: { ...figure.layout.yaxis, ticktext: rows.map((place) => names[place]), tickvals: rows.map((_, i) => i), range: [Math.max(1, rows.length) - 0.5, -0.5] },
    },
  };
}

function arranged(figure, box, shown) {
  if (figure.data[0]?.meta?.heat) return narrowed(figure, box, shown);
  if (figure.layout.meta?.phone) return stacked(figure, box, shown);
  const names = phone.matches && figure.layout.meta?.names; // short ones, which leave space for the figure
  return names ? { ...figure, layout: { ...figure.layout, yaxis: { ...figure.layout.yaxis, ticktext: names } } } : figure;
}

function themed(layout, colour) {
  const ruled = { gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line") };
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  return {
    ...layout,
    ...Object.fromEntries(axes.map((name) => [name, { ...layout[name], ...ruled }])),
    font: { ...layout.font, color: colour("--ink") },
    hoverlabel: { ...layout.hoverlabel, bgcolor: colour("--wash"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
    ...(layout.shapes && { shapes: layout.shapes.map((shape) => recolouredShape(shape, colour)) }),
  };
}

// Plotly reads a part of HTML in every text.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// What is said of a point that carries the address of a case is what the table of cases says of it.
function saidOf(row, columns) {
  if (!row) return "";
  const lines = row.cells.map((text, i) => {
    if (text === "–") return "";
    return columns[i].key === "roof" ? `${text} of its roof` : text;
  });
  const [first, ...rest] = lines.filter(Boolean).map(escaped);
  return [`<b>${first}</b>`, ...rest].join("<br>");
}

async function spoken(figure) {
  const mute = figure.data.some((trace) => trace.customdata && !trace.hovertext);
  const table = mute && one("#cases-listing");
  if (!table) return figure;
  const { byId, data: { columns } } = await listing(table);
  const said = (anchor) => (Array.isArray(anchor) ? anchor.map(said) : saidOf(byId.get(anchor), columns));
  for (const trace of figure.data) if (trace.customdata && !trace.hovertext) trace.hovertext = said(trace.customdata);
  return figure;
}

async function draw(box) {
  const stored = await spoken(await load(box));
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(name).trim();
  const shown = shownIn(box.closest("section"));
  const heat = Boolean(stored.data[0]?.meta?.heat);
  const { data, layout } = arranged(stored, box, shown);
  const traces = heat ? data : data.map((trace) => recoloured(trace, shown, colour));
  const dragmode = !heat && matchMedia("(pointer: fine)").matches ? "zoom" : false; // a finger scrolls
  await plotly();
  await Plotly.react(box, traces, { ...themed(layout, colour), dragmode }, { displayModeBar: false, responsive: true });
  reachable(box.parentElement);
  box.dataset.drawn = "";
}

function reachable(scroller) { // what scrolls sideways must do so by key as well
  const named = { tabindex: "0", role: "group", "aria-label": "Figure, scrolls sideways" };
  for (const [name, value] of Object.entries(named)) {
    if (scroller.scrollWidth > scroller.clientWidth) scroller.setAttribute(name, value);
    else scroller.removeAttribute(name);
  }
}

const pause = () => new Promise((go) => { setTimeout(go); }); // the page answers in between

const inHiddenView = (box) => Boolean(box.closest(".view[hidden]"));

function later(box) { // when its view is back: what is hidden has no size to draw at
  delete box.dataset.drawn;
  asked.delete(box);
  seen.observe(box);
}

let drawing = Promise.resolve(); // one figure at a time, so that none makes the page wait for another
function queue(box) {
  asked.add(box);
  const next = async () => {
    await pause();
    if (!box.isConnected) return; // another case is shown
    await spoken(await load(box));
    await plotly();
    await pause();
    if (!box.isConnected) return;
    if (inHiddenView(box)) later(box);
    else await draw(box);
  };
  drawing = drawing.then(next).catch(console.error); // one that can't be drawn does not hold up the others
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting || asked.has(entry.target)) continue;
    seen.unobserve(entry.target);
    queue(entry.target);
  }
}, { rootMargin: "400px" });

function watch(within = document) {
  for (const box of all(".plot", within)) seen.observe(box);
}

function redraw(within = document, how = queue) {
  for (const box of all(".plot", within)) if (asked.has(box)) how(box);
}

function controls() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-kind]");
    if (!button) return;
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
    redraw(button.closest("section"));
  });
  phone.addEventListener("change", () => redraw());
  let width = innerWidth;
  window.addEventListener("resize", () => { // Plotly follows in the view that is shown
    if (innerWidth === width) return; // a phone's address bar came or went
    width = innerWidth;
    redraw(document, (box) => { if (inHiddenView(box)) later(box); });
  });
}

function twinTable({ row_head: rowHead, head, rows }) {
  const number = { class: "number" };
  const table = make("table", { class: "twin" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, rowHead), ...head.map((text) => make("th", { scope: "col", ...number }, text)))),
    make("tbody", {}, ...rows.map(([name, cells]) => make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((text) => make("td", number, text))))));
  return [
    make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table, scrolls sideways" }, table),
    copyButtons(() => [[rowHead, ...head], ...rows.map(([name, cells]) => [name, ...cells])]),
  ];
}

async function openTwin(details) {
  if (one(".scroll", details)) return;
  const box = document.getElementById(details.dataset.twin);
  const { twin } = (await payload(box.dataset.payload))[box.id];
  details.append(...twinTable(twin));
}

function twins() { // `toggle` does not bubble, so it is caught on its way down
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.dataset.twin) openTwin(event.target);
  }, true);
}

function printing() { // on paper everything is light
  let before;
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    redraw(document, (box) => { if (!inHiddenView(box)) draw(box); }); // paper does not wait
  });
  window.addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    redraw();
  });
  document.addEventListener("keydown", async (event) => { // what was not scrolled to is drawn first
    if (!(event.ctrlKey || event.metaKey) || event.key !== "p") return;
    event.preventDefault();
    for (const box of all(".view:not([hidden]) .plot")) if (!asked.has(box)) queue(box);
    await drawing; // also of those that were asked for before, and still wait
    window.print();
  });
}

// Listings: long tables that are searched, filtered and sorted. Their state is in the address.
const STEP = 100; // rows that are made at once; a button makes more
const MORE = 400;
const listings = new Map(); // element → what it knows

async function listing(box) {
  if (listings.has(box)) return listings.get(box);
  const data = await payload(box.dataset.payload);
  if (listings.has(box)) return listings.get(box);
  const rows = rowsOf(data);
  const state = { box, data, rows, byId: new Map(rows.map((row) => [row.id, row])), found: rows, shown: STEP, key: null, down: false };
  listings.set(box, state);
  wire(state);
  return state;
}

function rowsOf({ count: total, rows, of, cells, sort }) { // the data has a list per column
  const at = (lists, place) => Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list[place]]));
  return Array.from({ length: total }, (_, place) => {
    const row = at(rows, place);
    const texts = cells.map((column) => column[place]);
    return {
      ...row, place, of: at(of, place), cells: texts, sort: sort.map((column) => column[place]),
      text: [...texts, row.words].join(" ").toLowerCase(),
    };
  });
}

function wire(state) {
  const form = one("form", state.box);
  const changed = () => { state.shown = STEP; refresh(state); write(state); };
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
  for (const head of all("th[data-key]", state.box)) {
    const button = make("button", { type: "button", class: "sort" }, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      state.down = state.key === head.dataset.key ? !state.down : false;
      state.key = head.dataset.key;
      changed();
    });
  }
  one("[data-more]", state.box).addEventListener("click", () => {
    const first = state.shown;
    state.shown += MORE;
    fill(state);
    one(`tbody tr:nth-child(${first + 1}) a`, state.box)?.focus();
  });
  for (const button of all("[data-copy]", state.box)) {
    button.addEventListener("click", async () => {
      const rows = [state.data.columns.map((c) => c.name), ...state.found.map((row) => row.cells)];
      told(button, await toClipboard(tableText(button.dataset.copy, rows), `${count(state)} were`));
    });
  }
}

const count = ({ found, rows }) => {
  const total = `${rows.length} row${rows.length === 1 ? "" : "s"}`;
  return found.length === rows.length ? total : `${found.length} of ${total}`;
};

function fits(row, chosen, words) {
  const has = ([name, value]) => row.of[name] === value || (["warning", "verdict"].includes(name) && (row.of[name] ?? "").split(" ").includes(value));
  return chosen.every(has) && words.every((word) => row.text.includes(word));
}

function refresh(state) {
  const asked = [...new FormData(one("form", state.box))].filter(([, value]) => value);
  const chosen = asked.filter(([name]) => name !== "q");
  const words = (asked.find(([name]) => name === "q")?.[1] ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  state.found = sorted(state, state.rows.filter((row) => fits(row, chosen, words)));
  fill(state);
}

function sorted(state, rows) {
  const column = state.data.columns.findIndex((c) => c.key === state.key);
  all("th[data-key]", state.box).forEach((head) => {
    head.setAttribute("aria-sort", head.dataset.key !== state.key ? "none" : state.down ? "descending" : "ascending");
  });
  if (column < 0) return rows;
  const sign = state.down ? -1 : 1;
  const order = (a, b) => {
    const [x, y] = [a.sort[column], b.sort[column]];
    if ((x === null) !== (y === null)) return x === null ? 1 : -1; // what is missing stays below
    const difference = typeof x === "string" ? (x < y ? -1 : Number(x > y)) : x - y;
    return sign * difference || a.place - b.place;
  };
  return rows.sort(order);
}

function fill(state) {
  const rows = state.found.slice(0, state.shown).map((row) => rowOf(row, state.data.columns));
  one("tbody", state.box).replaceChildren(...rows);
  one("output", state.box).textContent = count(state);
  const more = one("[data-more]", state.box);
  const left = state.found.length - state.shown;
  more.hidden = left <= 0;
  more.textContent = `show ${Math.min(left, MORE)} more of ${left}`;
}

function rowOf(row, columns) {
  const [first, ...rest] = row.cells;
  const numbers = columns.map((c) => c.number);
  const badged = numbers.indexOf(true) - 1;
  const link = make("a", { href: `#${row.id}` });
  const cut = first.indexOf("/") + 1; // a line may end after the suite
  link.append(make("span", { class: "soft" }, first.slice(0, cut)), make("wbr"), first.slice(cut));
  return make("tr", {},
    make("th", { scope: "row", class: "case" }, link),
    ...rest.map((text, place) => {
      const kind = numbers[place + 1] ? "number" : columns[place + 1].sorts ? "" : "notes";
      const content = row.badge && place === badged ? make("span", { class: `badge ${row.badge}` }, text) : text;
      return make("td", { class: kind }, content);
    }));
}

function write(state) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(one("form", state.box))) if (value) asked.set(name, value);
  if (state.key) asked.set("sort", (state.down ? "-" : "") + state.key);
  const view = state.box.closest(".view").id;
  history.replaceState(null, "", `#${view}${asked.size ? `?${asked}` : ""}`);
}

async function read(box, query) {
  const state = await listing(box);
  const asked = new URLSearchParams(query);
  const form = one("form", box);
  for (const field of form.elements) if (field.name) field.value = asked.get(field.name) ?? "";
  const sort = asked.get("sort") ?? "";
  const key = sort.replace(/^-/, "");
  state.key = state.data.columns.some((c) => c.key === key && c.sorts) ? key : null;
  state.down = Boolean(state.key) && sort.startsWith("-");
  state.shown = STEP;
  refresh(state);
  return state;
}

// A case's samples as figures: in time order by worker, and how they are distributed.
const UNITS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
const unitOf = (seconds) => UNITS.find(([scale]) => seconds >= scale) ?? UNITS[3];
const inUnit = (seconds) => {
  if (seconds === null || seconds === undefined) return "–";
  const [scale, name] = unitOf(seconds);
  return `${(seconds / scale).toPrecision(4)} ${name}`;
};
const MARKERS = ["circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon"];

const plain = (height, x, y) => ({
  height, autosize: true, showlegend: false, hovermode: "closest",
  font: { family: "system-ui, sans-serif", size: 12 }, hoverlabel: { align: "left" },
  margin: { l: 62, r: 12, t: 8, b: 44 },
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
  xaxis: { zeroline: false, title: { text: x, standoff: 8 } },
  yaxis: { zeroline: false, title: { text: y, standoff: 8 }, automargin: true },
});

function level(x, seconds, scale, name, dash) { // a line across, at a time
  return {
    type: "scatter", mode: "lines", x, y: x.map(() => seconds / scale), name,
    line: { width: 1.5, dash }, hoverinfo: "name", meta: { colour: 5 },
  };
}

function visitsOf({ base_s, unit_s, worker, round, after, times }) { // seconds, and seconds since the first visit
  let at = 0;
  return worker.map((number, i) => {
    at += after[i] / 10;
    return { worker: number, round: round[i], at, times: times[i].map((level) => base_s + level * unit_s) };
  });
}

function inTime(visits, { time_s, low_s, high_s, states_s }) {
  const [scale, unit] = unitOf(time_s ?? visits[0].times[0]);
  const last = Math.max(...visits.map(({ at }) => at));
  const across = [0, last || 1];
  const traces = visits.map(({ worker, round, at, times }) => ({
    type: "scatter", mode: "markers", name: `worker ${worker + 1}`,
    x: times.map((_, i) => at + (i * (last || 1)) / (visits.length * times.length * 2)),
    y: times.map((t) => t / scale),
    hovertemplate: `%{y:.4~g} ${unit}<br>worker ${worker + 1}, round ${round + 1}<extra></extra>`,
    marker: { size: 4, symbol: MARKERS[worker % 6], opacity: 0.75 }, meta: { colour: worker % 6 },
  }));
  if (low_s !== null && high_s !== null) {
    traces.unshift({
      type: "scatter", mode: "lines", x: [...across, ...across.toReversed()], name: "interval",
      y: [low_s, low_s, high_s, high_s].map((t) => t / scale), fill: "toself", line: { width: 0 },
      hoverinfo: "skip", meta: { colour: 5 },
    });
  }
  if (time_s !== null) traces.push(level(across, time_s, scale, "the time that is reported", "solid"));
  for (const state of states_s) traces.push(level(across, state, scale, "a state of the case", "dot"));
  return { data: traces, layout: plain(320, "seconds since the first sample", unit) };
}

function spread(visits, { time_s }) {
  const [scale, unit] = unitOf(time_s ?? visits[0].times[0]);
  const times = visits.flatMap((visit) => visit.times.map((t) => t / scale));
  const sorted = times.toSorted((a, b) => a - b);
  const most = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))];
  const inside = sorted.filter((t) => t <= most);
  const bars = {
    type: "histogram", x: inside, nbinsx: 60, name: "samples", marker: { line: { width: 0 } },
    hovertemplate: `%{x} ${unit}: %{y} samples<extra></extra>`, meta: { colour: 0 },
  };
  const layout = { ...plain(320, unit, "samples"), bargap: 0.05 };
  if (time_s !== null) {
    layout.shapes = [{ type: "line", name: "c5", xref: "x", yref: "paper", x0: time_s / scale, x1: time_s / scale, y0: 0, y1: 1, line: { width: 1.5 } }];
  }
  return { figure: { data: [bars], layout }, beyond: sorted.length - inside.length };
}

const middle = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

function visitsTable(visits) {
  return {
    row_head: "worker and round",
    head: ["after", "samples drawn", "fastest", "middle", "slowest"],
    rows: visits.map(({ worker, round, at, times }) => [
      `worker ${worker + 1}, round ${round + 1}`,
      [`${at.toFixed(2)} s`, String(times.length),
        ...[Math.min(...times), middle(times), Math.max(...times)].map(inUnit)],
    ]),
  };
}

function spreadTable(visits) {
  const sorted = visits.flatMap(({ times }) => times).toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const named = [[0, "fastest"], [0.05, "5 % are no slower"], [0.25, "a quarter"], [0.5, "half"], [0.75, "three quarters"], [0.95, "95 %"], [1, "slowest"]];
  return { row_head: "of the samples drawn", head: ["time"], rows: named.map(([share, name]) => [name, [inUnit(at(share))]]) };
}

// One case by itself: its samples, its warnings in words, what is known of it, and how to repeat it.
let shownCase; // its anchor

async function findCase(anchor) {
  const box = one("#cases-listing");
  if (!box) return null;
  const state = await listing(box);
  const row = state.byId.get(anchor);
  if (!row) return null;
  const block = await payload(`cases-block-${row.block}`);
  const place = row.place - state.rows.findIndex((other) => other.block === row.block);
  return { row, state, block, place };
}

function detailOf({ row, block, place }) { // what the table says of it, and what its block adds
  const [name] = row.cells;
  const cut = name.indexOf("/");
  return {
    suite: name.slice(0, cut), title: name.slice(cut + 1), device: row.of.device, status: row.of.status, reason: row.cells.at(-1),
    ...Object.fromEntries(Object.entries(block).map(([field, list]) => [field, list[place]])),
  };
}

async function showCase(anchor) {
  shownCase = anchor;
  const found = await findCase(anchor);
  if (shownCase !== anchor) return; // another was asked for meanwhile
  if (!found) { unknownCase(anchor); return; }
  const { row, state } = found;
  const detail = detailOf(found);
  one("#case-h").replaceChildren(`${detail.suite}/`, make("wbr"), detail.title, " ", make("small", {}, `on ${detail.device}`));
  one("#case-said").textContent = detail.status === "ok"
    ? `${inUnit(detail.time_s)} per call${detail.low_s === null ? "" : `, between ${inUnit(detail.low_s)} and ${inUnit(detail.high_s)}`}.`
    : `${detail.status}: ${detail.reason || "no reason was given"}`;
  one("#case-command").textContent = detail.command;
  const known = [...detail.names.map((name, i) => [name, detail.texts[i]]), ...rates(state, row)];
  one("#case-facts").replaceChildren(...known.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))));
  neighbours(state, row);
  kernels(detail);
  caseFigures(detail);
  await deviceTimes(detail);
  await explain(detail);
}

function rates({ data: { columns } }, { cells }) { // these are in the table already
  const named = columns.map(({ key, name }, i) => [key, name, cells[i]]);
  return named.filter(([key, , text]) => ["flop", "bytes", "roof"].includes(key) && text !== "–").map(([, name, text]) => [name, text]);
}

function unknownCase(anchor) {
  one("#case-h").textContent = "No such case";
  one("#case-said").textContent = `This report has no case with the address #${anchor}.`;
  one("#case-command").textContent = "";
  for (const id of ["figures", "device", "warnings", "kernels", "facts"]) one(`#case-${id}`).replaceChildren();
}

function neighbours({ found }, row) { // in the order of the table, as it was filtered
  const place = found.findIndex(({ id }) => id === row.id);
  for (const [name, step] of [["before", -1], ["after", 1]]) {
    const link = one(`#case-${name}`);
    const other = place < 0 ? undefined : found[place + step];
    if (other) link.setAttribute("href", `#${other.id}`);
    else link.removeAttribute("href");
    link.hidden = !other;
  }
}

async function deviceTimes({ device_times: times }) { // on a GPU a time is told in several ways
  const box = one("#case-device");
  box.replaceChildren();
  if (!times?.length) return;
  const ways = (await payload("device-times")) ?? [];
  const cell = (name, text, more = {}) => make(name, more, text);
  const head = make("tr", {}, ...["told by", "time", "what that is"].map((text) => cell("th", text, { scope: "col" })));
  const rows = ways.map(([name, meaning], i) =>
    make("tr", {}, cell("th", name, { scope: "row" }), cell("td", times[i], { class: "number" }), cell("td", meaning, { class: "notes" })));
  const group = { class: "scroll", tabindex: "0", role: "group", "aria-label": "Times on the device" };
  box.replaceChildren(make("h3", {}, "Its times on the device"),
    make("div", group, make("table", { class: "told" }, make("thead", {}, head), make("tbody", {}, ...rows))));
}

async function explain({ warnings }) {
  const known = (await payload("codes")) ?? {};
  const box = one("#case-warnings");
  box.replaceChildren(...warnings.map((code) => {
    const [seen, cause, remedy] = known[code] ?? ["", "", ""];
    const parts = [seen && `${seen}.`, cause && `Likely: ${cause}.`, remedy && `To do: ${remedy}.`];
    return make("p", {}, make("strong", {}, code), " ", parts.filter(Boolean).join(" "));
  }));
  if (warnings.length) box.prepend(make("h3", {}, "Warnings"));
}

function kernels({ kernels: names }) {
  const box = one("#case-kernels");
  box.replaceChildren();
  if (!names?.length) return;
  box.append(make("h3", {}, "Kernels"), make("ol", {}, ...names.map((name) => make("li", {}, make("code", {}, name)))));
}

function emptied(box) { // of the case that was shown before
  for (const old of all(".plot", box)) { asked.delete(old); figures.delete(old); if (window.Plotly) Plotly.purge(old); }
  box.replaceChildren();
}

function caseFigures(detail) {
  const box = one("#case-figures");
  emptied(box);
  if (!detail.samples) {
    box.replaceChildren(make("p", { class: "hint" }, "There are no samples of this case in the page."));
    return;
  }
  const visits = visitsOf(detail.samples);
  const { figure, beyond } = spread(visits, detail);
  const drawnCount = visits.reduce((sum, { times }) => sum + times.length, 0);
  const part = drawnCount === detail.samples.of ? `all ${drawnCount} samples` : `${drawnCount} of ${detail.samples.of} samples, evenly taken`;
  box.replaceChildren(
    caseFigure("case-time", inTime(visits, detail), `Samples of ${detail.title} in time order, by worker.`,
      `${part[0].toUpperCase()}${part.slice(1)} in the order taken; a colour and marker for each worker. The line is the time that is reported, the band its interval.`, visitsTable(visits)),
    caseFigure("case-spread", figure, `How the samples of ${detail.title} are distributed.`,
      `How often which time was seen; the line is the time that is reported.${beyond ? ` The slowest ${beyond} are not drawn.` : ""}`, spreadTable(visits)),
  );
  watch(box);
}

function caseFigure(id, figure, label, caption, twin) {
  const plot = make("div", { class: "plot", role: "img", "aria-label": label, id, style: `height:${figure.layout.height}px` });
  figures.set(plot, figure);
  const box = make("div", { class: "drawing" },
    make("figure", {}, make("div", { class: "scroll" }, plot), make("figcaption", {}, caption)));
  if (twin) box.append(make("details", { class: "numbers" }, make("summary", {}, "These numbers as a table"), ...twinTable(twin)));
  return box;
}

// A case of a comparison by itself: what each run says of it, in the order of their dates.
async function showCompared(anchor) {
  shownCase = anchor;
  const found = await findCase(anchor);
  const runs = await payload("compared");
  if (shownCase !== anchor) return; // another was asked for meanwhile
  emptied(one("#case-figures"));
  one("#case-runs").replaceChildren();
  if (!found) {
    one("#case-h").textContent = "No such case";
    one("#case-said").textContent = `This comparison has no case with the address #${anchor}.`;
    return;
  }
  const { row, state, place } = found;
  const cells = found.block.runs.map((fields) => (fields[0][place] === null ? null : fields.map((field) => field[place])));
  const detail = { ...detailOf({ ...found, block: {} }), runs: cells };
  one("#case-h").replaceChildren(`${detail.suite}/`, make("wbr"), detail.title, " ", make("small", {}, `on ${detail.device}`));
  one("#case-said").textContent = comparedSentence(detail, runs);
  neighbours(state, row);
  const figure = overRuns(detail, runs);
  if (figure) {
    one("#case-figures").append(caseFigure("case-runs-plot", figure, `Times of ${detail.title} in ${runs.length} runs, oldest first.`,
      "● times at the machine's reference conditions, ○ headlines; bars are intervals. The table beneath has the numbers."));
    watch(one("#case-figures"));
  }
  one("#case-runs").append(...runsTable(anchor, detail, runs));
}

function comparedSentence({ runs: said }, runs) {
  if (said.length > 4) return "The table beneath says what each run comes to.";
  const base = runs.find((run) => run.base).name;
  const parts = said.map((cell, i) => cell?.[2] && `${runs[i].name}: ${cell[3]}, ${cell[2]} times as long as ${base}`);
  return parts.filter(Boolean).map((part) => `${part}.`).join(" ") || "No two of the runs can be compared here.";
}

function timesOf(cells, first, scale, shift) { // x is a run's place
  const there = cells.map((cell, place) => [cell, place]).filter(([cell]) => cell && cell[first] !== null && !cell[0].includes(":"));
  const end = (cell, i) => (cell[first + i] ?? cell[first]) / scale;
  return {
    x: there.map(([, place]) => place + shift),
    y: there.map(([cell]) => cell[first] / scale),
    error_y: {
      type: "data", symmetric: false, thickness: 1.2, width: 3,
      array: there.map(([cell]) => end(cell, 2) - cell[first] / scale),
      arrayminus: there.map(([cell]) => cell[first] / scale - end(cell, 1)),
    },
    places: there.map(([, place]) => place),
  };
}

function overRuns({ runs: cells }, runs) {
  const times = cells.flatMap((cell) => (cell ? [cell[5], cell[8]] : [])).filter((time) => time > 0);
  if (!times.length) return null;
  const [scale, unit] = unitOf(Math.min(...times));
  const kinds = [[8, "at reference", "circle", 0, 0.06, 1], [5, "headline", "circle-open", 5, -0.06, 0]];
  const data = kinds.map(([first, name, symbol, colour, shift, text]) => {
    const { places, ...points } = timesOf(cells, first, scale, shift);
    return {
      type: "scatter", mode: "markers", name, ...points, marker: { symbol, size: 9, line: { width: 1.5 } },
      hovertext: places.map((place) => [runs[place].name, `${name} ${cells[place][text]}`, cells[place][2] && `${cells[place][3]}, ${cells[place][2]}`]
        .filter(Boolean).map(escaped).join("<br>")),
      hoverinfo: "text", meta: { colour },
    };
  });
  const layout = plain(340, "", unit);
  const wide = Math.max(...times) > 4 * Math.min(...times);
  layout.yaxis = { ...layout.yaxis, type: wide ? "log" : "linear", ...(wide && { tickformat: "~g" }) };
  layout.xaxis = { range: [-0.5, runs.length - 0.5], tickvals: runs.map((_, i) => i), ticktext: runs.map(({ name }) => escaped(clipped(name))), zeroline: false, automargin: true };
  return { data: data.filter(({ x }) => x.length), layout };
}

const clipped = (name) => { // the beginnings of names stand beneath the runs; the table has all of each
  const most = phone.matches ? 12 : 28;
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
};

function runsTable(anchor, { runs: cells }, runs) {
  const heads = ["run", "begun", "torch", "time", "at reference", "new / base", "verdict", "why"];
  const texts = runs.map((run, i) => {
    const [time, at, ratio, verdict, reason] = cells[i] ?? ["not there", "", "", "", ""];
    const missing = cells[i] && !run.base && !verdict ? "not compared" : "";
    return [run.name, run.when, run.torch, time, at || "–", run.base ? "the base" : ratio || "–", verdict || missing || "–", reason];
  });
  const link = (run, there) => (run.href && there ? make("a", { href: `${run.href}#${anchor}` }, run.name) : run.name);
  const rows = texts.map((row, i) => make("tr", {},
    make("th", { scope: "row" }, link(runs[i], cells[i])),
    ...row.slice(1).map((text, k) => make("td", { class: k === 6 ? "notes" : k >= 2 && k <= 4 ? "number" : "whole" }, text))));
  const table = make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head, k) => make("th", { scope: "col", ...(k >= 3 && k <= 5 && { class: "number" }) }, head)))),
    make("tbody", {}, ...rows));
  return [
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The case in each run" }, table),
    copyButtons(() => [heads, ...texts]),
  ];
}

// Copying: a command, or a table in a form that other programs read.
const cellOf = {
  markdown: (text) => text.replace(/[\\|`*_<>[\]~]/g, "\\$&").replace(/\s+/g, " "),
  csv: (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text),
};

function tableText(form, [head, ...rows]) {
  const cells = (row) => row.map((text) => cellOf[form](String(text ?? "")));
  if (form === "csv") return [head, ...rows].map((row) => cells(row).join(",")).join("\n") + "\n";
  const line = (row) => `| ${cells(row).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n") + "\n";
}

async function toClipboard(text, what, fallback) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied.`);
    return true;
  } catch { // no permission: leave it selected, so that a key press copies it
    if (fallback) getSelection().selectAllChildren(fallback);
    say(fallback ? `${what} selected; press the copy keys.` : "This browser does not allow copying.");
    return false;
  }
}

function told(button, copied) {
  const before = button.textContent;
  button.textContent = copied ? "copied" : "not copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

function copyButtons(rows) {
  const names = { markdown: "copy as Markdown", csv: "copy as CSV" };
  const buttons = Object.entries(names).map(([form, name]) => {
    const button = make("button", { type: "button", class: "quiet" }, name);
    button.addEventListener("click", async () => told(button, await toClipboard(tableText(form, rows()), "The table was")));
    return button;
  });
  return make("p", { class: "copies" }, ...buttons);
}

function copying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const code = one("code", button.parentElement);
    told(button, await toClipboard(code.textContent, "The command was", code));
  });
}

// Downloads of what a page carries: base64 in an element that nothing runs → a file. No network.

function carried(element) {
  const text = atob(element.textContent.trim());
  return new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], { type: element.type });
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may ask first where to put it
}

// Each `button[data-download]` saves the element that it names there, as the file of its `data-name`.
function downloads(within = document) {
  for (const button of within.querySelectorAll("button[data-download]")) {
    const element = document.getElementById(button.dataset.download);
    button.disabled = !element;
    button.addEventListener("click", () => save(carried(element), button.dataset.name));
  }
}

// Views: one is shown at a time, by its name in the address.
const title = document.title;

function target(name) {
  if (/^c-[0-9a-f]+$/.test(name) && one("#case")) return one("#case");
  const legacy = { table: "cases", identity: "machine", course: "claims" };
  return document.getElementById(legacy[name] ?? name);
}

function parsedHash() {
  const hash = location.hash.slice(1);
  if (/^[a-z]+=/.test(hash)) return { name: "cases", query: hash }; // addresses of earlier versions
  const [name, query = ""] = hash.split("?");
  return { name, query };
}

function reveal(view) {
  let changed = false;
  for (const other of all(".view")) {
    changed ||= other.hidden === (other === view);
    other.hidden = other !== view;
  }
  const name = view.id === "case" ? "cases" : view.id;
  for (const link of all("nav.views a")) {
    const here = link.getAttribute("href") === `#${name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (here) link.parentElement.scrollLeft = link.offsetLeft - link.parentElement.clientWidth / 2 + link.clientWidth / 2;
  }
  return changed;
}

async function route(event) {
  const { name, query } = parsedHash();
  const place = target(name) ?? one(".view");
  const view = place.closest(".view") ?? one(".view");
  const changed = reveal(view);
  if (view.id === "case") await (view.dataset.compared === undefined ? showCase : showCompared)(name);
  for (const box of all(".listing", view)) await read(box, query);
  const heading = one("h2", view);
  document.title = `${heading.textContent} · ${title}`;
  if (place !== view && view.id !== "case") return place.scrollIntoView();
  if (event && changed) { // a key press goes on from here
    heading.focus({ preventScroll: true });
    const top = one("nav.views").getBoundingClientRect().top + scrollY;
    if (scrollY > top) scrollTo(0, top);
  } else if (event && view.id === "case") one("#case").scrollIntoView();
  if (!event) toTop();
  return undefined;
}

function skipping() { // past the navigation, within the view that is shown
  one(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    one(".view:not([hidden]) h2").focus();
  });
}

function toTop() { // the browser goes to the view that the address names, past the heading of the page
  scrollTo(0, 0);
  if (document.readyState !== "complete") {
    window.addEventListener("load", () => setTimeout(() => scrollTo(0, 0)), { once: true });
  }
}

// What a page does when it is there.
document.addEventListener("DOMContentLoaded", () => {
  theme();
  copying();
  downloads();
  if (!one(".view")) return;
  if (!("DecompressionStream" in window)) {
    one("#main").prepend(make("p", { class: "hint" }, "This browser can't unpack the data of this page; those from 2023 on can."));
  }
  controls();
  twins();
  printing();
  skipping();
  route();
  watch();
  window.addEventListener("hashchange", route);
});

})();
