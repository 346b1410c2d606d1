"""The probe of a GPU: a section that fails stops no other, and its sums are right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.gpu import probe, probe_clock, probe_timing

if TYPE_CHECKING:
    from pathlib import Path


def test_a_section_that_fails_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its error is what it found; lines are added, and shown as far as they are short."""

    def broken() -> dict[str, Any]:
        message = "CUDA error: out of memory"
        raise RuntimeError(message)

    def long() -> dict[str, Any]:
        return {"values": list(range(1000))}

    monkeypatch.setattr(probe, "SECTIONS", (broken, long))
    assert probe.main(["--out", str(tmp_path)]) == 0
    assert probe.main(["--out", str(tmp_path), "long"]) == 0
    text = (tmp_path / probe.RESULTS).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["section"] for line in lines] == ["broken", "long", "long"]
    assert "out of memory" in lines[0]["found"]["error"]
    assert len(lines[1]["found"]["values"]) == 1000
    assert [len(line) for line in capsys.readouterr().out.splitlines()][1:] == [600, 600]


def test_a_section_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is measured; the others are named."""
    with pytest.raises(SystemExit) as ended:
        probe.main(["drian"])
    assert ended.value.code == 2
    assert "no section drian; there are drain, events" in capsys.readouterr().err


def test_a_line_starts_where_the_short_samples_say() -> None:
    """A long one that is 1 % off moves the start of the line by less than it was off."""
    us = {n: 12.0 + 4.0 * n for n in (1, 2, 5, 10, 20, 50, 100, 200)}
    found = probe_timing.line_through(us)
    assert found == {"per_call_us": 4.0, "intercept_us": 12.0, "most_off_share": 0.0}
    found = probe_timing.line_through({**us, 200: 1.01 * us[200]})
    assert found["intercept_us"] == pytest.approx(12, abs=0.2)
    assert found["most_off_share"] < 0.01


def test_what_is_not_known_is_not_counted() -> None:
    """A pair that may have a gap in it has no time."""
    assert probe_timing.middle([None, 3.0, 1.0, None, 2.0]) == 2
    assert probe_timing.middle([None]) is None
    assert probe_timing.thinned(range(100), 10) == list(range(0, 100, 10))
    assert probe_timing.thinned([1, 2], 10) == [1, 2]


def test_a_clock_is_flat_where_no_two_readings_in_a_row_say_otherwise() -> None:
    """One that was disturbed is none of the clock."""
    seen = [(float(i), 1000.0 if i < 5 or i == 20 else 1980.0) for i in range(40)]
    smoothed = probe_clock._smoothed(seen)
    assert [ms for ms, mhz in smoothed if mhz != 1980] == [0, 1, 2, 3, 4]


def test_an_answer_that_fails_is_the_error() -> None:
    """A driver need not know everything."""
    assert probe_clock.answer(lambda: 7) == 7
    assert probe_clock.answer(lambda: 1 // 0).startswith("ZeroDivisionError")
