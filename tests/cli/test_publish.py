"""`bench publish` says where the site is and what it took; mistakes and torn runs are told in a line."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench import cli
from tests.fakes.rows import stored
from tests.fakes.two_runs import BASE, NEW, timed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="store")
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store that is looked into by default, with two runs."""
    monkeypatch.chdir(tmp_path)
    for run_id, time_s in ((BASE, 1e-5), (NEW, 2e-5)):
        stored(tmp_path / "results", [timed(time_s)], run_id=run_id)
    return tmp_path / "results"


def test_all_runs_go_to_the_folder_of_reports(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time there is nothing to do, and it says so."""
    assert cli.main(["publish"]) == 0
    assert capsys.readouterr().out == "site: reports (3 pages); 10 files written\n"
    made = {path.name for path in (store.parent / "reports").iterdir()}
    assert {f"{BASE}.html", f"{NEW}.html", "index.html", "badge.svg"} <= made
    assert cli.main(["publish"]) == 0
    out = capsys.readouterr().out
    assert out == "site: reports (3 pages); nothing has changed, nothing was written\n"


def test_json_is_one_document(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the newest run alone, to a place by its URI."""
    site = (store.parent / "site").as_uri()
    assert cli.main(["publish", "--last", "1", "--to", site, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "site": site,
        "pages": 2,
        "written": 8,
        "branch": None,
        "commit": None,
    }
    assert not (store.parent / "site" / f"{BASE}.html").exists()
    assert cli.main(["publish", BASE, "--to", site, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pages"] == 3
    assert "1 slower" in (store.parent / "site" / "badge.svg").read_text(encoding="utf-8")


def test_a_branch_is_committed_to_and_pushed(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the commit, and that the remote has it."""

    def git(*words: str) -> str:
        command = ["git", *words]
        return subprocess.check_output(command, cwd=store.parent, text=True).strip()

    git("init", "--quiet", "--initial-branch=main")
    git("init", "--quiet", "--bare", "there.git")
    git("remote", "add", "mirror", "there.git")
    git("config", "user.name", "Somebody")
    git("config", "user.email", "somebody@example.org")
    words = ["publish", "--branch", "gh-pages", "--push", "--remote", "mirror"]
    assert cli.main(words) == 0
    commit = git("rev-parse", "gh-pages")
    out = capsys.readouterr().out
    assert out == f"site: gh-pages (3 pages); 11 files in commit {commit[:10]}; mirror has it\n"
    assert git("ls-remote", "mirror", "refs/heads/gh-pages").startswith(commit)
    assert cli.main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["written"], found["branch"], found["commit"]) == (0, "gh-pages", commit)
    assert cli.main(["publish", "--branch", "gh-pages", "--to", "bench"]) == 0
    assert capsys.readouterr().out.startswith("site: gh-pages:bench (3 pages); 10 files in commit ")
    assert not (store.parent / "reports").exists()


def test_a_torn_run_is_passed_over_unless_it_is_named(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All others are published; the exit code says that not all were."""
    path = store / BASE / "cases.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    assert cli.main(["publish"]) == 6
    out, err = capsys.readouterr()
    assert out.startswith("site: reports (1 page); ")
    assert err.startswith(f"passed over: results/{BASE}/cases.parquet is not the file that run")
    assert cli.main(["publish", BASE]) == 2
    err = capsys.readouterr().err
    assert f"bench: results/{BASE}/cases.parquet is not the file that run" in err
    assert cli.main(["publish", NEW]) == 0


def test_a_run_needs_no_store_if_it_is_named_by_its_path(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The badge then knows of no other."""
    assert cli.main(["publish", str(store / NEW), "--store", "none"]) == 0
    assert capsys.readouterr().err == ""
    badge = (store.parent / "reports" / "badge.svg").read_text(encoding="utf-8")
    assert "1 measured" in badge


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--push"], "bench: --push pushes a branch; name it with --branch (gh-pages)\n"),
        (["--last", "1", NEW], f"bench: --last 1 chooses runs, and so does {NEW}; write one"),
        (["--last", "0"], "bench: Invalid value for '--last'"),
        (["--store", "none"], "bench: there is no store none; bench run makes one"),
        (["--store", "empty"], "bench: the store empty holds no finished run to publish; make one"),
        (["--to", "nothing://x"], "bench: nothing://x can't be published to: "),
        (["--branch", "gh-pages"], "bench: --branch needs a git repository; "),
        (["label:none"], "bench: 'label:none' means no run in results; "),
    ],
)
def test_mistakes_are_one_line(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    """Exit code 2, and nothing is written."""
    (store.parent / "empty").mkdir()
    assert cli.main(["publish", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert not (store.parent / "reports").exists()
