"""A comparison for programs: the contract's JSON and nothing else; what is not known is null."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.verdict import CaseVerdict

_CASE = (
    "case",
    "device",
    "base_s",
    "new_s",
    "ratio",
    "ratio_lo",
    "ratio_hi",
    "verdict",
    "reason",
    "smallest_visible",
    "threshold",
)
_SUMMARY = (
    "faster",
    "slower",
    "same",
    "unsure",
    "missing",
    "geomean_ratio",
    "geomean_lo",
    "geomean_hi",
)


def comparison_facts(found: Comparison) -> dict[str, Any]:
    """One run against another."""
    return {
        "comparable": {
            "verdict": found.comparable.verdict,
            "differences": [dataclasses.asdict(one) for one in found.comparable.differences],
        },
        "cases": [_case(one) for one in found.cases],
        "summary": {name: getattr(found.summary, name) for name in _SUMMARY},
    }


def comparisons_facts(found: Sequence[Comparison]) -> dict[str, Any]:
    """The one comparison as it is; several in a list, each with its two runs."""
    if len(found) == 1:
        return comparison_facts(found[0])
    listed = [
        {"base": one.base.run_id, "new": one.new.run_id, **comparison_facts(one)} for one in found
    ]
    return {"comparisons": listed}


def _case(one: CaseVerdict) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _CASE}
