"""Sentences about a campaign: what its visits say of devices, and what was not measured. The worst news comes first.

Terminal and page show the same ones. Nothing is said more strongly than by the facts, and where nothing can be said
of a device, that is said, and why.
"""

from __future__ import annotations

import math
from collections import Counter
from statistics import quantiles
from typing import TYPE_CHECKING

from bench.analysis.fleet.fleet_summary import FEWEST_FOR_PERCENTILES, FEWEST_UNITS
from bench.analysis.fleet.node_coverage import GRAVITY, covered_nodes
from bench.units import number, one_line, share, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bench.analysis.fleet.fleet_summary import Deviation, FleetSummary, Group, Spread, Unit
    from bench.analysis.fleet.node_coverage import CoveredNode
    from bench.records.campaign import CampaignState, State

BOUND_BY: Mapping[Group, str] = {
    "compute": "everything bound by compute",
    "memory": "everything bound by memory",
    "launch": "everything bound by launches",
    "transfer": "copies between host and device",
}
"""Group → the cases of it, in words."""
LONGEST_NAME, LONGEST_REASON = 60, 90
"""Names and reasons come from machines, and may be of any length."""
_MIXED = {"torch": "devices are compared only with those that had the same"}
"""Mixed fact → what that means, where it is not that devices differ for it."""
_MOST_NAMED = 5
"""A sentence names so many units or nodes; tables have the rest."""
_MOST_REASONS = 3
_LEAST_FACTOR = 2.0
"""From twice as long on, people think in factors and no more in per cent."""


def sentences(state: CampaignState, summary: FleetSummary) -> tuple[str, ...]:
    """What to take home, the worst news first."""
    nodes = covered_nodes(state)
    if not any(node.done for node in nodes):
        return (_nothing_yet(state), *_not_measured(nodes))
    return (
        *_slow(summary),
        *_suspects(summary),
        *_measured(nodes),
        *_not_measured(nodes),
        *_visits(state),
        *_none_stands_out(summary),
        *mixtures(summary),
        *_spreads(summary),
        *_fast(summary),
        *_unsure(summary),
        *_cleared(summary),
        *_extra(state),
    )


def count_of(how_many: int, noun: str) -> str:
    """`1 GPU`, `8,000 GPUs`."""
    return f"{how_many:,} {noun}{'' if how_many == 1 else 's'}"


def noun(units: Iterable[Unit]) -> str:
    """What units are called together: GPU, CPU, or device where there are both."""
    kinds = {"CPU" if one.device.partition(":")[0] == "cpu" else "GPU" for one in units}
    return kinds.pop() if len(kinds) == 1 else "device"


def unit_name(unit: Unit) -> str:
    """`n017 cuda:3`."""
    return f"{one_line(unit.node, LONGEST_NAME)} {one_line(unit.device, LONGEST_NAME)}"


def cleared(one: Deviation) -> bool:
    """Whether a suspect was visited again, and was like the others then."""
    return one.confirmed is False and one.standing == "ordinary"


def waits(one: Deviation) -> bool:
    """Whether a suspect still waits for the visit that confirms or clears it."""
    return one.suspect and one.confirmed is None


def mixtures(summary: FleetSummary) -> tuple[str, ...]:
    """What should be one and is several: `Mixed driver: 550.54 and 560.28; …`."""
    return tuple(
        f"Mixed {one_line(fact, LONGEST_NAME)}: {_listed([one_line(v, LONGEST_NAME) for v in values])}; "
        f"{_MIXED.get(fact, 'devices may differ for that reason alone')}."
        for fact, values in summary.mixtures.items()
        if len(values) > 1
    )


def models(summary: FleetSummary) -> tuple[str, ...]:
    """The models of devices, those with most units first."""
    units = {one.unit for one in summary.deviations}
    counted = Counter(unit.model for unit in units)
    for row in summary.percentiles:
        counted[row.model] = max(counted[row.model], row.units)
    for spread in summary.spreads:
        counted[spread.model] += 0
    return tuple(sorted(counted, key=lambda model: (-counted[model], model)))


def _nothing_yet(state: CampaignState) -> str:
    counts = {one: n for one, n in state.counts.items() if one != "done"}
    if not counts:
        return "Nothing is measured: the campaign has no visits."
    several = sum(counts.values()) != 1
    parts = [f"{n:,} {one}" for one, n in counts.items()]
    total = count_of(sum(counts.values()), "visit")
    if len(parts) == 1:
        (one,) = counts
        verb = "are" if several else "is"
        become = one if one == "failed" else f"{verb} {one}"
        return f"Nothing is measured yet: {total} {become}."
    return f"Nothing is measured yet: of {total} {_listed(parts)}."


def _slow(summary: FleetSummary) -> Iterator[str]:
    if found := summary.slow:
        yield _standing_out(found, "slow", _units_of_nodes(summary))


def _fast(summary: FleetSummary) -> Iterator[str]:
    found = sorted((one for one in summary.deviations if one.standing == "fast"), key=_ratio)
    if found:
        yield _standing_out(found, "fast", _units_of_nodes(summary))


def _units_of_nodes(summary: FleetSummary) -> Counter[tuple[str, str]]:
    """Model and node → units of it."""
    return Counter((one.model, one.node) for one in {d.unit for d in summary.deviations})


def _standing_out(
    found: Sequence[Deviation], word: str, of_nodes: Mapping[tuple[str, str], int]
) -> str:
    """`2 GPUs are slow: n017 cuda:3, everything bound by memory, 6.2 % (5.1 to 7.3 %); …`.

    A node of which all units stand out is named as one: what they share is the likelier cause.
    """
    units = list(dict.fromkeys(one.unit for one in found))
    own = Counter((one.model, one.node) for one in units)
    parts: dict[tuple[str, ...], list[Deviation]] = {}
    for one in found:
        node = (one.unit.model, one.unit.node)
        whole = of_nodes[node] == own[node] > 1
        parts.setdefault(node if whole else (*node, one.unit.device), []).append(one)
    shown = [
        _evidence(own[key[0], key[1]], part) for key, part in list(parts.items())[:_MOST_NAMED]
    ]
    more = f"; and {len(parts) - _MOST_NAMED:,} more" if len(parts) > _MOST_NAMED else ""
    verb = "is" if len(units) == 1 else "are"
    return f"{count_of(len(units), noun(units))} {verb} {word}: {'; '.join(shown)}{more}."


def _evidence(of_node: int, found: Sequence[Deviation]) -> str:
    """What is known of a unit, or of all units of a node; the farthest one of each group stands for them."""
    units = {one.unit for one in found}
    unit = found[0].unit
    named = unit_name(unit)
    if len(units) > 1:
        named = f"{one_line(unit.node, LONGEST_NAME)}, all {count_of(of_node, noun(units))}"
    foremost: dict[Group, Deviation] = {}
    for one in found:  # the farthest is the first
        foremost.setdefault(one.group, one)
    up_to = "up to " if len(units) > 1 else ""
    groups = ", ".join(f"{BOUND_BY[group]}, {up_to}{size(one)}" for group, one in foremost.items())
    reasons = list(dict.fromkeys(one_line(r, LONGEST_REASON) for d in found for r in d.reasons))
    why = f" ({'; '.join(reasons[:_MOST_REASONS])})" if reasons else ""
    alone = "" if any(one.confirmed for one in found) else ", not confirmed by a further visit"
    return f"{named}, {groups}{alone}{why}"


def size(one: Deviation) -> str:
    """`6.2 % (5.1 to 7.3 %)`: more time or less, by the word beside it; a factor from twice as long on."""
    if one.ratio >= _LEAST_FACTOR:
        low, high = number(one.ratio_lo), number(one.ratio_hi)
        ends = f"{low} to {high}" if math.isfinite(one.ratio_hi) else f"{low} or more"
        return f"{number(one.ratio)} times as long ({ends})"
    if one.ratio >= 1:
        ends = _ends(one.ratio_lo - 1, one.ratio_hi - 1)
        return f"{share(one.ratio - 1)} ({ends})"
    return f"{share(1 - one.ratio)} ({_ends(1 - one.ratio_hi, 1 - one.ratio_lo)})"


def _ends(low: float, high: float) -> str:
    """Two shares, with their unit once where both are on the same side."""
    if low < 0:
        return f"{signed(low)} to {signed(high)}"
    text = share(low)
    return f"{text if text.startswith('<') else text.removesuffix(' %')} to {share(high)}"


def _suspects(summary: FleetSummary) -> Iterator[str]:
    units = _units(summary, waits)
    if units:
        verb, them = ("waits", "it") if len(units) == 1 else ("wait", "them")
        names = _listed([unit_name(one) for one in units])
        yield (
            f"{count_of(len(units), 'suspect')} {verb} for a visit that confirms or clears {them}: {names}."
        )


def _cleared(summary: FleetSummary) -> Iterator[str]:
    units = _units(summary, cleared)
    if len(units) == 1:
        yield f"1 suspect was cleared by its confirming visit: {unit_name(units[0])}."
    elif units:
        names = _listed([unit_name(one) for one in units])
        yield f"{count_of(len(units), 'suspect')} were cleared by their confirming visits: {names}."


def _unsure(summary: FleetSummary) -> Iterator[str]:
    """Units whose intervals reach both sides of what matters; not where nothing at all could be judged."""
    if all(one.standing == "unsure" for one in summary.deviations):
        return
    units = _units(summary, lambda one: one.standing == "unsure" and not waits(one))
    if units:
        verb = "is" if len(units) == 1 else "are"
        yield (
            f"{count_of(len(units), noun(units))} {verb} unsure in at least one group: "
            "too little is known to say whether the difference matters."
        )


def _units(summary: FleetSummary, which: Callable[[Deviation], bool]) -> list[Unit]:
    """The units of which it holds in some group, those that take longest first."""
    found = sorted((one for one in summary.deviations if which(one)), key=_ratio, reverse=True)
    return list(dict.fromkeys(one.unit for one in found))


def _ratio(one: Deviation) -> float:
    return one.ratio


def _measured(nodes: Sequence[CoveredNode]) -> Iterator[str]:
    done = sum(node.done > 0 for node in nodes)
    visits = {node.done for node in nodes if node.done}
    every = " each" if done > 1 else ""
    each = f", {count_of(visits.pop(), 'visit')}{every}" if len(visits) == 1 else ""
    yield f"{done:,} of {count_of(len(nodes), 'node')} measured{each}."


def _not_measured(nodes: Sequence[CoveredNode]) -> Iterator[str]:
    """Nodes without any visit, by what became of them; those that simply wait for their turn are counted."""
    groups: dict[tuple[State, str], list[str]] = {}
    for node in nodes:
        if not node.done and node.state not in {"waiting", "running"}:
            why = one_line(node.reason, LONGEST_REASON)
            groups.setdefault((node.state, why), []).append(one_line(node.name, LONGEST_NAME))
    ordered = sorted(groups.items(), key=lambda pair: GRAVITY.index(pair[0][0]))
    for (one, why), names in ordered[:_MOST_NAMED]:
        yield f"Not measured, {one}{f' ({why})' if why else ''}: {_listed(names)}."
    if more := sum(len(names) for _, names in ordered[_MOST_NAMED:]):
        yield f"Not measured, for other reasons: {count_of(more, 'node')}."


def _visits(state: CampaignState) -> Iterator[str]:
    """What is still missing of the plan, which is more than the nodes that have no visit."""
    if state.complete:
        return
    counts = state.counts
    parts = [f"{n:,} {one}" for one, n in counts.items() if one != "done"]
    done = counts.get("done", 0)
    verb = "is" if done == 1 else "are"
    yield f"Of {count_of(len(state.visits), 'visit')} {done:,} {verb} done; {_listed(parts)}."


def _none_stands_out(summary: FleetSummary) -> Iterator[str]:
    """That all are alike, or why nothing can be said of any."""
    found = summary.deviations
    if not found:
        yield f"Nothing can be said of single devices: {_why_none(summary)}."
        return
    told = {one.unit for one in found if one.standing != "unsure"}
    if not told:
        yield f"Nothing can be said of single devices yet: {_why_unsure(found)}."
    elif not any(one.standing in {"slow", "fast"} or waits(one) for one in found):
        groups = count_of(len({one.group for one in found}), "group")
        looked = count_of(len(told), noun(told))
        yield (
            f"No device stands out: {looked} compared in {groups} of ops; "
            f"differences below {share(summary.band)} don't matter."
        )


def _why_none(summary: FleetSummary) -> str:
    most = max((row.units for row in summary.percentiles), default=0)
    if most == 1:
        return "each is the only one of its model, so there is nothing to compare it with"
    return "too few units of a model were measured" if most else "no visit has a case with a time"


def _why_unsure(found: Sequence[Deviation]) -> str:
    if max(one.visits for one in found) == 1:
        return "each was visited once, so a slow device can't be told from a slow visit"
    units = {one.unit for one in found}
    most = max(Counter(unit.model for unit in units).values())
    if most == 1:
        return "each is the only one of its model, so there is nothing to compare it with"
    if most < FEWEST_UNITS:
        return f"{most} of a model don't tell what is usual for it; {FEWEST_UNITS} are the fewest"
    told = f"{count_of(len(units), noun(units))} in {count_of(max(one.visits for one in found), 'visit')}"
    return f"what {told} tell is too little"


def _spreads(summary: FleetSummary) -> Iterator[str]:
    """A sentence per model, about the group in which its units differ most."""
    for model in models(summary):
        found = [(sd, one) for one in summary.spreads if one.model == model and (sd := _apart(one))]
        if not found:
            continue
        most, spread = max(found, key=lambda pair: pair[0])
        units = [one for one in summary.deviations if one.unit.model == model]
        word = noun(one.unit for one in units) if units else "device"
        where = f" in {BOUND_BY[spread.group]}" if len(found) > 1 else ""
        up_to = "by up to" if len(found) > 1 else "by"
        said = f"{one_line(model, LONGEST_NAME)}: {word}s differ {up_to} {share(most)}{where}"
        yield f"{said}{_reach(units, spread.group)}{_again(spread, word)}."


def _apart(one: Spread) -> float:
    """Standard deviation between any two units: of one node and of two."""
    return math.hypot(one.between_devices or 0.0, one.between_nodes or 0.0)


def _reach(units: Sequence[Deviation], group: Group) -> str:
    """` (5–95 %: −0.9 % to +1.0 %)`; nothing where there are too few units for that."""
    ratios = [one.ratio for one in units if one.group == group and math.isfinite(one.ratio)]
    if len(ratios) < FEWEST_FOR_PERCENTILES:
        return ""
    cuts = quantiles(ratios, n=20, method="inclusive")
    return f" (5–95 %: {signed(cuts[0] - 1)} to {signed(cuts[-1] - 1)})"


def _again(spread: Spread, word: str) -> str:
    if spread.between_visits is None:
        return "; with one visit each, how much of that is the visit can't be told"
    return f", the same {word} from visit to visit by {share(spread.between_visits)}"


def _extra(state: CampaignState) -> Iterator[str]:
    if extra := len(state.extra_runs):
        verb = "repeats" if extra == 1 else "repeat"
        yield f"{count_of(extra, 'run')} {verb} a visit that counts already; kept, and not counted."


def _listed(texts: Sequence[str]) -> str:
    """`a, b and c`; of many, `a, b, c, d, e and 4 more`."""
    shown, more = list(texts[:_MOST_NAMED]), len(texts) - _MOST_NAMED
    last = f"{more:,} more" if more > 0 else (shown.pop() if shown else "")
    return " and ".join(filter(None, (", ".join(shown), last)))
