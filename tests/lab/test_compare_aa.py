"""The lab that asks what comparing says of unchanged code counts what it should."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.store.journal import Entry
from tests.fakes.two_runs import BASE, NEW, elsewhere, run, timed
from tests.fakes.workers import finished_run
from tests.lab import compare_aa

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_every_pair_is_counted_with_its_verdict() -> None:
    """Three runs are three pairs; one that was elsewhere is never at reference."""
    found = [(run(), [timed()]), (run(NEW), [timed()]), (run(), [elsewhere(timed(), 1e-5)])]
    rates = compare_aa.rates(found, 0.05, 0.99)
    assert rates.everywhere == {"same": 1, "unsure": 2}
    assert rates.at_reference == {"same": 1}
    assert rates.reasons == {"machine in another state (new)": 2}
    assert compare_aa.rates(found, 0.05, 0.99, 0.1).at_reference == {"slower": 1}


def test_a_store_is_read_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both for unchanged rows and for slowed ones."""
    for run_id in (BASE, NEW):
        finished_run(tmp_path, run(run_id), Entry(record=timed(), samples=()))
    assert compare_aa.main([str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "  unchanged, both at reference (1): slower 0 %, faster 0 %, same 100 %" in out
    assert "  +10 %, all pairs (1): slower 100 %" in out


def test_ops_are_held_against_their_twins_across_runs() -> None:
    """In both orders, never within a run; what has no twin is left out."""
    twin = dataclasses.replace(
        timed(time_s=1.2e-5, time_lo_s=1.19e-5, time_hi_s=1.21e-5),
        op="square_longer",
        case=timed().case.replace("square", "square_longer"),
    )
    found = [(run(), [timed(), twin]), (run(NEW), [timed(), twin])]
    counts = compare_aa.counted(compare_aa.twins(found, 0.05, 0.99)).everywhere
    assert counts == {"slower": 2}
    assert list(compare_aa.twins([(run(), [timed()]), (run(NEW), [timed()])], 0.05, 0.99)) == []
