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
  const link = row.id ? make("a", { href: `#${row.id}` }) : make("span"); // a row may have no view of its own
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
