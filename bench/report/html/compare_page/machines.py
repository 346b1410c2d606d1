"""What runs say of themselves, side by side: what differs first, then what is alike, said once.

A fact that a run does not know is no difference, but it shows as unknown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.report.html.run_page import facts as run_page_facts
from bench.units import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.analysis.compare.comparability import Difference, Matters
    from bench.report.html.run_page.facts import Definitions
    from bench.store.runs import RunInfo

_PARTS = ("machine", "environment", "torch", "state", "options")
_MATTERS: Mapping[Matters, str] = {"yes": "not to be mixed", "care": "with care", "no": ""}
_ALWAYS = frozenset({"seed"})
"""What differs between any two runs, and says nothing about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that runs say differently: of which part of them, and what each says."""

    group: str
    name: str
    values: tuple[str, ...]
    matters: str
    """What that means for a comparison; empty where nothing is known to follow from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The facts of runs: those in which they differ, and the others by part."""

    differing: tuple[Fact, ...]
    alike: tuple[tuple[str, Definitions], ...]


def sides(runs: Sequence[RunInfo], known: Iterable[Difference] = ()) -> Sides:
    """Every fact of the runs, once.

    Args:
        runs: what they say of themselves.
        known: differences that were weighed; what must not be mixed comes first.
    """
    told = [dict(_flat(run)) for run in runs]
    weighed = {d.field.replace("_", " "): d.matters for d in sorted(known, key=_weight)}
    facts = [
        Fact(
            group=group,
            name=name,
            values=tuple(one.get((group, name), MISSING) for one in told),
            matters=_matters(name, weighed),
        )
        for group, name in dict.fromkeys(key for one in told for key in one)
        if name not in _ALWAYS
    ]
    differing = [one for one in facts if len(set(one.values)) > 1]
    differing.sort(key=lambda one: list(_MATTERS.values()).index(one.matters))
    alike: dict[str, Definitions] = {}
    for one in facts:
        if len(set(one.values)) == 1:
            alike.setdefault(one.group, []).append((one.name, one.values[0]))
    return Sides(differing=tuple(differing), alike=tuple(alike.items()))


def _weight(one: Difference) -> int:
    """What matters most comes last, to stand over what was said of the same fact before."""
    return -list(_MATTERS).index(one.matters)


def _matters(name: str, weighed: Mapping[str, Matters]) -> str:
    """By the names under which `comparable` weighs facts of torch and of its settings."""
    spelt = (name, f"torch {name}", name.replace("cuda settings", "cuda"))
    return _MATTERS[next((weighed[one] for one in spelt if one in weighed), "no")]


def _flat(run: RunInfo) -> list[tuple[tuple[str, str], str]]:
    """((part, name), text), with the members of a nested fact one by one."""
    parts: dict[str, Any] = {name: _unnested(getattr(run, name)) for name in _PARTS}
    return [
        ((group, name), text)
        for group, pairs in run_page_facts.groups(dataclasses.replace(run, **parts))
        for name, text in pairs
    ]


def _unnested(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`{"packages": {"torch": …}}` as `{"packages torch": …}`; what has a unit in its name stays whole."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping) and value and not run_page_facts.has_unit(name):
            found |= {f"{name} {key}": one for key, one in value.items()}
        else:
            found[name] = value
    return found
