"""Profiler: calls under torch's profiler, into a Chrome trace. The only module that touches it; times nothing.

One session per process: CUPTI loses or misdates the first records of each later one (pytorch#192021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from bench.records.kernel_trace import mark_of
from bench.worker.torch_settings import in_force

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.plan.case import Call
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

WARM_CALLS = 10
_WARM_NS = 500_000_000
_THROWAWAY_OPS = 64
"""Small kernels before the calls: if the first records of the session are lost, they are these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledCall:
    """A call that is warm, how often it is made, and the labels of its case, which may hold settings."""

    call: Call
    calls: int
    labels: Mapping[str, str]


def record_trace(profiled: Sequence[ProfiledCall], name: str, device: Device, path: str) -> None:
    """Make each of these calls so often under a mark of its own and write what the profiler saw, as JSON.

    Args:
        profiled: the calls, each with how often it is made.
        name: the device's, as torch names it.
        device: the same, to wait for.
        path: of the trace; must end in `.json`.
    """
    kinds = [ProfilerActivity.CPU]
    if name.startswith("cuda"):
        kinds.append(ProfilerActivity.CUDA)
    # There is one cycle; without this torch 2.11 warns that events of earlier ones are gone.
    with profile(activities=kinds, acc_events=True) as session:
        with record_function("tensorbench: thrown away"):
            _throw_away(name)
            device.synchronize()
        for place, one in enumerate(profiled):
            with in_force(one.labels):
                _make(one, mark_of(place), device)
    session.export_chrome_trace(path)


def _make(one: ProfiledCall, mark: str, device: Device) -> None:
    one.call()  # the one before has had the caches
    calls = [one.call.fresh() for _ in range(one.calls)]
    device.synchronize()
    with record_function(mark):
        for call in calls:
            call()
        device.synchronize()


def warm(call: Call, device: Device, clock: Clock) -> None:
    """Ten calls, or as many as fit in half a second, and one at least."""
    end_ns = clock() + _WARM_NS
    for _ in range(WARM_CALLS):
        call()
        device.synchronize()
        if clock() >= end_ns:
            return


def _throw_away(name: str) -> None:
    nothing = torch.zeros(16, device=name)
    for _ in range(_THROWAWAY_OPS):
        nothing.add_(1)
