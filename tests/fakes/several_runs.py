"""Made-up runs side by side, for the tests of what a page shows of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from bench.analysis.compare.runs import Lineup, lineup
from tests.fakes.rows import HOSTILE, lost
from tests.fakes.two_runs import run, timed

if TYPE_CHECKING:
    from bench.records.record import Record
    from bench.store.runs import RunInfo


def runs(count: int, *, machines: bool = False, **values: Any) -> list[RunInfo]:
    """Runs one hour apart, of one machine or each of another."""
    return [
        run(
            f"20261123T{hour:02d}0201Z-aaaa{hour:02d}",
            started_at=f"2026-11-23T{hour:02d}:02:01+00:00",
            **{
                "label": f"r{hour}",
                "machine": {
                    "machine_id": f"m-{hour if machines else 0}",
                    "name": f"Box {hour if machines else 0}",
                },
                **values,
            },
        )
        for hour in range(count)
    ]


def sized(*times: float, **values: Any) -> list[Record]:
    """A case per time, of growing size."""
    return [
        timed(time, params={"n": 2**place, "dtype": "float32"}, **values)
        for place, time in enumerate(times)
    ]


def held(infos: list[RunInfo], *rows: list[Record]) -> Lineup:
    """The runs with these rows, which carry their run's id and machine."""
    return lineup(
        infos,
        [
            [
                dataclasses.replace(
                    row,
                    run_id=info.run_id,
                    machine_id=str(info.machine.get("machine_id")),
                    machine=str(info.machine.get("name")),
                )
                for row in found
            ]
            for info, found in zip(infos, rows, strict=True)
        ],
    )


def example() -> Lineup:
    """Two runs in which every verdict occurs, a case is missing, and names are hostile."""
    wide = timed(1e-5, width=0.2, suite="view", case="view/wide")
    gone = lost("oom", HOSTILE, "cat", "rows")
    evil = timed(1e-5, suite="view", case=f"view/{HOSTILE}", params={"x": HOSTILE})
    before = [*sized(1e-5, 1e-5, 1e-5, 1e-5), wide, evil, timed(1e-6, suite="cat", op="rows")]
    after = [*sized(1e-5, 2e-5, 5e-6, 1.2e-5), wide, evil, gone]
    rows = [
        dataclasses.replace(r, case="cat/rows[n=16,dtype=float32]") if r.suite == "cat" else r
        for r in (before[-1], gone)
    ]
    infos = runs(2)
    infos[1] = dataclasses.replace(infos[1], label=HOSTILE)
    return held(infos, [*before[:-1], rows[0]], [*after[:-1], rows[1]])


def stepping() -> Lineup:
    """Eight runs of a machine, after four of which a case takes twice as long."""
    times = [1e-5] * 4 + [2e-5] * 4
    return held(runs(8), *[sized(1e-5, time) for time in times])
