"""One row leaves for all that was found out about a case; made-up numbers in, known numbers out."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure.protocol import Checked, Hello, Prepared, Visited
from bench.outcome import Outcome, RunFacts, net_time_s
from bench.record import STATUSES, Record
from tests.fakes import HELLO, STARTED_AT, case

FACTS = RunFacts(
    run_id="20260102T030405Z-abcdef",
    machine_id="m-1",
    machine="a machine",
    device_names={"cpu": "a CPU"},
    torch_version="2.9.0",
    threads=2,
    confidence=0.95,
    started_at=STARTED_AT,
    started_ns=1_000,
)
RIGHT = Checked(correct=True, max_error=1e-9, note="", input_bytes=64)
LOOPS = 10


def visited(*times_ns: int) -> Visited:
    """Samples of ten loops with these times per call."""
    starts = tuple(1_000 + 500 * place for place in range(len(times_ns)))
    return Visited(loops=LOOPS, started_ns=starts, elapsed_ns=tuple(LOOPS * t for t in times_ns))


def outcome(
    *visits: tuple[int, int, Visited],
    checked: Checked | None = RIGHT,
    hello: Hello = HELLO,
    **changes: Any,
) -> Outcome:
    """The outcome of visits (worker, round, samples)."""
    made = Outcome(case=case(**changes), checked=checked)
    for worker, round_, samples in visits:
        made.prepared[worker] = Prepared(first_call_s=(worker + 1) * 1e-3, call_s=1e-6, loops=LOOPS)
        made.add_visit(worker, round_, samples, hello)
    return made


def calm(time_ns: int = 1_000, rounds: int = 3) -> list[tuple[int, int, Visited]]:
    """Two workers that find the same time in every round."""
    return [(worker, round_, visited(time_ns)) for round_ in range(rounds) for worker in (0, 1)]


def row(made: Outcome) -> Record:
    """The finished row."""
    return made.entry(FACTS).record


def test_the_cost_of_clock_and_loop_is_taken_off() -> None:
    """A sample of 10 loops in 11 µs: 1 µs for the clock, 100 ns a turn, so 900 ns a call."""
    hello = dataclasses.replace(HELLO, clock_s=1e-6, loop_s=1e-7)
    assert net_time_s(11e-6, 10, hello) == pytest.approx(9e-7)
    found = outcome((0, 0, visited(1_100)), hello=hello).entry(FACTS)
    assert found.samples[0].time_s == pytest.approx(9e-7)
    assert found.samples[0].elapsed_s == pytest.approx(11e-6)
    assert found.record.time_s == pytest.approx(9e-7)
    assert found.record.overhead_s == pytest.approx(1e-7)


def test_samples_stay_in_the_order_in_which_they_were_taken() -> None:
    """Whatever their size, worker or round."""
    found = outcome((1, 0, visited(30, 10)), (0, 0, visited(20)), (1, 1, visited(5))).entry(FACTS)
    assert [(s.worker, s.round) for s in found.samples] == [(1, 0), (1, 0), (0, 0), (1, 1)]
    assert [s.time_s for s in found.samples] == pytest.approx([30e-9, 10e-9, 20e-9, 5e-9])
    assert [s.at_s for s in found.samples[:2]] == pytest.approx([0, 500e-9])
    assert {(s.case, s.device, s.loops) for s in found.samples} == {("s/op[n=0]", "cpu", LOOPS)}


def test_the_headline_is_the_median_of_medians() -> None:
    """One slow sample in a visit, and one slow round, do not move it."""
    visits = [(0, 0, visited(10, 11, 900)), (0, 1, visited(11)), (1, 0, visited(11))]
    found = row(outcome(*visits, (1, 1, visited(300))))
    assert found.time_s == pytest.approx(11e-9)
    assert found.time_best_s == pytest.approx(10e-9)
    assert (found.samples, found.workers, found.rounds, found.loops) == (6, 2, 2, LOOPS)
    assert found.first_call_s == pytest.approx(1.5e-3)


def test_rates_are_work_by_time() -> None:
    """2000 FLOP and 500 bytes in a microsecond."""
    found = row(outcome(*calm(), flop=2000, bytes=500))
    assert found.flop_per_s == pytest.approx(2e9)
    assert found.bytes_per_s == pytest.approx(5e8)


def test_work_that_is_not_declared_has_no_rate() -> None:
    """Unknown work is not work of zero."""
    found = row(outcome(*calm(), flop=None, bytes=0))
    assert (found.flop_per_s, found.bytes_per_s) == (None, None)


def test_a_case_that_ended_badly_keeps_the_samples_taken_before() -> None:
    """A lost worker takes nothing with it; but there is no headline, which would be half a truth."""
    made = outcome((0, 0, visited(10)), (1, 0, visited(20)))
    made.end("oom", "the worker was killed")
    found = made.entry(FACTS)
    assert (found.record.status, found.record.reason) == ("oom", "the worker was killed")
    assert found.record.time_s is None
    assert [s.time_s for s in found.samples] == pytest.approx([10e-9, 20e-9])


def test_a_case_that_was_never_visited_is_a_row_too() -> None:
    """With who, where and why, and nothing that was not measured."""
    found = Outcome(case=case(), status="skipped", reason="no such device").entry(FACTS)
    assert found.samples == ()
    assert (found.record.status, found.record.reason) == ("skipped", "no such device")
    assert (found.record.time_s, found.record.correct, found.record.warnings) == (None, None, ())
    assert (found.record.device_name, found.record.run_id) == ("a CPU", FACTS.run_id)


def test_a_note_of_the_check_becomes_the_reason() -> None:
    """So a reader of the row learns why a result is called wrong."""
    wrong = Checked(correct=False, max_error=0.5, note="error 0.5 is above 1e-6", input_bytes=64)
    found = row(outcome(*calm(), checked=wrong))
    assert (found.status, found.reason) == ("ok", "error 0.5 is above 1e-6")
    assert (found.correct, found.max_error, found.input_bytes) == (False, 0.5, 64)


def test_a_row_without_trouble_has_no_warnings() -> None:
    """Two workers, three rounds, one time, a right result."""
    assert row(outcome(*calm())).warnings == ()


UNSURE_BY = dataclasses.replace(HELLO, loop_uncertainty_s=1e-6)
UNCHECKED = Checked(correct=None, max_error=None, note="the reference failed", input_bytes=64)
WRONG = Checked(correct=False, max_error=1.0, note="wrong", input_bytes=64)


@pytest.mark.parametrize(
    ("made", "codes"),
    [
        (outcome(*calm(), checked=WRONG), ("wrong-result",)),
        (outcome(*calm(), checked=None), ("unchecked",)),
        (outcome(*calm(), checked=UNCHECKED), ("unchecked",)),
        (outcome(*calm(999), hello=UNSURE_BY), ("below-overhead",)),
        (outcome(*calm(1_001), hello=UNSURE_BY), ()),
        (outcome((0, 0, visited(10, 12))), ("no-interval", "few-samples")),
        (outcome(*calm(rounds=2)), ("few-samples",)),
        (outcome(*calm(rounds=3)), ()),
        (outcome(*calm()[:5], (1, 2, visited(1_100))), ("noisy",)),
        (outcome(*calm()[:5], (1, 2, visited(1_001))), ()),
        (outcome(*calm(0)), ("below-overhead", "no-interval")),
    ],
    ids=[
        "wrong",
        "not checked",
        "nothing to compare with",
        "faster than the loop is unsure",
        "slower than that",
        "one cell",
        "two rounds",
        "three rounds",
        "a slow cell",
        "a cell like the others",
        "no time at all",
    ],
)
def test_a_warning_appears_when_its_condition_holds_and_only_then(
    made: Outcome, codes: tuple[str, ...]
) -> None:
    """Each condition alone, and the nearest case in which it does not hold."""
    assert row(made).warnings == codes


def test_one_worker_has_no_interval() -> None:
    """It says nothing of the spread between workers, however many samples it has."""
    found = row(outcome((0, 0, visited(10, 11, 12)), (0, 1, visited(11))))
    assert (found.time_lo_s, found.time_hi_s) == (None, None)
    assert found.time_s == pytest.approx(11e-9)


def test_a_time_that_is_not_positive_is_no_headline() -> None:
    """What is left of a call that costs less than the loop is not a time."""
    slow_clock = dataclasses.replace(HELLO, clock_s=1e-3)
    found = row(outcome(*calm(), hello=slow_clock, flop=10))
    assert (found.time_s, found.time_lo_s, found.flop_per_s) == (None, None, None)
    assert "below-overhead" in found.warnings


TIMES = st.lists(st.integers(1, 10**9), min_size=1, max_size=3)


@given(cells=st.lists(TIMES, min_size=1, max_size=9), workers=st.integers(1, 3))
def test_the_headline_lies_within_its_interval(cells: list[list[int]], workers: int) -> None:
    """For any positive times in any number of workers and rounds."""
    visits = [
        (place % workers, place // workers, visited(*times)) for place, times in enumerate(cells)
    ]
    found = row(outcome(*visits))
    assert found.status in STATUSES
    assert found.time_s is not None
    assert found.samples == sum(len(times) for times in cells)
    if found.time_lo_s is None or found.time_hi_s is None:
        assert found.workers == 1
    else:
        assert 0 <= found.time_lo_s <= found.time_s <= found.time_hi_s < math.inf
