"""axe-core finds nothing to object to, in any view, at any width, in any light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import reader
from tests.browser.visit import DESK, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.visit import Open

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SETTINGS = (
    ("both", DESK, False),
    ("both", PHONE, True),
    ("cpu", DESK, True),
    ("hostile", PHONE, False),
    ("empty", PHONE, True),
    ("failed", DESK, False),
    ("compare", DESK, False),
    ("compare-all", PHONE, True),
)
"""A page of each kind in two forms, the others in one of them. Contrast depends on the theme and not on the width, and
sizes the other way round, so that each width and each theme is enough."""


AXE_OF_THE_VIEW_SHOWN = """async (tags) => {
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
    found: dict[str, Any] = page.evaluate(AXE_OF_THE_VIEW_SHOWN, list(RULES))
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


@pytest.mark.parametrize(("name", "width", "dark"), SETTINGS)
def test_every_view_is_accessible(visit: Open, name: str, width: int, *, dark: bool) -> None:
    """With its figures drawn, and the first two of their tables open."""
    page = visit(name, width=width, dark=dark)
    page.evaluate(Axe().axe_script)
    found = {}
    for address in reader.addresses(page):
        view = reader.show(page, address)
        reader.look_at_figures(page, view)
        for twin in view.locator("details[data-twin]").all()[:2]:
            twin.locator("summary").click()
            twin.locator("table").wait_for()
        page.evaluate(
            "scrollTo(0, 0)"
        )  # or the navigation lies over a button, which is then too small
        found[address] = objections(page)
    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("dark", [False, True])
def test_the_list_of_reports_is_accessible(visit: Open, *, dark: bool) -> None:
    """As its pages are."""
    page = visit("index", dark=dark)
    page.evaluate(Axe().axe_script)
    assert objections(page) == []
