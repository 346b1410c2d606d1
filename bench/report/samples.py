"""A case's samples as a page draws them: in time order, by turn, thinned evenly where there are many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    Key = tuple[str, str]

_ALL = 160_000
"""Samples that a page holds of all its cases, at about two bytes each: as much as its figures."""
_MOST, _FEWEST = 360, 30
"""Of one case: what a figure can show, and a sample of every turn."""
_STEPS = 10_000
"""Parts of the median in which times are written: 0.01 %, finer than any figure shows."""


def most_of(cases: int) -> int:
    """How many samples of each case a page of so many has room for."""
    return max(_FEWEST, min(_MOST, _ALL // max(cases, 1)))


def by_case(samples: pd.DataFrame | None) -> Mapping[Key, pd.DataFrame]:
    """Case and device → its samples, in the order taken."""
    if samples is None or samples.empty:
        return {}
    return {(str(c), str(d)): of for (c, d), of in samples.groupby(["case", "device"], sort=False)}


def drawn(samples: pd.DataFrame | None, most: int) -> dict[str, Any] | None:
    """Turn by turn: worker, round, milliseconds since the first, and the times in units of `unit_s`.

    Args:
        samples: of one case on one device.
        most: how many at most; of each turn, evenly, no fewer than one.

    Returns:
        None where there is no sample that has a time.
    """
    if samples is None:
        return None
    times = samples["time_s"].to_numpy(dtype=float)
    samples = samples[np.isfinite(times)]
    if samples.empty:
        return None
    times = samples["time_s"].to_numpy(dtype=float)
    unit_s = float(np.median(np.abs(times))) / _STEPS or 1e-12
    at_s = samples["at_s"].to_numpy(dtype=float)
    starts = _starts(samples)
    ends = [*starts[1:], len(times)]
    step = max(1, math.ceil(len(times) / most))
    workers, rounds = samples["worker"].to_numpy(), samples["round"].to_numpy()
    return {
        "unit_s": unit_s,
        "of": len(times),
        "turns": [
            [
                int(workers[start]),
                int(rounds[start]),
                round(1e3 * (at_s[start] - at_s[0])),
                [round(float(t) / unit_s) for t in times[start:end:step]],
            ]
            for start, end in zip(starts, ends, strict=True)
        ],
    }


def _starts(samples: pd.DataFrame) -> list[int]:
    """Where a turn begins: another worker, or another round, than of the sample before."""
    turn = samples[["worker", "round"]].to_numpy()
    changed = (turn[1:] != turn[:-1]).any(axis=1)
    return [0, *(int(i) + 1 for i in np.flatnonzero(changed))]
