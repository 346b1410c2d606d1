"""Git's refusals are one line, and what it prints is given as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.machine.git import GitError, ask, run

if TYPE_CHECKING:
    from pathlib import Path


def test_what_git_prints_is_given(tmp_path: Path) -> None:
    """Bytes, from what it reads and with variables of its own."""
    run("init", "--quiet", folder=tmp_path)
    blob = run("hash-object", "-w", "--stdin", given=b"\xff\n", folder=tmp_path).decode().strip()
    assert run("cat-file", "blob", blob, folder=tmp_path) == b"\xff\n"
    own = {"GIT_DIR": str(tmp_path / "none")}
    with pytest.raises(GitError, match=r"^git cat-file failed: fatal: not a git repository"):
        run("cat-file", "-t", blob, environ=own, folder=tmp_path)


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    """The one that says why."""
    with pytest.raises(GitError, match=r"^git cherry-pick failed: fatal: ") as error:
        run("cherry-pick", "none", folder=tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(GitError, match=r"^git update-index failed: it does not say why|fatal"):
        run("update-index", "--refresh", folder=tmp_path)


def test_what_may_not_be_there_is_asked_for(tmp_path: Path) -> None:
    """None is no answer."""
    assert ask("rev-parse", "HEAD", folder=tmp_path) is None
    run("init", "--quiet", "--initial-branch", "trunk", folder=tmp_path)
    assert ask("symbolic-ref", "HEAD", folder=tmp_path) == "refs/heads/trunk"


def test_without_git_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a question has no answer."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match=r"^git does not run: .*; is it installed\?"):
        run("status", folder=tmp_path)
    assert ask("status", folder=tmp_path) is None
