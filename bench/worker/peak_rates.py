"""Measures what a device can do at most: the best of many short looks, within a time that is given.

A roof is a maximum, so whatever disturbs a look can only make it lower.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import torch

from bench.pool.protocol import Surveyed
from bench.records.roofs import FLOP, FROM_DEVICE, LAUNCH, TF32, TO_DEVICE, Roof
from bench.worker.bandwidth import bandwidths, caches_of, points
from bench.worker.best_time import Watch
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
"""m, n, k: what suites have, and the flat and long ones that some libraries like better."""
_BANDWIDTH_SHARE, _REST_SHARE = 0.4, 0.05
"""Of the time given; the products have what is left."""
_LONGEST_CALL_SHARE = 0.2
"""Of a dtype's time: float16 at 1024² took 2.7 s a call on one CPU, at 2048² 100 s."""
_SLOWER = 4.0
"""A larger product may be that much slower per FLOP than the one before it: so was float16 there."""
_GLANCE_S = 2e-3
"""What tells how long a call takes: the first of a shape may be preceded by the making of its code."""
_COPY_BYTES = 64 * 2**20
"""What goes over the bus at once: long enough that its beginning costs nothing."""


def survey(asked: Survey, queue: QueuedDevice | None, clock: Clock) -> Surveyed:
    """The answer of a worker that is asked for the roofs of a device; its memory is given back."""
    found = measure(asked.device, asked.seconds, Watch(clock, queue), caches_of(asked.device))
    free_memory()
    return Surveyed(
        roofs=tuple(one for one in found if one.value > 0)
    )  # what was not seen is no roof


def measure(device: str, seconds: float, watch: Watch, caches: Mapping[str, int]) -> list[Roof]:
    """The roofs of a device, in about so many seconds.

    Args:
        device: as torch names it.
        seconds: in all; a call that is under way is waited for.
        watch: takes the times.
        caches: level → bytes, the fastest first, as many as the threads reach.
    """
    wide = bandwidths(device, points(caches, device), seconds * _BANDWIDTH_SHARE, watch)
    rest_s = seconds * _REST_SHARE
    sides = [launch(device, rest_s, watch)]
    if watch.queue:
        sides += [transfer(device, kind, rest_s, watch) for kind in (TO_DEVICE, FROM_DEVICE)]
    left_s = seconds * (1 - _BANDWIDTH_SHARE) - rest_s * len(sides)
    names = (*DTYPES, TF32) if watch.queue else DTYPES
    found = [_product_of(device, name, left_s / len(names), watch) for name in names]
    return [*wide, *(one for one in found if one), *sides]


def _product_of(device: str, name: str, seconds: float, watch: Watch) -> Roof | None:
    """The best product of a dtype, or of float32 computed in TF32."""
    if name != TF32:
        return product(device, name, seconds, watch)
    with in_force({"float32_matmul_precision": "high"}):
        found = product(device, "float32", seconds, watch)
    return dataclasses.replace(found, dtype=TF32) if found else None


def launch(device: str, seconds: float, watch: Watch) -> Roof:
    """What a call costs the host that has next to nothing to do: one number added to another."""
    a, b, c = (torch.ones(1, device=device) for _ in range(3))

    def call() -> object:
        return torch.add(a, b, out=c)

    if watch.queue is None:
        best = watch.best_s(call, seconds)
    else:
        end_ns = watch.clock() + round(seconds * 1e9)
        sampler = Sampler(call, watch.queue, watch.clock)
        best = sampler.sample().host_s
        while watch.clock() < end_ns:
            best = min(best, sampler.sample().host_s)
    return Roof(kind=LAUNCH, value=best, how="add of one element")


def transfer(device: str, kind: str, seconds: float, watch: Watch) -> Roof:
    """Bytes over the bus, each counted once, from or to pinned memory."""
    count = _COPY_BYTES // torch.float32.itemsize
    host, there = torch.ones(count, pin_memory=True), torch.ones(count, device=device)
    to, source = (there, host) if kind == TO_DEVICE else (host, there)
    best = watch.best_s(lambda: to.copy_(source, non_blocking=True), seconds)
    return Roof(kind=kind, value=_COPY_BYTES / best, how="pinned memory")


def product(device: str, dtype: str, seconds: float, watch: Watch) -> Roof | None:
    """The best rate of products of two matrices, over shapes; None where the device has none.

    Successive halving: every shape briefly, then the better half for twice as long each, until one is left.
    """
    begun_s = watch.now_s
    try:
        calls = _affordable(device, dtype, seconds, watch)
    except RuntimeError:  # no such product in this dtype, or no memory for it
        return None
    left_s = max(begun_s + seconds - watch.now_s, seconds / 2)
    best = dict.fromkeys(calls, 0.0)
    rungs = max(1, math.ceil(math.log2(len(calls))) + 1)
    chosen = list(calls)
    for _ in range(rungs):
        for shape in chosen:
            took_s = watch.best_s(calls[shape], left_s / rungs / len(chosen))
            best[shape] = max(best[shape], 2 * math.prod(shape) / took_s)
        chosen = sorted(chosen, key=lambda one: -best[one])[: math.ceil(len(chosen) / 2)]
    m, n, k = chosen[0]
    return Roof(kind=FLOP, value=best[chosen[0]], how=f"{m}×{k} by {k}×{n}", dtype=dtype)


def _affordable(
    device: str, dtype: str, seconds: float, watch: Watch
) -> dict[Shape, Callable[[], object]]:
    """Shapes whose call is short beside the time given, from the smallest up; the first in any case."""
    calls: dict[Shape, Callable[[], object]] = {}
    slowest_s = 0.0  # per FLOP, of the last that was made
    for m, n, k in sorted(SHAPES, key=math.prod):
        flop = 2 * m * n * k
        if flop * slowest_s * _SLOWER > _LONGEST_CALL_SHARE * seconds:
            break
        kind = getattr(torch, dtype)
        a, b = (torch.randn(size, device=device).to(kind) for size in ((m, k), (k, n)))
        calls[m, n, k] = _matmul(a, b, torch.empty(m, n, dtype=kind, device=device))
        slowest_s = watch.best_s(calls[m, n, k], _GLANCE_S) / flop
    return calls


def _matmul(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> Callable[[], object]:
    return lambda: torch.mm(a, b, out=out)
