"""Pages in a real browser. Whatever goes wrong on one fails the test that opened it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium, reports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.browser.visit import Open


def pytest_configure() -> None:
    """Nothing is skipped: a check that passes where there is no browser is none."""
    if problem := chromium.lacking():
        raise pytest.UsageError(problem)


@pytest.fixture(name="browser", scope="session")
def _browser() -> Iterator[Browser]:
    with chromium.launched() as browser:
        yield browser


@pytest.fixture(name="pages", scope="session")
def _pages(tmp_path_factory: pytest.TempPathFactory) -> reports.Pages:
    return reports.build(tmp_path_factory.mktemp("site"))


@pytest.fixture(name="visit")
def _visit(browser: Browser, pages: reports.Pages) -> Iterator[Open]:
    """Opens a page by its name; at the end nothing may have gone wrong on any that was opened."""
    from tests.browser.visit import Visits  # noqa: PLC0415 - it needs playwright, see above

    visits = Visits(browser, pages)
    yield visits.open
    visits.close()
    assert visits.troubles() == []
