"""A case's samples as a page draws them: in time order, by visit, thinned evenly where there are many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Key = tuple[str, str]
    Numbers = NDArray[np.float64]

_SAMPLES_PER_PAGE = 40_000
"""A page holds so many of all its cases together, at about two bytes each: as much as its figures."""
_MOST_PER_CASE, _FEWEST_PER_CASE = 360, 30
"""A case keeps at most what a figure can show, and at least about a sample of every visit."""
_STEPS = 256
"""The span from the fastest to all but the few slowest has so many parts: about the pixels of a figure."""
_USUAL = 0.95
"""The span is made from this share of the samples, so that one slow sample does not blur the others."""
_TICK_S = 0.1
"""The times at which visits began are written as multiples of this: a pixel of a figure over a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSeries:
    """The samples of a case on a device, in the order taken; those without a time are left out."""

    worker: NDArray[np.int64]
    round: NDArray[np.int64]
    at_s: Numbers
    time_s: Numbers


def most_of(cases: int) -> int:
    """How many samples of each case a page of so many cases holds."""
    return max(_FEWEST_PER_CASE, min(_MOST_PER_CASE, _SAMPLES_PER_PAGE // max(cases, 1)))


def by_case(samples: pd.DataFrame | None) -> Mapping[Key, SampleSeries]:
    """Case and device → its samples."""
    if samples is None:
        return {}
    samples = samples[np.isfinite(samples["time_s"].to_numpy(dtype=float))]
    if samples.empty:
        return {}
    number = samples.groupby(["case", "device"], sort=False).ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    ends = np.flatnonzero(np.diff(number[order])) + 1
    parts = [np.split(_column(samples, name)[order], ends) for name in SampleSeries.__slots__]
    firsts = samples.iloc[order[[0, *ends]]]
    keys = zip(firsts["case"].astype(str), firsts["device"].astype(str), strict=True)
    return {
        key: SampleSeries(
            worker=worker.astype(int), round=round_.astype(int), at_s=at_s, time_s=time_s
        )
        for key, worker, round_, at_s, time_s in zip(keys, *parts, strict=True)
    }


def _column(samples: pd.DataFrame, name: str) -> Numbers:
    return samples[name].to_numpy(dtype=float)


def drawn(taken: SampleSeries | None, most: int) -> dict[str, Any] | None:
    """The samples, visit by visit, as numbers that pack well.

    Args:
        taken: of one case on one device.
        most: how many at most; of each visit, evenly, no fewer than one.

    Returns:
        For each visit its `worker`, `round`, tenths of a second since the visit before (`after`) and
        `times`, which are multiples of `unit_s` above `base_s`; and how many samples there are (`of`).
        None without any.
    """
    if taken is None:
        return None
    times = taken.time_s
    base_s = float(times.min())
    usual_s = float(np.sort(times)[math.ceil(_USUAL * (len(times) - 1))])
    unit_s = (usual_s - base_s) / _STEPS or abs(base_s) / _STEPS or 1e-12
    levels = np.rint((times - base_s) / unit_s).astype(int).tolist()
    starts = _starts(taken)
    ends = [*starts[1:], len(times)]
    each = max(1, most // len(starts))
    ticks = np.rint((taken.at_s[starts] - taken.at_s[0]) / _TICK_S).astype(int)
    return {
        "base_s": base_s,
        "unit_s": unit_s,
        "of": len(times),
        "worker": taken.worker[starts].tolist(),
        "round": taken.round[starts].tolist(),
        "after": np.diff(ticks, prepend=0).tolist(),
        "times": [
            levels[start : end : math.ceil((end - start) / each)]
            for start, end in zip(starts, ends, strict=True)
        ],
    }


def _starts(taken: SampleSeries) -> list[int]:
    """Where a visit begins: another worker, or another round, than of the sample before."""
    changed = (np.diff(taken.worker) != 0) | (np.diff(taken.round) != 0)
    return [0, *(np.flatnonzero(changed) + 1).tolist()]
