"""The full table and the twins hold what the figures hold, and more."""

from __future__ import annotations

from typing import Any

import pytest

from bench.analysis import grid
from bench.analysis.findings import footnotes
from bench.report.html.run_page import figures, tables
from bench.report.html.view import anchor
from bench.report.text import wording
from tests.fakes.rows import example, lost, on, record


def test_a_twin_has_a_column_for_every_size_and_a_word_for_every_gap() -> None:
    """A dot where there is no such case."""
    rows = [
        record("s", "a", params={"n": 1}),
        lost("oom", "too large", "s", "a", params={"n": 4096}),
        record("s", "b", params={"n": 16777216}, time_s=2e-3),
    ]
    twin = tables.twin(grid.lines(rows), wording.time_of)
    assert twin.head == ("1", "4096", "16.8M")
    assert twin.rows == (
        ("a float32 cpu", ("10.0 µs ± 1.0 %", "oom", "·")),
        ("b float32 cpu", ("·", "·", "2.00 ms ± 1.0 %")),
    )


def test_a_plain_twin_has_one_row_per_case_and_device() -> None:
    """Also those that failed."""
    rows = [record("s", "a", params={}), *on("cuda", [record("s", "a", params={})])]
    twin = tables.plain_twin([*rows, lost("failed", "x", "s", "b", params={})])
    assert twin.rows == (
        ("a cpu", ("10.0 µs ± 1.0 %",)),
        ("a cuda", ("2.50 µs ± 1.0 %",)),
        ("b cpu", ("failed",)),
    )
    assert twin.head == ("time",)


def test_a_plain_twin_has_rates_and_roofs_where_any_is_known() -> None:
    """They have no figure of their own."""
    near = record("s", "a", params={}, bytes=1e4, roof_share=0.625, roof="DRAM bandwidth")
    twin = tables.plain_twin([near, record("s", "b", params={})])
    assert twin.head == ("time", "B/s", "of its roof")
    assert [cells[1:] for _, cells in twin.rows] == [
        ("1.00 GB/s", "62 % (DRAM bandwidth)"),
        ("–", "–"),
    ]


def test_an_address_belongs_to_case_and_device_not_to_the_run() -> None:
    """A link with an address still means the same case on the next report."""
    one, other = record(), record(run_id="20270101T000000Z-ffffff", time_s=1.0)
    assert anchor(one) == anchor(other)
    assert anchor(one) != anchor(record(device="cuda"))


def test_a_row_says_what_is_known_and_nothing_else() -> None:
    """No fact is a dash: what is not known has no line."""
    known = footnotes.notes(example())
    rows = tables.full(example(), known, {})
    facts = dict(rows[0].facts)
    assert facts["interval"] == "2.020 µs to 2.060 µs at 95 % confidence"
    assert facts["from"] == "60 samples, 3 workers, 5 rounds, 10 calls per sample"
    assert facts["result"] == "matches its reference"
    assert "peak memory" not in facts
    bare = dict(tables.full([lost("failed", "x")], [], {})[0].facts)
    assert set(bare) == {"case", "device"}


def test_a_row_says_what_fresh_memory_costs() -> None:
    """With the ends of its pairs."""
    row = record(fresh_time_s=1.3e-2, fresh_time_lo_s=1.2e-2, fresh_time_hi_s=1.4e-2)
    facts = dict(tables.full([row], [], {})[0].facts)
    assert facts["in fresh memory"] == "13.0 ms (12.0 ms to 14.0 ms)"


@pytest.mark.parametrize(("cache", "said"), [("cold", "cold"), ("hot", None), (None, None)])
def test_a_row_says_that_it_is_cold(cache: str | None, said: str | None) -> None:
    """Not that it is as usual."""
    (row,) = tables.full([record(cache=cache)], [], {})
    assert dict(row.facts).get("caches") == said


def test_what_can_not_be_sorted_is_empty() -> None:
    """Infinity would be sorted as if it were known."""
    (row,) = tables.full([record(time_lo_s=None)], [], {})
    assert row.width == ""
    assert row.interval == "± ?"


def test_deviations_are_short() -> None:
    """Three digits, or a power of ten."""
    small, large = record(max_error=1.23456e-7), record(max_error=0.123456, correct=False)
    results = [dict(row.facts)["result"] for row in tables.full([small, large], [], {})]
    assert results == [
        "matches its reference, largest deviation 1.2e-07",
        "differs from its reference, largest deviation 0.123",
    ]


def test_a_result_that_shows_nothing_is_said_to() -> None:
    """With what was seen of its inputs; one that was not compared is another matter."""
    empty = record(correct=None, max_error=0.0, reason="every input is 0 throughout")
    results = [
        dict(row.facts)["result"] for row in tables.full([empty, record(correct=None)], [], {})
    ]
    assert results == [
        "equals its reference, but shows nothing: every input is 0 throughout",
        "not compared with a reference",
    ]


def test_a_row_says_how_close_it_came_to_which_roof() -> None:
    """Where roofs are known."""
    (near,) = tables.full([record(roof_share=0.625, roof="DRAM bandwidth")], [], {})
    (bare,) = tables.full([record()], [], {})
    assert (near.roof_share, bare.roof_share) == ("62 %", "–")
    assert dict(near.facts)["compared with"] == "DRAM bandwidth"
    assert "compared with" not in dict(bare.facts)


def test_a_row_says_which_of_its_two_times_had_fresh_pages_and_what_was_preempted() -> None:
    """In the same words as everywhere; a visit that was not pushed aside is no fact."""
    both: dict[str, Any] = {"state_times_s": (1e-5, 2e-5), "state_shares": (0.6, 0.4)}
    told = record(**both, state_faults=(0.0, 768.0), preempted_share=0.25)
    (row,) = tables.full([told], [], {})
    facts = dict(row.facts)
    assert facts["two states"].startswith("20.0 µs where the system gave 768 fresh pages a call, ")
    assert facts["preempted"] == "in 25 % of the visits"
    assert facts["two states"] in figures.hover(told)
    (calm,) = tables.full([record(preempted_share=0.0)], [], {})
    assert {"two states", "preempted"} & {*dict(calm.facts)} == set()
