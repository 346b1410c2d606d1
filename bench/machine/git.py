"""Git command: words in, what it prints out. The one place that starts git.

`run` is for what must succeed, `ask` for what may well not be there.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ASK_TIMEOUT_S = 5.0
"""A question about a commit takes milliseconds; a folder on a network drive that hangs must not hold up a run."""


class GitError(StoreError):
    """Git refused, is not installed, or did not answer in time."""


def run(
    *words: str,
    folder: Path | None = None,
    given: bytes = b"",
    environ: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> bytes:
    """What `git …` prints in a folder.

    Args:
        words: its arguments.
        folder: where it works; None for the working folder.
        given: what it reads.
        environ: variables beside those of this process.
        timeout_s: how long it may take; None for as long as it likes.

    Raises:
        GitError: it ended with an error; the message is the line that says why.
    """
    try:
        done = subprocess.run(  # noqa: S603 - no shell: a word can't become a command
            ["git", *words],  # noqa: S607 - whichever git the user has
            cwd=folder,
            input=given,
            env={**os.environ, "LC_ALL": "C", **(environ or {})},
            capture_output=True,
            check=False,
            timeout=timeout_s,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"git does not run: {error}; is it installed?"
        raise GitError(message) from error
    if done.returncode:
        message = f"git {words[0]} failed: {_reason(done.stderr.decode(errors='replace'))}"
        raise GitError(message)
    return done.stdout


def ask(*words: str, folder: Path | None = None) -> str | None:
    """What git says of a folder, as text; None where it refuses, is not installed or takes too long."""
    try:
        return run(*words, folder=folder, timeout_s=_ASK_TIMEOUT_S).decode(errors="replace").strip()
    except GitError:
        return None


def _reason(said: str) -> str:
    """The first line that says what was fatal, else the first line of all."""
    lines = [text.strip() for text in said.splitlines() if text.strip()]
    marked = [text for text in lines if text.startswith(("fatal:", "error:", "! "))]
    return (marked or lines or ["it does not say why"])[0]
