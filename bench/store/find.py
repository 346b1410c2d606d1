"""The words that mean a run: a path, a page, an id, a place in time, a label, a machine, a commit.

A word means one run or it is an error, and never a guess.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.store import commits, journal, page_lookup
from bench.store.runs import MANIFEST, list_runs, read

if TYPE_CHECKING:
    from bench.store.runs import StoredRun


def find(store: Path, word: str) -> StoredRun:
    """The one run that a word means; of the several of a commit, the newest.

    Raises:
        StoreError: it means no run, or several.
    """
    by_path = _at(Path(word)) or page_lookup.find(word)
    if by_path:
        return by_path
    runs = [run for run in list_runs(store) if run.finished]
    if not runs:
        message = (
            f"the store {store} holds no finished run; make one with: bench run --store {store}"
        )
        raise StoreError(message)
    matches = _matching(runs, word)
    if len(matches) == 1:
        return matches[0]
    newest = ", ".join(run.info.run_id for run in (matches or runs)[-3:])
    if matches:
        message = f"{word!r} means {len(matches)} runs (the newest: {newest}); name one by its id"
        raise StoreError(message)
    if commit := _commit_in(word):
        raise StoreError(commits.why_none(runs, commit, store))
    message = (
        f"{word!r} means no run in {store}; the newest are {newest}. "
        "Write a path, a page, an id or its beginning, @latest, @-2, label:TEXT, machine:NAME or git:COMMIT"
    )
    raise StoreError(message)


def find_unfinished(store: Path, word: str) -> StoredRun:
    """The unfinished run that a word means, in the words of `find`.

    Raises:
        StoreError: it means no unfinished run, or several.
    """
    by_path = _at(Path(word))
    if by_path and not by_path.finished:
        return by_path
    runs = [by_path] if by_path else list_runs(store)
    unfinished = [run for run in runs if not run.finished]
    matches = _matching(unfinished, word)
    if len(matches) == 1:
        return matches[0]
    if by_path or (not matches and _matching(runs, word)):
        message = f"run {word} is finished, and a finished run never changes; start a new one"
        raise StoreError(message)
    ids = ", ".join(run.info.run_id for run in unfinished) or "none"
    message = f"{word!r} means {len(matches) or 'no'} unfinished runs in {store}; unfinished: {ids}"
    raise StoreError(message)


def _at(path: Path) -> StoredRun | None:
    """The run in a folder that is named by its path."""
    known = (path / MANIFEST).is_file() or (path / journal.NAME).is_file()
    return read(path) if known else None


def _matching(runs: list[StoredRun], word: str) -> list[StoredRun]:
    if word == "@latest":
        return runs[-1:]
    if re.fullmatch(r"@-\d+", word):
        place = int(word[2:])
        return [runs[-place]] if 1 <= place <= len(runs) else []
    if commit := _commit_in(word):
        return commits.newest(runs, commit)
    kind, colon, text = word.partition(":")
    if colon and kind == "label":
        return [run for run in runs if run.info.label == text]
    if colon and kind == "machine":
        wanted = text.casefold()
        return [
            run
            for run in runs
            if wanted in str(run.info.machine.get("name", "")).casefold()
            or text == run.info.machine.get("machine_id")
        ]
    return [run for run in runs if run.info.run_id.startswith(word)]


def _commit_in(word: str) -> str | None:
    """The commit that a word names, else None.

    Raises:
        StoreError: it is said to be a commit, and can't be one.
    """
    kind, colon, text = word.partition(":")
    return commits.resolved(text) if colon and kind == "git" else None
