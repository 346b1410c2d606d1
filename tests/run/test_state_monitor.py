"""Looks at the machine while cases are measured: scripted sentinels, a clock that is told."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bench.machine.gpu_readings import Telemetry
from bench.pool.protocol import Sensed
from bench.records.machine_state import Conditions
from bench.run import state_monitor
from bench.run.outcome import Outcome
from bench.run.state_monitor import SENTINELS_EVERY_S, Clock, StateMonitor, StateMonitors
from bench.run.visit import Visit
from tests.fakes.workers import CALM, PREPARED, case, visited

if TYPE_CHECKING:
    from collections.abc import Iterable

REFERENCE = Conditions(compute_s=CALM.compute_s, barrier_s=CALM.barrier_s)
SLOW = Sensed(compute_s=1.8 * CALM.compute_s, barrier_s=CALM.barrier_s)


class Scene:
    """A monitor that sees what it is told; only sleeping and being told move its clock."""

    def __init__(
        self,
        looks: Iterable[Sensed | None],
        known: Conditions | None = None,
        patience_s: float = 0.0,
    ) -> None:
        self.now_s = 0.0
        self.asked: list[int] = []
        self.waits = 0
        self._looks = iter(looks)
        self.monitor = StateMonitor(
            self._sense,
            device="cuda",
            known=known,
            patience_s=patience_s,
            waits=self._wait,
            clock=Clock(now_s=lambda: self.now_s, sleep=self._sleep),
        )

    def _sense(self, worker: int, device: str) -> Sensed | None:
        assert device == "cuda"
        self.asked.append(worker)
        return next(self._looks)

    def _sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def _wait(self) -> None:
        self.waits += 1

    def cell(self, *visits_s: float, worker: int = 0, round_: int = 0) -> list[Sensed | None]:
        """The conditions of visits that took this long, in one cell."""
        self.monitor.begin(worker, round_)
        seen = []
        for place, visit_s in enumerate(visits_s):
            outcome = Outcome(case=case(place))
            outcome.add_visit(
                Visit(worker=worker, round=round_, prepared=PREPARED, visited=visited(1))
            )
            self.now_s += visit_s
            self.monitor.visited(outcome)
            seen.append(outcome)
        self.monitor.end()
        return [outcome.visits[0].sensed for outcome in seen]


def looks(*compute_s: float) -> list[Sensed]:
    """Looks that differ in one sentinel."""
    return [Sensed(compute_s=time_s, barrier_s=3.0) for time_s in compute_s]


def test_a_short_turn_is_looked_at_when_it_begins_and_when_it_ends() -> None:
    """Each of its visits has the mean."""
    scene = Scene(looks(1.0, 2.0))

    assert scene.cell(0.01, 0.01, worker=4) == looks(1.5, 1.5)
    assert scene.asked == [4, 4]
    assert scene.monitor.seen == [Conditions(compute_s=1.5, barrier_s=3.0)]


def test_a_long_turn_is_looked_at_every_quarter_of_a_second() -> None:
    """Each visit has the mean of the look before it and the look after it."""
    scene = Scene(looks(1.0, 2.0, 3.0, 4.0))

    assert SENTINELS_EVERY_S == 0.25
    assert scene.cell(0.15, 0.15, 0.5, 0.15) == looks(1.5, 1.5, 2.5, 3.5)
    assert len(scene.monitor.seen) == 3


def test_a_cell_that_ends_with_a_look_is_not_looked_at_twice() -> None:
    """Nothing was visited since."""
    scene = Scene(looks(1.0, 2.0))

    assert scene.cell(0.5) == looks(1.5)
    assert len(scene.asked) == 2


def test_visits_of_other_cells_keep_their_conditions() -> None:
    """What a look says is about its own cell."""
    scene = Scene(looks(1.0, 1.0, 5.0, 5.0))
    outcome = Outcome(case=case())
    for round_ in range(2):
        scene.monitor.begin(0, round_)
        outcome.add_visit(Visit(worker=0, round=round_, prepared=PREPARED, visited=visited(1)))
        scene.monitor.visited(outcome)
        scene.monitor.end()

    assert [visit.sensed for visit in outcome.visits] == looks(1.0, 5.0)


def test_rows_of_a_first_run_share_the_reference_of_its_first_batch() -> None:
    """A machine that has none gets it then; drift does not move it, a faster state does."""
    scene = Scene(looks(*[2.0] * 2, *[1.9] * 4, *[1.0] * 8))
    scene.cell(0.1)
    first = scene.monitor.settle()
    scene.cell(0.1)
    scene.cell(0.1)
    assert first == scene.monitor.settle() == scene.monitor.known
    assert first == Conditions(compute_s=2.0, barrier_s=3.0)
    for _ in range(4):
        scene.cell(0.1)
    assert scene.monitor.settle() == Conditions(compute_s=1.0, barrier_s=3.0)


def test_a_look_that_is_missing_leaves_visits_without_conditions() -> None:
    """The worker was lost over it; the next look counts again."""
    scene = Scene([*looks(1.0), None, *looks(3.0, 3.0)])

    assert scene.cell(0.5, 0.5, 0.5) == [None, None, *looks(3.0)]


def test_each_device_has_a_monitor_of_its_own() -> None:
    """Made once, with what is known of that device; those never asked for are not made."""
    asked: list[str] = []

    def sense(_: int, device: str) -> Sensed:
        asked.append(device)
        return CALM

    monitors = StateMonitors(partial(StateMonitor, sense, patience_s=1.0), {"cuda": REFERENCE})
    assert monitors.of("cuda").reference == REFERENCE
    assert monitors.of("cpu").reference is None
    assert monitors.of("cuda") is monitors.of("cuda")
    monitors.of("cuda").begin(0, 0)
    assert asked == ["cuda"]
    assert set(monitors.made) == {"cpu", "cuda"}


def test_one_thread_has_no_barrier_on_average() -> None:
    """The mean of nothing is nothing."""
    alone = Sensed(compute_s=1.0, barrier_s=None)

    assert state_monitor.averaged(alone, alone) == alone
    assert state_monitor.averaged(alone, None) is None
    assert state_monitor.averaged(None, alone) is None


def test_what_a_launch_costs_is_averaged_as_well() -> None:
    """It is kept, but it is no state of the device: a slow host does not make its clock another."""
    one, other = (Sensed(compute_s=1.0, barrier_s=None, launch_s=s) for s in (4e-6, 6e-6))
    found = state_monitor.averaged(one, other)
    assert found is not None
    assert found.launch_s == pytest.approx(5e-6)


def test_both_looks_at_the_gauges_are_kept() -> None:
    """There is no mean of reasons."""
    one, other = (
        Sensed(compute_s=1.0, barrier_s=None, gauges=(Telemetry(power_w=power_w),))
        for power_w in (100.0, 200.0)
    )
    found = state_monitor.averaged(one, other)
    assert found is not None
    assert found.gauges == (Telemetry(power_w=100.0), Telemetry(power_w=200.0))


def test_the_reference_is_that_of_earlier_runs_until_a_faster_state_is_seen() -> None:
    """Nothing is known in a new store; drift does not move what is known."""
    assert Scene([]).monitor.reference is None

    scene = Scene([SLOW, SLOW, CALM, CALM], known=Conditions(compute_s=SLOW.compute_s))
    scene.cell(0.01)
    assert scene.monitor.reference == Conditions(compute_s=SLOW.compute_s)
    scene.cell(0.01)
    assert scene.monitor.reference == Conditions(compute_s=CALM.compute_s)


def test_a_cell_waits_for_the_machine_to_come_back() -> None:
    """Half a second here, and whoever listens is told."""
    scene = Scene([SLOW, SLOW, CALM, CALM], known=REFERENCE, patience_s=20)

    assert scene.cell(0.01) == [CALM]
    assert scene.now_s == pytest.approx(0.51)
    assert (scene.monitor.waited_s, scene.waits) == (0.5, 2)


def test_patience_is_for_the_whole_run() -> None:
    """When it is spent on slow states that come and go, the machine is measured as it is."""
    scene = Scene([*[SLOW, SLOW, CALM, CALM] * 6, SLOW, SLOW], known=REFERENCE, patience_s=3.0)

    assert [scene.cell(0.01, round_=n) for n in range(7)] == [[CALM]] * 6 + [[SLOW]]
    assert scene.monitor.waited_s == 3.0


def test_a_machine_that_does_not_come_back_is_taken_as_it_is() -> None:
    """After a third of the patience in one go; later turns don't wait, also where it came back between."""
    scene = Scene([SLOW] * 6 + [CALM] * 2 + [SLOW] * 2, known=REFERENCE, patience_s=3.0)

    assert scene.cell(0.01) == [SLOW]
    assert scene.monitor.waited_s == 1.0
    assert scene.cell(0.01, round_=1) == [CALM]
    assert scene.cell(0.01, round_=2) == [SLOW]
    assert scene.monitor.waited_s == 1.0


@pytest.mark.parametrize(
    ("look", "patience_s"),
    [(CALM, 20.0), (Sensed(compute_s=0.5 * CALM.compute_s, barrier_s=3e-6), 20.0), (SLOW, 0.0)],
    ids=["at reference", "faster", "no patience"],
)
def test_otherwise_nothing_is_waited_for(look: Sensed, patience_s: float) -> None:
    """A faster state is a gift, and it will be the reference."""
    scene = Scene(itertools.repeat(look), known=REFERENCE, patience_s=patience_s)
    scene.cell(0.01)
    assert scene.monitor.waited_s == 0


def test_without_a_reference_there_is_nothing_to_wait_for() -> None:
    """The first cell of the first run; a worker that is lost is no reason either."""
    scene = Scene([SLOW, SLOW, None, CALM], patience_s=20)
    scene.cell(0.01)
    scene.cell(0.01)
    assert scene.monitor.waited_s == 0
