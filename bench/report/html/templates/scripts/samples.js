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
