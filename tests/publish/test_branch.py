"""A branch keeps its history, and who works in the repository notices nothing. Real git throughout."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.errors import StoreError
from bench.publish.branch import PLAIN, Branch
from bench.publish.website import Site

if TYPE_CHECKING:
    from pathlib import Path

NAME = "gh-pages"


def git(folder: Path, *words: str) -> str:
    """What git prints."""
    command = ["git", *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """One with a commit, a staged change and an unstaged one, by somebody."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "Somebody")
    git(folder, "config", "user.email", "somebody@example.org")
    (folder / "code.py").write_text("one\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "index.html").write_text("not on the site\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "First")
    (folder / "code.py").write_text("two\n")
    git(folder, "add", ".")
    (folder / "code.py").write_text("three\n")
    return folder


@pytest.fixture(name="repo", autouse=True)
def _repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository; the user's own settings of git are not asked."""
    (tmp_path / "settings").touch()
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(tmp_path / "settings"))
    return repository(tmp_path / "repo")


@pytest.fixture(name="remote")
def _remote(repo: Path, tmp_path: Path) -> Path:
    """A bare repository that the other pushes to."""
    remote = tmp_path / "remote.git"
    git(repo, "init", "--quiet", "--bare", str(remote))
    git(repo, "remote", "add", "origin", str(remote))
    return remote


def site(folder: Path, **files: str) -> Site:
    """A site of `name_html="text"`."""
    made = folder / "made"
    made.mkdir(exist_ok=True)
    paths = {}
    for word, text in files.items():
        name = ".".join(word.rsplit("_", 1))
        (made / name).write_text(text)
        paths[name] = made / name
    return Site(files=paths, pages=len(files))


def branch(repo: Path, *, folder: str = "", push: bool = False) -> Branch:
    """The branch as it is now."""
    return Branch(repo, NAME, folder=folder, remote="origin", push=push)


def shown(repo: Path, path: str, reference: str = NAME) -> str:
    """A file of the branch."""
    return git(repo, "show", f"{reference}:{path}")


def test_a_new_branch_has_no_parent_and_only_the_site(repo: Path, tmp_path: Path) -> None:
    """The author is the user's; GitHub is told to leave the files as they are."""
    receipt = branch(repo).put(site(tmp_path, index_html="i", a_html="a"))
    assert (receipt.written, receipt.branch) == (3, NAME)
    assert receipt.commit == git(repo, "rev-parse", NAME)
    assert git(repo, "ls-tree", "-r", "--name-only", NAME).split() == [
        PLAIN,
        "a.html",
        "index.html",
    ]
    said = git(repo, "log", "--format=%an <%ae> %s|%p", NAME)
    assert said == "Somebody <somebody@example.org> Publish 2 reports|"


def test_nobody_who_works_there_notices(repo: Path, tmp_path: Path) -> None:
    """Neither files, index, HEAD nor state change; not even what is staged."""

    def state() -> tuple[str, ...]:
        words = (("status", "--porcelain"), ("diff", "--cached"), ("diff",), ("rev-parse", "HEAD"))
        return (*(git(repo, *one) for one in words), git(repo, "symbolic-ref", "HEAD"))

    before = state()
    assert "MM code.py" in before[0]
    branch(repo).put(site(tmp_path, index_html="i"))
    branch(repo / "sub").put(site(tmp_path, index_html="j"))
    assert state() == before
    assert git(repo, "stash", "list") == ""


def test_history_and_earlier_pages_are_kept(repo: Path, tmp_path: Path) -> None:
    """Each time one commit on top; also from a folder of the repository."""
    branch(repo).put(site(tmp_path, index_html="i", old_html="old"))
    receipt = branch(repo / "sub").put(site(tmp_path, index_html="j", new_html="new"))
    assert receipt.written == 2
    assert git(repo, "rev-list", "--count", NAME) == "2"
    assert (shown(repo, "old.html"), shown(repo, "index.html")) == ("old", "j")
    found = branch(repo / "sub").beginnings()
    assert found == {"index.html": b"j", "new.html": b"new", "old.html": b"old"}


def test_nothing_new_is_no_commit(repo: Path, tmp_path: Path) -> None:
    """And the commit that is named is the one that is there."""
    first = branch(repo).put(site(tmp_path, index_html="i"))
    again = branch(repo).put(site(tmp_path, index_html="i"))
    assert (again.written, again.commit) == (0, first.commit)
    assert git(repo, "rev-list", "--count", NAME) == "1"


def test_files_are_kept_byte_by_byte(repo: Path, tmp_path: Path) -> None:
    """Whatever the repository's attributes say of line ends."""
    (repo / ".gitattributes").write_text("* text eol=lf\n")
    branch(repo).put(site(tmp_path, index_html="i\r\n"))
    done = subprocess.run(
        ["git", "cat-file", "blob", f"{NAME}:index.html"],  # noqa: S607 - whichever git there is
        cwd=repo,
        check=True,
        capture_output=True,
    )
    assert done.stdout == b"i\r\n"


def test_a_site_may_have_a_folder_of_the_branch(repo: Path, tmp_path: Path) -> None:
    """Beside what else is there, whose pages are not its own."""
    branch(repo).put(site(tmp_path, index_html="handbook"))
    place = branch(repo, folder="bench/site")
    assert place.name == f"{NAME}:bench/site"
    assert place.beginnings() == {}
    place.put(site(tmp_path, index_html="i"))
    assert shown(repo, "index.html") == "handbook"
    assert branch(repo, folder="bench/site").beginnings() == {"index.html": b"i"}
    for outside in ("../x", "/x", "a/../../x", "a:b"):
        with pytest.raises(StoreError, match="is no folder of a branch"):
            branch(repo, folder=outside)


def test_what_can_not_be_a_branch_is_one_line(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No repository, no name, one that somebody works on, here or in another worktree."""
    with pytest.raises(StoreError, match="--branch needs a git repository; run this in one"):
        branch(tmp_path)
    for name in ("a..b", "-x y", ""):
        with pytest.raises(StoreError, match="can't name a branch; write one like gh-pages"):
            Branch(repo, name, remote="origin", push=False)
    with pytest.raises(StoreError, match="--branch main is checked out"):
        Branch(repo, "main", remote="origin", push=False)
    git(repo, "worktree", "add", "--quiet", "-b", "work", str(tmp_path / "tree"))
    with pytest.raises(StoreError, match="--branch work is checked out"):
        Branch(repo, "work", remote="origin", push=False)
    for name in ("user.name", "user.email"):
        git(repo, "config", "--unset", name)
    git(repo, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("EMAIL", "")
    with pytest.raises(StoreError, match=r"failed: .*; git config user\.name and user\.email say"):
        branch(repo).put(site(tmp_path, index_html="i"))


def test_what_is_pushed_is_there_and_known_here(repo: Path, remote: Path, tmp_path: Path) -> None:
    """The branch here moves with it."""
    receipt = branch(repo, push=True).put(site(tmp_path, index_html="i"))
    assert git(remote, "rev-parse", NAME) == receipt.commit == git(repo, "rev-parse", NAME)


def test_a_fresh_clone_goes_on_with_the_remotes_history(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    """As a CI job has it: one commit of one branch, and nothing known of the site."""
    branch(repo, push=True).put(site(tmp_path, index_html="i", old_html="old"))
    git(repo, "push", "--quiet", "origin", "main")
    clone = tmp_path / "clone"
    url = remote.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=main", url, str(clone))
    git(clone, "config", "user.name", "CI")
    git(clone, "config", "user.email", "ci@example.org")
    place = branch(clone, push=True)
    assert set(place.beginnings()) == {"index.html", "old.html"}
    place.put(site(tmp_path, index_html="j"))
    assert git(remote, "rev-list", "--count", NAME) == "2"
    assert shown(remote, "old.html") == "old"
    # what the clone pushed is taken up here, where the branch is behind
    branch(repo, push=True).put(site(tmp_path, index_html="k"))
    assert git(remote, "rev-list", "--count", NAME) == "3"


def test_commits_that_were_not_pushed_are_pushed_later(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    """Though there is nothing new to commit."""
    first = branch(repo).put(site(tmp_path, index_html="i"))
    assert git(remote, "branch", "--list") == ""
    assert branch(repo, push=True).put(site(tmp_path, index_html="i")).written == 0
    assert git(remote, "rev-parse", NAME) == first.commit


def test_without_push_the_remote_is_not_asked(repo: Path, remote: Path, tmp_path: Path) -> None:
    """But what is known of its branch is gone on with, where there is none here."""
    first = branch(repo, push=True).put(site(tmp_path, index_html="i"))
    git(repo, "branch", "-D", NAME)
    remote.rename(tmp_path / "gone")
    second = branch(repo).put(site(tmp_path, index_html="j"))
    assert git(repo, "rev-parse", f"{second.commit}^") == first.commit


def test_a_push_that_is_refused_leaves_the_branch_as_it_was(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    """So that the next try begins where this one did."""
    first = branch(repo, push=True).put(site(tmp_path, index_html="i"))
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(StoreError, match=r"^git push failed: .*rejected") as error:
        branch(repo, push=True).put(site(tmp_path, index_html="j"))
    assert "\n" not in str(error.value)
    assert git(repo, "rev-parse", NAME) == first.commit
    with pytest.raises(StoreError, match=r"^git ls-remote failed: "):
        Branch(repo, NAME, remote="nowhere", push=True)


def test_histories_that_parted_are_not_mixed(repo: Path, remote: Path, tmp_path: Path) -> None:
    """The line says how to take the remote's."""
    branch(repo, push=True).put(site(tmp_path, index_html="i"))
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(remote), str(other), "--branch", NAME)
    for name in ("name", "email"):
        git(other, "config", f"user.{name}", "x")
    git(other, "commit", "--quiet", "--allow-empty", "--message", "theirs")
    git(other, "push", "--quiet")
    branch(repo).put(site(tmp_path, index_html="mine"))
    with pytest.raises(StoreError, match="have gone different ways; take theirs with: ") as error:
        branch(repo, push=True)
    git(repo, *str(error.value).rpartition(": git ")[2].split())
    branch(repo, push=True).put(site(tmp_path, index_html="mine"))
    assert git(remote, "rev-list", "--count", NAME) == "3"
