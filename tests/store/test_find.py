"""A word means one run: by path, id, place, label, machine or commit; else one line says why not."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.errors import StoreError
from bench.store import find
from bench.store.runs import StoredRun, StoreWarning
from tests.fakes.workers import begun_run, entry, finished_run, info
from tests.store.test_runs import BROKEN, MIDDLE, NEW, OLD, filled

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Path:
    return filled(tmp_path / "store")


def of_commit(commit: str = COMMIT, *, dirty: bool = False) -> dict[str, Any]:
    """What a run says of itself that was made from this commit."""
    return {"environment": {"git_commit": commit, "git_dirty": dirty}}


@pytest.mark.parametrize(
    ("word", "run_id"),
    [
        (OLD, OLD),
        ("20260102", MIDDLE),
        ("@latest", NEW),
        ("@-1", NEW),
        ("@-2", MIDDLE),
        ("@-3", OLD),
        ("label:after", NEW),
        ("machine:other ONE", MIDDLE),
        ("machine:m-2", MIDDLE),
    ],
)
def test_a_run_is_found_by_what_it_is_called(store: Path, word: str, run_id: str) -> None:
    """By its id or the beginning of it, its place in time, its label or its machine."""
    assert find.find(store, word).info.run_id == run_id


def test_a_name_that_runs_share_means_the_newest(tmp_path: Path) -> None:
    """A label is given again when a baseline is measured again; which run was taken of how many is told."""
    same = {"label": "base", "tags": {"ab": "a", "pr": "7"}}
    finished_run(tmp_path, info(OLD, **same))
    finished_run(tmp_path, info(NEW, **same))
    for word in ("label:base", "tag:ab=a", "tag:pr", "machine:machine"):
        choice = find.choose(tmp_path, word)
        assert choice.run.info.run_id == NEW
        assert choice.note == f"{word} means 2 runs; this is the newest: {NEW}"
    assert find.choose(tmp_path, OLD).note is None
    with pytest.raises(StoreError, match="'2026' means 2 runs"):
        find.choose(tmp_path, "2026")


def test_a_name_of_several_machines_says_so(tmp_path: Path) -> None:
    """`machine:epyc` may well fit two."""
    for run_id, machine in ((OLD, "m-1"), (NEW, "m-2")):
        finished_run(tmp_path, info(run_id, machine={"machine_id": machine, "name": "EPYC"}))
    said = find.choose(tmp_path, "machine:epyc").note
    assert said == f"machine:epyc means 2 runs of 2 machines; this is the newest: {NEW}"


def test_a_run_in_which_all_was_skipped_is_no_latest(tmp_path: Path) -> None:
    """It says nothing of this code; where it is the only one of a name, or is named, it is meant all the same."""
    nothing = entry(0, status="skipped", samples=0)
    finished_run(tmp_path, info(OLD, label="x"), entry(0))
    finished_run(tmp_path, info(MIDDLE, label="x"), nothing)
    finished_run(tmp_path, info(NEW, label="gpu"), nothing)
    latest = find.choose(tmp_path, "@latest")
    assert latest.run.info.run_id == OLD
    assert latest.note == f"@latest is {OLD}; every case was skipped in the later {MIDDLE}, {NEW}"
    assert find.choose(tmp_path, "label:x").run.info.run_id == OLD
    assert find.find(tmp_path, "label:gpu").info.run_id == NEW
    assert find.find(tmp_path, NEW).info.run_id == NEW
    with pytest.raises(StoreError, match="'@-2' means no run"):
        find.find(tmp_path, "@-2")


def test_a_store_of_skips_alone_says_so(tmp_path: Path) -> None:
    """There is a run, but no latest one."""
    finished_run(tmp_path, info(OLD), entry(0, status="skipped", samples=0))
    with pytest.raises(StoreError, match=f"every case was skipped in {OLD}; why: bench show"):
        find.find(tmp_path, "@latest")


def test_places_are_paths_or_runs_of_a_store(store: Path) -> None:
    """What is a path stays one; a choice among several is a warning."""
    assert find.places_of([], store) == [store]
    assert find.places_of([store, "somewhere"], "x") == [store, "somewhere"]
    assert find.places_of(["@latest", "20260101", "label:after"], str(store)) == [
        store / NEW,
        store / OLD,
        store / NEW,
    ]
    with pytest.warns(
        StoreWarning, match="label:before means 2 runs of 2 machines; this is the newest"
    ):
        find.places_of(["label:before"], store)


def test_a_run_is_found_by_its_path(store: Path, tmp_path: Path) -> None:
    """In whatever store it lies, and also where there is no store."""
    assert find.find(tmp_path / "nowhere", str(store / OLD)).info.run_id == OLD


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("2026", r"'2026' means 3 runs"),
        ("", r"'' means 3 runs"),
        ("tag:branch=never", r"'tag:branch=never' means no run"),
        ("label:never", r"'label:never' means no run in .*; the newest are"),
        ("19990101", r"'19990101' means no run"),
        ("@-4", r"'@-4' means no run"),
        ("@-0", r"'@-0' means no run"),
        (BROKEN, r"means no run"),
        ("label:killed", r"means no run"),
    ],
)
def test_a_word_that_means_no_run_or_several_is_an_error(store: Path, word: str, said: str) -> None:
    """It says how many, which are the newest, and what may be written."""
    with pytest.raises(StoreError, match=said):
        find.find(store, word)


def test_a_store_without_a_finished_run_says_how_to_make_one(tmp_path: Path) -> None:
    """There is nothing to choose from."""
    begun_run(tmp_path, info(BROKEN))
    with pytest.raises(StoreError, match="holds no finished run; make one with: bench run"):
        find.find(tmp_path, "@latest")


@pytest.mark.parametrize("word", [BROKEN, "20260104", "@latest", "@-1", "label:killed"])
def test_an_unfinished_run_is_found_in_the_same_words(store: Path, word: str) -> None:
    """Among the unfinished ones."""
    assert find.find_unfinished(store, word).info.run_id == BROKEN


def test_an_unfinished_run_is_found_by_its_path(store: Path, tmp_path: Path) -> None:
    """As a finished one is."""
    found = find.find_unfinished(tmp_path / "nowhere", str(store / BROKEN))
    assert (found.info.run_id, found.finished) == (BROKEN, False)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (OLD, "is finished, and a finished run never changes"),
        ("label:after", "is finished"),
        ("19990101", f"means no unfinished runs in .*; unfinished: {BROKEN}"),
    ],
)
def test_a_finished_run_can_not_be_gone_on_with(store: Path, word: str, said: str) -> None:
    """Nor one that does not exist."""
    with pytest.raises(StoreError, match=said):
        find.find_unfinished(store, word)


def test_a_finished_run_named_by_its_path_can_not_be_gone_on_with(store: Path) -> None:
    """The way in which it is named makes no difference."""
    with pytest.raises(StoreError, match="is finished"):
        find.find_unfinished(store, str(store / OLD))


def test_two_unfinished_runs_are_too_many(store: Path) -> None:
    """Which of them is meant is for the user to say."""
    begun_run(store, info("20260106T000000Z-ffffff"))
    with pytest.raises(StoreError, match="means 2 unfinished run"):
        find.find_unfinished(store, "2026010")


def test_the_newest_clean_run_of_a_commit_is_meant(tmp_path: Path) -> None:
    """A baseline is measured again and again; what was measured with changes is none."""
    finished_run(tmp_path, info(OLD, **of_commit()))
    finished_run(tmp_path, info(MIDDLE, **of_commit()))
    finished_run(tmp_path, info(NEW, **of_commit(dirty=True)))
    assert find.find(tmp_path, "git:0123456").info.run_id == MIDDLE
    assert find.find(tmp_path, f"git:{COMMIT}").info.run_id == MIDDLE


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("git:0123456", r"holds no clean run of commit 0123456: the tree of 2026.* had changes"),
        ("git:7654321", r"holds no run of commit 7654321; check it out and measure it: bench run"),
        ("git:012345", r"'git:012345' has 6 digits of a commit, and 7 are the fewest"),
        ("git:no-such-branch", r"'git:no-such-branch' is no commit that git knows in this folder"),
    ],
)
def test_a_commit_without_a_run_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, said: str
) -> None:
    """One line says whether it was never measured, or only with changes in the tree."""
    monkeypatch.chdir(tmp_path)
    finished_run(tmp_path, info(**of_commit(dirty=True)))
    with pytest.raises(StoreError, match=said) as caught:
        find.find(tmp_path, word)
    assert "\n" not in str(caught.value)


def test_digits_that_fit_two_commits_mean_neither(tmp_path: Path) -> None:
    """However many runs each has."""
    finished_run(tmp_path, info(OLD, **of_commit()))
    finished_run(tmp_path, info(MIDDLE, **of_commit("0123456f")))
    finished_run(tmp_path, info(NEW, **of_commit()))
    with pytest.raises(StoreError, match=rf"means 2 runs \(the newest: {MIDDLE}, {NEW}\)"):
        find.find(tmp_path, "git:0123456")


def test_a_name_of_git_is_looked_up_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch, or whatever git can resolve to a commit."""
    monkeypatch.chdir(tmp_path)
    first, second = repository(tmp_path)
    finished_run(tmp_path / "store", info(OLD, **of_commit(first)))
    finished_run(tmp_path / "store", info(NEW, **of_commit(second)))
    assert find.find(tmp_path / "store", "git:trunk").info.run_id == NEW
    assert find.find(tmp_path / "store", "git:trunk~1").info.run_id == OLD


def test_an_unfinished_run_of_a_commit_can_be_gone_on_with(tmp_path: Path) -> None:
    """As with the other words, a finished one is said to be finished."""
    begun_run(tmp_path, info(OLD, **of_commit()))
    finished_run(tmp_path, info(NEW, **of_commit("fedcba9876")))
    assert find.find_unfinished(tmp_path, "git:01234567").info.run_id == OLD
    with pytest.raises(StoreError, match="is finished"):
        find.find_unfinished(tmp_path, "git:fedcba9")


def repository(folder: Path) -> list[str]:
    """A repository with two commits on the branch `trunk`; their hashes, oldest first."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    commit = (*who, "commit", "--quiet", "--allow-empty", "--message")
    for command in (("init", "--quiet"), ("checkout", "--quiet", "-b", "trunk")):
        said(folder, *command)
    for message in ("one", "two"):
        said(folder, *commit, message)
    return said(folder, "rev-list", "--reverse", "trunk").split()


def said(folder: Path, *command: str) -> str:
    """What git prints."""
    done = subprocess.run(
        ["git", *command],  # noqa: S607 - whichever git there is
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


FIRST_COMMIT, OTHER_COMMIT = "0123456789abcdef", "0123456fedcba987"


def stored(number: int, commit: str | None, *, dirty: bool | None = False) -> StoredRun:
    """The run of this number, made from the commit."""
    about = info(f"2026010{number}T000000Z-aaaaaa")
    about = info(about.run_id, environment={"git_commit": commit, "git_dirty": dirty})
    return StoredRun(folder=Path(about.run_id), info=about, finished=True)


def test_digits_are_taken_as_they_are() -> None:
    """No git is asked, so that a commit need not be in this folder; in small letters, as hashes are."""
    assert find.resolve_commit("ABCDEF1", Path("/nowhere")) == "abcdef1"


@pytest.mark.parametrize("text", ["abcdef", "1", "fed"])
def test_few_digits_are_refused(text: str) -> None:
    """A branch of such a name can still be named."""
    with pytest.raises(StoreError, match=rf"7 are the fewest; .*git:refs/heads/{text}"):
        find.resolve_commit(text)


def test_names_are_resolved_to_commits(tmp_path: Path) -> None:
    """Also a branch whose name looks like a hash, by its full name, and a tag of its own object."""
    first, second = repository(tmp_path)
    assert find.resolve_commit("HEAD", tmp_path) == second
    assert find.resolve_commit("refs/heads/trunk", tmp_path) == second
    assert find.resolve_commit("HEAD~1", tmp_path) == first
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "tag.gpgsign=false")
    said(tmp_path, *who, "tag", "--annotate", "--message", "x", "v1")
    assert find.resolve_commit("v1", tmp_path) == second


@pytest.mark.parametrize(
    "name", ["", "none", "HEAD^{tree}", "^HEAD", "--all", "--show-toplevel", "a b", "HEAD~9"]
)
def test_what_is_no_commit_is_an_error(tmp_path: Path, name: str) -> None:
    """Options of git among it, and a folder that git knows nothing of."""
    with pytest.raises(StoreError, match="is no commit that git knows in this folder"):
        find.resolve_commit(name, tmp_path)
    repository(tmp_path)
    with pytest.raises(StoreError, match="is no commit that git knows in this folder"):
        find.resolve_commit(name, tmp_path)


def test_without_git_a_name_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And not a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match="is no commit that git knows"):
        find.resolve_commit("main")


def test_the_newest_clean_run_is_chosen() -> None:
    """Runs that say nothing of git are of no commit; one that doesn't know of changes counts."""
    runs = [
        stored(1, FIRST_COMMIT),
        stored(2, FIRST_COMMIT, dirty=None),
        stored(3, FIRST_COMMIT, dirty=True),
        stored(4, None),
    ]
    assert find.newest_of_commit(runs, FIRST_COMMIT[:7]) == [runs[1]]
    assert find.newest_of_commit(runs, "fedcba9") == []


def test_several_commits_have_a_run_each() -> None:
    """The newest of each, oldest first, so that whoever asked can choose."""
    runs = [stored(1, FIRST_COMMIT), stored(2, OTHER_COMMIT), stored(3, FIRST_COMMIT)]
    assert find.newest_of_commit(runs, FIRST_COMMIT[:7]) == runs[1:]
    assert find.newest_of_commit(runs, FIRST_COMMIT[:8]) == [runs[2]]


def test_the_lack_of_a_run_has_one_of_two_causes() -> None:
    """Never measured, or only with changes: then the run is named."""
    runs = [stored(1, OTHER_COMMIT), stored(2, FIRST_COMMIT, dirty=True)]
    assert "holds no run of commit fedcba9" in find.why_no_run(runs, "fedcba9", Path("s"))
    why = find.why_no_run(runs, FIRST_COMMIT, Path("s"))
    assert (
        f"no clean run of commit {FIRST_COMMIT}: the tree of {runs[1].info.run_id} had changes"
        in why
    )
