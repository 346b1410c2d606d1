"""Runs that were made up are the same every time, and what pages cost is told in the right units."""

from __future__ import annotations

from pathlib import Path

import pytest

import bench
from tests.fakes import stored_runs as made_up
from tests.lab import pages


def test_a_run_that_was_made_up_is_read_like_any_other(tmp_path: Path) -> None:
    """As many rows as were asked for, on both devices, with samples; again, the same bytes."""
    planned = made_up.cases(60, ("matmul", "view"))
    runs = [
        made_up.run(tmp_path / store, planned, on=made_up.computer(), samples=30)
        for store in ("one", "other")
    ]
    rows, samples = bench.load(runs[0].folder), bench.load_samples(runs[0].folder)
    assert len(rows) == 60
    assert set(rows["device"]) == {"cpu", "cuda"}
    assert set(rows["suite"]) == {"matmul", "view"}
    assert len(samples) == 30 * (rows["status"] == "ok").sum()
    assert runs[0].info == runs[1].info
    assert rows["roof_share"].max() <= 1.1


def test_there_are_as_many_cases_as_are_asked_for() -> None:
    """Also where the suites offer fewer; each has an id of its own."""
    planned = made_up.cases(900, ("view",))
    assert len(planned) == 900
    assert len({case.key for case in planned}) == 900


def test_what_building_took_is_told() -> None:
    """In seconds, and in bytes."""
    one = pages.Built(
        what="folder",
        wall_s=4.25,
        cpu_s=3.5,
        peak_bytes=2**30,
        bytes=3 * 2**20,
        largest_bytes=2**20,
        page=Path("x.html"),
    )
    row = pages.built_table([one]).splitlines()[-1]
    assert row == "| folder | 4.2 s | 3.5 s | 1.00 GiB | 3.00 MiB | 1.00 MiB |"


def test_what_reading_took_is_told() -> None:
    """A page without a task that the browser would tell of has only short ones."""
    one = pages.Read(
        what="folder", readable_s=0.25, loading_s=0.0, after_s=0.125, during="Ops", nodes=12345
    )
    row = pages.read_table([one]).splitlines()[-1]
    assert row == "| folder | 250 ms | < 50 ms | 120 ms | Ops | 12,345 |"


def test_a_form_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Those there are, are named."""
    with pytest.raises(SystemExit) as ended:
        pages.main(["--only", "7x7"])
    assert ended.value.code == 2
    assert "1000x5" in capsys.readouterr().err
