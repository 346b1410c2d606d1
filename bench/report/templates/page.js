"use strict";
// What a page does by itself: theme, figures when they come into view, and the table. No network.
(() => {
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const phone = matchMedia("(max-width: 34rem)");

  const remembered = { // a page opened as a file may have no storage
    get() { try { return localStorage.getItem("theme"); } catch { return null; } },
    set(value) { try { localStorage.setItem("theme", value); } catch { /* then only this once */ } },
  };
  if (["dark", "light"].includes(remembered.get())) root.dataset.theme = remembered.get();
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : preference.matches);

  // Figures -----------------------------------------------------------------------------------
  const drawn = new Set();
  const parsed = new Map();

  function figureOf(box) {
    if (!parsed.has(box)) parsed.set(box, JSON.parse(one(`#${box.dataset.figure}`).textContent));
    return parsed.get(box);
  }

  function shownIn(section) {
    const hidden = new Set();
    for (const button of all("button[data-kind]", section)) {
      if (button.getAttribute("aria-pressed") === "false") hidden.add(button.dataset.kind + button.dataset.number);
    }
    return (meta) => !["op", "dtype", "device"].some((kind) => hidden.has(kind + meta[kind]));
  }

  function recoloured(trace, shown, colour) {
    const c = colour(`--c${trace.meta.colour}`);
    const bars = (b) => b && { ...b, color: c };
    return {
      ...trace, visible: shown(trace.meta),
      line: { ...trace.line, color: c },
      marker: { ...trace.marker, color: c, line: { ...trace.marker.line, color: c } },
      error_x: bars(trace.error_x), error_y: bars(trace.error_y),
    };
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
      data: [{ ...trace, y: places, z: pick(trace.z), text: pick(trace.text), hovertext: pick(trace.hovertext), zmin: trace.meta.low, zmax: trace.meta.high }],
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
    if (figure.data[0].meta.heat) return narrowed(figure, box, shown);
    return figure.layout.meta ? stacked(figure, box, shown) : figure;
  }

  function draw(box) {
    const stored = figureOf(box);
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const shown = shownIn(box.closest("section"));
    const heat = Boolean(stored.data[0].meta.heat);
    const { data, layout } = arranged(stored, box, shown);
    const ruled = (axis) => ({ ...axis, gridcolor: colour("--line"), linecolor: colour("--line") });
    const themed = {
      ...layout,
      font: { ...layout.font, color: colour("--ink") },
      hoverlabel: { ...layout.hoverlabel, bgcolor: colour("--wash"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
      xaxis: ruled(layout.xaxis), yaxis: ruled(layout.yaxis),
      dragmode: !heat && matchMedia("(pointer: fine)").matches ? "zoom" : false, // a finger scrolls
    };
    drawn.add(box);
    const traces = heat ? data : data.map((trace) => recoloured(trace, shown, colour));
    return Plotly.react(box, traces, themed, { displayModeBar: false, responsive: true });
  }

  function reserve() { // before anything scrolls to a place beneath
    for (const box of all(".plot")) arranged(figureOf(box), box, shownIn(box.closest("section")));
  }

  function watch() {
    const boxes = all(".plot");
    if (!("IntersectionObserver" in window)) return boxes.forEach(draw);
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting && !drawn.has(entry.target)) draw(entry.target);
      }
    }, { rootMargin: "400px" });
    boxes.forEach((box) => observer.observe(box));
    phone.addEventListener("change", () => redraw());
  }

  function redraw(within = document) {
    for (const box of all(".plot", within)) if (drawn.has(box)) draw(box);
  }

  function controls() {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-kind]");
      if (!button) return;
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
      redraw(button.closest("section"));
    });
  }

  function printing() { // on paper everything is drawn, and light
    let before;
    window.addEventListener("beforeprint", () => {
      before = root.dataset.theme;
      root.dataset.theme = "light";
      all(".plot").forEach(draw);
    });
    window.addEventListener("afterprint", () => {
      if (before) root.dataset.theme = before;
      else delete root.dataset.theme;
      redraw();
    });
  }

  // Theme -------------------------------------------------------------------------------------
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

  // Table -------------------------------------------------------------------------------------
  const table = { rows: [], key: "case", down: false };
  const fields = ["suite", "op", "dtype", "device", "status"];

  function filterRows() {
    const form = one("#filter");
    const words = form.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of table.rows) {
      const fits = fields.every((f) => !form[f] || !form[f].value || row.element.dataset[f] === form[f].value);
      row.element.hidden = !(fits && words.every((word) => row.text.includes(word)));
      count += row.element.hidden ? 0 : 1;
    }
    const total = `${table.rows.length} row${table.rows.length === 1 ? "" : "s"}`;
    one("#shown").textContent = count === table.rows.length ? total : `${count} of ${total}`;
  }

  function sortRows() {
    const heads = all("#cases thead th");
    const column = heads.findIndex((head) => head.dataset.key === table.key);
    const value = (row) => row.element.cells[column].dataset.v;
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if ((x === "") !== (y === "")) return x === "" ? 1 : -1; // what is missing stays below
      const difference = Number.isNaN(Number(x)) || Number.isNaN(Number(y)) ? x.localeCompare(y) : x - y;
      return (table.down ? -difference : difference) || a.place - b.place;
    };
    one("#cases tbody").append(...[...table.rows].sort(order).map((row) => row.element));
    heads.forEach((head, place) => {
      if (!head.dataset.key) return;
      head.setAttribute("aria-sort", place !== column ? "none" : table.down ? "descending" : "ascending");
    });
  }

  function writeState() {
    const state = new URLSearchParams();
    for (const [name, value] of new FormData(one("#filter"))) if (value) state.set(name, value);
    if (table.key !== "case" || table.down) state.set("sort", (table.down ? "-" : "") + table.key);
    history.replaceState(null, "", state.size ? `#${state}` : location.pathname + location.search);
  }

  function readState() {
    const hash = location.hash.slice(1);
    if (hash.startsWith("c-")) return openRow(hash);
    if (!hash.includes("=")) return undefined;
    const state = new URLSearchParams(hash);
    const form = one("#filter");
    for (const name of ["q", ...fields]) if (form[name]) form[name].value = state.get(name) ?? "";
    const sort = state.get("sort") ?? "case";
    const key = sort.replace(/^-/, "");
    table.down = sort.startsWith("-");
    table.key = one(`#cases th[data-key="${CSS.escape(key)}"]`) ? key : "case";
    filterRows();
    sortRows();
    return one("#table").scrollIntoView();
  }

  function openRow(id) {
    const element = document.getElementById(id);
    if (!element) return;
    if (element.hidden) { one("#filter").reset(); filterRows(); }
    all("tr.named").forEach((row) => row.classList.remove("named"));
    element.classList.add("named");
    one("details", element).open = true;
    const show = () => element.scrollIntoView({ block: "center" });
    show();
    if (document.readyState !== "complete") { // the browser goes to where the page was left
      window.addEventListener("load", () => setTimeout(show), { once: true });
    }
  }

  function cases() {
    const form = one("#filter");
    table.rows = all("#cases tbody tr").map((element, place) => ({
      element, place,
      text: [one("summary", element).textContent, element.dataset.device,
        element.dataset.status, element.cells[element.cells.length - 1].textContent].join(" ").toLowerCase(),
    }));
    for (const head of all("#cases th[data-key]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        table.down = table.key === head.dataset.key ? !table.down : false;
        table.key = head.dataset.key;
        sortRows();
        writeState();
      });
    }
    form.hidden = false;
    form.addEventListener("input", () => { filterRows(); writeState(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { filterRows(); writeState(); }));
    window.addEventListener("hashchange", readState);
    filterRows();
    sortRows();
    readState();
  }

  // Copying -----------------------------------------------------------------------------------
  async function copy(button) {
    const code = one("code", button.parentElement);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
      one("#said").textContent = "The command was copied.";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    } catch { // no permission: select it, so that a key press copies it
      getSelection().selectAllChildren(code);
      one("#said").textContent = "The command is selected; press the copy keys.";
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    theme();
    if (!one("#cases")) return;
    controls();
    reserve();
    cases();
    watch();
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button.copy");
      if (button) copy(button);
    });
    printing();
  });
})();
