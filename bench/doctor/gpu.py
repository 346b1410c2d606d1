"""What makes numbers of a GPU noisy: others at work on it, clocks held down, a driver that goes to sleep.

Read from what a look at the machine has noted of each GPU; a run notes the same of each of its cases instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.doctor.hazard import Topic, number_in
from bench.machine.gpu_readings import LOWERING
from bench.units import counted, number, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.doctor.hazard import Hazard
    from bench.store.runs import RunInfo

    Facts = Mapping[str, Any]

_HOT_C = 83.0
"""Where data-centre GPUs of several generations begin to lower their clocks, from 83 to 90 °C."""
_CAP = 0.99
"""Of the power limit that it came with; a driver rounds."""

_PRESENT = Topic(
    code="gpu",
    subject="NVIDIA's driver",
    effect="what a GPU does besides can't be told without its driver",
    remedy="",
)
_SHARED = Topic(
    code="busy-gpu",
    subject="who is at work on the GPU",
    effect="kernels of others take turns with ours, and share its clock and its caches",
    remedy="nvidia-smi says whose it is; end it, or measure on another GPU (--device cuda:1)",
)
_THROTTLED = Topic(
    code="clock-throttled",
    subject="what holds the GPU's clock down",
    effect="its clock moves with heat and power, and every time with it",
    remedy="let it cool; raise its power limit, or lock its clocks where it can hold them",
)
_CAPPED = Topic(
    code="power-cap",
    subject="the GPU's power limit",
    effect="large kernels meet the limit, and their clock then depends on the data",
    remedy="sudo nvidia-smi -pl WATTS (bench machine says which GPU)",
)
_SLEEPY = Topic(
    code="persistence",
    subject="the driver's persistence mode",
    effect="the driver is unloaded between programs, so that clocks and contexts begin anew",
    remedy="sudo nvidia-smi -pm 1",
)


def of(info: RunInfo) -> list[Hazard]:
    """All that is to be said of the GPUs; of a run that noted nothing of them, nothing."""
    gpus = info.state.get("gpus")
    if not isinstance(gpus, list | tuple):
        return []
    if not gpus:
        missing = info.state.get("gpus_missing")
        return [_PRESENT.fine(f"no NVIDIA GPU is seen ({missing or 'the driver names none'})")]
    return [one for number_of, gpu in enumerate(gpus) for one in _all(f"GPU {number_of}", gpu)]


def _all(name: str, gpu: Facts) -> Iterator[Hazard]:
    yield _shared(name, gpu)
    yield _throttled(name, gpu)
    yield _capped(name, gpu)
    yield _sleepy(name, gpu)


def _shared(name: str, gpu: Facts) -> Hazard:
    """Processes, or work of someone whose process is not shown, as in containers."""
    count, busy = number_in(gpu, "processes"), number_in(gpu, "busy_share")
    if count is None and busy is None:
        return _SHARED.unknown()
    parts = [] if count is None else [f"{counted(round(count), 'program')} there"]
    parts += [] if busy is None else [f"busy {share(busy)} of the time"]
    seen = f"{name}: {', '.join(parts)}"
    if busy:
        return _SHARED.will(seen)
    return _SHARED.may(seen) if count else _SHARED.fine(seen)


def _throttled(name: str, gpu: Facts) -> Hazard:
    """What the driver says it lowers clocks for, and heat that will make it."""
    reasons, degrees = gpu.get("throttle_reasons"), number_in(gpu, "temperature_c")
    if reasons is None and degrees is None:
        return _THROTTLED.unknown()
    lowering = [word for word in reasons or () if word in LOWERING]
    warm = "" if degrees is None else f" at {number(degrees)} °C"
    if lowering:
        return _THROTTLED.will(f"{name}: clocks are held down{warm} ({', '.join(lowering)})")
    seen = f"{name}: nothing holds its clock down{warm}"
    return _THROTTLED.may(seen) if (degrees or 0) >= _HOT_C else _THROTTLED.fine(seen)


def _capped(name: str, gpu: Facts) -> Hazard:
    """A power limit below the one that it came with."""
    limit, usual = number_in(gpu, "power_limit_w"), number_in(gpu, "usual_limit_w")
    if limit is None or not usual:
        return _CAPPED.unknown()
    seen = f"{name}: it may take {number(limit)} W of {number(usual)} W"
    if limit >= _CAP * usual:
        return _CAPPED.fine(seen)
    return _CAPPED.may(seen, f"sudo nvidia-smi -i {name.removeprefix('GPU ')} -pl {usual:.0f}")


def _sleepy(name: str, gpu: Facts) -> Hazard:
    """A driver that is unloaded when nobody uses it."""
    awake = gpu.get("persistent")
    if not isinstance(awake, bool):
        return _SLEEPY.unknown()
    return (
        _SLEEPY.fine(f"{name}: the driver stays loaded")
        if awake
        else _SLEEPY.may(f"{name}: persistence mode is off")
    )
