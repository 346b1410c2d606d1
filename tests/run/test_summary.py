"""What samples say about a case at equal conditions; made-up samples in, known numbers out."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pytest

from bench.machine.gpu_readings import Telemetry
from bench.pool.protocol import Sensed
from bench.records.machine_state import Conditions
from bench.run.cells import Cell
from bench.run.outcome import Outcome, RunFacts
from bench.run.summary import CaseNoise, Noise, pooled_spread, spread_of
from bench.run.visit import Visit
from bench.stats import interval
from tests.fakes.workers import CALM, PREPARED, STARTED_AT, case, visited

if TYPE_CHECKING:
    from bench.records.record import Record

REFERENCE = Conditions(compute_s=CALM.compute_s, barrier_s=CALM.barrier_s)
SLOW = Sensed(compute_s=1.8 * CALM.compute_s, barrier_s=CALM.barrier_s)
DRIFTED = Sensed(compute_s=1.02 * CALM.compute_s, barrier_s=CALM.barrier_s)
FACTS = RunFacts(
    run_id="20260102T030405Z-abcdef",
    machine_id="m-1",
    machine="a machine",
    device_names={},
    torch_version="2.9.0",
    threads=2,
    confidence=0.95,
    started_at=STARTED_AT,
    started_ns=0,
    reference=REFERENCE,
)


def row(*cells: tuple[int, Sensed | None], **facts: Any) -> Record:
    """The row of cells (nanoseconds per call, sentinels), two workers alternately."""
    made = Outcome(case=case())
    for place, (time_ns, sensed) in enumerate(cells):
        made.add_visit(
            Visit(
                worker=place % 2,
                round=place // 2,
                prepared=PREPARED,
                visited=visited(10 * time_ns, started_ns=place),
                sensed=sensed,
            )
        )
    return made.entry(dataclasses.replace(FACTS, **facts)).record


def test_the_headline_is_that_of_the_cells_at_reference() -> None:
    """Slow cells do not move it; the row has both times, and the share of each."""
    found = row(*[(1_000, CALM)] * 8, *[(1_700, SLOW)] * 12)

    assert found.time_s == pytest.approx(1e-6)
    assert found.time_at_reference_s == pytest.approx(1e-6)
    assert found.state_times_s == pytest.approx((1e-6, 1.7e-6))
    assert found.state_shares == pytest.approx((0.4, 0.6))
    assert found.reference_share == pytest.approx(0.4)
    assert found.reference_compute_s == REFERENCE.compute_s
    assert found.reference_barrier_s == REFERENCE.barrier_s


def test_with_too_few_cells_at_reference_the_headline_is_that_of_all() -> None:
    """Five cells are the ends of a state; the interval then reaches from one state to the other."""
    found = row(*[(1_000, CALM)] * 5, *[(1_700, SLOW)] * 12)

    assert found.time_s == pytest.approx(1.7e-6, rel=0.1)
    assert found.time_lo_s is not None
    assert found.time_lo_s <= 1e-6
    assert set(found.warnings) >= {"two-states", "other-state"}


def test_in_another_state_the_interval_reaches_further_than_the_sentinels() -> None:
    """Sentinels at 1.8 times their reference: the time at reference may be 3.24 times less, or more."""
    found = row(*[(1_700, SLOW)] * 12)

    assert found.time_s == pytest.approx(1.7e-6)
    assert found.time_lo_s == pytest.approx(1.7e-6 / 1.8**2)
    assert found.time_hi_s == pytest.approx(1.7e-6 * 1.8**2)


def test_a_case_with_two_times_of_its_own_has_an_interval_that_holds_both() -> None:
    """The sentinels saw nothing, but a third of the cells took 1.4 times as long."""
    found = row(*[(1_000, CALM), (1_002, CALM), (1_400, CALM)] * 6)

    assert "two-states" in found.warnings
    assert found.state_times_s == pytest.approx((1.001e-6, 1.4e-6))
    assert found.time_lo_s is not None
    assert found.time_hi_s is not None
    assert found.time_lo_s == pytest.approx(1.001e-6)
    assert found.time_hi_s == pytest.approx(1.4e-6)


def test_earlier_runs_make_the_interval_as_wide_as_they_lay_apart() -> None:
    """Thirty degrees of freedom and 2 %: the quantile is 2.042."""
    floor = interval.Spread(variance=0.02**2, freedom=30.0)
    found = row(*[(1_000, CALM)] * 8, noise=Noise(floors={(case().id, "cpu"): floor}))

    assert found.noise_floor_share == pytest.approx(0.02)
    assert found.time_hi_s == pytest.approx(1e-6 * math.exp(0.02 * 2.042), rel=1e-4)
    assert row(*[(1_000, CALM)] * 8).noise_floor_share is None


def test_the_time_at_reference_has_an_interval_of_its_own() -> None:
    """What the machine did to all cells alike is not in it; what earlier runs say of it is."""
    drifting = [(1_000, CALM), (1_020, DRIFTED)]
    cells = [cell for place in range(6) for cell in [drifting[place % 2]] * 2]
    found = row(*cells)
    assert found.time_s is not None
    assert found.time_hi_s is not None
    assert found.time_hi_s > 1.01 * found.time_s
    assert found.time_at_reference_lo_s == pytest.approx(1e-6)
    assert found.time_at_reference_hi_s == pytest.approx(1e-6)

    floor = interval.Spread(variance=0.02**2, freedom=30.0)
    wide = row(*cells, noise_at_reference=Noise(floors={(case().id, "cpu"): floor}))
    assert wide.time_at_reference_hi_s == pytest.approx(1e-6 * math.exp(0.02 * 2.042), rel=1e-4)
    assert wide.time_hi_s == found.time_hi_s


def test_too_few_cells_at_reference_give_no_interval_either() -> None:
    """Both ends go with the time."""
    found = row(*[(1_000, CALM)] * 5)
    assert (found.time_at_reference_lo_s, found.time_at_reference_hi_s) == (None, None)


def on_gpu(*cells: tuple[float, float, bool], time_ns: int = 10_000) -> Record:
    """The row of cells (seconds of the device, seconds of submitting, proven), two workers alternately."""
    made = Outcome(case=case(device="cuda"))
    for place, (device_s, host_s, gapless) in enumerate(cells):
        seen = dataclasses.replace(
            visited(10 * time_ns, started_ns=place),
            device_s=(device_s,),
            host_s=(host_s,),
            gapless=(gapless,),
        )
        made.add_visit(
            Visit(
                worker=place % 2,
                round=place // 2,
                prepared=PREPARED,
                visited=seen,
                sensed=CALM,
            )
        )
    return made.entry(FACTS).record


@pytest.mark.parametrize(
    ("device_s", "host_s", "bound_by"),
    [(9.9e-6, 5e-6, "device"), (2e-6, 9.9e-6, "launch"), (8.5e-6, 9e-6, "device")],
)
def test_a_row_says_whether_the_device_or_the_launch_is_waited_for(
    device_s: float, host_s: float, bound_by: str
) -> None:
    """A caller waits 10 µs; the device is idle for a fifth of that or more, or it is not."""
    found = on_gpu(*[(device_s, host_s, True)] * 6)

    assert found.device_time_s == pytest.approx(device_s)
    assert found.host_time_s == pytest.approx(host_s)
    assert (found.bound_by, found.gapless_share) == (bound_by, 1.0)
    assert "not-queued" not in found.warnings


def test_samples_that_may_have_a_gap_do_not_count() -> None:
    """Five of six are proven; without any the device's own time is not known, and that is said."""
    found = on_gpu((90e-6, 5e-6, False), *[(9e-6, 5e-6, True)] * 5)
    assert found.device_time_s == pytest.approx(9e-6)
    assert found.gapless_share == pytest.approx(5 / 6)

    none = on_gpu(*[(9e-6, 5e-6, False)] * 6)
    assert (none.device_time_s, none.host_time_s, none.bound_by) == (None, None, None)
    assert "not-queued" in none.warnings
    assert row(*[(1_000, CALM)] * 6).device_time_s is None


def test_what_the_gpu_said_is_in_the_row_and_warns() -> None:
    """Its clock held down for power in all looks, and another's process on it."""
    gauges = (
        Telemetry(
            sm_clock_hz=1.2e9,
            sm_clock_max_hz=1.98e9,
            power_w=690.0,
            throttle_reasons=("power-cap",),
            other_processes=1,
        ),
    )
    sensed = dataclasses.replace(CALM, gauges=gauges)
    found = row(*[(1_000, sensed)] * 6)

    assert (found.sm_clock_hz, found.power_w, found.throttled_share) == (1.2e9, None, 1.0)
    assert set(found.warnings) >= {"clock-throttled", "busy-gpu"}
    assert row(*[(1_000, CALM)] * 6).sm_clock_hz is None


@pytest.mark.parametrize(("unsettled", "warns"), [(1, False), (2, True), (4, True)])
def test_a_case_has_not_settled_where_half_of_its_workers_say_so(
    unsettled: int, *, warns: bool
) -> None:
    """One of four may be the test's own error."""
    made = Outcome(case=case())
    for worker in range(4):
        prepared = dataclasses.replace(PREPARED, settled=worker >= unsettled)
        made.add_visit(Visit(worker=worker, round=0, prepared=prepared, visited=visited(10_000)))
    assert ("not-settled" in made.entry(FACTS).record.warnings) is warns


def test_times_that_rise_steadily_are_called_drift() -> None:
    """Three per cent over twelve cells, and nothing else."""
    rising = [(1_000 + 3 * place, CALM) for place in range(12)]

    assert "drift" in row(*rising).warnings
    assert "drift" not in row(*[(1_000, CALM)] * 12).warnings


def test_drift_within_the_state_is_taken_out() -> None:
    """A core that is 2 % slower all the time gives the same time at reference."""
    found = row(*[(1_020, DRIFTED)] * 6)

    assert found.time_s == pytest.approx(1.02e-6)
    assert found.time_at_reference_s == pytest.approx(1e-6)


@pytest.mark.parametrize(
    "cells",
    [
        [(1_000, CALM)] * 5 + [(1_700, SLOW)] * 4,
        [(1_000, CALM), (1_700, SLOW)] * 8,
        [(1_000, None)] * 6,
    ],
    ids=["five cells", "one worker only", "no sentinels"],
)
def test_too_few_cells_at_reference_give_no_time(cells: list[tuple[int, Sensed | None]]) -> None:
    """Fewer than six cells, or cells of one worker, are a matter of luck."""
    assert row(*cells).time_at_reference_s is None


def test_without_a_reference_there_is_no_time_at_it() -> None:
    """Nor a share of cells."""
    found = row(*[(1_000, CALM)] * 6, reference=None)

    assert (found.time_at_reference_s, found.reference_share) == (None, None)


def test_the_row_keeps_what_the_sentinels_took() -> None:
    """The medians over the cells."""
    found = row((1_000, CALM), (1_000, CALM), (1_000, SLOW))

    assert found.sentinel_compute_s == CALM.compute_s
    assert found.sentinel_barrier_s == CALM.barrier_s
    assert row((1_000, None), (1_000, None)).sentinel_compute_s is None


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ([(1_000, CALM)] * 6 + [(1_700, SLOW)] * 4, {"two-states"}),
        ([(1_000, CALM)] * 6 + [(1_020, SLOW)] * 4, set()),
        ([(1_000, CALM)] * 9 + [(1_700, SLOW)], set()),
        ([(1_700, SLOW)] * 6, {"other-state"}),
        ([(1_000, CALM)] * 4 + [(1_020, SLOW)], set()),
        ([(1_000, None)] * 6, set()),
    ],
    ids=[
        "two states",
        "an op that does not mind",
        "one slow cell",
        "slow throughout",
        "few cells, most at reference",
        "unknown",
    ],
)
def test_the_state_of_the_machine_becomes_a_warning(
    cells: list[tuple[int, Sensed | None]], codes: set[str]
) -> None:
    """Where it matters to the op, and where nothing is known of the op at reference."""
    assert set(row(*cells).warnings) - {"noisy", "unchecked", "few-samples"} == codes


def test_an_unsure_overhead_widens_the_interval() -> None:
    """In quadrature: 30 ns of doubt on a time of 1 µs that shows no other."""
    doubt = dataclasses.replace(PREPARED, overhead_uncertainty_s=30e-9)
    made = Outcome(case=case())
    for place in range(6):
        made.add_visit(
            Visit(
                worker=place % 2,
                round=place // 2,
                prepared=doubt,
                visited=visited(10_000),
                sensed=CALM,
            )
        )
    found = made.entry(FACTS).record

    assert found.time_lo_s == pytest.approx(0.97e-6)
    assert found.time_hi_s == pytest.approx(1.03e-6)


OWN, COMMON = (interval.Spread(variance=v, freedom=5.0) for v in (1e-4, 4e-4))


def scattered(scale: float) -> list[Cell]:
    """Cells of three workers in three rounds."""
    return [
        Cell(
            worker=place % 3,
            round=place // 3,
            started_ns=place,
            time_s=1.0 + scale * (place * place % 7),
            conditions=None,
        )
        for place in range(9)
    ]


def test_a_case_hears_what_is_said_of_it() -> None:
    """What all have in common, and its own floor; other cases' floors are not its business."""
    said = Noise(others=COMMON, floors={(case(0).id, "cpu"): OWN})

    assert said.of((case(0).id, "cpu")) == CaseNoise(others=COMMON, floor=OWN)
    assert said.of((case(0).id, "cuda")) == CaseNoise(others=COMMON, floor=None)
    assert Noise().of((case(0).id, "cpu")) == CaseNoise()


def test_six_cases_say_something_together() -> None:
    """Fewer don't, nor do cases without cells."""
    many = [scattered(0.01)] * 6
    found = pooled_spread(map(spread_of, many))

    assert found is not None
    assert found.variance > 0
    assert pooled_spread(map(spread_of, [*many[1:], []])) is None
    assert pooled_spread([]) is None


def use_row(*cells: tuple[int, int, int, float], memory: str = "system", **facts: Any) -> Record:
    """The row of cells (nanoseconds per call, faults per call, switches, CPU time over wall time), two workers."""
    made = Outcome(case=case())
    for place, (time_ns, faults, switches, cpu) in enumerate(cells):
        seen = dataclasses.replace(
            visited(10 * time_ns, started_ns=place),
            minor_faults=(10 * faults,),
            involuntary_switches=(switches,),
            cpu_ns=(round(10 * time_ns * cpu),),
        )
        made.add_visit(
            Visit(
                worker=place % 2,
                round=place // 2,
                prepared=PREPARED,
                visited=seen,
                sensed=CALM,
            )
        )
    return made.entry(dataclasses.replace(FACTS, memory={"cpu": memory}, **facts)).record


USED, FRESHLY, ASIDE = (1_000, 0, 0, 1.0), (5_000, 3072, 0, 1.0), (4_000, 0, 3, 0.4)


@pytest.mark.parametrize(
    ("memory", "time_s"), [("reuse", 1e-6), ("fresh", 5e-6)], ids=["reuse", "fresh"]
)
def test_the_memory_policy_says_which_of_two_times_is_the_number(
    memory: str, time_s: float
) -> None:
    """The row has both, and says which is which; its interval is that of the one."""
    found = use_row(*[USED] * 8, *[FRESHLY] * 8, memory=memory)

    assert found.time_s == found.time_at_reference_s == pytest.approx(time_s)
    assert found.time_hi_s == pytest.approx(time_s)
    assert found.state_times_s == pytest.approx((1e-6, 5e-6))
    assert found.state_shares == (0.5, 0.5)
    assert found.state_faults == (0.0, 3072.0)
    assert {"page-faults", "two-states"} & set(found.warnings) == {"page-faults"}
    assert found.samples == 16


def test_as_the_system_does_it_the_interval_holds_both_times() -> None:
    """Nobody said which of the two is the number."""
    found = use_row(*[USED] * 8, *[FRESHLY] * 8)

    assert found.time_lo_s is not None
    assert found.time_hi_s is not None
    assert found.time_lo_s <= 1e-6 * (1 + 1e-12)
    assert found.time_hi_s >= 5e-6 * (1 - 1e-12)
    assert found.state_faults == (0.0, 3072.0)


def test_a_few_cells_of_the_other_kind_are_no_states_and_do_not_count() -> None:
    """Two of fourteen, under `reuse`; without states there are no faults of theirs."""
    found = use_row(*[USED] * 12, *[FRESHLY] * 2, memory="reuse")

    assert found.time_hi_s == pytest.approx(1e-6)
    assert (found.state_times_s, found.state_faults) == ((), ())


def test_times_that_faults_do_not_tell_apart_have_none() -> None:
    """As many faults in either: the row has two states, and no word of memory."""
    found = use_row(*[(1_000, 5, 0, 1.0)] * 6, *[(1_700, 5, 0, 1.0)] * 6)

    assert found.state_times_s == pytest.approx((1e-6, 1.7e-6))
    assert found.state_faults == ()
    assert {"page-faults", "two-states"} & set(found.warnings) == {"two-states"}


def test_preempted_cells_count_nowhere_and_are_counted() -> None:
    """Four of sixteen: no second time of the case, no width, and all samples are kept."""
    found = use_row(*[USED] * 12, *[ASIDE] * 4)

    assert found.time_s == found.time_at_reference_s == pytest.approx(1e-6)
    assert found.time_hi_s == pytest.approx(1e-6)
    assert found.preempted_share == 0.25
    assert found.reference_share == 1.0
    assert found.samples == 16
    assert {"preempted", "two-states"} & set(found.warnings) == {"preempted"}


@pytest.mark.parametrize(("aside", "warns"), [(1, False), (3, False), (4, True)])
def test_it_is_said_where_a_fifth_of_the_cells_was_preempted(aside: int, *, warns: bool) -> None:
    """A single one of few is no reason."""
    found = use_row(*[USED] * 16, *[ASIDE] * aside)
    assert ("preempted" in found.warnings) is warns
    assert "preempted" not in use_row(*[USED] * 4, ASIDE).warnings


def test_preempted_cells_count_where_too_few_others_are_left() -> None:
    """Five others: the headline is that of all, and the row says how many were pushed aside."""
    found = use_row(*[USED] * 5, *[ASIDE] * 5)

    assert found.time_s is not None
    assert found.time_s > 1.5e-6
    assert found.preempted_share == 0.5
    assert "preempted" in found.warnings
    assert use_row(*[USED] * 6).preempted_share == 0.0
