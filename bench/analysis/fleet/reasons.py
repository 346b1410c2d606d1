"""Reasons: what else differs between a unit that stands out and the others, in the facts of its rows and runs.

They are beside the finding, not its proof: a lower clock may be what makes a unit slow, or what a slow one is given.
What neither rows nor runs have is not spoken of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.analysis.fleet.mixtures import facts_of
from bench.units import number, share, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.analysis.fleet.cohort import Row
    from bench.analysis.fleet.fleet_summary import Deviation, Unit
    from bench.records.record import Record
    from bench.store.runs import RunInfo

_MIN_CLOCK_CHANGE = 0.02
"""Less is a step of the clock, of which GPUs have one each 15 MHz."""
_MIN_HEAT_C = 5.0
_MIN_THROTTLED = 0.05
_MOVING = frozenset({"processes", "busy_share", "sm_clock_hz", "temperature_c", "throttle_reasons"})
"""What a run's state has of a GPU that changes by the second; rows have it from while the case ran."""
_UNNAMED = frozenset({"name", "uuid"})


_UNITS: Mapping[str, Callable[[float], str]] = {
    "_w": lambda value: f"{number(value)} W",
    "_hz": lambda value: f"{number(value / 1e6, 4)} MHz",
    "_bytes": size,
}
"""Ending of a fact's name → its value in words."""


class _Gauge(NamedTuple):
    """A column that may say why."""

    read: Callable[[Record], float | None]
    differs: Callable[[float, float], bool]
    """Whether this unit's value and the usual one are worth a word."""
    told: Callable[[float, float], str]


def _mhz(value: float) -> str:
    return f"{number(value / 1e6, 4)} MHz"


_GAUGES = (
    _Gauge(
        lambda row: row.sm_clock_hz,
        lambda own, usual: abs(own / usual - 1) > _MIN_CLOCK_CHANGE if usual else False,
        lambda own, usual: f"SM clock {_mhz(own)}, others {_mhz(usual)}",
    ),
    _Gauge(
        lambda row: row.throttled_share,
        lambda own, usual: abs(own - usual) > _MIN_THROTTLED,
        lambda own, usual: (
            f"clocks held down in {share(own)} of the readings, others {share(usual)}"
        ),
    ),
    _Gauge(
        lambda row: row.temperature_c,
        lambda own, usual: abs(own - usual) > _MIN_HEAT_C,
        lambda own, usual: f"{number(own, 2)} °C, others {number(usual, 2)} °C",
    ),
    _Gauge(
        lambda row: row.other_processes,
        lambda own, usual: own > usual,
        lambda own, _: f"other processes on it: {own:.0f}",
    ),
)


def with_reasons(
    deviations: Sequence[Deviation], rows: Sequence[Row], infos: Sequence[RunInfo]
) -> list[Deviation]:
    """The deviations, those that stand out with what else differs.

    Args:
        deviations: of one cohort.
        rows: its usable rows.
        infos: of each visit what its run says of itself.
    """
    if not any(_stands_out(one) for one in deviations):
        return list(deviations)
    gauged = [_gauged(rows, gauge) for gauge in _GAUGES]
    facts = _facts(rows, infos)
    usual = _usual(facts)
    return [
        replace(
            one,
            reasons=(
                *one.reasons,
                *_by_gauges(one.unit, gauged),
                *_by_facts(facts[one.unit], usual),
            ),
        )
        if _stands_out(one)
        else one
        for one in deviations
    ]


def _stands_out(one: Deviation) -> bool:
    return one.suspect or one.standing in {"slow", "fast"}


def _gauged(rows: Sequence[Row], gauge: _Gauge) -> dict[Unit, float]:
    """Each unit's value: the median over its rows, which are of the same cases on all units."""
    values: dict[Unit, list[float]] = {}
    for row in rows:
        value = gauge.read(row.record)
        if value is not None:
            values.setdefault(row.unit, []).append(value)
    return {unit: median(of) for unit, of in values.items()}


def _by_gauges(unit: Unit, gauged: Sequence[Mapping[Unit, float]]) -> Iterator[str]:
    for gauge, values in zip(_GAUGES, gauged, strict=True):
        others = [value for one, value in values.items() if one != unit]
        if unit in values and others:
            own, usual = values[unit], median(others)
            if gauge.differs(own, usual):
                yield gauge.told(own, usual)


def _facts(rows: Sequence[Row], infos: Sequence[RunInfo]) -> dict[Unit, dict[str, str]]:
    """What the runs say of each unit's host and of itself; of several visits the last."""
    places = dict.fromkeys((row.unit, row.visit) for row in rows)
    return {
        unit: {**facts_of(infos[place]), **_of_device(infos[place], unit.device)}
        for unit, place in sorted(places)
    }


def _of_device(info: RunInfo, device: str) -> dict[str, str]:
    """What a run's torch and its snapshot say of this GPU, but for what changes by the second."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return {}
    place = int(index) if index.isdecimal() else 0
    found: dict[str, Any] = {}
    for known in (info.torch.get("cuda_devices"), info.state.get("gpus")):
        if isinstance(known, list | tuple) and place < len(known):
            of = known[place]
            found.update(of if isinstance(of, Mapping) else {})
    return dict(
        _named(name, value)
        for name, value in found.items()
        if name not in _MOVING | _UNNAMED and isinstance(value, int | float | str)
    )


def _named(name: str, value: float | str) -> tuple[str, str]:
    """`power_limit_w`, 600.0 → `power limit`, `600 W`."""
    for ending, text in _UNITS.items():
        if name.endswith(ending) and isinstance(value, int | float):
            return name.removesuffix(ending), text(value)
    return name, str(value)


def _usual(facts: Mapping[Unit, Mapping[str, str]]) -> dict[str, str]:
    """The value of each fact that more than half of the units have that have one."""
    counts: dict[str, Counter[str]] = {}
    for of in facts.values():
        for name, value in of.items():
            counts.setdefault(name, Counter())[value] += 1
    most = {name: counted.most_common(1)[0] for name, counted in counts.items()}
    return {name: value for name, (value, n) in most.items() if 2 * n > counts[name].total()}


def _by_facts(own: Mapping[str, str], usual: Mapping[str, str]) -> Iterator[str]:
    for name, value in own.items():
        if name in usual and value != usual[name]:
            yield f"{name.replace('_', ' ')} {value}, others {usual[name]}"
