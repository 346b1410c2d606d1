"""Debian's Chromium, driven by Playwright: the one browser that pages are tested in. None is downloaded."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

NAME = "chromium"


def lacking() -> str | None:
    """What has to be installed before a page can be tested, in one line; None if nothing."""
    if shutil.which(NAME) is None:
        return "there is no chromium to open pages in; install it: apt-get install chromium"
    if any(find_spec(name) is None for name in ("playwright", "axe_playwright_python")):
        return (
            "there is no playwright, or no axe-core; install them: "
            "pip install -c constraints.txt -e '.[dev,browser]'"
        )
    return None


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window, ended with all that it opened."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where it is installed

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(NAME))
        try:
            yield browser
        finally:
            browser.close()
