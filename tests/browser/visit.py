"""A page that is open, at some size and in some light, and everything that goes wrong on it.

No request is let through but for the page's own file, its script beside it, and pages of the same folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Dialog,
        Page,
        Request,
        Route,
    )

    from tests.browser.reports import Pages

DESK, PHONE = 1280, 390
"""Widths in CSS pixels: a laptop's window, and the phone that pages are made to fit."""
HEIGHT = 900
LEFT_BEFORE_IT_CAME = "net::ERR_ABORTED"
"""What Chromium says of a request whose page was left; what is forbidden or not there has another name."""
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI}`));
"""


class Open(Protocol):
    """Opens a page by its name."""

    def __call__(
        self, name: str, hash_: str = "", *, width: int = DESK, dark: bool = False
    ) -> Page:
        """Loaded; `hash_` is what stands behind its address."""


class Visits:
    """The pages that a test opened."""

    def __init__(self, browser: Browser, pages: Pages) -> None:
        self._browser = browser
        self._pages = pages
        self._contexts: list[BrowserContext] = []
        self._troubles: list[str] = []

    def open(self, name: str, hash_: str = "", *, width: int = DESK, dark: bool = False) -> Page:
        """A page, loaded, in a context of its own; `hash_` is what stands behind its address."""
        context = self._browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        self._contexts.append(context)
        path = self._pages[name]
        context.add_init_script(WATCH)
        context.route("**/*", lambda route: self._answer(route, path.parent))
        page = context.new_page()
        self._listen(page, name)
        page.goto(path.as_uri() + (f"#{hash_}" if hash_ else ""))
        return page

    def troubles(self) -> list[str]:
        """What went wrong, in order."""
        return list(self._troubles)

    def close(self) -> None:
        """Close what was opened."""
        for context in self._contexts:
            context.close()

    def _listen(self, page: Page, name: str) -> None:
        def note(kind: str, text: Any) -> None:
            self._troubles.append(f"{name}: {kind}: {text}")

        def dismiss(dialog: Dialog) -> None:
            note("dialog", dialog.message)
            dialog.dismiss()

        def hear(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                note(message.type, message.text)

        def lost(request: Request) -> None:
            if request.failure != LEFT_BEFORE_IT_CAME:
                note("failed", request.url)

        page.on("console", hear)
        page.on("pageerror", lambda error: note("error", error))
        page.on("requestfailed", lost)
        page.on("dialog", dismiss)

    def _answer(self, route: Route, folder: Path) -> None:
        """Let through what a folder on a disk has, and nothing from anywhere else."""
        address = urlsplit(route.request.url)
        own = address.scheme == "file" and Path(unquote(address.path)).parent == folder
        if own or address.scheme in {"data", "blob"}:
            route.continue_()
        else:
            self._troubles.append(f"asked for {route.request.url}")
            route.abort()
