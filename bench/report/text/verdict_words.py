"""Verdicts in words: `same` is said only of what lies close together; the key in files for programs stays `same`.

A wide threshold, or noise, lets a test of equivalence pass times that no reader would call the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.stats.ratio import THRESHOLD, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.compare.verdict import CaseVerdict
    from bench.stats.ratio import Ratio, Verdict

_SAME, _WITHIN, _NOISE = "same", "within the threshold", "within the noise"


def word(one: CaseVerdict) -> str:
    """The verdict on a case."""
    ends = (one.ratio_lo or 0.0, one.ratio_hi or float("inf"))
    return _word(one.verdict, one.threshold, one.ratio, *ends)


def word_of(verdict: Verdict, ratio: Ratio | None, threshold: float) -> str:
    """The verdict on a ratio that was judged with this threshold."""
    return (
        verdict if ratio is None else _word(verdict, threshold, ratio.value, ratio.low, ratio.high)
    )


def _word(verdict: Verdict, threshold: float, ratio: float, low: float, high: float) -> str:
    usual, own = 1 + THRESHOLD, 1 + threshold
    close = threshold <= THRESHOLD and 1 / usual <= ratio <= usual
    if verdict != _SAME or close or (1 / usual <= low and high <= usual):
        return verdict
    return _WITHIN if 1 / own <= ratio <= own else _NOISE


def counted(words: Sequence[str]) -> dict[str, int]:
    """How many times each of these words was said, in the order of what concerns; the verdicts themselves always."""
    order = dict.fromkeys([*VERDICTS, _WITHIN, _NOISE])
    return {name: words.count(name) for name in order if name in VERDICTS or name in words}


def same_in_words(cases: Sequence[CaseVerdict]) -> str:
    """What those that are `same` are called together."""
    said = dict.fromkeys(word(one) for one in cases if one.verdict == _SAME)
    return " or ".join(name for name in (_SAME, _WITHIN, _NOISE) if name in said) or _SAME
