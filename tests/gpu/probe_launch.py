"""What launching costs on this GPU: the end of a sample, events, gaps between kernels, the queue's depth."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import torch

from tests.gpu.probe_timing import (
    MILLION,
    cuda,
    known,
    line_through,
    queued,
    slope_us,
    us_since,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Call = Callable[[], object]

TINY = 16
"""Elements: a kernel that takes next to nothing, so that launching is all there is."""
MEDIUM = 8_000_000
"""Elements: some 20 µs, which is longer than launching takes."""
LARGE = 1 << 25
"""Elements: some 100 µs."""
CHAIN = 5
_LONG_SPIN = 400 * MILLION
_BLOCKED_NS = 50_000_000
_MOST_LAUNCHES = 6000


def drain() -> dict[str, Any]:
    """What a sample costs once: n calls between two synchronisations, for several n, and the line's start.

    The start is latency of the first launch, the last kernel's end being seen, and `synchronize` itself.
    Whether it is the same for calls that the host is slower for, that the device is slower for, and that
    are several kernels each, says whether one number can be taken off all samples.
    """
    tiny, medium = (torch.zeros(n, device="cuda") for n in (TINY, MEDIUM))

    def chain() -> None:
        for _ in range(CHAIN):
            tiny.add_(1)

    return {
        "tiny": _drained(lambda: tiny.add_(1), (0, 1, 2, 5, 10, 20, 50, 100, 200), 150),
        "device bound": _drained(lambda: medium.add_(1), (1, 2, 5, 10, 20, 50), 150),
        f"chain of {CHAIN}": _drained(chain, (1, 2, 5, 10, 20, 50), 150),
    }


def _drained(call: Call, counts: Sequence[int], repeats: int) -> dict[str, Any]:
    """Counts take turns, so that a drift of the clock is in all of them alike; 0 is not on the line."""
    call()
    took: dict[int, list[float]] = {n: [] for n in counts}
    for _ in range(repeats):
        for n in counts:
            took[n].append(_synchronised_us(call, n))
    us = {n: round(statistics.median(values), 2) for n, values in took.items()}
    return {"us": us, **line_through({n: value for n, value in us.items() if n})}


def _synchronised_us(call: Call, calls: int) -> float:
    cuda.synchronize()
    began = time.perf_counter_ns()
    for _ in range(calls):
        call()
    cuda.synchronize()
    return us_since(began)


def events() -> dict[str, Any]:
    """What two events with nothing between them are apart, and the steps in which that is told."""
    apart = sorted(
        round(us, 4) for us in known(queued(lambda: None, 0).device_us for _ in range(300))
    )
    if not apart:
        return {"pairs": 0}
    return {
        "pairs": len(apart),
        "middle_us": statistics.median(apart),
        "least_us": apart[0],
        "most_us": apart[-1],
        "distinct": sorted(set(apart))[:25],
    }


def gaps() -> dict[str, Any]:
    """What a kernel takes in a stream and in a graph: the gaps between them, and a replay's own cost."""
    tiny, large = (torch.zeros(n, device="cuda") for n in (TINY, LARGE))

    def one() -> object:
        return tiny.add_(1)

    def big() -> object:
        return large.add_(1)

    one(), big()
    found: dict[str, Any] = {
        "stream_per_kernel_us": slope_us(one, 50),
        "host_per_kernel_us": round(queued(one, 200, 8 * MILLION).host_us / 200, 3),
        "big_stream_us": slope_us(big, 4),
    }
    for kernels in (1, 5, 20, 100):
        replay = _recorded(one, kernels)
        found[f"graph_of_{kernels}_us"] = slope_us(replay, max(2, 60 // kernels))
    found["big_graph_of_1_us"] = slope_us(_recorded(big, 1), 4)
    return found


def _recorded(call: Call, calls: int) -> Call:
    """A graph of so many calls, replayed once."""
    graph = cuda.CUDAGraph()
    with cuda.graph(graph):
        for _ in range(calls):
            call()
    graph.replay()
    cuda.synchronize()
    replay: Call = graph.replay
    return replay


def depth() -> dict[str, Any]:
    """How many launches the queue takes before the host has to wait: behind a spin of 0.2 s."""
    tiny = torch.zeros(TINY, device="cuda")
    tiny.add_(1)
    cuda.synchronize()
    cuda._sleep(_LONG_SPIN)
    longest_ns = launches = 0
    while launches < _MOST_LAUNCHES and longest_ns < _BLOCKED_NS:
        began = time.perf_counter_ns()
        tiny.add_(1)
        longest_ns = max(longest_ns, time.perf_counter_ns() - began)
        launches += 1
    cuda.synchronize()
    return {"launches": launches, "longest_us": longest_ns / 1e3}
