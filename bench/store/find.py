"""Run lookup: the run that a word names, by path, page, id, place in time, label, machine or git commit.

A word means one run or it is an error, and never a guess.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.machine import git
from bench.store import journal, page_archive
from bench.store.runs import MANIFEST, list_runs, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.store.runs import StoredRun


_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_FEWEST_DIGITS = 7
"""Git itself shortens a hash to seven digits; with fewer, several commits soon begin alike."""


def find(store: Path, word: str) -> StoredRun:
    """The one run that a word means; of the several of a commit, the newest.

    Raises:
        StoreError: it means no run, or several.
    """
    by_path = _at(Path(word)) or page_archive.find_in_page(word)
    if by_path:
        return by_path
    runs = [run for run in list_runs(store) if run.finished]
    if not runs:
        message = f"the store {store} holds no finished run; make one with: bench run --store {shlex.quote(str(store))}"
        raise StoreError(message)
    matches = _matching(runs, word)
    if len(matches) == 1:
        return matches[0]
    newest = ", ".join(run.info.run_id for run in (matches or runs)[-3:])
    if matches:
        message = f"{word!r} means {len(matches)} runs (the newest: {newest}); name one by its id"
        raise StoreError(message)
    if commit := _commit_in(word):
        raise StoreError(why_no_run(runs, commit, store))
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


def resolve_commit(text: str, folder: Path | None = None) -> str:
    """The hash that a text stands for, or its beginning, in small letters.

    Args:
        text: hex digits, which are taken as they are, or a name that git knows (`main`, `HEAD~1`).
        folder: whose repository is asked; None for the working folder.

    Raises:
        StoreError: too few digits, or a name that git does not know here.
    """
    if not _HEX.fullmatch(text):
        return _asked_of_git(text, folder)
    if len(text) < _FEWEST_DIGITS:
        message = (
            f"'git:{text}' has {len(text)} digits of a commit, and {_FEWEST_DIGITS} are the fewest; "
            f"write more of them (of a branch, git:refs/heads/{text})"
        )
        raise StoreError(message)
    return text.lower()


def newest_of_commit(runs: Sequence[StoredRun], commit: str) -> list[StoredRun]:
    """The newest run of the commit, or none; where the digits fit several commits, one run of each.

    Args:
        runs: oldest first.
        commit: its hash or the beginning of it.
    """
    latest = {
        _commit(run): run
        for run in _of_commit(runs, commit)
        if run.info.environment.get("git_dirty") is not True
    }
    return sorted(latest.values(), key=lambda run: run.info.run_id)


def why_no_run(runs: Sequence[StoredRun], commit: str, store: Path) -> str:
    """Why none of these runs is one of the commit, in one line."""
    changed = _of_commit(runs, commit)
    if not changed:
        return (
            f"{store} holds no run of commit {commit}; check it out and measure it: "
            f"bench run --store {shlex.quote(str(store))}"
        )
    return (
        f"{store} holds no clean run of commit {commit}: the tree of {changed[-1].info.run_id} had "
        "changes or new files in it; commit or ignore these and measure again, or name it by its id"
    )


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
        return newest_of_commit(runs, commit)
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
    return resolve_commit(text) if colon and kind == "git" else None


def _asked_of_git(name: str, folder: Path | None) -> str:
    """What git says that a name stands for."""
    said = git.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", folder=folder)
    if said is None or not _HEX.fullmatch(said):
        message = (
            f"'git:{name}' is no commit that git knows in this folder; go to the repository, "
            f"fetch the branch, or write git: and {_FEWEST_DIGITS} or more digits of the commit"
        )
        raise StoreError(message)
    return said


def _of_commit(runs: Sequence[StoredRun], commit: str) -> list[StoredRun]:
    return [run for run in runs if _commit(run).startswith(commit)]


def _commit(run: StoredRun) -> str:
    return str(run.info.environment.get("git_commit") or "")
