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
