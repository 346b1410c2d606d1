"""Run lookup: the run that a word names, by path, page, id, place in time, label, tag, machine or git commit.

A name that is given again and again (a label, a tag, a machine, a commit) means its newest run, and which one of how
many is told. The beginning of an id means one run or is an error.
"""

from __future__ import annotations

import re
import shlex
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.machine import git
from bench.store import journal, page_archive
from bench.store.runs import MANIFEST, StoreWarning, list_runs, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.store.runs import StoredRun


_PLACE = re.compile(r"@latest|@-\d+")
_ID_BEGINNING = re.compile(r"\d{4,8}|\d{8}T[0-9TZa-f-]*")
_NEWEST = frozenset({"label", "tag", "machine"})
"""Kinds of names that many runs may have, and that mean the newest of these."""
_KINDS = _NEWEST | {"git"}
_MOST_NAMED = 3
"""Runs that a line names; more would hide what it says."""
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_FEWEST_DIGITS = 7
"""Git itself shortens a hash to seven digits; with fewer, several commits soon begin alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The run that a word means; `note` says of which others it was chosen, where there were any."""

    run: StoredRun
    note: str | None = None


def is_name(word: str) -> bool:
    """Whether a word can only be looked up in a store: `@latest`, `@-2`, `label:X`, `git:main`."""
    return bool(_PLACE.fullmatch(word) or _said(word))


def find(store: Path, word: str) -> StoredRun:
    """The run that a word means, as `choose` gives it, without its note.

    Raises:
        StoreError: it means no run, or several.
    """
    return choose(store, word).run


def choose(store: Path, word: str) -> Choice:
    """The one run that a word means; of the several that have a name, the newest.

    A run in which every case was skipped is only meant where it is the only one of that name.

    Raises:
        StoreError: it means no run, or several.
    """
    by_path = _at(Path(word)) or page_archive.find_in_page(word)
    if by_path:
        return Choice(run=by_path)
    runs = [run for run in list_runs(store) if run.finished]
    if not runs:
        message = f"the store {store} holds no finished run; make one with: bench run --store {shlex.quote(str(store))}"
        raise StoreError(message)
    matches = _meant(runs, word)
    if len(matches) == 1 or (matches and _said(word) in _NEWEST):
        return Choice(run=matches[-1], note=_note(runs, word, matches))
    raise StoreError(_why_not_one(store, word, runs, matches))


def places_of(words: Sequence[str | Path], store: str | Path) -> list[str | Path]:
    """The places that these words name: paths as they are, and runs of the store by their folders.

    Which of several runs a name was taken for is told in a `StoreWarning`.

    Args:
        words: paths of any kind, and words as for `choose`; the whole store if there are none.
        store: where runs are looked up.

    Raises:
        StoreError: a word is no path, and means no run, or several.
    """
    found: list[str | Path] = []
    for word in words:
        if isinstance(word, Path) or not _is_run_word(word):
            found.append(word)
            continue
        choice = choose(Path(store), word)
        if choice.note:
            warnings.warn(choice.note, StoreWarning, stacklevel=4)  # where `bench.load` was called
        found.append(choice.run.folder)
    return found or [store]


def _is_run_word(word: str) -> bool:
    """Whether a text is a run of a store by name, and no path."""
    by_name = is_name(word) or _ID_BEGINNING.fullmatch(word)
    return bool(by_name) and not Path(word).exists()


def _meant(runs: list[StoredRun], word: str) -> list[StoredRun]:
    """The runs that a word fits, oldest first; those that measured something, if it is a name."""
    if not is_name(word):
        return _matching(runs, word)
    measured = [run for run in runs if not run.all_skipped]
    known = _matching(measured, word)
    return known if known or _PLACE.fullmatch(word) else _matching(runs, word)


def _note(runs: Sequence[StoredRun], word: str, matches: Sequence[StoredRun]) -> str | None:
    """Which runs were passed over for the last of these; None if there are none."""
    chosen = matches[-1].info.run_id
    if commit := _commit_in(word):
        matches = _clean_of_commit(runs, commit)
    if len(matches) > 1:
        machines = {run.info.machine.get("machine_id") for run in matches}
        of = f" of {len(machines)} machines" if len(machines) > 1 else ""
        return f"{word} means {len(matches)} runs{of}; this is the newest: {chosen}"
    later = [r for r in runs if r.all_skipped and r.info.run_id > chosen]
    if later and _PLACE.fullmatch(word):
        ids = ", ".join(run.info.run_id for run in later[-_MOST_NAMED:])
        return f"{word} is {chosen}; every case was skipped in the later {ids}"
    return None


def _why_not_one(
    store: Path, word: str, runs: Sequence[StoredRun], matches: Sequence[StoredRun]
) -> str:
    """Why a word means none of these runs, or several, in one line."""
    newest = ", ".join(run.info.run_id for run in (matches or runs)[-_MOST_NAMED:])
    if matches:
        return f"{word!r} means {len(matches)} runs (the newest: {newest}); name one by its id"
    if commit := _commit_in(word):
        return why_no_run(runs, commit, store)
    if _PLACE.fullmatch(word) and all(run.all_skipped for run in runs):
        return (
            f"{word!r} means no run in {store}: every case was skipped in {newest}; "
            f"why: bench show {runs[-1].folder}"
        )
    return (
        f"{word!r} means no run in {store}; the newest are {newest}. Write a path, a page, an id or its "
        "beginning, @latest, @-2, label:TEXT, tag:NAME=TEXT, machine:NAME or git:COMMIT"
    )


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
    latest = {_commit(run): run for run in _clean_of_commit(runs, commit)}
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
    kind = _said(word)
    if kind in _NEWEST:
        return [run for run in runs if _HAS[kind](run, word.partition(":")[2])]
    return [run for run in runs if run.info.run_id.startswith(word)]


def _said(word: str) -> str:
    """`label` of `label:X`; nothing where a word says no kind of name."""
    kind, colon, _ = word.partition(":")
    return kind if colon and kind in _KINDS else ""


def _has_label(run: StoredRun, text: str) -> bool:
    return run.info.label == text


def _has_tag(run: StoredRun, text: str) -> bool:
    """Whether a run has a tag, given by name alone or with its value."""
    name, equals, value = text.partition("=")
    return name in run.info.tags and (not equals or str(run.info.tags[name]) == value)


def _is_of_machine(run: StoredRun, text: str) -> bool:
    name = str(run.info.machine.get("name", "")).casefold()
    return text.casefold() in name or text == run.info.machine.get("machine_id")


_HAS: Mapping[str, Callable[[StoredRun, str], bool]] = {
    "label": _has_label,
    "tag": _has_tag,
    "machine": _is_of_machine,
}


def _commit_in(word: str) -> str | None:
    """The commit that a word names, else None.

    Raises:
        StoreError: it is said to be a commit, and can't be one.
    """
    return resolve_commit(word.partition(":")[2]) if _said(word) == "git" else None


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


def _clean_of_commit(runs: Sequence[StoredRun], commit: str) -> list[StoredRun]:
    """The runs of a commit whose tree had no changes, as far as is known."""
    found = _of_commit(runs, commit)
    return [run for run in found if run.info.environment.get("git_dirty") is not True]


def _of_commit(runs: Sequence[StoredRun], commit: str) -> list[StoredRun]:
    return [run for run in runs if _commit(run).startswith(commit)]


def _commit(run: StoredRun) -> str:
    return str(run.info.environment.get("git_commit") or "")
