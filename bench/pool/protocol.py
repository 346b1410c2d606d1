"""What session and worker say to each other: one JSON line each way, a frozen dataclass at both ends.

Requests name a case by its plan; a worker builds what it is asked for. Torch-free by rule.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.machine import gpu_readings
from bench.plan.plan import PlannedCase
from bench.records import roofs
from bench.records.record import HOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.machine.gpu_readings import Telemetry
    from bench.records.roofs import Roof

QUEUED, WAITS, IDLE = "queued", "waits", "idle"
"""What a call's work on a device with a queue is found to be: it queues up behind a spin; it doesn't, since
the call waits for the device or overfills its queue; there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Build the case's call, make it once, compare with the reference."""

    case: PlannedCase
    most_input_bytes: float = math.inf
    """Inputs larger than that are not even made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Build the call and keep it; find how many loops make a sample of `sample_s` seconds."""

    case: PlannedCase
    sample_s: float
    cache: str = HOT
    """`cold`: a sample is one call, after the caches were emptied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRequest:
    """Take samples of a prepared case for `seconds`, at least one."""

    case: PlannedCase
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Record a prepared case as a graph and time its replay, on a device that can."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCold:
    """Tell the device's own time of a prepared case after its caches were emptied."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Read a device's gauges while it works on calls of a prepared case, and on nothing else."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """Time the sentinels of a device."""

    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Tell what a call of a prepared case costs in energy, by its device's own counter."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Make the calls of some cases of one device under the profiler, in one session; once per worker.

    What is not prepared is built and warmed up before.
    """

    cases: tuple[PlannedCase, ...]
    calls: tuple[int, ...]
    """How often each is called under its mark."""
    path: str
    """Where the trace goes, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Measure what a device can do at most, in about so many seconds."""

    device: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Drop every call and its inputs."""


Request = (
    Check
    | Prepare
    | VisitRequest
    | Replay
    | TimeCold
    | Load
    | Sense
    | Meter
    | Profile
    | Survey
    | Forget
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A worker is ready: what its torch is, and which devices that sees."""

    torch: Mapping[str, Any]
    device_names: Mapping[str, str]
    device_memory_bytes: Mapping[str, int] = field(default_factory=dict)
    """Device → the memory of its own that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The comparison with the reference; `correct` is None where there was none."""

    correct: bool | None
    max_error: float | None
    note: str
    input_bytes: int
    peak_memory_bytes: int | None = None
    """What one call takes beyond its inputs, where that can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The call is ready and warm; what reading the clock and an empty call of its shape cost."""

    first_call_s: float
    call_s: float
    loops: int
    settled: bool
    clock_s: float
    overhead_s: float
    overhead_uncertainty_s: float
    drain_s: float = 0.0
    """What waiting for the device adds to a sample, however many calls it has."""
    work: str = ""
    """What its work on a device with a queue is: `queued`, `waits`, `idle`; empty on other devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """Samples, in the order taken: when each began (on the shared clock) and how long it took.

    Beside it, what the system says the process used meanwhile.
    """

    loops: int
    started_ns: tuple[int, ...]
    elapsed_ns: tuple[int, ...]
    cpu_ns: tuple[int, ...]
    minor_faults: tuple[int, ...]
    involuntary_switches: tuple[int, ...]
    device_s: tuple[float, ...] = ()
    """The device's own time per call, in samples of their own; none where the device has no queue."""
    host_s: tuple[float, ...] = ()
    """What submitting a call took, in the same samples."""
    gapless: tuple[bool, ...] = ()
    """Whether each of them is proven to have no launch gap in it."""
    aside_ns: int = 0
    """What evictions and samples of the device's own time took; no part of any other sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The device's time per call in a replayed graph."""

    device_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdTimed:
    """The device's time per call with cold caches; None where a launch gap may be in it."""

    device_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a GPU said of itself, again and again, while it worked on one case."""

    gauges: tuple[Telemetry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensed:
    """What the sentinels took just now; there is no barrier where there is one thread.

    On a device with a queue, `compute_s` is a spin of known cycles, which tells its clock, and `launch_s`
    what submitting an empty kernel takes the host.
    """

    compute_s: float
    barrier_s: float | None
    launch_s: float | None = None
    gauges: tuple[Telemetry, ...] = ()
    """What a GPU said of itself while its sentinel ran."""
    load_1m: float | None = None
    """Processes that ran or waited for a core, averaged over the last minute by the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """Joules per call, idle power included, or the reason why that can't be told."""

    energy_j: float | None
    power_w: float | None = None
    """The device's power meanwhile."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """The trace has been written; what it says is for others to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """What the device was seen to do at best."""

    roofs: tuple[Roof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Nothing is kept any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The case can't be measured here: a status of the row and the reason in words."""

    status: str
    reason: str
    input_bytes: int | None = None
    """What its inputs would have taken, or the first of them, if that is why."""
    ends_worker: bool = False
    """The worker can't be used any more and ends: its CUDA context is broken."""


Reply = (
    Hello
    | Checked
    | Prepared
    | Visited
    | Replayed
    | ColdTimed
    | Loaded
    | Sensed
    | Metered
    | Profiled
    | Surveyed
    | Forgotten
    | Refused
)
_KINDS: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(
            Check,
            Prepare,
            VisitRequest,
            Replay,
            TimeCold,
            Load,
            Sense,
            Meter,
            Profile,
            Survey,
            Forget,
        ),
        *(
            Hello,
            Checked,
            Prepared,
            Visited,
            Replayed,
            ColdTimed,
            Loaded,
            Sensed,
            Metered,
            Profiled,
            Surveyed,
            Forgotten,
            Refused,
        ),
    )
}


def encode(message: Request | Reply) -> str:
    """The message as one line of JSON."""
    fields = dataclasses.asdict(message)
    return json.dumps({"kind": type(message).__name__, **fields})


def decode(line: str) -> Any:
    """The message that a line holds.

    Raises:
        ValueError: the line is not a message.
    """
    fields = json.loads(line)
    kind = _KINDS.get(fields.pop("kind", "")) if isinstance(fields, dict) else None
    if kind is None:
        message = f"not a message: {line[:80]!r}"
        raise ValueError(message)
    if "case" in fields:
        fields["case"] = PlannedCase(**fields["case"])
    if "cases" in fields:
        fields["cases"] = [PlannedCase(**one) for one in fields["cases"]]
    if "gauges" in fields:
        fields["gauges"] = [gpu_readings.of_fields(one) for one in fields["gauges"]]
    if "roofs" in fields:
        fields["roofs"] = [roofs.Roof(**one) for one in fields["roofs"]]
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
