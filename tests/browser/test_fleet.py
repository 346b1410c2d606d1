"""A campaign's page in a browser: every view fits and is accessible, and thousands of devices open at once.

That nothing goes wrong meanwhile (errors, requests, what the policy forbids) is seen to by `Visits`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bench.report.html.build import build_fleet
from tests.browser import reader
from tests.browser.axe import objections
from tests.browser.reports import Pages
from tests.browser.visit import DESK, PHONE, Visits
from tests.report.fleet import made_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.browser.visit import Open

MOST_BYTES = 4_000_000
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CAMPAIGNS = {
    "acceptance": made_up.acceptance,
    "hostile": made_up.hostile,
    "not-begun": made_up.not_begun,
    "single": made_up.single,
    "large": made_up.large,
}


@pytest.fixture(name="fleets", scope="module")
def _fleets(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    folder = tmp_path_factory.mktemp("fleets")
    run = {name: build_fleet(*made(), folder / name) for name, made in CAMPAIGNS.items()}
    alone = {"single": build_fleet(*made_up.single(), folder / "alone", single_file=True)}
    return Pages(folder=folder, index=folder, run=run, alone=alone)


@pytest.fixture(name="visit")
def _visit(browser: Browser, fleets: Pages) -> Iterator[Open]:
    visits = Visits(browser, fleets)
    yield visits.open
    visits.close()
    assert visits.troubles() == []


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_views_fit_are_accessible_and_their_figures_have_data(
    visit: Open, name: str, width: int
) -> None:
    """One view at a time, no wider than the window, in the light and in the dark, tables open as well."""
    page = visit(name, width=width, dark=width == PHONE)
    for address in reader.views(page):
        view = reader.show(page, address)
        reader.look_at_figures(page, view)
        assert page.locator(".view:visible").count() == 1, address
        assert page.evaluate(WIDE) <= 0, address
        reader.open_tables(view, 2)
        assert objections(page) == [], address


def test_thousands_of_devices_open_at_once(visit: Open, fleets: Pages) -> None:
    """What is carried is bounded; how long it takes is printed, since that depends on the machine."""
    size = fleets["large"].stat().st_size
    begun = time.perf_counter()
    page = visit("large")
    page.locator(".findings li").first.wait_for()
    first = time.perf_counter() - begun
    reader.look_at_figures(page, page.locator("#summary"))
    drawn = time.perf_counter() - begun
    print(f"8,000 devices: {size:,} bytes, first text {first:.2f} s, all drawn {drawn:.2f} s")  # noqa: T201
    assert size < MOST_BYTES


def test_a_device_is_found_by_key(visit: Open) -> None:
    """The table is searched and sorted without a mouse, and its rows lead nowhere that isn't there."""
    page = visit("acceptance", "devices")
    view = reader.shown(page, "devices")
    reader.until(page, "document.querySelector('#devices-listing output').textContent !== ''")
    search = view.locator("input[type=search]")
    search.focus()
    page.keyboard.type("n017")
    reader.until(page, "document.querySelectorAll('#devices-listing tbody tr').length === 1")
    assert "cuda:3" in view.locator("tbody tr").inner_text()
    assert view.locator("tbody a").count() == 0
    assert reader.state(page) == {"q": ["n017"]}


def test_a_single_file_opens_alone(visit: Open) -> None:
    """With its figure."""
    page = visit("alone/single")
    assert reader.look_at_figures(page, reader.shown(page, "summary")) == 1


def test_what_machines_say_is_text(visit: Open) -> None:
    """No element is made of it in any view."""
    page = visit("hostile")
    for address in reader.views(page):
        view = reader.show(page, address)
        reader.look_at_figures(page, view)
        assert page.locator("img, [onmouseover], main b[onmouseover]").count() == 0, address
        assert page.locator("script:not([type]):not([src])").count() == 0, address
