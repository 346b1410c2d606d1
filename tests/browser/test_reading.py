"""A page is read without a mouse, without a screen, and whoever wrote its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import reader
from tests.browser.reports import HOSTILE, LONG
from tests.browser.visit import DESK, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.visit import Open

FOCUS = """
() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  const [x, y] = [box.left + Math.min(box.width / 2, 20), box.top + Math.min(box.height / 2, 20)];
  const top = document.elementFromPoint(x, y);
  return {
    name: one === document.body ? "" : one.id || one.name || one.textContent.trim().slice(0, 30) || one.tagName,
    view: Boolean(one.closest(".view")),
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    uncovered: Boolean(top && (one.contains(top) || top.contains(one))),
  };
}
"""
"""Where the focus is, whether that can be seen, and whether anything lies over it."""
RUN = "script:not([type]), script[src]"
"""Scripts that a browser runs; those with another type hold data."""


def stops(page: Page, most: int) -> list[dict[str, Any]]:
    """Where the tab key stops, in order; each of them can be seen."""
    found: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if not at["name"] or (found and at == found[0]):
            break
        assert at["outline"], at
        assert at["uncovered"], at
        found.append(at)
    return found


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_keyboard_reaches_everything(visit: Open, width: int) -> None:
    """From the first link to a case: navigation, filters, headings that sort, rows; the focus is seen throughout."""
    page = visit("both", width=width)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS)["name"] == "Skip to the content"
    page.keyboard.press("Tab")
    while page.evaluate(FOCUS)["name"] != "Cases":
        page.keyboard.press("Tab")
        assert not page.evaluate(FOCUS)["view"]
    page.keyboard.press("Enter")
    reader.shown(page, "cases")
    reader.until(page, "document.activeElement.id === 'cases-h'")
    names = [at["name"] for at in stops(page, 40)]
    assert {"q", "suite", "device", "time"} <= set(names)
    page.locator("#cases [name=q]").focus()
    page.keyboard.type("matmul")
    assert "of" in reader.said(page)
    page.locator("#cases-listing th[data-key=time] button").focus()
    page.keyboard.press("Enter")
    assert (
        page.locator("#cases-listing th[data-key=time]").get_attribute("aria-sort") == "ascending"
    )
    while not page.evaluate("document.activeElement.matches('tbody a')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#case").wait_for()
    reader.until(page, "document.activeElement.id === 'case-h'")
    assert stops(page, 10)


@pytest.mark.parametrize("address", ["overview", "ops", "cases"])
def test_the_focus_is_seen_in_every_view(visit: Open, address: str) -> None:
    """Nothing lies over it, nor is it somewhere off the page."""
    page = visit("both", address, width=PHONE)
    reader.shown(page, address)
    assert len(stops(page, 25)) > 2


def test_skipping_leads_to_the_content(visit: Open) -> None:
    """Past the navigation; the view stays."""
    page = visit("both", "machine")
    reader.shown(page, "machine")
    page.locator(
        ".skip"
    ).focus()  # the first stop of all; an address lets a browser begin behind it
    page.keyboard.press("Enter")
    reader.until(page, "document.activeElement.id === 'machine-h'")
    assert page.url.endswith("#machine")
    assert page.locator(".view:visible").get_attribute("id") == "machine"


@pytest.mark.parametrize("address", ["overview", "ops", "cases"])
def test_paper_has_no_controls(visit: Open, address: str) -> None:
    """Nor the navigation, nor a dark ground."""
    page = visit("both", address, dark=True)
    view = reader.shown(page, address)
    reader.look_at_figures(page, view)
    page.emulate_media(media="print")
    shown = page.locator("nav, input, select, button:not(.sort):not([data-kind])")
    seen = [one.inner_text() for one in shown.all() if one.is_visible()]
    assert seen == []
    marks = "(button) => getComputedStyle(button, '::after').content"
    for button in page.locator("button.sort:visible").all():
        assert button.evaluate(marks) in {"none", '""'}
    page.emulate_media(media="screen")
    page.evaluate(
        "addEventListener('beforeprint', () => {"
        " window.paper = getComputedStyle(document.body).backgroundColor; })"
    )
    assert page.pdf().startswith(b"%PDF")
    assert page.evaluate("window.paper") == "rgb(255, 255, 255)"


def test_paper_says_which_figures_are_missing(visit: Open) -> None:
    """A browser's menu prints at once, also what nobody has scrolled to; drawn ones say nothing."""
    page = visit("both", "ops")
    reader.shown(page, "ops").locator(".plot[data-drawn]").first.wait_for()
    page.emulate_media(media="print")
    both_and_none_in_between = """() => {
      const plots = [...document.querySelectorAll("#ops .plot")];
      const drawn = plots.map((plot) => Boolean(plot.querySelector(".main-svg")));
      const missing = plots.map((plot) => getComputedStyle(plot, "::before").content.includes("Not drawn"));
      return new Set(drawn).size === 2 && drawn.every((is, place) => is !== missing[place]);
    }"""
    reader.until(page, both_and_none_in_between)  # one may be half drawn
    assert page.locator("#ops .plot .main-svg").count() > 0


def test_what_data_says_is_text(visit: Open) -> None:
    """In every view, figure and label: no element is made of it, no script is run, no link leads out."""
    page = visit("hostile")
    own = page.locator(RUN).first.get_attribute("src")
    assert page.locator("h1").text_content() == HOSTILE
    for address in reader.addresses(page):
        view = reader.show(page, address)
        reader.look_at_figures(page, view)
        for summary in view.locator("details summary").all():
            summary.click()
        page.wait_for_timeout(50)
        made = page.locator("img, iframe, object, embed, [onerror], [onmouseover], [onload]")
        assert made.count() == 0, address
        assert page.locator("[href^='javascript:' i], [href*='//' i]:not([href^='#'])").count() == 0
        run = page.eval_on_selector_all(
            RUN, "(all) => all.map((script) => script.getAttribute('src'))"
        )
        assert run in ([own], [own, "plotly.min.js"]), address
        assert page.locator("main textarea, body title").count() == 0, address
        assert "49" not in view.locator("h2").first.inner_text()


def test_a_hostile_case_is_shown_word_for_word(visit: Open) -> None:
    """In the table, in its view, and in the address of a filter."""
    page = visit("hostile", "cases")
    reader.shown(page, "cases")
    page.locator("#cases [name=suite]").select_option(HOSTILE)
    assert all(row[0].startswith(HOSTILE) for row in reader.rows(page))
    before = reader.rows(page)
    page.reload()
    reader.shown(page, "cases")
    assert reader.rows(page) == before
    page.locator("#cases-listing tbody a").first.click()
    page.locator("#case").wait_for()
    reader.until(page, "document.querySelectorAll('#case-kernels code').length === 2")
    kernels = page.locator("#case-kernels code").all_text_contents()
    assert kernels == [HOSTILE, LONG]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("empty", "no cases"),
        ("failed", "failed"),
        ("skipped", "skipped"),
        ("single", "one case was measured"),
    ],
)
def test_a_run_of_little_says_what_there_is(visit: Open, name: str, word: str) -> None:
    """A page is never blank."""
    page = visit(name)
    view = reader.shown(page, "overview")
    assert word in view.inner_text()
