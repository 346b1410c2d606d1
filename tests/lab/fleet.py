"""Does the analysis of a fleet name slow GPUs and no others? Simulated fleets, with rules that others use beside it.

    nox -s fleet-errors -- --nodes 1000 --gpus 8 --repeats 10 --seed 1

Prints a table in Markdown: of the slow GPUs the share that was found, then the others that were named, per fleet and
as a share. A fleet has two visits of 40 cases in four groups; the nodes of suspects (`first visits`) and
of two controls are visited once more (`confirmed`). Half of the slow GPUs are slow in one group, half in all.
The simple rules see the mean time of each group over all visits: `1 sigma and 10 %` names what is beyond the mean of all
GPUs by a standard deviation and by a tenth (the sniff test of Megatron-LM), `3 sigma` what is beyond it by three.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.analysis.fleet.cohort import Cell, Cohort
from bench.analysis.fleet.fleet_summary import GROUPS, FleetSummary, Unit
from bench.analysis.fleet.standing import controls, judged, suspects
from bench.analysis.fleet.summary import BAND, LEVEL
from bench.units import clock, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from bench.analysis.fleet.fleet_summary import Deviation

    Reals = NDArray[np.float64]
    Bools = NDArray[np.bool_]

MODEL, TORCH, USUAL_S = "simulated", "2.13.0", 1e-3
CASES, VISITS = 10, 2
"""Cases of each group, and visits before the one that confirms."""
SIZES = (0.02, 0.03, 0.05, 0.07, 0.10)
SHARES = (0.0, 0.005, 0.01, 0.02)
RULES = ("first visits", "confirmed", "1 sigma and 10 %", "3 sigma")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How a simulated fleet varies: standard deviations of log time."""

    nodes: int
    gpus: int
    """Of a node."""
    slow_share: float = 0.0
    slower_by: float = 0.0
    device: float = 0.006
    """Half of the variance is common to all groups. With nodes nine GPUs in ten are within ±1.1 %."""
    node: float = 0.003
    visit: float = 0.004
    case: float = 0.003
    """Within a run."""
    disturbed_share: float = 0.02
    """Of the visits, in each group: something made them slower, exponentially by `disturbed_by` on average."""
    disturbed_by: float = 0.05


@dataclass(slots=True, kw_only=True)
class Counts:
    """What a rule named, over some fleets."""

    slow: int = 0
    ordinary: int = 0
    named_slow: int = 0
    named_ordinary: int = 0
    fleets: int = 0

    def add(self, named: Bools, slow: Bools) -> None:
        """Count one fleet."""
        self.fleets += 1
        self.slow += int(slow.sum())
        self.ordinary += int((~slow).sum())
        self.named_slow += int((named & slow).sum())
        self.named_ordinary += int((named & ~slow).sum())

    @property
    def power(self) -> float | None:
        """The share of the slow ones that it named."""
        return self.named_slow / self.slow if self.slow else None

    @property
    def false_per_fleet(self) -> float:
        """How many others it named."""
        return self.named_ordinary / self.fleets

    @property
    def false_share(self) -> float:
        """The same, as a share of the others."""
        return self.named_ordinary / self.ordinary


class Simulation:
    """One fleet: what its GPUs truly take, and visits to them."""

    def __init__(self, fleet: Fleet, rng: np.random.Generator) -> None:
        self._fleet, self._rng = fleet, rng
        count = fleet.nodes * fleet.gpus
        self.units = tuple(
            Unit(model=MODEL, node=f"n{node:05}", device=f"cuda:{gpu}")
            for node in range(fleet.nodes)
            for gpu in range(fleet.gpus)
        )
        self.slow, slowness = self._slowness(count)
        half = fleet.device / np.sqrt(2)
        own = rng.normal(0, half, (count, 1)) + rng.normal(0, half, (count, len(GROUPS)))
        nodes = rng.normal(0, fleet.node, (fleet.nodes, len(GROUPS))).repeat(fleet.gpus, axis=0)
        self._true = own + nodes + slowness

    def visited(self, chosen: Bools | None = None) -> Reals:
        """Log times of one visit, units × cases; NaN where a unit is not visited."""
        fleet, rng = self._fleet, self._rng
        shape = self._true.shape
        seen = self._true + rng.normal(0, fleet.visit, shape)
        disturbed = rng.random(shape) < fleet.disturbed_share
        seen += np.where(disturbed, rng.exponential(fleet.disturbed_by, shape), 0.0)
        logs = seen.repeat(CASES, axis=1)
        logs += rng.normal(np.log(USUAL_S), fleet.case, logs.shape)
        return logs if chosen is None else np.where(chosen[:, np.newaxis], logs, np.nan)

    def _slowness(self, count: int) -> tuple[Bools, Reals]:
        """Which are slow, every other one in all groups."""
        by = np.zeros((count, len(GROUPS)))
        places = self._rng.permutation(count)[: round(self._fleet.slow_share * count)]
        for number, place in enumerate(places):
            groups = slice(None) if number % 2 else int(self._rng.integers(len(GROUPS)))
            by[place, groups] = np.log1p(self._fleet.slower_by)
        return np.asarray(by.any(axis=1)), by


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--gpus", type=int, default=8, help="of each node")
    parser.add_argument("--repeats", type=int, default=10, help="fleets of each kind")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    began = time.perf_counter()
    print("\n".join(header()))
    for fleet in fleets(asked.nodes, asked.gpus):
        rng = np.random.default_rng(
            [asked.seed, round(fleet.slow_share * 1e4), round(fleet.slower_by * 1e4)]
        )
        print(line(fleet, measured(fleet, asked.repeats, rng)), flush=True)
    print(f"\n{asked.repeats} fleets of each kind, {clock(time.perf_counter() - began)}")
    return 0


def fleets(nodes: int, gpus: int) -> Iterator[Fleet]:
    """All kinds of fleets: without slow GPUs, then each share of each size."""
    plain = Fleet(nodes=nodes, gpus=gpus)
    yield plain
    for slow_share in SHARES[1:]:
        for size in SIZES:
            yield dataclasses.replace(plain, slow_share=slow_share, slower_by=size)


def measured(fleet: Fleet, repeats: int, rng: np.random.Generator) -> dict[str, Counts]:
    """What each rule names in several fleets of a kind."""
    found = {rule: Counts() for rule in RULES}
    for _ in range(repeats):
        simulation = Simulation(fleet, rng)
        for rule, named in named_by_rules(simulation).items():
            found[rule].add(named, simulation.slow)
    return found


def named_by_rules(simulation: Simulation) -> dict[str, Bools]:
    """Which GPUs each rule names slow, after visits to all, and to suspects and controls once more."""
    units = simulation.units
    visits = [simulation.visited() for _ in range(VISITS)]
    first = _summary(_cohort(units, visits, confirming=None))
    asked = suspects(first)
    again = {one.unit.node for one in asked} | {u.node for u in controls(first, asked, seed=1)}
    chosen = np.array([unit.node in again for unit in units])
    then = _cohort(units, visits, confirming=simulation.visited(chosen))
    simple = np.mean(visits, axis=0).reshape(len(units), len(GROUPS), CASES).mean(axis=2)
    times = np.exp(simple)
    mean, spread = times.mean(axis=0), times.std(axis=0)
    return {
        "first visits": _named(units, asked),
        "confirmed": _named(units, _summary(then).slow),
        "1 sigma and 10 %": ((times > mean + spread) & (times > 1.1 * mean)).any(axis=1),
        "3 sigma": (times > mean + 3 * spread).any(axis=1),
    }


def header() -> tuple[str, str]:
    """The first two lines of the table."""
    columns = ("slow GPUs", "slower by", *(f"{rule}: found, false" for rule in RULES))
    return f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"


def line(fleet: Fleet, found: dict[str, Counts]) -> str:
    """A line of the table: per rule the power, and the false alarms per fleet and as a share."""
    cells = [share(fleet.slow_share), share(fleet.slower_by)]
    for counts in found.values():
        power = "" if counts.power is None else f"{share(counts.power)}, "
        cells.append(f"{power}{counts.false_per_fleet:.1f} ({share(counts.false_share)})")
    return f"| {' | '.join(cells)} |"


def _cohort(units: tuple[Unit, ...], visits: Sequence[Reals], confirming: Reals | None) -> Cohort:
    every = [*visits] if confirming is None else [*visits, confirming]
    confirms = np.zeros((len(units), len(every)), dtype=np.bool_)
    confirms[:, len(visits) :] = True
    names = [f"{group}/case[n={n}]" for group in GROUPS for n in range(CASES)]
    return Cohort(
        model=MODEL,
        torch=TORCH,
        units=units,
        cells=tuple(Cell(name, None, None, None, "reuse", "eager") for name in names),
        groups=tuple(group for group in GROUPS for _ in range(CASES)),
        logs=np.stack(every, axis=1),
        confirms=confirms,
    )


def _summary(cohort: Cohort) -> FleetSummary:
    found = judged([cohort], band=BAND, level=LEVEL)
    return FleetSummary(
        deviations=found.deviations, spreads=(), percentiles=(), band=BAND, tests=found.tests
    )


def _named(units: Sequence[Unit], deviations: Sequence[Deviation]) -> Bools:
    """The units called slow in any group."""
    named = {one.unit for one in deviations if one.ratio > 1}
    return np.array([unit in named for unit in units])


if __name__ == "__main__":
    raise SystemExit(main())
