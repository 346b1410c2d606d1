"""A page says what can be taken away, under which name, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.report.html import downloads
from bench.store.page_archive import LIMIT_BYTES
from tests.fakes.rows import RUN_ID, example, stored

if TYPE_CHECKING:
    from pathlib import Path

    from bench.store import runs


@pytest.fixture(name="run")
def _run(tmp_path: Path) -> runs.StoredRun:
    """A small run."""
    return stored(tmp_path, example())


def test_in_a_folder_the_rows_lie_beside_the_page(run: runs.StoredRun) -> None:
    """Nothing is in the page; where the samples are is said."""
    (one,) = downloads.beside([run])
    assert (one.run_id, one.file) == (RUN_ID, f"{RUN_ID}.parquet")
    assert (one.element, one.script) == ("", "")
    assert "raw samples stay in the run's own folder" in one.sentence


def test_a_single_file_has_the_run_inside(run: runs.StoredRun) -> None:
    """As markup that a template takes as it is, under the id that a button names."""
    (one,) = downloads.inside([run])
    assert one.file == f"{RUN_ID}.zip"
    assert f"{one.script}" == one.script.__html__()
    assert one.script.startswith(f'<script type="application/zip" id="{one.element}">')
    assert one.sentence.startswith("The whole run, raw samples too: ")


def test_samples_that_do_not_fit_are_said_to_be_left_out(run: runs.StoredRun) -> None:
    """The page must be small enough to be sent."""
    (one,) = downloads.inside([run], limit_bytes=10)
    assert one.sentence.startswith("The run without its raw samples, which would make the page too")


def test_a_single_file_keeps_its_promise() -> None:
    """Plotly, the data at its largest with samples, and a page of a thousand cases: below 10 MB."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - half a second

    assert len(get_plotlyjs().encode()) + LIMIT_BYTES + 1_500_000 < 10_000_000
