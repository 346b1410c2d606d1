"""Pages are written where they should be, listed, and replaced whole."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from bench.analysis.compare.runs import lineup
from bench.errors import StoreError
from bench.report.html import build, render
from bench.report.html.build import build_comparison, build_report
from bench.report.html.run_page import page
from bench.store.load import load_rows
from bench.store.page_archive import unpack
from tests.fakes.rows import example, record, stored

if TYPE_CHECKING:
    from pathlib import Path

    from bench.store.runs import StoredRun

OLD, NEW = "20261122T050201Z-aaaaaa", "20261123T050201Z-bbbbbb"


def test_one_run_is_one_page_and_the_index_lists_it(tmp_path: Path) -> None:
    """The page is what to open; Plotly lies beside it, and so do its rows."""
    run = stored(tmp_path / "store", example(), run_id=NEW)
    opened = build_report([run], tmp_path / "out")
    assert opened == tmp_path / "out" / f"{NEW}.html"
    assert sorted(p.name for p in opened.parent.iterdir()) == [
        f"{NEW}.html",
        f"{NEW}.parquet",
        "index.html",
        *sorted(render.shared()),
    ]


def two(store: Path) -> list[StoredRun]:
    """An old run and a new one."""
    return [
        stored(
            store, [record()], run_id=i, label=i[:8], started_at=f"2026-11-{i[6:8]}T05:02:01+00:00"
        )
        for i in (OLD, NEW)
    ]


def test_of_several_runs_their_comparison_is_what_to_open(tmp_path: Path) -> None:
    """It links their pages; the first that was named is the base, and twice the same run is one."""
    runs = two(tmp_path / "s")
    opened = build_report([*runs, runs[0]], tmp_path / "out")
    html = opened.read_text(encoding="utf-8")
    assert opened.name.startswith(f"compare-{OLD}-")
    assert all(html.count(f'href="{run_id}.html"') == 1 for run_id in (OLD, NEW))
    assert "20261123 against 20261122" in html
    again = build_report(runs, tmp_path / "out")
    other = build_report(runs[::-1], tmp_path / "out")
    assert again == opened
    assert other != opened


def test_the_index_lists_runs_and_comparisons_newest_first(tmp_path: Path) -> None:
    """A comparison by its newest run."""
    opened = build_report(two(tmp_path / "s"), tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    places = [html.index(f'href="{name}"') for name in (opened.name, f"{NEW}.html", f"{OLD}.html")]
    assert places == sorted(places)


def test_several_runs_in_a_single_file_are_their_comparison(tmp_path: Path) -> None:
    """There is nothing beside it, so nothing is linked."""
    opened = build_report(two(tmp_path / "s"), tmp_path / "out", single_file=True)
    assert list((tmp_path / "out").iterdir()) == [opened]
    html = opened.read_text(encoding="utf-8")
    assert f"{NEW}.html" not in html
    assert "plotly.js v" in html
    assert [run.info.run_id for run in unpack(opened)] == [OLD, NEW]


def test_runs_need_not_be_compared(tmp_path: Path) -> None:
    """A site is of any machines and days; its index is what to open."""
    opened = build_report(two(tmp_path / "s"), tmp_path / "out", comparing=False)
    assert opened == tmp_path / "out" / "index.html"
    assert not list(opened.parent.glob("compare-*"))


def test_a_comparison_links_only_pages_that_are_there(tmp_path: Path) -> None:
    """The base may have been reported before, the other not."""
    runs, out = two(tmp_path / "s"), tmp_path / "out"
    build_report(runs[:1], out)
    found = lineup([run.info for run in runs], [[record()], [record()]])
    html = build_comparison(found, out).read_text(encoding="utf-8")
    assert f'href="{OLD}.html"' in html
    assert f'href="{NEW}.html"' not in html
    assert (out / "plotly.min.js").is_file()


def test_a_comparison_can_not_be_written_outside_the_folder(tmp_path: Path) -> None:
    """Its name begins with an id from a manifest."""
    evil = dataclasses.replace(two(tmp_path / "s")[0].info, run_id="../evil")
    with pytest.raises(StoreError, match="is no run id"):
        build_comparison(lineup([evil, evil], [[], []]), tmp_path / "out")


def test_the_index_keeps_pages_made_before(tmp_path: Path) -> None:
    """It is made from what lies in the folder; strangers are passed over."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.html").write_text("<p>not a report</p>", encoding="utf-8")
    for run_id in (NEW, OLD, OLD):
        build_report([stored(tmp_path / os.urandom(4).hex(), [record()], run_id=run_id)], out)
    html = (out / "index.html").read_text(encoding="utf-8")
    assert html.count('.html"') == 2
    assert "mine.html" not in html


def test_a_single_file_needs_nothing_beside_it(tmp_path: Path) -> None:
    """It is made to be sent on."""
    run = stored(tmp_path / "store", example(), run_id=NEW)
    opened = build_report([run], tmp_path / "out", single_file=True)
    assert [p.name for p in opened.parent.iterdir()] == [f"{NEW}.html"]
    assert "plotly.min.js" not in opened.read_text(encoding="utf-8").partition("* plotly.js v")[0]


def test_the_rows_beside_a_page_are_the_runs_own(tmp_path: Path) -> None:
    """Byte by byte, so that they can be loaded without the run."""
    run = stored(tmp_path / "store", example(), run_id=NEW)
    rows = build_report([run], tmp_path / "out").with_suffix(".parquet")
    assert rows.read_bytes() == (run.folder / "cases.parquet").read_bytes()
    assert len(load_rows(rows)) == len(example())


def test_a_run_without_its_samples_has_a_page(tmp_path: Path) -> None:
    """One that came in a page that left them out."""
    run = stored(tmp_path / "store", example(), run_id=NEW)
    (run.folder / "samples.parquet").unlink()
    assert build_report([run], tmp_path / "out").is_file()


def test_building_again_changes_nothing(tmp_path: Path) -> None:
    """The same run makes the same bytes."""
    run = stored(tmp_path / "store", example(), run_id=NEW)
    first = build_report([run], tmp_path / "out").read_bytes()
    assert build_report([run], tmp_path / "out").read_bytes() == first
    assert not list((tmp_path / "out").glob("*.partial"))


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """With the option that chooses another."""
    run = stored(tmp_path / "store", [record()])
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"can't be written: .*; choose another with --out"):
        build_report([run], tmp_path / "file" / "out")


def test_an_unfinished_run_has_no_page_yet(tmp_path: Path) -> None:
    """The error says how to finish it."""
    run = dataclasses.replace(stored(tmp_path / "store", [record()]), finished=False)
    with pytest.raises(StoreError, match="bench run --resume"):
        build_report([run], tmp_path / "out")
    with pytest.raises(StoreError, match="make one with"):
        build_report([], tmp_path / "out")


def test_a_run_can_not_write_outside_the_folder(tmp_path: Path) -> None:
    """An id from a manifest that someone sent is data."""
    run = stored(tmp_path / "store", [record()])
    evil = dataclasses.replace(run, info=dataclasses.replace(run.info, run_id="../evil"))
    with pytest.raises(StoreError, match="is no run id"):
        build_report([evil], tmp_path / "out")


def test_an_empty_index_says_how_to_fill_it() -> None:
    """It is a page as well."""
    assert "bench report @latest" in page.index_page([])


def test_many_rows_are_made_by_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the pages are the same, byte by byte."""
    runs = two(tmp_path / "store")
    build_report(runs, tmp_path / "one")
    monkeypatch.setattr(build, "_MANY_ROWS", 1)
    build_report(runs, tmp_path / "several")
    for path in (tmp_path / "one").iterdir():
        assert (tmp_path / "several" / path.name).read_bytes() == path.read_bytes()
