"""Verdicts are counted right, and a twin waits for as long as it is said to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bench.plan import discover
from tests.lab import ab, twins

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_table_says_how_often() -> None:
    """A share of each kind's comparisons."""
    found = {"unchanged": Counter(same=3, unsure=1), "+5.0 %": Counter(slower=2)}
    assert ab.table(found).splitlines()[2:] == [
        "| unchanged | 4 | 0 % | 0 % | 75 % | 25 % |",
        "| +5.0 % | 2 | 100 % | 0 % | 0 % | 0 % |",
    ]
    assert ab.verdicts({"cases": [{"verdict": "same"}]}) == ["same"]


def test_each_op_has_a_twin() -> None:
    """At the same sizes; both know the variable by one name."""
    ops = discover.load(ab.SUITE).suite.ops
    assert set(ops) == {*ab.OPS, *(f"{op}_longer" for op in ab.OPS)}
    assert ab.SHARE == twins.SHARE


def test_a_twin_waits_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of 100 ns with half of it more ends at the first reading at or beyond 150."""
    readings = iter([0, 100, 120, 140, 160, 180])
    monkeypatch.setattr(twins, "perf_counter_ns", lambda: next(readings))
    call: Callable[..., object] = twins.Longer(lambda value: value, 0.5)
    assert call("seen") == "seen"
    assert next(readings) == 180


@pytest.mark.parametrize("words", ["--repeats 0", "--budget 0", "--share 0"])
def test_nothing_can_not_be_found(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A comparison at least, time for it, and something to find."""
    with pytest.raises(SystemExit) as ended:
        ab.main(words.split())
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
