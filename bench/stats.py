"""Numbers about samples that respect where they came from: samples within rounds within workers.

Samples of one process are not independent, so an interval made from them alone is too narrow; the
interval here is made from workers and rounds. Plain functions of numbers; nothing is discarded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A centre and its interval; the ends are NaN where one cell alone says nothing about spread."""

    centre: float
    low: float
    high: float
    confidence: float


def cells(
    times: Sequence[float], workers: Sequence[int], rounds: Sequence[int]
) -> NDArray[np.float64]:
    """The median of each (worker, round): workers × rounds, NaN where there are no samples."""
    rows = {w: i for i, w in enumerate(sorted(set(workers)))}
    columns = {r: i for i, r in enumerate(sorted(set(rounds)))}
    grouped: dict[tuple[int, int], list[float]] = {}
    for time, worker, round_ in zip(times, workers, rounds, strict=True):
        grouped.setdefault((rows[worker], columns[round_]), []).append(time)
    matrix = np.full((len(rows), len(columns)), np.nan)
    for place, values in grouped.items():
        matrix[place] = np.median(values)
    return matrix


def estimate(matrix: NDArray[np.float64], confidence: float = CONFIDENCE) -> Estimate:
    """The median of the cells and an interval from workers and rounds as crossed random effects.

    On the logarithms y of the cells (W workers × R rounds) the model is
    y = m + worker + round + rest. The mean of the cells has variance
    (MS_worker + MS_round - MS_rest) / (W·R), with degrees of freedom after Satterthwaite (1946); see
    Searle, Casella & McCulloch, "Variance Components" (1992), §4.3 for the mean squares. Where cells
    are missing, or there is one worker or one round, it falls back to the means of whichever has more.
    The half-width is multiplied by √(π/2), the price of a median over a mean under normal noise.

    Args:
        matrix: seconds per call, workers × rounds, NaN where nothing was measured.
        confidence: of the interval, in (0, 1).
    """
    known = matrix[np.isfinite(matrix)]
    centre = float(np.median(known))
    if not (known > 0).all():
        return Estimate(centre=centre, low=math.nan, high=math.nan, confidence=confidence)
    variance, freedom = _variance_of_mean(np.log(matrix))
    if not math.isfinite(variance):
        return Estimate(centre=centre, low=math.nan, high=math.nan, confidence=confidence)
    quantile = float(stdtrit(freedom, 0.5 + confidence / 2))
    width = quantile * math.sqrt(variance) * math.sqrt(math.pi / 2)
    return Estimate(
        centre=centre,
        low=centre * math.exp(-width),
        high=centre * math.exp(min(width, 700.0)),
        confidence=confidence,
    )


def _variance_of_mean(logs: NDArray[np.float64]) -> tuple[float, float]:
    """Variance of the mean of the cells, and its degrees of freedom; NaN if it can't be told."""
    workers, rounds = logs.shape
    if workers > 1 and rounds > 1 and np.isfinite(logs).all():
        return _crossed(logs)
    by_worker, by_round = np.nanmean(logs, axis=1), np.nanmean(logs, axis=0)
    means = by_worker if workers >= rounds else by_round
    if len(means) < 2:  # noqa: PLR2004 - a spread needs two
        return math.nan, math.nan
    return float(np.var(means, ddof=1) / len(means)), float(len(means) - 1)


def _crossed(logs: NDArray[np.float64]) -> tuple[float, float]:
    workers, rounds = logs.shape
    cell_count = workers * rounds
    worker, round_ = logs.mean(axis=1, keepdims=True), logs.mean(axis=0, keepdims=True)
    freedoms = np.array([workers - 1, rounds - 1, (workers - 1) * (rounds - 1)], dtype=float)
    squares = np.array(
        [
            rounds * ((worker - logs.mean()) ** 2).sum(),
            workers * ((round_ - logs.mean()) ** 2).sum(),
            ((logs - worker - round_ + logs.mean()) ** 2).sum(),
        ]
    )
    mean_squares = squares / freedoms
    total = mean_squares[0] + mean_squares[1] - mean_squares[2]
    if total <= mean_squares[2]:  # neither workers nor rounds differ by more than the rest does
        return float(squares.sum() / freedoms.sum() / cell_count), float(freedoms.sum())
    freedom = total**2 / (mean_squares**2 / freedoms).sum()
    return float(total / cell_count), float(max(freedom, 1.0))


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (linear between neighbours)."""
    return float(np.quantile(np.asarray(values, dtype=float), share))
