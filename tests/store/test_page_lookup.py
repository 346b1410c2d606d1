"""A page is a run wherever a run can be named, and rows wherever rows are loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import bench
from bench import cli
from bench.errors import StoreError
from bench.store import find, page_lookup, runs
from bench.store.journal import Entry
from bench.store.page_archive import embed
from tests.fakes.two_runs import BASE, NEW, run, timed
from tests.fakes.workers import entry, info
from tests.fakes.workers import finished_run as finished

if TYPE_CHECKING:
    from pathlib import Path

    from bench.store.runs import StoredRun

OLD, OTHER = "20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"


def paged(path: Path, *stored: StoredRun, limit_bytes: int = 10**6) -> Path:
    """A page that carries these runs, alone in its folder."""
    scripts = "\n".join(one.script for one in embed(stored, limit_bytes=limit_bytes))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<!doctype html>\n{scripts}\n</html>", encoding="utf-8")
    return path


@pytest.fixture(name="two")
def _two(tmp_path: Path) -> tuple[StoredRun, StoredRun]:
    """Two runs of one machine; in the second a case got slower."""
    small, large = ({"n": n, "dtype": "float32"} for n in (16, 64))
    for run_id, time_s in ((BASE, 1e-5), (NEW, 2e-5)):
        rows = (timed(params=small), timed(time_s, params=large))
        entries = [Entry(record=row, samples=()) for row in rows]
        finished(tmp_path / "store", run(run_id), *entries)
    first, second = runs.list_runs(tmp_path / "store")
    return first, second


def test_a_page_with_one_run_is_that_run(two: tuple[StoredRun, StoredRun], tmp_path: Path) -> None:
    """In any folder, whatever the page is called, without a store."""
    page = paged(tmp_path / "in # place" / "sent.html", two[0])
    for word in (str(page), f"{page}#", f"{page}#{BASE[:9]}"):
        assert find.find(tmp_path / "none", word).info == two[0].info
    with pytest.raises(StoreError, match=f"#2020' means no run; .* holds {BASE}"):
        find.find(tmp_path, f"{page}#2020")


def test_of_several_runs_in_a_page_one_must_be_named(
    two: tuple[StoredRun, StoredRun], tmp_path: Path
) -> None:
    """The line lists them as one would write them."""
    page = paged(tmp_path / "both.html", *two)
    assert find.find(tmp_path, f"{page}#{NEW}").info.run_id == NEW
    with pytest.raises(StoreError, match=rf"means 2 runs; name one of both\.html#{BASE}, both"):
        find.find(tmp_path, str(page))
    assert [r.info.run_id for r in page_lookup.runs_in(str(page)) or ()] == [BASE, NEW]


@pytest.mark.parametrize(
    "word", ["@latest", "2026", "label:a.html", "machine:b.html", "x#1", "store"]
)
def test_other_words_are_no_pages(word: str) -> None:
    """A label may end like one."""
    assert page_lookup.find(word) is None


def test_rows_and_samples_are_loaded_from_a_page(tmp_path: Path) -> None:
    """Beside stores and files; of every run in it, or of the one that is named."""
    for run_id in (OLD, OTHER):
        finished(tmp_path / "store", info(run_id), entry(0), entry(1))
    both = paged(tmp_path / "both.html", *runs.list_runs(tmp_path / "store"))
    assert bench.load(both)["run_id"].tolist() == [OLD, OLD, OTHER, OTHER]
    assert bench.load(f"{both}#{OTHER}", both)["run_id"].tolist()[:3] == [OTHER, OTHER, OLD]
    assert bench.load_samples(both)["run_id"].value_counts().to_dict() == {OLD: 4, OTHER: 4}


def test_a_page_without_samples_says_so(tmp_path: Path) -> None:
    """They were left out to keep it small, and are elsewhere."""
    finished(tmp_path / "store", info(OLD))
    page = paged(tmp_path / "a.html", *runs.list_runs(tmp_path / "store"), limit_bytes=0)
    assert len(bench.load(page)) == 1
    with pytest.raises(StoreError, match=r"a\.html leaves out the raw samples"):
        bench.load_samples(page)


def test_commands_take_pages_as_runs(
    two: tuple[StoredRun, StoredRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Compared, shown and reported where there is no store at all."""
    names = ("a.html", "b.html")
    pages_ = [str(paged(tmp_path / name, one)) for name, one in zip(names, two, strict=True)]
    nowhere = ["--store", str(tmp_path / "none")]
    assert cli.main(["compare", *pages_, *nowhere, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["slower"] == 1
    assert cli.main(["show", pages_[0], *nowhere]) == 0
    assert "square n=64" in capsys.readouterr().out
    assert cli.main(["report", pages_[1], *nowhere, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / f"{NEW}.html").is_file()


def test_a_torn_page_is_a_mistake_and_is_passed_over_in_a_comparison(
    two: tuple[StoredRun, StoredRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 2; 6 where others can still be compared, as with a torn folder."""
    page = paged(tmp_path / "torn.html", two[0])
    page.write_bytes(page.read_bytes()[:-400])
    assert cli.main(["show", str(page)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"bench: {page} is torn, or was changed: ")
    assert err.count("\n") == 1
    folders = [str(one.folder) for one in two]
    assert cli.main(["compare", folders[0], str(page), folders[1], "--format", "json"]) == 6
    out, err = capsys.readouterr()
    assert json.loads(out)["summary"]["slower"] == 1
    assert err.startswith(f"passed over: {page} is torn")
    assert cli.main(["compare", folders[0], str(tmp_path / "none.html")]) == 2
    assert capsys.readouterr().err.startswith("bench: there is no page ")
