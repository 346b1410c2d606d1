"""Every case of a comparison is in the table once, with what is said of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.report.html.compare_page.cases import listing
from tests.fakes.rows import HOSTILE
from tests.fakes.several_runs import example, held, runs, sized

if TYPE_CHECKING:
    from bench.analysis.compare.runs import Lineup

NAMES = ("before", "after")


def lines(found: Lineup, names: tuple[str, ...] = NAMES) -> list[dict[str, str]]:
    """The rows of the table by the names of its columns."""
    table = listing(found, names)
    heads = [column.name for column in table.columns]
    return [dict(zip(heads, entry.cells, strict=True)) for entry in table.entries]


def test_two_runs_stand_column_by_column() -> None:
    """Times, ratio with interval, verdict with its sign, what could be seen, and why."""
    found = lines(example())
    assert found[1] == {
        "case": "matmul/square n=2 float32",
        "base": "10.00 µs",
        "new": "20.00 µs",
        "new / base": "2.000 (1.963 to 2.038)",
        "verdict": "▶ slower",
        "smallest visible": "5.0 %",
        "why": "the interval leaves out 1, and the ratio is beyond ±5.0 %",
    }


def test_a_case_that_is_not_compared_says_which_run_lacks_it() -> None:
    """With the reason that the run gave."""
    (gone,) = (line for line in lines(example()) if line["case"].startswith("cat/"))
    assert (gone["base"], gone["new"], gone["verdict"]) == ("1.000 µs", "oom", "failed")
    assert gone["why"] == f"new: oom, {HOSTILE}"
    (alone,) = lines(held(runs(2), sized(1e-5), []))
    assert (alone["new"], alone["why"]) == ("–", "new: not there")


def test_more_runs_have_a_column_each() -> None:
    """The gravest verdict first; a cell has time, ratio with interval, and the verdict's sign."""
    found = held(runs(3), sized(1e-5), sized(5e-6), sized(2e-5))
    assert lines(found, ("a", "b", "c")) == [
        {
            "case": "matmul/square n=1 float32",
            "gravest": "▶ slower",
            "a": "10.00 µs",
            "b": "5.00 µs · 0.500 (0.491 to 0.509) ◀",
            "c": "20.0 µs · 2.000 (1.963 to 2.038) ▶",
        }
    ]


def test_many_runs_have_short_cells() -> None:
    """A table as wide as ten intervals is no table; the view of the case has them."""
    found = held(
        runs(6, machines=True), *[sized(time) for time in (1e-5, 2e-5, 1e-5, 1e-5, 1e-5, 5e-6)]
    )
    (line,) = lines(found, tuple("abcdef"))
    assert [line[name] for name in "abcdef"] == [
        "10.00 µs",
        "2.000 ▶",
        *["1.000 ●"] * 3,
        "0.500 ◀",
    ]


def test_a_filter_finds_a_case_by_any_of_its_verdicts() -> None:
    """Faster in one run and slower in another is both."""
    found = listing(held(runs(3), sized(1e-5), sized(5e-6), sized(2e-5)), ("a", "b", "c"))
    assert found.entries[0].of["verdict"].split() == ["faster", "slower"]
    (verdicts,) = (one for one in found.filters if one.name == "verdict")
    assert verdicts.options == ("slower", "faster")
    missing = listing(example(), NAMES)
    options = {one.name: one.options for one in missing.filters}
    assert options["verdict"] == ("failed", "slower", "faster", "unsure", "same")
    assert options["suite"] == ("matmul", "view", "cat")


def test_cells_sort_by_their_numbers() -> None:
    """Verdicts by concern, what was lost before them all."""
    table = listing(example(), NAMES)
    keys = [column.key for column in table.columns]
    ratios = [entry.sort[keys.index("ratio")] for entry in table.entries]
    verdicts = [entry.sort[keys.index("verdict")] for entry in table.entries]
    assert ratios.count(None) == 1
    assert verdicts[:4] == [3, 0, 1, 0]
    assert verdicts[-1] == -2
    assert all(len(entry.cells) == len(entry.sort) == len(keys) for entry in table.entries)


def test_devices_have_a_column_where_there_are_several() -> None:
    """Both rows of a case have an address of their own."""
    rows = sized(1e-5)
    both = [*rows, *(dataclasses.replace(row, device="cuda") for row in rows)]
    found = listing(held(runs(2), both, both), NAMES)
    assert [entry.cells[1] for entry in found.entries] == ["cpu", "cuda"]
    assert len({entry.id for entry in found.entries}) == 2
