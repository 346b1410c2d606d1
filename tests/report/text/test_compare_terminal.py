"""A comparison reads from top to bottom: comparable, changed, open, the same, left out, in all."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.console import Console

from bench.analysis.compare.comparison import compare
from bench.report.text.compare_terminal import (
    ITSELF,
    NOTHING,
    comparison_table,
    comparisons_table,
    in_order,
    missing_lines,
)
from tests.fakes.rows import HOSTILE, assert_golden
from tests.fakes.two_runs import NEW, example, run, timed

if TYPE_CHECKING:
    from rich.console import RenderableType


def shown(table: RenderableType, width: int = 100) -> str:
    """What a terminal without colours shows, without the blanks at line ends."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 100])
def test_a_comparison_fits_usual_widths(width: int) -> None:
    """Everything that is to be said, in a hundred columns and in eighty."""
    text = shown(comparison_table(example(), width=width), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert_golden(text, f"report_comparison_{width}.txt")


def test_regressions_come_first() -> None:
    """Then gains, what is open, what is the same; the largest change first."""
    cases = in_order(example().cases)
    assert [one.verdict for one in cases] == [
        "slower",
        "faster",
        "unsure",
        "unsure",
        "same",
        "same",
    ]
    more = dataclasses.replace(cases[0], ratio=1.5)
    assert in_order([cases[0], more]) == [more, cases[0]]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ((0.05, 0.05), None),
        ((0.02, 0.05), "1 case: 2.0 %"),
        ((0.02, 0.2), "2 cases: 2.0 % to 20 %"),
        ((0.02, 0.02), "2 cases: 2.0 %"),
    ],
)
def test_thresholds_of_their_own_are_mentioned(
    limits: tuple[float, float], said: str | None
) -> None:
    """In one line, and only where there are any."""
    cases = example().cases[:2]
    own = [dataclasses.replace(c, threshold=t) for c, t in zip(cases, limits, strict=True)]
    text = shown(comparison_table(dataclasses.replace(example(), cases=tuple(own)), width=100))
    line = f"with a threshold of their own, {said}\n"
    assert (line in text) if said else ("of their own" not in text)


def test_a_run_against_itself_says_so() -> None:
    """In a sentence."""
    found = compare([timed()], [timed()], run(), run())
    assert ITSELF in shown(comparison_table(found, width=100))
    other = compare([timed()], [timed()], run(), run(NEW))
    assert ITSELF not in shown(comparison_table(other, width=100))


def test_nothing_in_common_says_so() -> None:
    """And what there was on each side."""
    found = compare([timed()], [timed(case="view/t")], run(), run(NEW))
    text = shown(comparison_table(found, width=100))
    assert NOTHING in text
    assert "view/t on cpu (base: not there)" in text
    assert "geometric mean" not in text


def test_what_bars_a_comparison_comes_with_its_remedy() -> None:
    """The command."""
    found = compare([timed()], [timed()], run(), run(NEW, options={"threads": 1}))
    text = shown(comparison_table(found, width=100))
    assert "not comparable:\n  threads: 2 → 1\n  to do: bench run matmul --threads 2\n" in text


def test_devices_have_a_column_where_there_are_several() -> None:
    """And none where there is one."""
    rows = [timed(), timed(device="cuda")]
    both = compare(rows, rows, run(), run(NEW))
    one = compare(rows[:1], rows[:1], run(), run(NEW))
    assert "device" in shown(comparison_table(both, width=100))
    assert "device" not in shown(comparison_table(one, width=100))


def test_a_long_list_of_what_is_missing_is_cut() -> None:
    """How many more is said."""
    lines = missing_lines([str(n) for n in range(13)])
    assert (lines[0], lines[-1], len(lines)) == ("left out, 13 cases:", "  and 3 more", 12)


def test_of_many_that_are_the_same_some_are_shown() -> None:
    """All that is not the same is."""
    before, after = (
        [timed(t if n < 50 else 1e-5, params={"n": n}) for n in range(150)] for t in (1e-5, 2e-5)
    )
    text = shown(comparison_table(compare(before, after, run(), run(NEW)), width=100))
    assert text.count("\nslower  ") == 50
    assert text.count("\nsame    matmul") == 40
    assert "\nsame    and 60 more (--format json has all)\n" in text


def test_several_stand_one_after_the_other() -> None:
    """Each with its own runs."""
    text = shown(comparisons_table([example(), example()], width=100))
    assert text.count("geometric mean, all") == 2


def test_words_of_others_are_never_read_as_markup() -> None:
    """A label is text."""
    found = compare([timed()], [timed()], run(label=HOSTILE), run(NEW))
    assert "[red]" in shown(comparison_table(found, width=300), 300)
