"""Every view of every page shows itself, with its figures, at any width and in any light, and fetches nothing.

That nothing goes wrong meanwhile (errors, requests, dialogs, what the policy forbids) is seen to by `visit`.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.browser import reader
from tests.browser.axe import objections
from tests.browser.visit import DESK, PHONE

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.browser.reports import Pages
    from tests.browser.visit import Open

RUNS = (
    "both",
    "again",
    "cpu",
    "hostile",
    "empty",
    "failed",
    "skipped",
    "single",
    "gpu",
    "unsized",
    "bare",
)
COMPARED = ("compare", "compare-all")
AXE = {
    ("both", DESK),
    ("both", PHONE),
    ("cpu", DESK),
    ("hostile", PHONE),
    ("empty", PHONE),
    ("failed", DESK),
    ("compare", DESK),
    ("compare-all", PHONE),
}
"""Where axe-core is asked as well, which takes longer than all else: at each width and in each theme, a page of each kind.
Contrast depends on the theme and not on the width, and sizes the other way round."""
SHOWN = (
    *((name, PHONE) for name in (*RUNS, *COMPARED) if name != "again"),
    *((name, DESK) for name in ("both", "cpu", "hostile", "failed", "gpu", *COMPARED)),
    ("alone/both", PHONE),
    ("alone/hostile", PHONE),
    ("alone/compare", DESK),
)
"""Every page but `again`, which is as `both`, at the width where most goes wrong; most at the other as well. Single files
show what those in the folder do."""
PRINT = """() => { window.print = () => {
  window.lacking = document.querySelectorAll("#ops .plot:not([data-drawn])").length;
}; }"""
"""A printer that counts what is missing. (What evaluates to a function, Playwright calls.)"""
SLOW_FIRST = """() => {
  const react = Plotly.react;
  Plotly.react = async (...given) => {
    Plotly.react = react;
    window.begun = true;
    await new Promise((go) => setTimeout(go, 500));
    return react(...given);
  };
}"""
"""The figure that is drawn next takes half a second, as it may where much else is going on."""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(("name", "width"), SHOWN)
def test_views_fit_are_accessible_and_their_figures_have_data(
    visit: Open, name: str, width: int
) -> None:
    """One view at a time, under its own heading, no wider than the window; figures draw when scrolled to.

    axe-core objects to nothing, also with the first two of a view's tables open.
    """
    page = visit(name, width=width, dark=width == PHONE)
    for address in reader.addresses(page):
        view = reader.show(page, address)
        reader.look_at_figures(page, view)
        assert page.locator(".view:visible").count() == 1, address
        assert view.locator("h2").first.inner_text(), address
        assert page.evaluate(WIDE) <= 0, address
        if (name, width) in AXE:
            reader.open_tables(view, 2)
            assert objections(page) == [], address


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_list_of_reports_fits_and_is_accessible(visit: Open, width: int) -> None:
    """And leads to each page."""
    page = visit("index", width=width, dark=width == PHONE)
    assert objections(page) == []
    assert page.locator("tbody tr").count() == len(RUNS) + len(COMPARED)
    assert page.evaluate(WIDE) <= 0
    page.locator("tbody a").first.click()
    page.locator("nav.views").wait_for()


def test_a_page_opens_at_its_overview(visit: Open) -> None:
    """What was found is the first thing to be read, and the navigation says where one is."""
    page = visit("both")
    view = reader.shown(page, "overview")
    assert view.locator(".findings li").count() > 0
    assert page.locator("nav.views a[aria-current]").inner_text() == "Overview"


def test_a_case_of_a_comparison_leads_to_the_pages_of_its_runs(visit: Open) -> None:
    """And the way there keeps the case."""
    page = visit("compare", "cases")
    page.locator("#cases tbody a").first.click()
    view = page.locator("#case")
    view.wait_for(state="visible")
    view.locator("#case-runs tbody a").first.click()
    page.locator("#case-command").wait_for()
    assert page.locator("#case-h").inner_text()


def test_a_verdict_chooses_cases(visit: Open) -> None:
    """Those that have it, and no others."""
    page = visit("compare", "cases")
    reader.shown(page, "cases")
    every = page.locator("#cases-listing output").inner_text()
    reader.show(page, "cases?verdict=same")
    reader.until(
        page, "(all) => document.querySelector('#cases-listing output').textContent !== all", every
    )
    texts = page.locator("#cases tbody tr").all_inner_texts()
    assert texts
    assert all("same" in text for text in texts)


@pytest.mark.parametrize("address", ["%", "%E0%A4%A", "nothing", "c-0000000000", "c-", "cases?q=%"])
def test_an_address_that_means_nothing_does_no_harm(visit: Open, address: str) -> None:
    """One view is shown, and no more."""
    page = visit("both", address)
    page.locator(".view:visible").wait_for()
    assert page.locator(".view:visible").count() == 1


def test_figures_are_drawn_only_when_they_come_into_view(visit: Open) -> None:
    """A page of thousands of figures is still there at once."""
    page = visit("both")
    view = reader.show(page, "ops")
    view.locator(".plot .main-svg").first.wait_for()
    assert view.locator(".plot .main-svg").count() < 3 * view.locator(".plot").count()


def test_figures_follow_the_theme(visit: Open) -> None:
    """A reader who changes it sees every figure in its colours, and a reload keeps the choice."""
    page = visit("both", "ops")
    plot = page.locator("#ops .plot").first
    reader.look_at_figures(page, page.locator("#ops"))
    colour = "(box) => getComputedStyle(box.querySelector('.scatterlayer .point')).fill"
    light = plot.evaluate(colour)
    page.locator("#theme").click()
    reader.until(
        page, f"([box, light]) => ({colour})(box) !== light", [plot.element_handle(), light]
    )
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_view_without_figures_does_not_wait_for_plotly(visit: Open) -> None:
    """The largest part of a page runs when the first figure is due."""
    page = visit("both", "cases")
    reader.shown(page, "cases")
    assert page.evaluate("typeof Plotly") == "undefined"
    reader.look_at_figures(page, reader.show(page, "overview"))
    assert page.evaluate("typeof Plotly") == "object"


def test_a_page_that_was_moved_without_plotly_says_so(
    browser: Browser, pages: Pages, tmp_path: Path
) -> None:
    """Once, in words; its tables are there all the same."""
    source = pages["both"]
    for part in (source, *source.parent.glob("page-*")):
        shutil.copy(part, tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / source.name).as_uri() + "#ops")
    said = page.locator("#main > .hint", has_text="plotly.min.js is not beside this page")
    said.wait_for()
    view = reader.show(page, "cases")
    assert view.locator("tbody tr").count() > 0
    assert said.count() == 1
    page.close()


PASSING_BY = """() => {
  location.hash = "ops";
  requestAnimationFrame(() => setTimeout(() => { location.hash = "cases"; }));
}"""
"""A reader who goes on at once: figures have been asked for and none is drawn."""
WIDTHS = """(view) => [...view.querySelectorAll(".plot")].map((plot) =>
  [plot.querySelector(".main-svg").getBoundingClientRect().width, plot.clientWidth])"""
"""Of each figure and of its box."""


def test_a_figure_whose_view_was_left_has_its_size_when_one_is_back(visit: Open) -> None:
    """A hidden element has no size to draw at."""
    page = visit("both", "cases")
    reader.shown(page, "cases")
    page.evaluate(PASSING_BY)
    reader.until(page, "window.Plotly !== undefined")
    page.wait_for_timeout(500)  # in which nothing may be drawn
    view = reader.show(page, "ops")
    reader.look_at_figures(page, view)
    sizes = view.evaluate(WIDTHS)
    assert len(sizes) > 3
    assert [size for size in sizes if abs(size[0] - size[1]) > 1] == []


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("change", ["window", "theme"])
def test_a_drawn_figure_follows_what_changed_while_its_view_was_hidden(
    visit: Open, change: str, width: int
) -> None:
    """The window's size, and the theme: it has the width of its box, and can be scrolled by key if that is too wide."""
    page = visit("both", "ops", width=width)
    reader.look_at_figures(page, reader.shown(page, "ops"))
    reader.show(page, "cases")
    if change == "window":
        page.set_viewport_size({"width": width * 3 // 4, "height": 900})
    else:
        page.locator("#theme").click()
    page.wait_for_timeout(500)  # in which a figure that is drawn hidden would lose its size
    view = reader.show(page, "ops")
    reader.look_at_figures(page, view)
    sizes = view.evaluate(WIDTHS)
    assert [size for size in sizes if abs(size[0] - size[1]) > 1] == []
    wide = "(view) => [...view.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth)"
    assert view.evaluate(wide + ".every((one) => one.tabIndex === 0)")
    assert view.evaluate(wide + ".length") or width == DESK


def test_a_figure_has_its_numbers_as_a_table(visit: Open) -> None:
    """Made when it is asked for; it can be copied."""
    page = visit("both", "ops")
    details = page.locator("#ops details").first
    details.locator("summary").click()
    details.locator("tbody").wait_for()
    assert details.locator("tbody tr").count() > 1
    details.get_by_role("button", name="copy as Markdown").click()
    reader.until(page, "document.querySelector('#said').textContent.includes('copied')")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.count("\n") == 2 + details.locator("tbody tr").count()


def test_a_button_hides_what_it_names(visit: Open) -> None:
    """In every figure of its suite; pressed again, it is back."""
    page = visit("both", "ops")
    reader.look_at_figures(page, page.locator("#ops"))
    section = page.locator("#ops .suite").first
    marks = section.locator(".plot").first.locator(".scatterlayer .trace")
    before = marks.count()
    button = section.locator("button[data-kind=device]").first
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    reader.until(
        page,
        "([box, before]) => box.querySelectorAll('.scatterlayer .trace').length < before",
        [section.locator(".plot").first.element_handle(), before],
    )
    button.click()
    reader.until(
        page,
        "([box, before]) => box.querySelectorAll('.scatterlayer .trace').length === before",
        [section.locator(".plot").first.element_handle(), before],
    )


def test_paper_has_every_figure_of_the_view(visit: Open) -> None:
    """Also those that nobody has scrolled to, and those that wait for another, before it is printed."""
    page = visit("both")
    reader.look_at_figures(page, page.locator("#overview"))
    page.evaluate(SLOW_FIRST)
    page.evaluate(PRINT)
    reader.show(page, "ops")
    reader.until(page, "window.begun === true")
    plots = page.locator("#ops .plot")
    assert plots.count() > 3
    page.keyboard.press("Control+p")
    reader.until(page, "window.lacking !== undefined")
    assert page.evaluate("window.lacking") == 0
