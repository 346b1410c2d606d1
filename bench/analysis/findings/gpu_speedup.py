"""Where a GPU starts to win, in sentences: the op for which it matters most, then how many there are.

The winner is the device whose interval excludes the other; a size is given with its interval.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.analysis.crossover.crossovers import crossovers, point
from bench.analysis.crossover.with_copies import moved, ways
from bench.analysis.grid import PREFERRED_DTYPE
from bench.stats.crossing import ratios
from bench.units import counted, number, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.analysis.crossover.crossovers import Crossing
    from bench.analysis.crossover.with_copies import Ways
    from bench.records.record import Record
    from bench.stats.crossing import Crossover, Winner

_COARSE = 1.5
"""Between sizes further apart than this a step may lie, so the text says where a straight line was drawn."""
_KINDS = ("at", "always", "never", "cant-tell")
_SAID = {
    "from": ("wins", "from some size on"),
    "always": ("wins", "at every size"),
    "never": ("loses", "at every size"),
    "up to": ("loses", "from some size on"),
}
"""What the second side does, in the order in which sentences say it; the rest is unsure."""


def gpu_wins(records: Sequence[Record]) -> str | None:
    """From where on the GPU wins the op for which it matters most; with copies too, where they were measured."""
    found = between_devices(records)
    if not found:
        return None
    first = by_weight(found)[0]
    if first.found.kind == "cant-tell":
        return None
    name = f"The GPU ({first.other})" if first.one == "cpu" else first.other
    return f"{name} {_outcome(first)}{_with_copies(first, ways(records))}."


def gpu_elsewhere(records: Sequence[Record]) -> str | None:
    """How many ops it wins from a size on, at every size, or at none; or else how many cases.

    Ops of a single size are counted apart: that can't tell where the winner changes, but who wins there.
    """
    every = between_devices(records)
    if not every:
        return _of_cases(records)
    one, other = usual_sides(every)
    found = [c for c in every if (c.one, c.other) == (one, other)]
    along = [c for c in found if len(c.found.ratios) > 1]
    at_one = [c for c in found if len(c.found.ratios) == 1]
    sentences = [_along(along, one, other)] if along else []
    sentences += [_at_one(at_one, one, other)] if at_one else []
    return " ".join(sentences)


def usual_sides(found: Sequence[Crossing]) -> tuple[str, str]:
    """The two devices that most of these are between."""
    return Counter((one.one, one.other) for one in found).most_common(1)[0][0]


def _along(found: Sequence[Crossing], one: str, other: str) -> str:
    kinds = Counter(_kind(c.found) for c in found)
    said = [f"{verb} {kinds[kind]} {where}" for kind, (verb, where) in _SAID.items() if kinds[kind]]
    unsure = kinds["cant-tell"]
    parts = [f"{other} {', '.join(said)}"] if said else []
    parts += [f"{unsure} unsure"] if unsure else []
    ops = counted(len(found), "op")
    return f"Of {ops} (each dtype counted) measured along a size on {one} and {other}: {'; '.join(parts)}."


def _at_one(found: Sequence[Crossing], one: str, other: str) -> str:
    winners = Counter(c.found.ratios[0].winner for c in found)
    tail = f"; {winners[None]} unsure" if winners[None] else ""
    ops = counted(len(found), "op")
    return (
        f"Of {ops} measured at a single size on {one} and {other}: "
        f"{other} is faster in {winners['other']} and slower in {winners['one']}{tail}."
    )


def between_devices(records: Sequence[Record]) -> list[Crossing]:
    """Every curve that two devices have at a common size."""
    several = len({r.device for r in records}) > 1
    return crossovers(records, ["devices"]) if several else []


def winners_of_cases(
    records: Iterable[Record], one: str, other: str
) -> list[tuple[str, Winner | None]]:
    """The suite of each case that both devices have, and which of them is faster."""
    known = {(r.case, r.device): (r.suite, p) for r in records if (p := point(0, r))}
    return [
        (suite, ratios([here[1]], [there])[0].winner)
        for (case, device), (suite, there) in known.items()
        if device == other and (here := known.get((case, one)))
    ]


def by_weight(found: Sequence[Crossing]) -> list[Crossing]:
    """Those with a change first, of the usual dtype, and by the seconds between the sides at their largest size.

    A change between sizes that lie far apart comes after those of which it is known better where they are.
    """

    def weight(one: Crossing) -> tuple[int, bool, bool, bool, float]:
        return (
            _KINDS.index(one.found.kind),
            one.found.beyond != "other",
            one.dtype != PREFERRED_DTYPE,
            not one.found.located,
            -_seconds_between(one),
        )

    return sorted(found, key=weight)


def _seconds_between(one: Crossing) -> float:
    largest = one.found.ratios[-1].size
    here, there = (dict(curve)[largest].time_s or 0.0 for curve in one.curves)
    return abs(here - there)


def _outcome(one: Crossing) -> str:
    """`wins matmul/square float32 from n ≈ 310 on (290 to 330)`."""
    name = f"{one.suite}/{one.name} {one.dtype}"
    found = one.found
    if found.kind == "at":
        if found.beyond == "other":
            return f"wins {name} {_from(one.axis, found)}, data already on the GPU"
        return f"loses {name} {_from(one.axis, found)}, though its data is already on the GPU"
    ends = f"{one.axis} = {size_text(found.ratios[0].size)} to {size_text(found.ratios[-1].size)}"
    if found.kind == "always":
        times = number(min(r.low for r in found.ratios), 2)
        return f"wins {name} at every size measured, {ends}, data already on the GPU: at least {times} times as fast"
    times = number(min(1 / r.high for r in found.ratios), 2)
    return f"wins at no size of {name}, {ends}: it takes at least {times} times as long"


def _from(axis: str, found: Crossover) -> str:
    low, high = found.low or 0.0, found.high or 0.0
    line = ""
    if found.between and not found.located:
        ends = " and ".join(map(size_text, found.between))
        guess = f"on a straight line, from {size_text(found.size or 0.0)}"
        return f"from some {axis} between {ends} on ({guess})"
    if found.between and found.gap > _COARSE:
        line = f", on a straight line from {size_text(found.between[0])} to {size_text(found.between[1])}"
    return f"from {axis} ≈ {size_text(found.size or 0.0)} on ({size_text(low)} to {size_text(high)}{line})"


def _with_copies(one: Crossing, known: Mapping[tuple[str, str], Ways]) -> str:
    """What becomes of a win if copies of the data and of the result count."""
    if one.found.beyond != "other" or not (copied := moved(one, known)):
        return ""
    found = copied.found
    where = "unsure where"
    if found.kind == "at":
        where = f"{'' if found.beyond == 'other' else 'no longer '}{_from(one.axis, found)}"
    elif found.kind in {"always", "never"}:
        where = "at every size as well" if found.kind == "always" else "at no size measured"
    return f"; with its data copied there and the result back, {where}"


def _kind(found: Crossover) -> str:
    if found.kind == "at":
        return "from" if found.beyond == "other" else "up to"
    return found.kind


def _of_cases(records: Sequence[Record]) -> str | None:
    """On how many cases one of two devices is faster; intervals that touch decide nothing."""
    names = sorted({r.device for r in records})
    if len(names) != 2:  # noqa: PLR2004 - a comparison of two
        return None
    found = winners_of_cases([r for r in records if r.time_hi_s is not None], *names)
    if not found:
        return None
    winners = Counter(winner for _, winner in found)
    faster, slower, unsure = winners["other"], winners["one"], winners[None]
    tail = f"; {unsure} unsure" if unsure else ""
    both = f"Of {counted(len(found), 'case')} measured on both"
    return f"{both}, {names[1]} is faster than {names[0]} in {faster} and slower in {slower}{tail}."
