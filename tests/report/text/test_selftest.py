"""What a machine's self-test found reads as one sentence and one table, and as JSON."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench.analysis.compare.repeatability import Agreement, Intervals, Power, Repeats
from bench.report.text.selftest import NOTHING, selftest_facts, selftest_table, verdict
from tests.fakes.rows import assert_golden

if TYPE_CHECKING:
    from rich.console import RenderableType

HEADLINE = Agreement(
    cases=11,
    pairs=33,
    changed={0.02: 0.4848, 0.05: 0.0303, 0.1: 0.0},
    smallest_visible=0.0432,
    spread_middle=0.0213,
    spread_worst=0.0871,
    worst_case="small/matmul[n=64]",
)
AT_REFERENCE = dataclasses.replace(
    HEADLINE,
    pairs=30,
    changed={0.02: 0.1, 0.05: 0.0, 0.1: 0.0},
    smallest_visible=0.0123,
    spread_middle=0.0052,
    spread_worst=0.0171,
    worst_case="small/zeros",
)
FOUND = Repeats(
    runs=3,
    headline=HEADLINE,
    at_reference=AT_REFERENCE,
    intervals=Intervals(pairs=33, disjoint=0.0909, half_width=0.031, confidence=0.95),
)
JUDGED = (
    Power(by=0.0, slower=1, faster=0, same=28, unsure=4),
    Power(by=0.05, slower=20, faster=0, same=0, unsure=13),
    Power(by=0.1, slower=32, faster=0, same=0, unsure=1),
)


def shown(table: RenderableType, width: int) -> str:
    """What a terminal without colours shows, without the blanks at line ends."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def test_it_is_readable_in_a_usual_terminal() -> None:
    """The sentence first, then what it rests on."""
    assert_golden(shown(selftest_table(FOUND, JUDGED, width=80), 80), "report_selftest_80.txt")


def test_what_is_missing_is_said() -> None:
    """A machine that never came back to its reference conditions, in runs without intervals."""
    bare = dataclasses.replace(FOUND, at_reference=None, intervals=None)
    assert_golden(
        shown(selftest_table(bare, JUDGED[:1], width=80), 80), "report_selftest_bare_80.txt"
    )


def test_nothing_measured_is_one_sentence() -> None:
    """There is no table of nothing."""
    nothing = Repeats(runs=2, headline=None, at_reference=None, intervals=None)
    assert shown(selftest_table(nothing, (), width=80), 80).split() == NOTHING.split()
    facts = selftest_facts(nothing, ())
    assert facts == {
        "verdict": NOTHING,
        "runs": 2,
        "headline": None,
        "at_reference": None,
        "intervals": None,
        "compared": [],
    }


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "none of 33 would be"), (1 / 33, "1 of 33"), (1.0, "33 of 33")]
)
def test_the_verdict_counts_alarms(share: float, said: str) -> None:
    """In pairs, as many as there were; never a share of a handful."""
    headline = dataclasses.replace(HEADLINE, changed={0.02: 1.0, 0.05: share, 0.1: 0.0})
    assert said in verdict(dataclasses.replace(FOUND, headline=headline), ())


def test_programs_get_the_same_numbers() -> None:
    """As shares, unrounded; JSON takes them."""
    facts = json.loads(json.dumps(selftest_facts(FOUND, JUDGED), allow_nan=False))
    assert facts["headline"]["smallest_visible"] == 0.0432
    assert facts["headline"]["changed"][1] == {"threshold": 0.05, "share": 0.0303}
    assert facts["at_reference"]["worst_case"] == "small/zeros"
    assert facts["intervals"] == {
        "pairs": 33,
        "disjoint": 0.0909,
        "half_width_middle": 0.031,
        "confidence": 0.95,
    }
    assert facts["compared"][1] == {
        "slowed_by": 0.05,
        "pairs": 33,
        "slower": 20,
        "faster": 0,
        "unsure": 13,
        "same": 0,
        "slower_share": 20 / 33,
    }
    assert re.fullmatch(r"On this machine, .*\.", facts["verdict"])


def test_the_verdict_says_what_comparing_makes_of_the_runs() -> None:
    """Both directions are alarms; the larger change first; nothing is said of no pair."""
    both = (dataclasses.replace(JUDGED[0], faster=2), *JUDGED[1:])
    assert verdict(FOUND, both).endswith(
        ". bench compare called 3 of 35 unchanged pairs changed and left 4 open; "
        "it would have seen +10 % in 97 % and +5 % in 61 % of them."
    )
    none = [Power(by=by, slower=0, faster=0, same=0, unsure=0) for by in (0.0, 0.1)]
    assert verdict(FOUND, none) == verdict(FOUND, ())
    assert "compare" not in verdict(FOUND, ())
