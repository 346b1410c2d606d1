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
