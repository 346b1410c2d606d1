"""Peak rates of a device (its roofs): the best of many short measurements, within a time that is given.

A roof is a maximum, so whatever disturbs a measurement can only make it lower.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import torch

from bench.pool.protocol import Surveyed
from bench.records.roofs import FLOP, FROM_DEVICE, LAUNCH, TF32, TO_DEVICE, Roof
from bench.worker.bandwidth import bandwidths, points
from bench.worker.best_time import BestTimer
from bench.worker.cache_flush import caches_of
from bench.worker.device_timing import Sampler
from bench.worker.peak_memory import free_memory
from bench.worker.torch_settings import in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.pool.protocol import Survey
    from bench.worker.device_timing import QueuedDevice
    from bench.worker.sampling import Clock

    Shape = tuple[int, int, int]
    """m, n, k."""

DTYPES = ("float32", "float64", "bfloat16", "float16")
SHAPES = (
    *((n, n, n) for n in (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192)),
    *((4096, 4096, 256), (256, 4096, 4096), (1024, 1024, 4096), (8192, 8192, 1024)),
)
"""Products (m, n, k) that are tried: those of suites, and the flat and long ones that some libraries like better."""
_BANDWIDTH_SHARE, _REST_SHARE = 0.4, 0.05
"""Shares of the time given, for bandwidth and for each of launch and bus; the products have what is left."""
_LONGEST_CALL_SHARE = 0.2
"""Largest share of a dtype's time that one call may take: float16 at 1024² took 2.7 s a call on one CPU, at
2048² 100 s."""
_MAX_SLOWDOWN_PER_FLOP = 4.0
"""How much slower per FLOP a larger product may be than the one before it: so was float16 on that CPU."""
_FIRST_LOOK_S = 2e-3
"""Time for learning how long a call takes: the first of a shape may be preceded by the making of its code."""
_COPY_BYTES = 64 * 2**20
"""Bytes of one copy over the bus: so many that beginning it costs nothing beside it."""


def survey(asked: Survey, queue: QueuedDevice | None, clock: Clock) -> Surveyed:
    """The answer of a worker that is asked for the roofs of a device; its memory is given back."""
    found = measure(asked.device, asked.seconds, BestTimer(clock, queue), caches_of(asked.device))
    free_memory()
    return Surveyed(roofs=tuple(one for one in found if one.value > 0))  # 0 was never measured


def measure(device: str, seconds: float, timer: BestTimer, caches: Mapping[str, int]) -> list[Roof]:
    """The roofs of a device, in about so many seconds.

    Args:
        device: as torch names it.
        seconds: in all; a call that is under way is waited for.
        timer: takes the times.
        caches: level → bytes, the fastest first, as many as the threads reach.
    """
    wide = bandwidths(device, points(caches, device), seconds * _BANDWIDTH_SHARE, timer)
    rest_s = seconds * _REST_SHARE
    sides = [launch(device, rest_s, timer)]
    if timer.queue:
        sides += [transfer(device, kind, rest_s, timer) for kind in (TO_DEVICE, FROM_DEVICE)]
    left_s = seconds * (1 - _BANDWIDTH_SHARE) - rest_s * len(sides)
    names = (*DTYPES, TF32) if timer.queue else DTYPES
    found = [_product_of(device, name, left_s / len(names), timer) for name in names]
    return [*wide, *(one for one in found if one), *sides]


def _product_of(device: str, name: str, seconds: float, timer: BestTimer) -> Roof | None:
    """The best product of a dtype, or of float32 computed in TF32."""
    if name != TF32:
        return product(device, name, seconds, timer)
    with in_force({"float32_matmul_precision": "high"}):
        found = product(device, "float32", seconds, timer)
    return dataclasses.replace(found, dtype=TF32) if found else None


def launch(device: str, seconds: float, timer: BestTimer) -> Roof:
    """Launch overhead: the host's time for a call that has next to nothing to do, one number added to another."""
    a, b, c = (torch.ones(1, device=device) for _ in range(3))

    def call() -> object:
        return torch.add(a, b, out=c)

    if timer.queue is None:
        best = timer.best_s(call, seconds)
    else:
        end_ns = timer.clock() + round(seconds * 1e9)
        sampler = Sampler(call, timer.queue, timer.clock)
        best = sampler.sample().host_s
        while timer.clock() < end_ns:
            best = min(best, sampler.sample().host_s)
    return Roof(kind=LAUNCH, value=best, how="add of one element")


def transfer(device: str, kind: str, seconds: float, timer: BestTimer) -> Roof:
    """Bytes over the bus, each counted once, from or to pinned memory."""
    count = _COPY_BYTES // torch.float32.itemsize
    host, own = torch.ones(count, pin_memory=True), torch.ones(count, device=device)
    to, source = (own, host) if kind == TO_DEVICE else (host, own)
    best = timer.best_s(lambda: to.copy_(source, non_blocking=True), seconds)
    return Roof(kind=kind, value=_COPY_BYTES / best, how="pinned memory")


def product(device: str, dtype: str, seconds: float, timer: BestTimer) -> Roof | None:
    """The best rate of products of two matrices, over shapes; None where the device has none.

    Successive halving: every shape briefly, then the better half for twice as long each, until one is left.
    """
    begun_s = timer.now_s
    try:
        calls = _affordable(device, dtype, seconds, timer)
    except RuntimeError:  # no such product in this dtype, or no memory for it
        return None
    left_s = max(begun_s + seconds - timer.now_s, seconds / 2)
    best = dict.fromkeys(calls, 0.0)
    rungs = max(1, math.ceil(math.log2(len(calls))) + 1)
    chosen = list(calls)
    for _ in range(rungs):
        for shape in chosen:
            took_s = timer.best_s(calls[shape], left_s / rungs / len(chosen))
            best[shape] = max(best[shape], 2 * math.prod(shape) / took_s)
        chosen = sorted(chosen, key=lambda one: -best[one])[: math.ceil(len(chosen) / 2)]
    m, n, k = chosen[0]
    return Roof(kind=FLOP, value=best[chosen[0]], how=f"{m}×{k} by {k}×{n}", dtype=dtype)


def _affordable(
    device: str, dtype: str, seconds: float, timer: BestTimer
) -> dict[Shape, Callable[[], object]]:
    """Shapes whose call is short beside the time given, from the smallest up; the first in any case."""
    calls: dict[Shape, Callable[[], object]] = {}
    slowest_s = 0.0  # per FLOP, of the last that was made
    for m, n, k in sorted(SHAPES, key=math.prod):
        flop = 2 * m * n * k
        if flop * slowest_s * _MAX_SLOWDOWN_PER_FLOP > _LONGEST_CALL_SHARE * seconds:
            break
        kind = getattr(torch, dtype)
        a, b = (torch.randn(size, device=device).to(kind) for size in ((m, k), (k, n)))
        calls[m, n, k] = _matmul(a, b, torch.empty(m, n, dtype=kind, device=device))
        slowest_s = timer.best_s(calls[m, n, k], _FIRST_LOOK_S) / flop
    return calls


def _matmul(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> Callable[[], object]:
    return lambda: torch.mm(a, b, out=out)
