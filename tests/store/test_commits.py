"""A commit is named by its digits or by what git calls it; its newest clean run is the one that is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import StoreError
from bench.store import commits
from bench.store.runs import StoredRun
from tests.fakes.workers import info
from tests.store.test_find import repository, said

ONE, OTHER = "0123456789abcdef", "0123456fedcba987"


def stored(number: int, commit: str | None, *, dirty: bool | None = False) -> StoredRun:
    """The run of this number, made from the commit."""
    about = info(f"2026010{number}T000000Z-aaaaaa")
    about = info(about.run_id, environment={"git_commit": commit, "git_dirty": dirty})
    return StoredRun(folder=Path(about.run_id), info=about, finished=True)


def test_digits_are_taken_as_they_are() -> None:
    """No git is asked, so that a commit need not be in this folder; in small letters, as hashes are."""
    assert commits.resolved("ABCDEF1", Path("/nowhere")) == "abcdef1"


@pytest.mark.parametrize("text", ["abcdef", "1", "fed"])
def test_few_digits_are_refused(text: str) -> None:
    """A branch of such a name can still be named."""
    with pytest.raises(StoreError, match=rf"7 are the fewest; .*git:refs/heads/{text}"):
        commits.resolved(text)


def test_names_are_resolved_to_commits(tmp_path: Path) -> None:
    """Also a branch whose name looks like a hash, by its full name, and a tag of its own object."""
    first, second = repository(tmp_path)
    assert commits.resolved("HEAD", tmp_path) == second
    assert commits.resolved("refs/heads/trunk", tmp_path) == second
    assert commits.resolved("HEAD~1", tmp_path) == first
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "tag.gpgsign=false")
    said(tmp_path, *who, "tag", "--annotate", "--message", "x", "v1")
    assert commits.resolved("v1", tmp_path) == second


@pytest.mark.parametrize(
    "name", ["", "none", "HEAD^{tree}", "^HEAD", "--all", "--show-toplevel", "a b", "HEAD~9"]
)
def test_what_is_no_commit_is_an_error(tmp_path: Path, name: str) -> None:
    """Options of git among it, and a folder that git knows nothing of."""
    with pytest.raises(StoreError, match="is no commit that git knows in this folder"):
        commits.resolved(name, tmp_path)
    repository(tmp_path)
    with pytest.raises(StoreError, match="is no commit that git knows in this folder"):
        commits.resolved(name, tmp_path)


def test_without_git_a_name_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And not a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match="is no commit that git knows"):
        commits.resolved("main")


def test_the_newest_clean_run_is_chosen() -> None:
    """Runs that say nothing of git are of no commit; one that doesn't know of changes counts."""
    runs = [stored(1, ONE), stored(2, ONE, dirty=None), stored(3, ONE, dirty=True), stored(4, None)]
    assert commits.newest(runs, ONE[:7]) == [runs[1]]
    assert commits.newest(runs, "fedcba9") == []


def test_several_commits_have_a_run_each() -> None:
    """The newest of each, oldest first, so that whoever asked can choose."""
    runs = [stored(1, ONE), stored(2, OTHER), stored(3, ONE)]
    assert commits.newest(runs, ONE[:7]) == runs[1:]
    assert commits.newest(runs, ONE[:8]) == [runs[2]]


def test_the_lack_of_a_run_has_one_of_two_causes() -> None:
    """Never measured, or only with changes: then the run is named."""
    runs = [stored(1, OTHER), stored(2, ONE, dirty=True)]
    assert "holds no run of commit fedcba9" in commits.why_none(runs, "fedcba9", Path("s"))
    why = commits.why_none(runs, ONE, Path("s"))
    assert f"no clean run of commit {ONE}: the tree of {runs[1].info.run_id} had changes" in why
