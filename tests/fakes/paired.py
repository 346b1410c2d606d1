"""Times of two sides that were measured in turn, as they are made up for simulations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.sequential import LOOKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.float64]

WORKERS = 6
WORKER_SD, ROUND_SD, REST_SD, DRIFT_SD = 0.01, 0.01, 0.005, 0.03


def simulated(
    rng: np.random.Generator,
    effect: float,
    workers: int = WORKERS,
    worker_sd: float = WORKER_SD,
) -> tuple[Cells, Cells]:
    """Both sides of a case: the times that they share drift, all else is each side's own."""
    rounds = LOOKS[-1]
    walk = np.cumsum(rng.normal(0, DRIFT_SD / math.sqrt(rounds), rounds))
    shared = walk + rng.normal(0, DRIFT_SD, rounds)
    one, other = (
        1e-6 * np.exp(
            shift
            + shared
            + rng.normal(0, ROUND_SD, rounds)
            + rng.normal(0, worker_sd, (workers, 1))
            + rng.normal(0, REST_SD, (workers, rounds))
        )
        for shift in (0.0, math.log1p(effect))
    )  # fmt: skip
    return one, other
