"""GPU telemetry: readings taken while a case is measured, the facts of its row, and when to distrust them.

Decides from readings alone and reads nothing; `bench.worker.gauges` asks the driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CLOCK_THROTTLED = "clock-throttled"
BUSY_GPU = "busy-gpu"

THROTTLED_SHARE = 0.2
"""Share of the readings with clocks held down from which that weighs on the median of a case's visits."""
LEAST_SHARE_OF_MAX_CLOCK = 0.75
"""Below this share of the SM clock's maximum a row is warned of. nvbench discards samples below 75 % of the
default clock; here they are kept."""

IDLE = "idle"
_WORDS = {
    0x1: IDLE,
    0x2: "applications-clocks",
    0x4: "power-cap",
    0x8: "hw-slowdown",
    0x10: "sync-boost",
    0x20: "thermal-slowdown",
    0x40: "hw-thermal-slowdown",
    0x80: "hw-power-brake",
    0x100: "display-clocks",
    0x200: "board-limit",
    0x400: "reliability",
}
"""Bit → word, after `nvmlClocksEventReason…` and `nvmlClocksThrottleReason…` in NVIDIA's nvml.h."""
LOWERING = frozenset(
    {"power-cap", "hw-slowdown", "thermal-slowdown", "hw-thermal-slowdown", "hw-power-brake"}
)
"""Reasons that take clocks away from a GPU at work; the others say what it was set to, or that it rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """One reading of a GPU; None in fields that the driver does not give."""

    sm_clock_hz: float | None = None
    sm_clock_max_hz: float | None = None
    memory_clock_hz: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    temperature_c: float | None = None
    throttle_reasons: tuple[str, ...] | None = None
    """Reasons that limit the clocks, in words; () if nothing does."""
    other_processes: int | None = None
    """Processes on the GPU beside our own."""
    missing: str | None = None
    """The reason why nothing at all could be read."""

    @property
    def idle(self) -> bool:
        """Whether the GPU's clocks are low for want of work; False where that is not known."""
        return IDLE in (self.throttle_reasons or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFacts:
    """Facts of a case from the readings of its GPU; the fields are columns of the row."""

    sm_clock_hz: float | None = None
    sm_clock_min_hz: float | None = None
    temperature_c: float | None = None
    throttled_share: float | None = None
    other_processes: int | None = None


def reasons(bits: int) -> tuple[str, ...]:
    """The words for a bit field of NVML's, lowest bit first; a bit that is not known has its number."""
    single = (1 << place for place in range(bits.bit_length()) if bits >> place & 1)
    return tuple(_WORDS.get(bit, f"reason-{bit:#x}") for bit in single)


def facts(readings: Sequence[Telemetry], loaded: Sequence[Telemetry] = ()) -> GpuFacts:
    """The facts of a row.

    Clocks are those of the readings that did not find the GPU idle: a GPU at rest says nothing of how
    fast the calls ran. Power is no fact of a row: the driver says an average over the last second,
    renewed ten times in it (NVML, `nvmlDeviceGetPowerUsage`; seen on an H200), in which other cases ran.

    Args:
        readings: those of all visits to a case, while a sentinel ran.
        loaded: those while the GPU worked on the case alone; where there are any, clocks and what holds
            them down are told from them.
    """
    own = loaded or readings
    busy = [one for one in own if not one.idle]
    clocks = _known(one.sm_clock_hz for one in busy)
    others = _known(one.other_processes for one in readings)
    return GpuFacts(
        sm_clock_hz=_median(clocks),
        sm_clock_min_hz=min(clocks, default=None),
        temperature_c=_median(_known(one.temperature_c for one in readings)),
        throttled_share=_throttled_share(own),
        other_processes=int(max(others)) if others else None,
    )


def warnings(readings: Sequence[Telemetry], loaded: Sequence[Telemetry] = ()) -> tuple[str, ...]:
    """The warning codes that the readings call for, in alphabetical order."""
    found = []
    if facts(readings).other_processes:
        found.append(BUSY_GPU)
    if _throttled(loaded or readings):
        found.append(CLOCK_THROTTLED)
    return tuple(found)


def _throttled(readings: Sequence[Telemetry]) -> bool:
    """Whether clocks were taken away, or were low although the GPU had work."""
    held = (_throttled_share(readings) or 0.0) >= THROTTLED_SHARE
    shares = [
        one.sm_clock_hz / one.sm_clock_max_hz
        for one in readings
        if one.sm_clock_hz is not None and one.sm_clock_max_hz and not one.idle
    ]
    return held or (bool(shares) and median(shares) < LEAST_SHARE_OF_MAX_CLOCK)


def _throttled_share(readings: Sequence[Telemetry]) -> float | None:
    """Share of readings with a reason that takes clocks away, of those that give reasons."""
    said = [one.throttle_reasons for one in readings if one.throttle_reasons is not None]
    if not said:
        return None
    return sum(not LOWERING.isdisjoint(words) for words in said) / len(said)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
