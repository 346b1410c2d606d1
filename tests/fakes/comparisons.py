"""Made-up comparisons for the tests of what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.analysis.compare.comparability import Comparability, Difference
from bench.analysis.compare.comparison import Comparison, Summary
from bench.analysis.compare.left_out import LOSSES, LeftOut
from bench.analysis.compare.verdict import CaseVerdict
from tests.fakes.rows import HOSTILE, info

if TYPE_CHECKING:
    from collections.abc import Sequence

CARE = Comparability(
    verdict="with-care",
    differences=(
        Difference(field="torch", base="2.13.0", new="2.14.0", matters="care"),
        Difference(field="label", base="before", new="after", matters="no"),
    ),
    remedy="",
)
APART = Comparability(
    verdict="no",
    differences=(
        Difference(field="threads", base="2", new="4", matters="yes"),
        Difference(field="label", base="before", new="after", matters="no"),
    ),
    remedy="bench run matmul --threads 2",
)
LIKE = Comparability(verdict="yes", differences=(CARE.differences[1],), remedy="")


def case(verdict: str = "same", ratio: float | None = 1.0, **values: Any) -> CaseVerdict:
    """A case whose ratio is known to ±2 %, unless the values say otherwise."""
    facts: dict[str, Any] = {
        "case": "matmul/square[n=16,dtype=float32]",
        "device": "cpu",
        "base_s": 1e-5,
        "new_s": None if ratio is None else ratio * 1e-5,
        "ratio": ratio,
        "ratio_lo": None if ratio is None else ratio * 0.98,
        "ratio_hi": None if ratio is None else ratio * 1.02,
        "verdict": verdict,
        "reason": f"it is {verdict}",
        "smallest_visible": 0.02,
        "at": "reference",
        "threshold": 0.05,
    }
    return CaseVerdict(**{**facts, **values})


def left_out(case: str = "view/t[n=1]", **values: Any) -> LeftOut:
    """A case that the base lacks, unless the values say otherwise."""
    facts: dict[str, Any] = {"device": "cpu", "base": None, "new": None}
    return LeftOut(case=case, **{**facts, **(values or {"base": "not there"})})


def comparison(*cases: CaseVerdict, **values: Any) -> Comparison:
    """Two runs with these cases, at a threshold of 5 % and a confidence of 99 %."""
    missing: Sequence[LeftOut] = values.get("missing", ())
    counts = [sum(one.verdict == verdict for one in cases) for verdict in VERDICTS]
    facts: dict[str, Any] = {
        "base": info(),
        "new": info(run_id="20261123T060201Z-bbbbbb", label="after", torch={"version": "2.14.0"}),
        "comparable": LIKE,
        "cases": cases,
        "missing": (),
        "summary": Summary(
            **dict(zip(VERDICTS, counts, strict=True)),
            missing=len(missing),
            **{loss: sum(one.loss == loss for one in missing) for loss in LOSSES},
            geomean_ratio=1.004 if cases else None,
            geomean_lo=0.998 if cases else None,
            geomean_hi=1.01 if cases else None,
            by_suite={},
        ),
        "threshold": 0.05,
        "confidence": 0.99,
    }
    return Comparison(**{**facts, **values})


VERDICTS = ("faster", "slower", "same", "unsure")


def example() -> Comparison:
    """A comparison in which most things happen, one of them hostile."""
    lost = {"ratio_lo": None, "ratio_hi": None, "smallest_visible": None, "at": "headline"}
    return comparison(
        case("same", 1.01),
        case("slower", 1.083, case="matmul/square[n=1024,dtype=float32]", device="cuda"),
        case("slower", 2.5, case="view/reshape[call=@,n=16]", base_s=4.2e-7, new_s=1.05e-6),
        case("faster", 0.05, case="cat/rows[n=64]"),
        case("unsure", 1.04, case="cat/rows[n=256]", reason="two states, not told apart", **lost),
        case("unsure", None, case=f"mine/op[x={HOSTILE}]", reason=HOSTILE, **lost),
        case("same", 0.995, case="cat/rows[n=1024]", reason="the machine changed, not the op"),
        comparable=CARE,
        missing=(left_out(), left_out(HOSTILE)),
    )
