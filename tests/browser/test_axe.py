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
    ("single", PHONE, False),
    ("compare", DESK, False),
    ("compare", PHONE, True),
    ("compare-all", PHONE, False),
)
"""The page that has everything in two forms, the others in one of them. Contrast depends on the theme and not on the
width, and sizes the other way round, so that each width and each theme is enough."""


def objections(page: Page, *, inside: bool = True) -> list[str]:
    """Each rule that is broken, and where first; `inside` figures too, whose thousands of marks take long."""
    found: dict[str, Any] = page.evaluate(
        "([without, tags]) => axe.run({ exclude: without },"
        # What it would preload, the page's policy forbids.
        " { runOnly: { type: 'tag', values: tags }, preload: false, resultTypes: ['violations'] })",
        [[] if inside else [[".plot > *"]], list(RULES)],
    )
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
        found[address] = objections(page, inside=not dark)
    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("dark", [False, True])
def test_the_list_of_reports_is_accessible(visit: Open, *, dark: bool) -> None:
    """As its pages are."""
    page = visit("index", dark=dark)
    page.evaluate(Axe().axe_script)
    assert objections(page) == []
