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
