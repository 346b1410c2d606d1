// What a page does when it is there.
document.addEventListener("DOMContentLoaded", () => {
  theme();
  copying();
  downloads();
  if (!one(".view")) return;
  controls();
  twins();
  printing();
  skipping();
  route();
  watch();
  window.addEventListener("hashchange", route);
});
