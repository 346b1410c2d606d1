"""Rows of a CPU and of a GPU that is made up: it starts slowly and is 25 times as fast at what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.rows import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.records.record import Record

SIZES = (16, 64, 256, 1024)
START_S = 1e-5
"""Of a call on the GPU; one on the CPU begins at once."""


def cpu_s(n: float) -> float:
    """A nanosecond an element."""
    return 1e-9 * n * n


def gpu_s(n: float) -> float:
    """As fast as the CPU at 10,417 elements: n = 102."""
    return START_S + cpu_s(n) / 25


def curve(
    device: str,
    time_of: Callable[[float], float],
    op: str = "matmul/square",
    dtype: str = "float32",
    **values: Any,
) -> list[Record]:
    """A row for each size, known to 1 %."""
    suite, _, name = op.partition("/")
    return [
        record(
            suite,
            name,
            params={"n": n, "dtype": dtype},
            time_s=time_of(n),
            device=device,
            device_name=f"Test {device.upper()}",
            **values,
        )
        for n in SIZES
    ]


def both(op: str = "matmul/square", dtype: str = "float32", **values: Any) -> list[Record]:
    """An op that the GPU wins from n = 102 on."""
    return [
        *curve("cpu", cpu_s, op, dtype, **values),
        *curve("cuda", gpu_s, op, dtype, **values),
    ]


def copies(start_s: float = 2e-5, element_s: float = 1e-10, device: str = "cuda") -> list[Record]:
    """Copies there and back, of 4 bytes to 256 MB."""
    return [
        record(
            "transfer",
            op,
            params={"n": n, "memory": "pageable", "into": "existing", "dtype": "float32"},
            time_s=start_s + element_s * n,
            device=device,
            device_name="Test CUDA",
        )
        for op in ("to_device", "to_host")
        for n in (1, 4**4, 4**13)
    ]
