"""Runs side by side keep every case once, base first, and follow the machine that has runs enough."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.compare.runs import Lineup, lineup
from tests.fakes.rows import lost
from tests.fakes.two_runs import run, timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.records.record import Record
    from bench.store.runs import RunInfo


def at(n: int, time_s: float = 1e-5, **values: Any) -> Record:
    """A case of this size."""
    return timed(time_s, params={"n": n, "dtype": "float32"}, **values)


def runs(count: int, **values: Any) -> list[RunInfo]:
    """Runs one hour apart."""
    return [
        run(f"20261123T0{hour}0201Z-aaaaa{hour}", started_at=f"2026-11-23T0{hour}:02:01", **values)
        for hour in range(count)
    ]


def of(infos: Sequence[RunInfo], *rows: list[Record]) -> Lineup:
    """The runs with these rows, which carry their run's id and machine."""
    named = [
        [
            dataclasses.replace(row, run_id=info.run_id, machine_id=str(info.machine["machine_id"]))
            for row in found
        ]
        for info, found in zip(infos, rows, strict=True)
    ]
    return lineup(infos, named)


def test_each_run_is_held_against_the_first() -> None:
    """The second is not the base of the third."""
    found = of(runs(3), [at(16)], [at(16, 2e-5)], [at(16, 4e-5)])
    (case,) = found.cases
    assert [one.base.run_id for one in found.comparisons] == [found.runs[0].run_id] * 2
    assert [said.ratio for said in case.said if said] == [pytest.approx(2), pytest.approx(4)]
    assert [seen.time[0] for seen in case.seen if seen] == [1e-5, 2e-5, 4e-5]


def test_a_case_of_any_run_has_its_line() -> None:
    """What a run lacks is None; what failed says why; what nobody measured on purpose is no line."""
    skipped = lost("skipped", "no kernel", params={"n": 99, "dtype": "float32"})
    gone = lost("oom", "too large", params={"n": 64, "dtype": "float32"})
    found = of(runs(2), [at(16), at(64), skipped], [gone, at(256)])
    lines = {case.title: case for case in found.cases}
    assert list(lines) == ["square n=16 float32", "square n=64 float32", "square n=256 float32"]
    assert lines["square n=16 float32"].seen[1] is None
    assert lines["square n=256 float32"].seen[0] is None
    after = lines["square n=64 float32"].seen[1]
    assert after is not None
    assert (after.status, after.reason) == ("oom", "too large")
    assert [case.said for case in found.cases] == [(None,)] * 3


def test_devices_of_a_case_are_two_lines() -> None:
    """The same id on a CPU and a GPU is compared with its like."""
    rows = [at(16), at(16, device="cuda", device_name="Test GPU")]
    found = of(runs(2), rows, rows)
    assert [(case.device, case.said[0] is not None) for case in found.cases] == [
        ("cpu", True),
        ("cuda", True),
    ]


def test_slower_concerns_before_faster_and_more_before_less() -> None:
    """A case that is slower in one run is what one looks at, whatever the others say."""
    found = of(runs(4), [at(16)], [at(16, 5e-6)], [at(16, 1.2e-5)], [at(16, 1.5e-5)])
    (case,) = found.cases
    assert case.foremost is not None
    assert case.foremost.verdict == "slower"
    assert case.foremost.ratio == pytest.approx(1.5)
    (alone,) = of(runs(2), [at(16)], []).cases
    assert alone.foremost is None


def test_rows_of_one_run_are_asked_for_when_the_last_are_done() -> None:
    """Ten runs of ten thousand cases are never in memory together."""
    asked: list[int] = []
    infos = runs(3, machine={"machine_id": None})

    def rows() -> Iterator[list[Record]]:
        for place in range(3):
            asked.append(place)
            yield [at(16)]

    reader = rows()
    lineup(infos, reader)
    assert asked == [0, 1, 2]


def test_three_runs_of_a_machine_are_followed() -> None:
    """Two are not, nor are three of different machines; a run named twice is one."""
    three = [[at(16)]] * 3
    assert of(runs(2), *three[:2]).followed is None
    first, second, _ = runs(3)
    assert of([first, second, second], *three).followed is None
    machines = [
        dataclasses.replace(info, machine={"machine_id": f"m-{place}", "name": "x"})
        for place, info in enumerate(runs(3))
    ]
    assert of(machines, *three).followed is None
    followed = of(runs(3), *three).followed
    assert followed is not None
    assert (followed.runs, followed.cases, followed.trends) == (3, 1, ())


def test_what_steps_most_is_followed_first() -> None:
    """Whatever the order in which the runs were named; a case without a step is counted only."""
    infos = runs(8)
    times = [2.0] * 4 + [1.0] * 4
    rows = [[at(16), at(64, 1e-5 * (1 + time / 10)), at(256, 1e-5 * time)] for time in times]
    backwards = of(infos[::-1], *rows[::-1]).followed
    assert backwards is not None
    assert backwards.cases == 3
    assert [one.case.partition("[")[2][:5] for one in backwards.trends] == ["n=256", "n=64,"]
    (step,) = backwards.trends[0].steps
    assert (step.before.run_id, step.after.run_id) == (infos[3].run_id, infos[4].run_id)
