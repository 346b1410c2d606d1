"""The runs of a git commit: measured with its tree as it is, nothing in it changed.

A commit is measured again and again, as a baseline is, so the newest of its runs is the one that is meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.machine.environment import git

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.store.runs import StoredRun

_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_FEWEST_DIGITS = 7
"""As many as git itself shortens a hash to; fewer soon mean several commits."""


def resolved(text: str, folder: Path | None = None) -> str:
    """The hash that a text stands for, or its beginning, in small letters.

    Args:
        text: hex digits, which are taken as they are, or a name that git knows (`main`, `HEAD~1`).
        folder: whose repository is asked; None for the working folder.

    Raises:
        StoreError: too few digits, or a name that git does not know here.
    """
    if not _HEX.fullmatch(text):
        return _asked(text, folder)
    if len(text) < _FEWEST_DIGITS:
        message = (
            f"'git:{text}' has {len(text)} digits of a commit, and {_FEWEST_DIGITS} are the fewest; "
            f"write more of them (of a branch, git:refs/heads/{text})"
        )
        raise StoreError(message)
    return text.lower()


def newest(runs: Sequence[StoredRun], commit: str) -> list[StoredRun]:
    """The newest run of the commit, or none; where the digits fit several commits, one run of each.

    Args:
        runs: oldest first.
        commit: its hash or the beginning of it.
    """
    latest = {_commit(run): run for run in _of(runs, commit) if not _dirty(run)}
    return sorted(latest.values(), key=lambda run: run.info.run_id)


def why_none(runs: Sequence[StoredRun], commit: str, store: Path) -> str:
    """Why none of these runs is one of the commit, in one line."""
    changed = _of(runs, commit)
    if not changed:
        return (
            f"{store} holds no run of commit {commit}; check it out and measure it: "
            f"bench run --store {store}"
        )
    return (
        f"{store} holds no clean run of commit {commit}: the tree of {changed[-1].info.run_id} had "
        "changes or new files in it; commit or ignore these and measure again, or name it by its id"
    )


def _asked(name: str, folder: Path | None) -> str:
    """What git says that a name stands for."""
    said = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", folder=folder)
    if said is None or not _HEX.fullmatch(said):
        message = (
            f"'git:{name}' is no commit that git knows in this folder; go to the repository, "
            f"fetch the branch, or write git: and {_FEWEST_DIGITS} or more digits of the commit"
        )
        raise StoreError(message)
    return said


def _of(runs: Sequence[StoredRun], commit: str) -> list[StoredRun]:
    return [run for run in runs if _commit(run).startswith(commit)]


def _commit(run: StoredRun) -> str:
    return str(run.info.environment.get("git_commit") or "")


def _dirty(run: StoredRun) -> bool:
    return run.info.environment.get("git_dirty") is True
