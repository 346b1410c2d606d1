"""Git's refusals are one line, and what it prints is given as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.publish.git import GitError, run

if TYPE_CHECKING:
    from pathlib import Path


def test_what_git_prints_is_given(tmp_path: Path) -> None:
    """Bytes, from what it reads and with variables of its own."""
    run(tmp_path, "init", "--quiet")
    blob = run(tmp_path, "hash-object", "-w", "--stdin", given=b"\xff\n").decode().strip()
    assert run(tmp_path, "cat-file", "blob", blob) == b"\xff\n"
    own = {"GIT_DIR": str(tmp_path / "none")}
    with pytest.raises(GitError, match=r"^git cat-file failed: fatal: not a git repository"):
        run(tmp_path, "cat-file", "-t", blob, environ=own)


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    """The one that says why."""
    with pytest.raises(GitError, match=r"^git cherry-pick failed: fatal: ") as error:
        run(tmp_path, "cherry-pick", "none")
    assert "\n" not in str(error.value)
    with pytest.raises(GitError, match=r"^git update-index failed: it does not say why|fatal"):
        run(tmp_path, "update-index", "--refresh")


def test_without_git_the_other_way_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site needs no git."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        GitError, match=r"git can't be started: .*; install it, or publish with --to"
    ):
        run(tmp_path, "status")
