"""What memory and the arithmetic units give: how large a flush must be, bandwidth by size, products."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch

from tests.gpu.probe_clock import Gauges
from tests.gpu.probe_timing import (
    FLOAT_BYTES,
    MILLION,
    cuda,
    empty_pair_us,
    known,
    l2_bytes,
    mark,
    middle,
    queued,
    slope_us,
    thinned,
    us_between,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], object]

MIB = 2**20
FLUSHED_MB = (1, 8, 16, 32)
"""What a call moves, in all: each fits into the L2 of an H100."""
FLUSH_TIMES = (1, 2, 3, 4, 6, 8, 16)
BANDWIDTH_TIMES = (0.375, 0.75, 2, 4, 8, 16, 32, 64, 160)
SIDE = 8192
PRODUCTS = {
    "bf16": (torch.bfloat16, "highest", 2.0),
    "fp16": (torch.float16, "highest", 0.6),
    "tf32": (torch.float32, "high", 0.6),
    "fp32": (torch.float32, "highest", 2.0),
    "fp64": (torch.float64, "highest", 0.6),
}
"""Name → dtype, precision of float32 products, and for how many seconds they are made without a pause."""
BURSTS = 12
CHUNK_US = 40_000
"""Products between two marks: the clock and the power are read while they run."""
_SHORT_SPIN = 400_000


def flush() -> dict[str, Any]:
    """The time of a cold call by what was flushed with: from which size on it no longer rises.

    Three ways: reading leaves clean lines, writing zeros leaves dirty ones, adding does both.
    """
    largest = torch.zeros(max(FLUSH_TIMES) * l2_bytes() // FLOAT_BYTES, device="cuda")
    empty_us = middle(empty_pair_us()) or 0.0
    found: dict[str, Any] = {"l2_bytes": l2_bytes(), "empty_us": empty_us}
    for mb in FLUSHED_MB:
        call = _addition(mb * MIB // 3)
        found[f"{mb} MiB hot"] = slope_us(call, 20)
        for times in FLUSH_TIMES:
            part = largest[: times * l2_bytes() // FLOAT_BYTES]
            for way, evict in _evictions(part).items():
                found[f"{mb} MiB {way} {times}xL2"] = _cold_us(call, evict, empty_us)
    return found


def _addition(bytes_each: int) -> Call:
    """An addition that reads two tensors of so many bytes and writes one; made once."""
    one, other, out = (torch.randn(bytes_each // FLOAT_BYTES, device="cuda") for _ in range(3))

    def call() -> object:
        return torch.add(one, other, out=out)

    call()
    return call


def _evictions(part: torch.Tensor) -> dict[str, Call]:
    return {"sum": part.sum, "zero": part.zero_, "add": lambda: part.add_(1)}


def _cold_us(call: Call, evict: Call, empty_us: float) -> float | None:
    """A single call after a flush, less what an empty pair of marks takes; the middle of 25."""
    evict()
    found = middle(queued(call, 1, _SHORT_SPIN, before=evict).device_us for _ in range(25))
    return None if found is None else round(found - empty_us, 2)


def bandwidth() -> dict[str, Any]:
    """TB/s of a copy, a sum, a fill and a negation in place, by how many L2s of data they move."""
    size, most = l2_bytes(), cuda.mem_get_info()[0] // 3
    fitting = [times for times in BANDWIDTH_TIMES if times * size <= most]
    memory = torch.ones(int(max(fitting) * size) // FLOAT_BYTES, device="cuda")
    found: dict[str, Any] = {"l2_bytes": size}
    for times in fitting:
        # Two halves of whole lines; each way moves both, or one of them twice.
        half = int(times * size) // (2 * FLOAT_BYTES) // 64 * 64
        moved = 2 * half * FLOAT_BYTES
        for way, call in _movements(memory[: 2 * half], half).items():
            call()
            us = slope_us(call, max(1, int(1e8 / moved)), pairs=6)
            found[f"{way} {times}xL2"] = round(moved / us / 1e6, 3) if us else None
    return found


def _movements(memory: torch.Tensor, half: int) -> dict[str, Call]:
    one, other = memory[:half], memory[half:]
    return {
        "copy": lambda: other.copy_(one),
        "read": memory.sum,
        "write": lambda: memory.fill_(1),
        "in place": one.neg_,
    }


def matmul() -> dict[str, Any]:
    """TFLOP/s of single products with pauses, and without any pause, where the power limit may bite.

    Beside each the SM clock, the power and the reasons for a lower clock, while the products run, and in
    a spin right after them: what a look after the work would still see.
    """
    gauges = Gauges()
    try:
        return {name: _products(name, gauges) for name in PRODUCTS}
    finally:
        torch.set_float32_matmul_precision("highest")


def _products(name: str, gauges: Gauges) -> dict[str, Any]:
    dtype, precision, for_s = PRODUCTS[name]
    torch.set_float32_matmul_precision(precision)
    one, other = (torch.randn(SIDE, SIDE, device="cuda").to(dtype) for _ in range(2))
    out = torch.empty_like(one)

    def call() -> object:
        return torch.mm(one, other, out=out)

    call()
    alone = known(_after_a_pause(call) for _ in range(BURSTS))
    us = middle(alone)
    sustained = _sustained(call, max(1, int(CHUNK_US / (us or CHUNK_US))), for_s, gauges)
    cuda._sleep(40 * MILLION)
    in_spin = gauges.look()
    cuda.synchronize()
    return {
        "burst_tflops": _tflops(us) if us else None,
        "sustained": [[_tflops(each), *seen] for each, seen in thinned(sustained, 10)],
        "look_in_spin_after": in_spin,
    }


def _after_a_pause(call: Call) -> float | None:
    time.sleep(2e-3)
    return queued(call, 1, _SHORT_SPIN).device_us


def _sustained(
    call: Call, calls: int, for_s: float, gauges: Gauges
) -> list[tuple[float, list[Any]]]:
    """Chunks of so many calls each: microseconds per call, and what the gauges said while they ran."""
    chunks = []
    end = time.perf_counter() + for_s
    while time.perf_counter() < end:
        first, last = mark(), mark()
        first.record()
        for _ in range(calls):
            call()
        last.record()
        seen = gauges.look()
        cuda.synchronize()
        chunks.append((us_between(first, last) / calls, seen))
    return chunks


def _tflops(us: float) -> float:
    return round(2 * SIDE**3 / us / 1e6, 1)
