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
