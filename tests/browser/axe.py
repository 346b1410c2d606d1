"""axe-core: the rules of accessibility that the view shown breaks, at its width and in its theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_THE_VIEW_SHOWN = """async (tags) => {
  const putBack = [...document.querySelectorAll(".view[hidden]")].map((view) => {
    const place = document.createComment("");
    view.replaceWith(place);
    return () => place.replaceWith(view);
  });
  const only = { runOnly: { type: "tag", values: tags }, preload: false, resultTypes: ["violations"] };
  const found = await axe.run(only);
  for (const back of putBack) back();
  return found;
}"""
"""Views that are hidden are out of the document meanwhile: no reader meets them, and axe computes the style of each of
their elements again for every view, which takes three times as long. What it would preload, the page's policy forbids."""


def objections(page: Page) -> list[str]:
    """Each rule that the view shown breaks, and where first."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    # Scrolled down, the navigation lies over a button, which is then too small.
    page.evaluate("scrollTo(0, 0)")
    found: dict[str, Any] = page.evaluate(OF_THE_VIEW_SHOWN, list(RULES))
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]
