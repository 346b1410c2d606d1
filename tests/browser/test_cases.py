"""The table of cases is searched, filtered, sorted and copied; its state, and every case, has an address."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from tests.browser import reader
from tests.browser.reports import CASES
from tests.browser.visit import DESK, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.visit import Open

SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def times_s(page: Page) -> list[float]:
    """The column of times, as numbers; what has none is left out."""
    found = [re.fullmatch(r"([\d.]+) (\w+)", text) for text in reader.column(page, "time")]
    return [float(match[1]) * SECONDS[match[2]] for match in found if match]


def in_order(times: list[float]) -> bool:
    """Rising, as far as numbers say that are written with three digits or four."""
    return all(earlier <= 1.005 * later for earlier, later in itertools.pairwise(times))


def choose(page: Page, **chosen: str) -> None:
    """Fill in the form above the table."""
    for name, value in chosen.items():
        field = page.locator(f"#cases form [name={name}]")
        if name == "q":
            field.fill(value)
        else:
            field.select_option(value)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_filters_and_search_leave_what_fits(visit: Open, width: int) -> None:
    """And say how much that is; the address has them."""
    page = visit("both", "cases", width=width)
    reader.shown(page, "cases")
    assert reader.said(page) == f"{CASES} rows"
    choose(page, suite="matmul", device="cuda")
    found = reader.rows(page)
    assert 0 < len(found) < CASES
    assert reader.said(page) == f"{len(found)} of {CASES} rows"
    assert all(row[0].startswith("matmul/") and row[1] == "cuda" for row in found)
    choose(page, q="64 float32")
    fewer = reader.rows(page)
    assert 0 < len(fewer) < len(found)
    assert all("64" in row[0] and "float32" in row[0] for row in fewer)
    assert reader.state(page) == {"suite": ["matmul"], "device": ["cuda"], "q": ["64 float32"]}


def test_an_address_brings_back_the_same_table(visit: Open) -> None:
    """After a reload, and for someone it was sent to."""
    page = visit("both", "cases")
    reader.shown(page, "cases")
    choose(page, suite="mul", q="float")
    page.get_by_role("button", name="time").click()
    page.get_by_role("button", name="time").click()
    before = reader.rows(page), reader.said(page), reader.state(page)
    page.reload()
    reader.shown(page, "cases")
    assert (reader.rows(page), reader.said(page), reader.state(page)) == before
    other = visit("both", page.url.partition("#")[2])
    reader.shown(other, "cases")
    assert (reader.rows(other), reader.said(other), reader.state(other)) == before


def test_clearing_the_form_brings_back_every_row(visit: Open) -> None:
    """And clears the address."""
    page = visit("both", "cases?suite=mul&q=float")
    reader.shown(page, "cases")
    page.get_by_role("button", name="clear").click()
    reader.until(
        page, f"document.querySelector('#cases-listing output').textContent === '{CASES} rows'"
    )
    assert reader.state(page) == {}


def test_a_search_without_a_match_says_so(visit: Open) -> None:
    """Nought of so many."""
    page = visit("both", "cases?q=nosuchword")
    reader.shown(page, "cases")
    assert reader.said(page) == f"0 of {CASES} rows"
    assert reader.rows(page) == []


def test_a_column_sorts_both_ways(visit: Open) -> None:
    """The heading says which; what has no time stays below."""
    page = visit("both", "cases")
    reader.shown(page, "cases")
    head = page.locator("#cases-listing th[data-key=time]")
    assert head.get_attribute("aria-sort") == "none"
    head.get_by_role("button").click()
    rising = times_s(page)
    assert head.get_attribute("aria-sort") == "ascending"
    assert in_order(rising)
    assert reader.state(page) == {"sort": ["time"]}
    head.get_by_role("button").click()
    falling = times_s(page)
    assert head.get_attribute("aria-sort") == "descending"
    assert in_order(falling[::-1])
    assert falling[0] > rising[0]
    assert page.locator("#cases-listing th[aria-sort=descending]").count() == 1


def test_what_has_no_time_stays_below(visit: Open) -> None:
    """Whichever way times are sorted."""
    page = visit("cpu", "cases?sort=time")
    for address in ("cases?sort=time", "cases?sort=-time"):
        reader.show(page, address)
        cells = reader.column(page, "time")
        measured = [cell not in {"failed", "timeout", "skipped"} for cell in cells]
        assert measured == sorted(measured, reverse=True)
        assert not all(measured)


def test_a_long_table_is_made_as_far_as_it_is_read(visit: Open) -> None:
    """A button makes more of it, and the focus goes on there."""
    page = visit("both", "cases")
    reader.shown(page, "cases")
    assert len(reader.rows(page)) == 100
    page.get_by_role("button", name=f"show {CASES - 100} more of {CASES - 100}").click()
    assert len(reader.rows(page)) == CASES
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 101


@pytest.mark.parametrize(("form", "lines"), [("Markdown", 2), ("CSV", 1)])
def test_a_table_is_copied_as_it_is_filtered(visit: Open, form: str, lines: int) -> None:
    """All rows of it, also those that are not made yet."""
    page = visit("both", "cases?device=cuda")
    reader.shown(page, "cases")
    wanted = int(reader.said(page).split()[0])
    page.locator("#cases").get_by_role("button", name=f"copy as {form}").click()
    reader.until(page, "document.querySelector('#said').textContent.includes('copied')")
    text = page.evaluate("navigator.clipboard.readText()")
    assert len(text.splitlines()) == lines + wanted
    assert "matmul/" in text


def test_a_case_has_an_address_of_its_own(visit: Open) -> None:
    """Which shows its time, its samples, and the command that repeats it."""
    page = visit("both", "cases?q=matmul")
    reader.shown(page, "cases")
    link = page.locator("#cases-listing tbody a").nth(3)
    name, address = link.inner_text(), (link.get_attribute("href") or "")[1:]
    link.click()
    view = reader.shown(page, address)
    assert view.locator("h2").inner_text().startswith(name)
    assert view.locator("#case-command").inner_text().startswith("bench run ")
    assert reader.look_at_figures(page, view) >= 2
    again = visit("both", address)
    assert (
        reader.shown(again, address).locator("h2").inner_text() == view.locator("h2").inner_text()
    )


def test_one_steps_from_case_to_case_as_the_table_is_filtered(visit: Open) -> None:
    """The next one, the one before."""
    page = visit("both", "cases?suite=mul&sort=-time")
    reader.shown(page, "cases")
    order = [row[0] for row in reader.rows(page)]
    page.locator("#cases-listing tbody a").first.click()
    for name in order[1:3]:
        page.locator("#case-after").click()
        reader.until(
            page, "(name) => document.querySelector('#case-h').textContent.startsWith(name)", name
        )
    page.locator("#case-before").click()
    reader.until(
        page, "(name) => document.querySelector('#case-h').textContent.startsWith(name)", order[1]
    )
    assert order[1] != order[2]
    assert page.locator("#case-h").inner_text().startswith(order[1])


def test_the_command_of_a_case_is_copied(visit: Open) -> None:
    """As it stands there."""
    page = visit("both", "cases")
    reader.shown(page, "cases")
    page.locator("#cases-listing tbody a").first.click()
    page.locator("#case .copy").click()
    reader.until(page, "document.querySelector('#said').textContent.includes('copied')")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == page.locator("#case-command").inner_text()


def test_going_back_shows_what_was_there(visit: Open) -> None:
    """From a case to the table as it was filtered, and from there to the view before."""
    page = visit("both")
    page.locator("nav.views").get_by_text("Cases").click()
    reader.shown(page, "cases")
    choose(page, suite="mul")
    before = reader.rows(page)
    page.locator("#cases-listing tbody a").first.click()
    page.locator("#case").wait_for()
    page.go_back()
    reader.shown(page, "cases")
    assert reader.rows(page) == before
    assert page.locator("#cases [name=suite]").input_value() == "mul"
    page.go_back()
    reader.shown(page, "overview")


@pytest.mark.parametrize("address", ["c-0000000000", "c-ffffffffff"])
def test_a_case_that_is_not_there_says_so(visit: Open, address: str) -> None:
    """An address may be of another run."""
    page = visit("both", address)
    assert "no case" in reader.shown(page, address).locator("#case-said").inner_text()


def test_a_failed_case_says_why(visit: Open) -> None:
    """In the table and in its own view."""
    page = visit("cpu", "cases?status=failed")
    reader.shown(page, "cases")
    assert "boom" in reader.column(page, "notes")[0]
    page.locator("#cases-listing tbody a").first.click()
    view = page.locator("#case")
    view.wait_for()
    reader.until(page, "document.querySelector('#case-said').textContent.includes('boom')")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_case_on_a_gpu_shows_its_times_side_by_side(visit: Open, width: int) -> None:
    """Each with what it is, in a table that fits a phone; a case of a CPU has none."""
    page = visit("gpu", "cases", width=width)
    reader.shown(page, "cases")
    page.locator("#cases-listing tbody a").first.click()
    reader.until(page, "document.querySelectorAll('#case-device tbody tr').length === 7")
    rows = page.locator("#case-device tbody tr").all_inner_texts()
    (cold,) = [text for text in rows if "caches cold" in text.replace("\n", " ")]
    assert "3.00 µs" in cold
    assert page.evaluate("(b => b.scrollWidth <= b.clientWidth)(document.querySelector('#case-device .scroll'))")  # fmt: skip
    other = visit("single", "cases", width=width)
    reader.shown(other, "cases")
    other.locator("#cases-listing tbody a").first.click()
    reader.until(other, "document.querySelectorAll('#case-facts dt').length > 0")
    assert other.locator("#case-device").inner_text() == ""
