"""A site is built whole: pages, what they share, badge, and an index that knows earlier pages too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import StoreError
from bench.publish.website import BADGE, Receipt, Site, build, publish
from bench.report.html import render
from bench.report.html.build import HEAD_BYTES, build_report
from bench.report.html.compare_page import page as compare_page_page
from tests.fakes.rows import RUN_ID, record, stored
from tests.fakes.two_runs import BASE, NEW, timed

if TYPE_CHECKING:
    from pathlib import Path

    from bench.store.runs import StoredRun


class Shelf:
    """A place that holds what it was given."""

    name = "shelf"

    def __init__(self, earlier: dict[str, bytes] | None = None) -> None:
        self.files = dict(earlier or {})

    def beginnings(self) -> dict[str, bytes]:
        """Of what looks like a page."""
        return {n: d[:HEAD_BYTES] for n, d in self.files.items() if n.endswith(".html")}

    def put(self, site: Site) -> Receipt:
        """Keep what differs."""
        new = {name: path.read_bytes() for name, path in site.files.items()}
        written = sum(self.files.get(name) != data for name, data in new.items())
        self.files |= new
        return Receipt(written=written)


@pytest.fixture(name="two")
def _two(tmp_path: Path) -> list[StoredRun]:
    """Two runs of one machine; the second is slower."""
    same = {"machine": {"machine_id": "m-1", "name": "One"}, "options": {}, "torch": {}}
    return [
        stored(tmp_path / "store", [timed(time_s)], run_id=run_id, **same)
        for run_id, time_s in ((BASE, 1e-5), (NEW, 2e-5))
    ]


def test_a_site_has_all_that_its_pages_need(two: list[StoredRun], tmp_path: Path) -> None:
    """What is linked to is written first, the index last: nothing ever links to what is not there."""
    (tmp_path / "site").mkdir()
    site = build(two, two, {}, tmp_path / "site", where="here")
    assert list(site.files) == [
        *sorted([f"{BASE}.parquet", f"{NEW}.parquet", BADGE, *render.shared()]),
        f"{BASE}.html",
        f"{NEW}.html",
        f"{compare_page_page.name([run.info for run in two])}.html",
        "index.html",
    ]
    assert site.pages == 3


def test_the_badge_has_a_page_that_shows_what_it_says(two: list[StoredRun]) -> None:
    """Its run against its baseline, also where that has a page already; of an older run there is none."""
    shelf = Shelf()
    name = f"{compare_page_page.name([run.info for run in two])}.html"
    publish(two[:1], two, shelf)
    assert name not in shelf.files
    publish(two[1:], two, shelf)
    assert f'href="{BASE}.html"'.encode() in shelf.files[name]
    assert name.encode() in shelf.files["index.html"]


def test_publishing_again_writes_nothing(two: list[StoredRun]) -> None:
    """The same runs make the same site."""
    shelf = Shelf()
    first = publish(two, two, shelf)
    assert (first.site, first.pages, first.receipt.written) == ("shelf", 3, 10)
    again = publish(two, two, shelf)
    assert (again.pages, again.receipt.written) == (3, 0)


def test_pages_of_runs_that_are_gone_stay(two: list[StoredRun]) -> None:
    """They stay in the index as well, which is all of the site that changes; strangers are let be."""
    shelf = Shelf({"mine.html": b"<p>somebody's own</p>"})
    publish(two[:1], two[:1], shelf)
    old = {name: data for name, data in shelf.files.items() if name.startswith(BASE)}
    assert publish(two[1:], two[1:], shelf).pages == 2
    assert old.items() <= shelf.files.items()
    assert shelf.files["mine.html"] == b"<p>somebody's own</p>"
    index = shelf.files["index.html"].decode()
    assert 0 < index.index(f"{NEW}.html") < index.index(f"{BASE}.html")
    assert "mine.html" not in index


def test_a_page_longer_than_its_beginning_is_never_cut(two: list[StoredRun]) -> None:
    """What is read of earlier pages for the index is not what is written."""
    shelf = Shelf()
    publish(two[:1], two, shelf)
    name = f"{BASE}.html"
    shelf.files[name] = shelf.files[name] + b" " * HEAD_BYTES
    publish(two[1:], two, shelf)
    assert len(shelf.files[name]) > HEAD_BYTES


def test_the_badge_is_of_the_newest_run_that_is_known(two: list[StoredRun]) -> None:
    """Publishing an old run does not turn it back; runs that no store has count as well."""
    shelf = Shelf()
    publish(two[:1], two, shelf)
    assert b">1 slower</text>" in shelf.files[BADGE]
    publish(two, [], shelf)
    assert b">1 slower</text>" in shelf.files[BADGE]
    publish(two[:1], [], shelf)
    assert b">1 measured</text>" in shelf.files[BADGE]


def test_an_index_of_something_else_is_not_replaced(two: list[StoredRun]) -> None:
    """A branch may hold a project's documents."""
    shelf = Shelf({"index.html": b"<h1>Our handbook</h1>"})
    with pytest.raises(
        StoreError, match=r"^shelf has an index\.html of something else; publish in"
    ):
        publish(two, two, shelf)
    assert list(shelf.files) == ["index.html"]


def test_an_index_that_report_made_is_ours(two: list[StoredRun], tmp_path: Path) -> None:
    """`bench report` and `bench publish` write into the same folder by default."""
    opened = build_report(two, tmp_path / "out")
    shelf = Shelf({path.name: path.read_bytes() for path in opened.parent.iterdir()})
    assert publish(two, two, shelf).receipt.written == 1
    assert BADGE in shelf.files


def test_a_page_is_the_same_as_bench_report_makes_it(tmp_path: Path) -> None:
    """There is one way to make a page."""
    run = stored(tmp_path / "store", [record()])
    shelf = Shelf()
    publish([run], [run], shelf)
    page = build_report([run], tmp_path / "out")
    assert shelf.files[f"{RUN_ID}.html"] == page.read_bytes()
