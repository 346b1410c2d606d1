"""The truth that headlines are held against is reckoned right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.fakes.workers import entry
from tests.lab import trueness, waits

if TYPE_CHECKING:
    from pathlib import Path


def test_a_wait_keeps_what_it_took() -> None:
    """Never less than was stated, and in order."""
    wait = waits.Wait(100)
    for _ in range(3):
        wait()
    kept = wait.kept()
    assert len(kept) == 3
    assert all(took >= 100 for _, took in kept)
    assert kept == sorted(kept)


def test_the_truth_is_the_wait_and_what_lies_between_waits() -> None:
    """Waits of 100 ns that begin every 130 ns, of which an empty call takes 20: 110 each."""
    own = trueness.Kept(calls=[(1000 + 130 * i, 100) for i in range(50)], empty_s=20e-9)
    assert trueness.true_sample_s(own, 1000, 10) == pytest.approx(110e-9)
    assert trueness.true_sample_s(own, 1120, 1) == pytest.approx(80e-9)


def test_a_line_compares_the_same_statistic(tmp_path: Path) -> None:
    """Two samples of ten calls, one in each of two rounds; the headline is 0.1 % above the truth."""
    assert trueness.FOLDER == waits.FOLDER
    calls = [(start + 1_000 * place, 980) for start in (0, 500_000_000) for place in range(10)]
    kept = {"stated_us": 1, "empty_ns": 20.0, "calls": calls}
    (tmp_path / "1.json").write_text(json.dumps(kept))
    measured = entry(0, params={"stated_us": "1"}, time_s=981e-9)
    line = trueness.line(measured, trueness.read_kept(tmp_path))
    assert line.true_s == pytest.approx(980e-9)
    assert line.error_s == pytest.approx(1e-9)
    assert line.allowed_s == 20e-9
    assert trueness.table([line]).endswith("| 981.00 ns | +1.0 ns (+0.102 %) | 20.0 ns | met |")


def test_a_large_error_is_missed() -> None:
    """More than half a percent of 50 µs."""
    line = trueness.Line(stated_s=5e-5, true_s=5e-5, headline_s=5.03e-5)
    assert trueness.table([line]).endswith("| **missed** |")


def test_there_must_be_time_to_measure_in(capsys: pytest.CaptureFixture[str]) -> None:
    """None is too little."""
    with pytest.raises(SystemExit) as ended:
        trueness.main(["--budget", "0"])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
