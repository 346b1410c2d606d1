"""Runs by the page that carries them: `PAGE.html`, or `PAGE.html#BEGINNING` of a run's id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.store.page_archive import unpack

if TYPE_CHECKING:
    from bench.store.runs import StoredRun


def find(word: str) -> StoredRun | None:
    """The run that `PAGE.html` or `PAGE.html#BEGINNING-OF-ITS-ID` means; None if that is no page.

    Raises:
        StoreError: there is no such page, or no such run or several in it, or it is torn.
    """
    found = runs_in(word)
    if found is None or len(found) == 1:
        return found[0] if found else None
    page = _named(word)[0]
    ids = ", ".join(f"{page.name}#{run.info.run_id}" for run in found)
    message = f"{word!r} means {len(found)} runs; name one of {ids}"
    raise StoreError(message)


def runs_in(word: str) -> list[StoredRun] | None:
    """Every run that such a word means, as folders of the user's cache; None if that is no page.

    Raises:
        StoreError: there is no such page, or no such run in it, or it is torn.
    """
    page, beginning = _named(word)
    if page.suffix != ".html" or word.startswith(("label:", "machine:")):
        return None
    found = unpack(page)
    matches = [run for run in found if run.info.run_id.startswith(beginning)]
    if not matches:
        ids = ", ".join(run.info.run_id for run in found)
        message = f"{word!r} means no run; {page} holds {ids}"
        raise StoreError(message)
    return matches


def _named(word: str) -> tuple[Path, str]:
    """The page, and the beginning of a run's id."""
    if word.endswith(".html"):
        return Path(word), ""
    path, _, beginning = word.rpartition("#")
    return Path(path), beginning
