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
