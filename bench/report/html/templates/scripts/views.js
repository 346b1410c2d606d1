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
