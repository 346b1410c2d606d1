"""Git where it must succeed: words in, bytes out, and one line of what it refuses.

What may well not be there is asked for with `environment.git`.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class GitError(StoreError):
    """Git refused, or is not there."""


def run(
    folder: Path, *words: str, given: bytes = b"", environ: Mapping[str, str] | None = None
) -> bytes:
    """What `git …` prints in a folder.

    Args:
        folder: where it works.
        words: its arguments.
        given: what it reads.
        environ: variables beside those of this process.

    Raises:
        GitError: it ended with an error; the line is the last that it said of it.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the words are this project's own
            ["git", *words],  # noqa: S607 - whichever git the user has
            cwd=folder,
            input=given,
            env={**os.environ, "LC_ALL": "C", **(environ or {})},
            capture_output=True,
            check=False,
        )
    except OSError as error:
        message = f"git can't be started: {error.strerror}; install it, or publish with --to FOLDER"
        raise GitError(message) from error
    if done.returncode:
        message = f"git {words[0]} failed: {_reason(done.stderr.decode(errors='replace'))}"
        raise GitError(message)
    return done.stdout


def _reason(said: str) -> str:
    """The first line that says what was fatal, else the first there is."""
    lines = [text.strip() for text in said.splitlines() if text.strip()]
    marked = [text for text in lines if text.startswith(("fatal:", "error:", "! "))]
    return (marked or lines or ["it does not say why"])[0]
