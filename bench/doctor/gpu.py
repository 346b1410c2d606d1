"""Hazards of the GPUs: others at work, who may be, clocks held down, a power cap, an unloaded driver, CPU fallbacks.

Read from what a checkup has noted of each GPU; a run notes the same of each of its cases instead.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bench.doctor.hazard import Topic, flag_in, number_in
from bench.machine.compute_mode import ANOTHER_MODE, ONE_PROCESS, PROHIBITED, START_MPS
from bench.machine.environment import FALLBACK_VARIABLES
from bench.machine.gpu_readings import LOWERING
from bench.units import counted, number, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.doctor.hazard import Hazard
    from bench.store.runs import RunInfo

    Facts = Mapping[str, Any]

_HOT_C = 83.0
"""Data-centre GPUs of several generations begin to lower their clocks between 83 and 90 °C."""
_CAPPED_SHARE = 0.99
"""A limit below this share of the usual power limit is a cap; drivers round."""

_PRESENT = Topic(
    code="gpu",
    subject="NVIDIA's driver",
    effect="what else a GPU does is not known without its driver",
    remedy="",
)
_SHARED = Topic(
    code="busy-gpu",
    subject="who is at work on the GPU",
    effect="kernels of others take turns with ours, and share its clock and its caches",
    remedy="nvidia-smi says whose it is; end it, or measure on another GPU (--device cuda:1)",
)
_MODE = Topic(
    code="compute-mode",
    subject="the GPU's compute mode",
    effect="a run has a context in each of several workers, whose differences give the intervals",
    remedy=f"{ANOTHER_MODE}, or start MPS ({START_MPS}); else bench run --workers 1, without intervals",
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
_FALLBACK = Topic(
    code="cpu-fallback",
    subject="the variables that ask for a fallback to the CPU",
    effect="other programs run on the CPU what the GPU lacks; here such cases are skipped, not timed as the GPU's",
    remedy="",
)


def hazards(info: RunInfo) -> list[Hazard]:
    """All hazards of the GPUs, and what is fine with them."""
    return [*_of_gpus(info), *_fallbacks(info)]


def _fallbacks(info: RunInfo) -> list[Hazard]:
    """Variables that have torch run ops on the CPU in a GPU's stead; nothing where none is set."""
    noted = info.environment.get("variables")
    variables = noted if isinstance(noted, dict) else {}
    known = [name for names in FALLBACK_VARIABLES.values() for name in names]
    asked = [name for name in known if str(variables.get(name, "0")) not in {"", "0"}]
    seen, remedy = f"set: {', '.join(asked)}", f"unset {' '.join(asked)}"
    return [_FALLBACK.may(seen, remedy)] if asked else []


def _of_gpus(info: RunInfo) -> list[Hazard]:
    """The hazards of each GPU; nothing of a run that noted no GPUs."""
    gpus = info.state.get("gpus")
    if not isinstance(gpus, list | tuple):
        return []
    if not gpus:
        missing = info.state.get("gpus_missing")
        return [_PRESENT.fine(f"no NVIDIA GPU is seen ({missing or 'the driver names none'})")]
    mps = flag_in(info.state, "mps") or False
    rules = _shared, partial(_mode, mps), _throttled, _capped, _sleepy
    return [rule(f"GPU {index}", gpu) for index, gpu in enumerate(gpus) for rule in rules]


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


def _mode(mps: bool, name: str, gpu: Facts) -> Hazard:  # noqa: FBT001 - bound by `partial`
    """A mode that lets one process in, without a daemon whose clients the workers would be, or none at all."""
    mode = gpu.get("compute_mode")
    if not isinstance(mode, str):
        return _MODE.unknown()
    seen = f"{name}: compute mode {mode}"
    if mode == PROHIBITED:
        return _MODE.will(f"{seen}: no process can use it", ANOTHER_MODE)
    if mode not in ONE_PROCESS:
        return _MODE.fine(f"{seen}: any number of processes can use it")
    if mps:
        return _MODE.fine(f"{seen}, and MPS lets several processes share it")
    return _MODE.will(f"{seen}: one process at a time can use it")


def _throttled(name: str, gpu: Facts) -> Hazard:
    """Reasons for which the driver lowers clocks, and heat that will make it do so."""
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
    if limit >= _CAPPED_SHARE * usual:
        return _CAPPED.fine(seen)
    return _CAPPED.may(seen, f"sudo nvidia-smi -i {name.removeprefix('GPU ')} -pl {usual:.0f}")


def _sleepy(name: str, gpu: Facts) -> Hazard:
    """A driver that is unloaded when nobody uses it."""
    awake = flag_in(gpu, "persistent")
    asleep = None if awake is None else not awake
    stays = f"{name}: the driver stays loaded"
    return _SLEEPY.flag("may", f"{name}: persistence mode is off", stays, when=asleep)
