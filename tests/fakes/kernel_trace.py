"""Traces as torch writes them, made up: ops that hold others, and kernels with the calls that launch them."""

from __future__ import annotations

from typing import Any

from bench.records.kernel_trace import mark_of

BASE_US = 4_569_123_568_878.0
"""Where real traces begin: far from zero, so that rounding shows."""


def event(cat: str, name: str, at_us: float, dur_us: float, **args: Any) -> dict[str, Any]:
    """A complete event."""
    place = {"ts": BASE_US + at_us, "dur": dur_us, "pid": 1, "tid": 1}
    return {"ph": "X", "cat": cat, "name": name, **place, "args": args}


def op(name: str, at_us: float, dur_us: float, tid: int = 1) -> dict[str, Any]:
    """An op on the CPU."""
    return {**event("cpu_op", name, at_us, dur_us), "tid": tid}


def mark(at_us: float, dur_us: float, place: int = 0) -> dict[str, Any]:
    """The calls."""
    return event("user_annotation", mark_of(place), at_us, dur_us)


def launch(number: int, at_us: float, name: str = "cudaLaunchKernel") -> dict[str, Any]:
    """A call of the driver that submits work."""
    return event("cuda_runtime", name, at_us, 2.0, correlation=number)


def kernel(
    number: int, at_us: float, dur_us: float, name: str = "gemm", cat: str = "kernel"
) -> dict[str, Any]:
    """Work on the device."""
    return event(cat, name, at_us, dur_us, correlation=number, device=0, stream=7)


def trace(*events: dict[str, Any]) -> dict[str, Any]:
    """These among what is in every trace besides."""
    around = [
        {"ph": "M", "name": "process_name", "pid": 1, "tid": 0, "args": {"name": "python"}},
        {"ph": "s", "id": 1, "pid": 1, "tid": 1, "ts": BASE_US, "cat": "ac2g", "name": "ac2g"},
        {"ph": "X", "cat": "Trace", "name": "PyTorch Profiler (0)", "ts": BASE_US, "dur": 1e6},
    ]
    return {
        "schemaVersion": 1,
        "host_name": "h",
        "traceName": "t",
        "traceEvents": [*around, *events],
    }


def cuda_trace(calls: int = 2, apart_us: float = 20.0) -> dict[str, Any]:
    """A throwaway kernel; then in each call a copy of 2 µs and a kernel of 8 µs behind it."""
    events = [launch(1, -50), kernel(1, -40, 3, "thrown away"), mark(0, calls * apart_us + 20)]
    events.append({**mark(10, calls * apart_us), "cat": "gpu_user_annotation"})
    for place in range(calls):
        at_us, number = place * apart_us, 10 * (place + 1)
        events += [launch(number, at_us + 1, "cudaMemcpyAsync"), launch(number + 1, at_us + 5)]
        events.append(kernel(number, at_us + 10, 2, "Memcpy DtoD (Device -> Device)", "gpu_memcpy"))
        events.append(kernel(number + 1, at_us + 12, 8))
    events.append(
        event("cuda_runtime", "cudaDeviceSynchronize", calls * apart_us, 15, correlation=99)
    )
    return trace(*events)
