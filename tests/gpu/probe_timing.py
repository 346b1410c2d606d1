"""What the sections of the probe measure with: marks around work that is queued behind a spin, and sums.

Nothing of `bench` is used, so that what the probe says can be held against what `bench` says.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Call = Callable[[], object]

cuda: Any = torch.cuda
"""It carries no types."""
FLOAT_BYTES = 4
MILLION = 1_000_000
SPIN = 2 * MILLION
"""Cycles: a millisecond at 1.98 GHz."""
PAIRS = 9
_USUAL_L2 = 50 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """Calls behind a spin, between two marks."""

    device_us: float | None
    """None where the first mark was reached before the last was queued: a gap may lie between them."""
    host_us: float
    """What queueing all of the calls took."""


def mark() -> Any:
    """A CUDA event that keeps the time."""
    return cuda.Event(enable_timing=True)


def queued(call: Call, calls: int, cycles: int = SPIN, before: Call | None = None) -> Queued:
    """So many calls behind a spin of so many cycles; `before` is queued ahead of the first mark."""
    first, last = mark(), mark()
    cuda.synchronize()
    cuda._sleep(cycles)
    if before:
        before()
    first.record()
    began = time.perf_counter_ns()
    for _ in range(calls):
        call()
    host_us = us_since(began)
    last.record()
    gapless = not first.query()
    cuda.synchronize()
    return Queued(device_us=us_between(first, last) if gapless else None, host_us=host_us)


def slope_us(call: Call, calls: int, cycles: int = 2 * SPIN, pairs: int = PAIRS) -> float | None:
    """The device's time of a call, from `calls` and twice as many: what a sample costs once falls out."""
    slopes = []
    for _ in range(pairs):
        few, many = (queued(call, n, cycles).device_us for n in (calls, 2 * calls))
        if few is not None and many is not None:
            slopes.append((many - few) / calls)
    return middle(slopes)


def empty_pair_us() -> list[float]:
    """What two marks with nothing between them are apart, many times."""
    return known(queued(lambda: None, 0).device_us for _ in range(50))


def us_between(first: Any, last: Any) -> float:
    """The device's time between two marks that were reached."""
    return float(first.elapsed_time(last)) * 1e3


def us_since(began_ns: int) -> float:
    """The host's time since then."""
    return (time.perf_counter_ns() - began_ns) / 1e3


def known(values: Iterable[float | None]) -> list[float]:
    """Those that are numbers."""
    return [value for value in values if value is not None]


def middle(values: Iterable[float | None], digits: int = 3) -> float | None:
    """The median of what is known; None if nothing is."""
    numbers = known(values)
    return round(statistics.median(numbers), digits) if numbers else None


def line_through(us_of: Mapping[int, float]) -> dict[str, float]:
    """The line through n → microseconds: what one more call takes, and what is paid once.

    Points lie off it in proportion to how long they took, so each counts by its relative distance:
    otherwise the longest, which know least about where the line starts, would have the most to say.
    """
    weights = {n: us**-2 for n, us in us_of.items()}
    whole = sum(weights.values())
    middle_n = sum(weights[n] * n for n in us_of) / whole
    middle_us = sum(weights[n] * us for n, us in us_of.items()) / whole
    spread = sum(weights[n] * (n - middle_n) ** 2 for n in us_of)
    slope = sum(weights[n] * (n - middle_n) * us for n, us in us_of.items()) / spread
    intercept = middle_us - slope * middle_n
    off = max(abs(us - intercept - slope * n) / us for n, us in us_of.items())
    return {
        "per_call_us": round(slope, 3),
        "intercept_us": round(intercept, 2),
        "most_off_share": round(off, 4),
    }


def thinned(values: Sequence[Any], most: int) -> list[Any]:
    """Not many more than so many of these, evenly spread."""
    return list(values[:: max(1, len(values) // most)])


def l2_bytes() -> int:
    """The size of the GPU's L2 cache; an H100's where torch says 0."""
    return int(cuda.get_device_properties(0).L2_cache_size) or _USUAL_L2
