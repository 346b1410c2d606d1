"""What a GPU says of itself while a case is measured: readings, the facts of a row, and when to distrust.

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
"""Clocks held down in a fifth of the looks weigh on the median of a case's turns."""
LEAST_CLOCK_SHARE = 0.75
"""Of the SM clock's maximum. nvbench discards samples below 75 % of the default clock; we keep and say it."""

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
    """One look at a GPU; None is what the driver does not say."""

    sm_clock_hz: float | None = None
    sm_clock_max_hz: float | None = None
    memory_clock_hz: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    temperature_c: float | None = None
    throttle_reasons: tuple[str, ...] | None = None
    """Words for what limits the clocks; () if nothing does."""
    other_processes: int | None = None
    """Processes on the GPU beside our own."""
    missing: str | None = None
    """Why nothing at all could be read."""

    @property
    def idle(self) -> bool:
        """Whether its clocks are low for want of work; False where that is not said."""
        return IDLE in (self.throttle_reasons or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFacts:
    """What the looks at a GPU say of a case; its fields are columns of the row."""

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

    Clocks are those of the looks that did not find the GPU idle: a GPU at rest says nothing of how
    fast the calls ran. Its power is no fact of a row: the driver says an average over the last second,
    renewed ten times in it (NVML, `nvmlDeviceGetPowerUsage`; seen on an H200), in which other cases ran.

    Args:
        readings: the looks in all turns of a case, while a sentinel ran.
        loaded: those while it worked on the case alone; where there are any, clocks and what holds them
            down are told from them.
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
    """The codes for what was seen, in the order of the alphabet."""
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
    return held or (bool(shares) and median(shares) < LEAST_CLOCK_SHARE)


def _throttled_share(readings: Sequence[Telemetry]) -> float | None:
    """The share of the looks with a reason that takes clocks away, of those that give reasons."""
    said = [one.throttle_reasons for one in readings if one.throttle_reasons is not None]
    if not said:
        return None
    return sum(not LOWERING.isdisjoint(words) for words in said) / len(said)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
