"""What a reader of a page does: shows a view, scrolls to its figures, looks at its table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MARKS = (
    ".scatterlayer .point, .scatterlayer .js-line, .scatterlayer .js-fill, "
    ".barlayer .point, .heatmaplayer image, .shapelayer path"
)
"""What Plotly draws of data: markers, lines, bands, bars, the picture of a heat map, reference lines."""

PATIENCE_S = 20.0
"""For a machine that is busy with other things."""


def views(page: Page) -> list[str]:
    """The addresses of the views, as the navigation has them."""
    links: list[str] = page.eval_on_selector_all(
        "nav.views a", "(links) => links.map((a) => a.getAttribute('href').slice(1))"
    )
    return links


def show(page: Page, address: str) -> Locator:
    """Go to an address on the page, and wait until its view is there; gives the view."""
    page.evaluate("(address) => { location.hash = address; }", address)
    return shown(page, address)


def shown(page: Page, address: str) -> Locator:
    """The view that an address stands for, when it is shown."""
    name = "case" if address.startswith("c-") else address.partition("?")[0]
    view = page.locator(f"#{name}")
    view.wait_for(state="visible")
    if name == "case":
        until(page, "document.querySelector('#case-h').textContent !== 'Case'")
    if name == "cases":
        until(page, "document.querySelector('#cases-listing output').textContent !== ''")
    return view


def until(page: Page, truth: str, of: Any = None) -> None:
    """Wait until an expression is true; Playwright's own waiting needs the `eval` that the policy forbids."""
    end = time.monotonic() + PATIENCE_S
    while not page.evaluate(truth, of):
        assert time.monotonic() < end, f"never came true: {truth}"
        page.wait_for_timeout(20)


def addresses(page: Page) -> list[str]:
    """Every view, and a case if there is one."""
    found = views(page)
    if "cases" in found:
        show(page, "cases")
        first = page.locator("#cases-listing tbody a").first
        if first.count():
            found.append((first.get_attribute("href") or "").removeprefix("#"))
    return found


def look_at_figures(page: Page, view: Locator) -> int:
    """Scroll to each figure of a view and wait until it has drawn something; gives how many there are."""
    plots = view.locator(".plot")
    count: int = plots.count()
    for place in range(count):
        plot = plots.nth(place)
        plot.scroll_into_view_if_needed()
        until(
            page,
            "([box, marks]) => 'drawn' in box.dataset && box.querySelectorAll(marks).length > 0",
            [plot.element_handle(), MARKS],
        )
    return count


def open_tables(view: Locator, count: int) -> None:
    """Open the first tables of numbers that figures of a view have."""
    for twin in view.locator("details[data-twin]").all()[:count]:
        twin.locator("summary").click()
        twin.locator("table").wait_for()


def rows(page: Page) -> list[list[str]]:
    """The rows of the table of cases, as they are shown."""
    texts: list[list[str]] = page.eval_on_selector_all(
        "#cases-listing tbody tr",
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))",
    )
    return texts


def column(page: Page, name: str) -> list[str]:
    """The cells of a column, from top to bottom."""
    heads: list[str] = page.eval_on_selector_all(
        "#cases-listing thead th", "(heads) => heads.map((head) => head.textContent)"
    )
    return [row[heads.index(name)] for row in rows(page)]


def state(page: Page) -> dict[str, list[str]]:
    """What stands in the address behind the view's name."""
    return parse_qs(urlsplit(page.url).fragment.partition("?")[2])


def said(page: Page) -> str:
    """How many rows the table says it shows."""
    text: str = page.locator("#cases-listing output").inner_text()
    return text
