"""Rows of a GPU that is made up: how long it works, how long the host submits, what a graph takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.rows import record

if TYPE_CHECKING:
    from bench.records.record import Record

LONG = f"void at::native::elementwise_kernel<{'128, 4, ' * 12}at::native::add<float>>(int, float*)"


def launched(op: str = "add", /, **values: Any) -> Record:
    """A case whose device works for 2 µs of 10 and waits for the rest, unless the values say otherwise."""
    facts = {
        "device": "cuda",
        "device_name": "Test GPU",
        "bound_by": "launch",
        "kernels": ("k",),
        "kernels_per_call": 1.0,
        "host_time_s": 1e-5,
        "device_time_s": 2e-6,
        "profiled_time_s": 2e-6,
        "graph_time_s": 2e-6,
    }
    return record("s", op, **{**facts, **values})
