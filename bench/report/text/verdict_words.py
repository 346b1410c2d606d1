"""Verdicts in words: `same` is said only of what lies close together; the key in files for programs stays `same`.

A wide threshold lets a test of equivalence pass times that no reader would call the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.stats.ratio import THRESHOLD, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.compare.verdict import CaseVerdict
    from bench.stats.ratio import Ratio, Verdict

_SAME, _WITHIN = "same", "within the threshold"


def word(one: CaseVerdict) -> str:
    """The verdict on a case."""
    if one.verdict != _SAME or one.threshold <= THRESHOLD:
        return one.verdict
    return _close(one.ratio_lo or 0.0, one.ratio_hi or float("inf"))


def word_of(verdict: Verdict, ratio: Ratio | None, threshold: float) -> str:
    """The verdict on a ratio that was judged with this threshold."""
    if verdict != _SAME or threshold <= THRESHOLD or ratio is None:
        return verdict
    return _close(ratio.low, ratio.high)


def _close(low: float, high: float) -> str:
    """What is said between these ends: that it is the same if the usual threshold would do as well."""
    return _SAME if low >= 1 / (1 + THRESHOLD) and high <= 1 + THRESHOLD else _WITHIN


def counted(words: Sequence[str]) -> dict[str, int]:
    """How many times each of these words was said, in the order of what concerns; the verdicts themselves always."""
    return {
        name: words.count(name) for name in (*VERDICTS, _WITHIN) if name != _WITHIN or name in words
    }


def same_in_words(cases: Sequence[CaseVerdict]) -> str:
    """What those that are `same` are called together."""
    said = {word(one) for one in cases if one.verdict == _SAME}
    return " or ".join(name for name in (_SAME, _WITHIN) if name in said) or _SAME
