"""One row leaves for all that was found out about a case; made-up numbers in, known numbers out."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pool.protocol import Checked, Metered, Prepared, Sensed, Visited
from bench.pool.side_effects import SideEffects
from bench.records.kernel_trace import Activity, TraceLine
from bench.records.record import STATUSES, Record
from bench.run.outcome import Outcome, RunFacts
from bench.run.visit import Visit, net_time_s
from tests.fakes.workers import CALM, PREPARED, STARTED_AT, case, visited

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


def timed(*times_ns: int) -> Visited:
    """Samples of ten loops with these times per call."""
    return visited(*(LOOPS * t for t in times_ns), loops=LOOPS, started_ns=1_000)


def outcome(
    *visits: tuple[int, int, Visited],
    checked: Checked | None = RIGHT,
    prepared: Prepared = PREPARED,
    sensed: Sensed | None = CALM,
    **changes: Any,
) -> Outcome:
    """The outcome of visits (worker, round, samples)."""
    made = Outcome(case=case(**changes), checked=checked)
    for worker, round_, samples in visits:
        ready = dataclasses.replace(prepared, first_call_s=(worker + 1) * 1e-3)
        made.add_visit(
            Visit(worker=worker, round=round_, prepared=ready, visited=samples, sensed=sensed)
        )
    return made


def calm(time_ns: int = 1_000, rounds: int = 3) -> list[tuple[int, int, Visited]]:
    """Two workers that find the same time in every round."""
    return [(worker, round_, timed(time_ns)) for round_ in range(rounds) for worker in (0, 1)]


def row(made: Outcome) -> Record:
    """The finished row."""
    return made.entry(FACTS).record


@pytest.mark.parametrize(
    ("elapsed_us", "device_us", "net_us"),
    [(51, 5.0, 5.0), (52, 5.0, 5.0), (60, 5.0, 5.7), (49, 5.0, 4.9), (51, 2.0, 4.8)],
    ids=["as long", "a little longer", "the host is slower", "shorter", "the host alone"],
)
def test_an_empty_call_is_in_no_time_of_the_device_s(
    elapsed_us: float, device_us: float, net_us: float
) -> None:
    """10 calls; the host was slower than the device when 0.2 µs were found to be an empty call's, and is not now."""
    prepared = dataclasses.replace(PREPARED, clock_s=1e-6, overhead_s=2e-7)
    found_s = net_time_s(elapsed_us * 1e-6, 10, prepared, device_us * 1e-6)
    assert found_s == pytest.approx(net_us * 1e-6)
    visited = dataclasses.replace(
        timed(round(elapsed_us * 100)), device_s=(device_us * 1e-6,), host_s=(0.0,), gapless=(True,)
    )
    made = outcome((0, 0, visited), prepared=prepared)
    assert made.visits[0].cell().time_s == made.entry(FACTS).samples[0].time_s


def test_a_drain_that_was_found_too_long_makes_no_time_shorter_than_the_device_s() -> None:
    """600 µs, with two other programs at work on two cores; a sample of 200 calls of 5 µs takes a millisecond."""
    prepared = dataclasses.replace(PREPARED, drain_s=6e-4)
    assert net_time_s(1.02e-3, 200, prepared) == pytest.approx(2.1e-6)
    assert net_time_s(1.02e-3, 200, prepared, 5e-6) == pytest.approx(5e-6)


def test_the_cost_of_the_clock_and_of_an_empty_call_is_taken_off() -> None:
    """A sample of 10 loops in 11 µs: 1 µs for the clock, 100 ns a call, so 900 ns are left."""
    prepared = dataclasses.replace(PREPARED, clock_s=1e-6, overhead_s=1e-7)
    assert net_time_s(11e-6, 10, prepared) == pytest.approx(9e-7)
    found = outcome((0, 0, timed(1_100)), prepared=prepared).entry(FACTS)
    assert found.samples[0].time_s == pytest.approx(9e-7)
    assert found.samples[0].elapsed_s == pytest.approx(11e-6)
    assert found.record.time_s == pytest.approx(9e-7)
    assert found.record.overhead_s == pytest.approx(1e-7)


def test_samples_stay_in_the_order_in_which_they_were_taken() -> None:
    """Whatever their size, worker or round."""
    found = outcome((1, 0, timed(30, 10)), (0, 0, timed(20)), (1, 1, timed(5))).entry(FACTS)
    assert [(s.worker, s.round) for s in found.samples] == [(1, 0), (1, 0), (0, 0), (1, 1)]
    assert [s.time_s for s in found.samples] == pytest.approx([30e-9, 10e-9, 20e-9, 5e-9])
    assert [s.at_s for s in found.samples[:2]] == pytest.approx([0, 500e-9])
    assert {(s.case, s.device, s.loops) for s in found.samples} == {("s/op[n=0]", "cpu", LOOPS)}


def test_samples_carry_the_conditions_they_were_taken_in() -> None:
    """What the sentinels took in that cell, and what the process used."""
    (first, *_) = outcome(*calm()).entry(FACTS).samples
    assert (first.sentinel_compute_s, first.sentinel_barrier_s, first.load_1m) == (1e-4, 3e-6, 0.5)
    assert (first.cpu_s, first.minor_faults, first.involuntary_switches) == (1e-5, 0, 0)
    (alone, *_) = outcome(*calm(), sensed=None).entry(FACTS).samples
    assert (alone.sentinel_compute_s, alone.sentinel_barrier_s, alone.load_1m) == (None, None, None)


def test_the_headline_is_the_median_of_medians() -> None:
    """One slow sample in a visit, and one slow round, do not move it."""
    visits = [(0, 0, timed(10, 11, 900)), (0, 1, timed(11)), (1, 0, timed(11))]
    found = row(outcome(*visits, (1, 1, timed(300))))
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
    made = outcome((0, 0, timed(10)), (1, 0, timed(20)))
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


def test_a_row_says_how_much_memory_a_call_takes() -> None:
    """Where that is known."""
    weighed = dataclasses.replace(RIGHT, peak_memory_bytes=2**24)
    rows = [Outcome(case=case(), checked=one).entry(FACTS).record for one in (weighed, RIGHT)]
    assert [row.peak_memory_bytes for row in rows] == [2**24, None]


def test_the_time_in_fresh_memory_is_the_headline_times_the_ratio() -> None:
    """So that a state of the machine during that pass is not taken for page faults."""
    made = outcome(*calm())
    made.fresh = {"fresh_time_s": 8.0, "fresh_time_lo_s": 7.0, "fresh_time_hi_s": 9.0}
    found, without = row(made), row(outcome(*calm()))
    assert found.time_s == without.time_s
    times = (found.fresh_time_s, found.fresh_time_lo_s, found.fresh_time_hi_s)
    assert times == pytest.approx([ratio * (found.time_s or 0.0) for ratio in (8, 7, 9)])
    assert without.fresh_time_s is None


@pytest.mark.parametrize("cache", ["hot", "cold"])
def test_a_row_says_what_calls_found_in_the_caches(cache: str) -> None:
    """Of a case that was skipped too: that is what was asked for."""
    facts = dataclasses.replace(FACTS, cache=cache)
    skipped = Outcome(case=case(), status="skipped", reason="no such device")
    rows = [one.entry(facts).record for one in (outcome(*calm()), skipped)]
    assert [row.cache for row in rows] == [cache, cache]


def test_emptying_the_caches_takes_time_that_is_no_samples() -> None:
    """It is spent all the same."""
    made = outcome((0, 0, dataclasses.replace(timed(10, 20), aside_ns=700)))
    assert made.sampled_s == pytest.approx(300e-9)
    assert made.visited_s == pytest.approx(1000e-9)


def test_a_row_without_trouble_has_no_warnings() -> None:
    """Two workers, three rounds, one time, a right result."""
    assert row(outcome(*calm())).warnings == ()


UNSURE_BY = dataclasses.replace(PREPARED, overhead_uncertainty_s=1e-6)
RESTLESS = dataclasses.replace(PREPARED, settled=False)
UNCHECKED = Checked(correct=None, max_error=None, note="the reference failed", input_bytes=64)
VACUOUS = Checked(correct=None, max_error=0.0, note="every input is 0", input_bytes=64)
WRONG = Checked(correct=False, max_error=1.0, note="wrong", input_bytes=64)


@pytest.mark.parametrize(
    ("made", "codes"),
    [
        (outcome(*calm(), checked=WRONG), ("wrong-result",)),
        (outcome(*calm(), checked=None), ("unchecked",)),
        (outcome(*calm(), checked=UNCHECKED), ("unchecked",)),
        (outcome(*calm(), checked=VACUOUS), ("vacuous-check",)),
        (outcome(*calm(999), prepared=UNSURE_BY), ("below-overhead", "noisy")),
        (outcome(*calm(1_001), prepared=UNSURE_BY), ("noisy",)),
        (outcome(*calm(), prepared=RESTLESS), ("not-settled",)),
        (outcome((0, 0, timed(10, 12))), ("no-interval", "few-rounds")),
        (outcome(*calm(rounds=2)), ("few-rounds",)),
        (outcome(*calm(rounds=3)), ()),
        (outcome(*calm()[:5], (1, 2, timed(1_100))), ("noisy",)),
        (outcome(*calm()[:5], (1, 2, timed(1_001))), ()),
        (outcome(*calm(0)), ("below-overhead", "no-interval")),
    ],
    ids=[
        "wrong",
        "not checked",
        "nothing to compare with",
        "compared to no avail",
        "faster than the overhead is unsure",
        "slower than that, but not by much",
        "still getting faster",
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


@pytest.mark.parametrize(
    ("budget_s", "code"), [(1.0, "few-rounds"), (6e-3, "few-rounds"), (5.9e-3, "few-samples")]
)
def test_few_samples_are_the_calls_fault_only_where_it_is_slow(budget_s: float, code: str) -> None:
    """Three rounds of two workers of a millisecond fit into six; where they do, something else took the time.

    Samples that were held up say nothing of the call, so the quickest one counts.
    """
    held_up = [(0, 0, timed(50_000_000)), (1, 0, timed(1_000_000)), *calm(50_000_000, rounds=2)[2:]]
    facts = dataclasses.replace(FACTS, budget_s=budget_s)
    found = outcome(*held_up).entry(facts).record
    assert {"few-rounds", "few-samples"} & set(found.warnings) == {code}


def test_one_worker_has_no_interval() -> None:
    """It says nothing of the spread between workers, however many samples it has."""
    found = row(outcome((0, 0, timed(10, 11, 12)), (0, 1, timed(11))))
    assert (found.time_lo_s, found.time_hi_s) == (None, None)
    assert found.time_s == pytest.approx(11e-9)


def test_a_time_that_is_not_positive_is_no_headline() -> None:
    """What is left of a call that costs less than the loop is not a time."""
    slow_clock = dataclasses.replace(PREPARED, clock_s=1e-3)
    found = row(outcome(*calm(), prepared=slow_clock, flop=10))
    assert (found.time_s, found.time_lo_s, found.flop_per_s) == (None, None, None)
    assert "below-overhead" in found.warnings


TIMES = st.lists(st.integers(1, 10**9), min_size=1, max_size=3)


@given(cells=st.lists(TIMES, min_size=1, max_size=9), workers=st.integers(1, 3))
def test_the_headline_lies_within_its_interval(cells: list[list[int]], workers: int) -> None:
    """For any positive times in any number of workers and rounds."""
    visits = [
        (place % workers, place // workers, timed(*times)) for place, times in enumerate(cells)
    ]
    found = row(outcome(*visits))
    assert found.status in STATUSES
    assert found.time_s is not None
    assert found.samples == sum(len(times) for times in cells)
    if found.time_lo_s is None or found.time_hi_s is None:
        assert found.workers == 1
    else:
        assert 0 <= found.time_lo_s <= found.time_s <= found.time_hi_s < math.inf


def seen(*names: str, codes: tuple[str, ...] = ()) -> Activity:
    """A profile of two calls in which each of these ran once a call, for 3 µs."""
    lines = tuple(TraceLine(kind="kernel", name=name, count=2, total_s=6e-6) for name in names)
    return Activity(calls=2, lines=lines, span_s=1e-4, busy_s=1e-5, codes=codes)


def profiled(activity: Activity | None, metered: Metered | None = None) -> Record:
    """The row of a case that was looked at so."""
    made = outcome(*calm())
    made.activity, made.metered = activity, metered
    return row(made)


def test_kernels_are_in_the_row() -> None:
    """So that two machines can be compared by them."""
    found = profiled(seen("gemm", "Memset"))
    assert found.kernels == ("gemm", "Memset")
    assert found.kernels_per_call == 2
    assert found.profiled_time_s == pytest.approx(6e-6)
    assert "profile-incomplete" not in found.warnings


def test_an_incomplete_profile_gives_names_and_no_numbers() -> None:
    """And says so."""
    found = profiled(seen("gemm", codes=("profile-incomplete",)))
    assert (found.kernels, found.kernels_per_call, found.profiled_time_s) == (("gemm",), None, None)
    assert "profile-incomplete" in found.warnings


def test_a_call_that_runs_nothing_on_its_device_takes_no_time_there() -> None:
    """A view, say: none is not nought seconds."""
    found = profiled(seen())
    assert (found.kernels, found.kernels_per_call, found.profiled_time_s) == ((), 0, None)


def test_energy_is_in_the_row_or_there_is_a_code_for_that() -> None:
    """And neither where nobody asked."""
    assert profiled(None).energy_j is None
    assert profiled(None, Metered(energy_j=0.5)).energy_j == 0.5
    without = profiled(None, Metered(energy_j=None, reason="no counter"))
    assert without.energy_j is None
    assert "no-energy" in without.warnings
    assert (
        "no-energy" not in profiled(None, Metered(energy_j=0.5)).warnings + profiled(None).warnings
    )


@pytest.mark.parametrize(
    ("work", "kernels", "graph_s", "code"),
    [
        ("queued", 3, 1e-5, None),
        ("waits", 1, None, "not-queued"),
        ("waits", 900, 1e-3, "queue-full"),
        ("waits", 900, None, "not-queued"),
        ("idle", 0, None, None),
    ],
    ids=["queued", "reads back", "many launches", "many reads", "a view"],
)
def test_why_no_device_time_could_be_proven(
    work: str, kernels: int, graph_s: float | None, code: str | None
) -> None:
    """Launches that overfill the queue can be recorded as a graph; a loop of waits can't."""
    made = outcome(*calm())
    made.prepared = {0: dataclasses.replace(PREPARED, work=work)}
    made.activity = seen(*(f"k{n}" for n in range(kernels)))
    made.graph_s = graph_s
    found = row(made)
    assert {"not-queued", "queue-full"} & set(found.warnings) == ({code} if code else set())


def test_side_effects_of_all_workers_are_the_rows() -> None:
    """Also those of a visit; each makes its warning, and counts are no sums."""
    ready = dataclasses.replace(PREPARED, effects=SideEffects(graph_breaks=2, recompiles=1))
    checked = dataclasses.replace(
        RIGHT, effects=SideEffects(python_warnings=("UserWarning: x",), reference_cycles=True)
    )
    first, *others = calm()
    changed = dataclasses.replace(first[2], effects=SideEffects(state_changed=("seed: set to 1",)))
    made = outcome((*first[:2], changed), *others, checked=checked)
    made.prepared = {0: ready, 1: ready}
    found = row(made)
    assert (found.graph_breaks, found.recompiles) == (2, 1)
    assert found.state_changed == ("seed: set to 1",)
    assert found.python_warnings == ("UserWarning: x",)
    assert {"state-changed", "graph-break", "reference-cycles"} <= set(found.warnings)
    assert "recompile-limit" not in found.warnings
    assert made.alone


@pytest.mark.parametrize(
    ("labels", "threads"),
    [({}, 2), ({"threads": "1"}, 1), ({"threads": "8"}, 8), ({"threads": "0"}, 2), ({"threads": "x"}, 2)],
)  # fmt: skip
def test_a_row_has_the_threads_of_its_case(labels: dict[str, str], threads: int) -> None:
    """Those of its axis, or of the run."""
    assert row(outcome(*calm(), labels=labels)).threads == threads


def test_a_cell_has_what_the_process_used() -> None:
    """Faults per call as the median of the samples, the share of samples with a switch, and CPU time over wall time."""
    seen = dataclasses.replace(
        timed(100, 100, 300),
        minor_faults=(0, 30_720, 40_000),
        involuntary_switches=(0, 7, 0),
        cpu_ns=(2_000, 2_000, 6_000),
    )
    (cell,) = outcome((0, 0, seen)).cells()
    assert (cell.faults, cell.cpu_share) == (3072.0, 2.0)
    assert cell.switched_share == pytest.approx(1 / 3)
