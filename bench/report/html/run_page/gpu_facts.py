"""The GPUs of a run as definition tables: what driver and torch call them, what they said, how torch is set."""

from __future__ import annotations

import dataclasses
import statistics
from typing import TYPE_CHECKING

from bench.analysis import grid
from bench.report.html.run_page import facts as run_page_facts
from bench.report.text.machine import cuda_device
from bench.units import number, rate, share, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.record import Record
    from bench.report.html.run_page.facts import Definitions
    from bench.store.runs import RunInfo

_OF_CUDA = ("cuda_settings", "cuda_devices")


def without(info: RunInfo) -> RunInfo:
    """The run's facts without those of torch that have their place here."""
    torch = {name: value for name, value in info.torch.items() if name not in _OF_CUDA}
    return dataclasses.replace(info, torch=torch)


def groups(records: Sequence[Record], info: RunInfo) -> list[tuple[str, Definitions]]:
    """Heading → facts; nothing for a run that has neither a GPU nor rows of one."""
    rows = [r for r in records if r.device.startswith("cuda")]
    if not (rows or info.torch.get("cuda_devices") or info.machine.get("gpus")):
        return []
    settings = run_page_facts.defined(info.torch.get("cuda_settings") or {})
    found = [
        ("GPU", _hardware(info)),
        *(
            (f"{device} while it measured", _told([r for r in rows if r.device == device]))
            for device in grid.ranked_devices(rows)
        ),
        ("Settings of torch for CUDA", settings),
    ]
    return [(name, pairs) for name, pairs in found if pairs]


def _hardware(info: RunInfo) -> Definitions:
    gpus = [
        f"{g.get('name')} ({size(g.get('memory_bytes'))})" for g in info.machine.get("gpus") or []
    ]
    seen = [cuda_device(one) for one in info.torch.get("cuda_devices") or []]
    facts = {
        "by the driver": "; ".join(gpus),
        "by torch": "; ".join(seen),
        "driver": str(info.environment.get("gpu_driver") or ""),
        "CUDA of torch": str(info.torch.get("cuda") or ""),
        "cuDNN": str(info.torch.get("cudnn") or ""),
    }
    return [(name, text) for name, text in facts.items() if text]


def _told(records: Sequence[Record]) -> Definitions:
    """What the driver said, over the cases; nothing where it said nothing."""
    kinds: tuple[tuple[str, Callable[[Record], float | None], Callable[[float], str]], ...] = (
        ("SM clock", lambda r: r.sm_clock_hz, lambda v: rate(v, "Hz")),
        ("lowest SM clock", lambda r: r.sm_clock_min_hz, lambda v: rate(v, "Hz")),
        ("power", lambda r: r.power_w, lambda v: f"{number(v)} W"),
        ("temperature", lambda r: r.temperature_c, lambda v: f"{number(v)} °C"),
        ("clocks held down", lambda r: r.throttled_share, share),
        ("other processes", lambda r: r.other_processes, lambda v: f"{v:.0f}"),
    )
    found = []
    for name, of, text in kinds:
        values = [v for r in records if (v := of(r)) is not None]
        if values:
            low, middle, high = (
                text(min(values)),
                text(statistics.median(values)),
                text(max(values)),
            )
            spread = f"{middle} in the middle ({low} to {high})" if low != high else middle
            found.append((name, spread))
    return found
