"""Website: a page per run, what pages share, a badge, and an index of all pages there are."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bench.analysis.compare.latest import standing
from bench.analysis.compare.runs import lineup
from bench.errors import StoreError
from bench.report.html.build import INDEX, build_comparison, build_report, pages_in
from bench.report.text.badge import badge
from bench.store.load import load_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.records.record import Record
    from bench.store.runs import StoredRun

BADGE = "badge.svg"
_OURS = b"tensorbench"
"""Every index of this project has its name within its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Files by name, in the order in which they are to be written, and how many pages the index lists.

    The index comes last: whoever reads a site while it is written finds no link to what is not there yet.
    """

    files: Mapping[str, Path]
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a site: how many of its files were written, and the commit that holds it."""

    written: int
    branch: str | None = None
    commit: str | None = None


class Place(Protocol):
    """Where a site can be put; its name begins every line that says what is wrong with it."""

    name: str

    def beginnings(self) -> dict[str, bytes]:
        """Name → the beginning of each page that is there."""

    def put(self, site: Site) -> Receipt:
        """Write what differs from what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where a site is, how many pages it has, and what it took."""

    site: str
    pages: int
    receipt: Receipt


def publish(runs: Sequence[StoredRun], known: Sequence[StoredRun], place: Place) -> Published:
    """Put the pages of runs on a site; those of other runs that are there stay.

    Args:
        runs: finished ones, at least one.
        known: all finished runs there are: the newest of them is what the badge tells of.
        place: where the site is.

    Raises:
        StoreError: a run can't be read, or the place can't be written.
    """
    with tempfile.TemporaryDirectory() as name:
        site = build(runs, known, place.beginnings(), Path(name), where=place.name)
        return Published(site=place.name, pages=site.pages, receipt=place.put(site))


def build(
    runs: Sequence[StoredRun],
    known: Sequence[StoredRun],
    earlier: Mapping[str, bytes],
    folder: Path,
    *,
    where: str,
) -> Site:
    """Make the site in an empty folder, with an index that lists earlier pages as well.

    What the badge says of the newest run has a page that shows it, if that run is one of those published.

    Raises:
        StoreError: a run can't be read, or the place's index is somebody else's.
    """
    if _OURS not in earlier.get(INDEX, _OURS):
        message = f"{where} has an {INDEX} of something else; publish into a folder of its own"
        raise StoreError(message)
    for name, beginning in earlier.items():
        (folder / name).write_bytes(beginning)  # as much of a page as its line in the index needs
    build_report(runs, folder, comparing=False)  # they are of any machines and days
    every = {run.info.run_id: run for run in (*known, *runs)}
    found = standing([run for run in every.values() if not run.all_skipped], _rows)
    if found and found.base and found.new.run_id in {run.info.run_id for run in runs}:
        pair = [every[info.run_id] for info in (found.base, found.new)]
        build_comparison(lineup([run.info for run in pair], map(_rows, pair)), folder)
    (folder / BADGE).write_text(badge(found), encoding="utf-8", newline="\n")
    made = sorted(path.name for path in folder.iterdir() if _is_new(path, earlier))
    made.sort(key=lambda name: (name == INDEX, name.endswith(".html")))  # after what they link to
    return Site(files={name: folder / name for name in made}, pages=len(pages_in(folder)))


def _is_new(path: Path, earlier: Mapping[str, bytes]) -> bool:
    """Whether a file was made just now, and is not the beginning of an earlier one."""
    return earlier.get(path.name) != path.read_bytes()


def _rows(run: StoredRun) -> list[Record]:
    return load_records(run.folder)
