"""False discovery rate (Benjamini–Hochberg): which of many changes stand out among all that were tried.

By hand, since importing `scipy.stats`, which has it, takes 0.75 to 1.0 s; a test holds the two equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def discoveries(p_values: Sequence[float], level: float) -> list[bool]:
    """Which of these stand, so that at most this share of those that do is chance, on average.

    Benjamini & Hochberg, "Controlling the false discovery rate" (1995): of n values, the k smallest stand,
    k being the largest for which the k-th is at most k / n of the level. It holds for independent cases,
    and for those that are correlated positively, as cases are by the machine that they share.

    Args:
        p_values: of all that was tried, 1 for what shows nothing.
        level: the share, in (0, 1).
    """
    ranked = sorted(p_values)
    steps = (level * rank / len(ranked) for rank in range(1, len(ranked) + 1))
    most = max((p for p, step in zip(ranked, steps, strict=True) if p <= step), default=-1.0)
    return [p <= most for p in p_values]
