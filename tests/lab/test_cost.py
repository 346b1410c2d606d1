"""Where a run's time went is reckoned right."""

from __future__ import annotations

import pytest

from bench.plan import discover
from tests.lab import cost


def test_what_a_case_costs_is_what_grows_with_the_cases() -> None:
    """32 more cases in 6 workers took 0.96 s more beside their samples: 5 ms each."""
    few = cost.Cost(cases=8, workers=6, wall_s=10.0, sampling_s=1.0)
    many = cost.Cost(cases=40, workers=6, wall_s=14.96, sampling_s=5.0)
    assert cost.extra_case_s(few, many) == pytest.approx(0.005)


def test_the_table_says_what_share_was_sampling() -> None:
    """Of the wall time, from the start of the process to its end."""
    one = cost.Cost(cases=60, workers=6, wall_s=40.0, sampling_s=30.0)
    row = cost.table([("cheap", one)]).splitlines()[-1]
    assert row == "| cheap | 60 | 6 | 40.0 s | 30.0 s | 75 % |"


def test_there_are_sixty_cheap_cases() -> None:
    """Four ops in each size."""
    assert len(discover.load(cost.SUITE).suite.ops) * len(cost.SIZES) == 60


@pytest.mark.parametrize("words", ["--runs 0", "--budget 0", "--budget soon"])
def test_nothing_can_not_be_measured(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A run at least, and some time for it."""
    with pytest.raises(SystemExit) as ended:
        cost.main(words.split())
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
