"""Worker protocol: requests and replies, one JSON line each way, a frozen dataclass at both ends.

Requests name a case by its plan; a worker builds what it is asked for. Torch-free by rule.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.machine.gpu_readings import Telemetry  # noqa: TC001 - the codec reads annotations
from bench.plan.plan import PlannedCase  # noqa: TC001 - as above
from bench.pool.side_effects import SideEffects
from bench.records import codec
from bench.records.cache_state import HOT
from bench.records.memory_policy import SYSTEM
from bench.records.roofs import Roof  # noqa: TC001 - as above
from bench.units import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping

QUEUED, WAITS, IDLE = "queued", "waits", "idle"
"""How a call's work behaves on a device with a queue. `queued`: it queues up behind a spin kernel. `waits`: it does
not, since the call waits for the device or overfills its queue. `idle`: the call has no work there."""

LONGEST_TEXT = 500
"""Characters of a text in a message, such as a reason: a few lines. An exception may quote a whole tensor."""


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """A message of the session to a worker; each kind is a subclass."""


@dataclass(frozen=True, slots=True)
class WorkerReply:
    """A message of a worker to the session; each kind is a subclass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(WorkerRequest):
    """Build the case's call, make it once, compare with the reference."""

    case: PlannedCase
    input_limit_bytes: float = math.inf
    """Inputs that take more memory than this are not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build(WorkerRequest):
    """Build the call and keep it, without calling it; several workers may at the same time."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCompiler(WorkerRequest):
    """Start torch's compiler for a device, which takes seconds that are no case's."""

    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(WorkerRequest):
    """Warm the call up, built now if it was not before; find how many loops make a sample of `sample_s` seconds."""

    case: PlannedCase
    sample_s: float
    loops: int = 0
    """The loops that another worker found; 0 where none has."""
    call_s: float = 0.0
    """What a call took there."""
    cache: str = HOT
    """`cold`: a sample is one call, after the caches were emptied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRequest(WorkerRequest):
    """Take samples of a prepared case for `seconds`, at least one."""

    case: PlannedCase
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck(WorkerRequest):
    """Look at the result of a prepared case again, after its timing."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(WorkerRequest):
    """Record a prepared case as a graph and time its replay, on a device that can."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCold(WorkerRequest):
    """Tell the device's own time of a prepared case after its caches were emptied."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFresh(WorkerRequest):
    """Tell how many times as long a prepared case takes whose results lie in fresh pages."""

    case: PlannedCase
    taken_bytes: int
    """What a call takes beyond its inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(WorkerRequest):
    """Read a device's gauges while it works on calls of a prepared case, and on nothing else."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense(WorkerRequest):
    """Time the sentinels of a device."""

    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter(WorkerRequest):
    """Tell what a call of a prepared case costs in energy, by its device's own counter."""

    case: PlannedCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(WorkerRequest):
    """Make the calls of some cases of one device under the profiler, in one session; once per worker.

    Cases that are not prepared are built and warmed up before.
    """

    cases: tuple[PlannedCase, ...]
    calls: tuple[int, ...]
    """How often each case is called under its mark."""
    path: str
    """Where the trace goes, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(WorkerRequest):
    """Measure the peak rates of a device, in about so many seconds."""

    device: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(WorkerRequest):
    """Drop every call and its inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(WorkerReply):
    """A worker is ready: what its torch is, and which devices that sees."""

    torch: Mapping[str, Any]
    device_names: Mapping[str, str]
    device_memory_bytes: Mapping[str, int] = field(default_factory=dict)
    """Device → the memory of its own that it has."""
    memory: str = SYSTEM
    """The memory policy that holds in it."""
    memory_note: str = ""
    """Why that is not the one asked for, if it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(WorkerReply):
    """The comparison with the reference.

    `correct` is None where there was none, without a `max_error`, and where it shows nothing, with one.
    """

    correct: bool | None
    max_error: float | None
    note: str
    input_bytes: int
    call_s: float = field(default=0.0, compare=False)
    """How long the call took, the first one of the case."""
    peak_memory_bytes: int | None = None
    """The memory that one call takes beyond its inputs, where that can be told."""
    effects: SideEffects = field(default_factory=SideEffects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built(WorkerReply):
    """The call is built."""

    effects: SideEffects = field(default_factory=SideEffects)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompilerStarted(WorkerReply):
    """Torch's compiler can compile for the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked(WorkerReply):
    """The result of a case after its timing; nothing is said where it is what it was at first."""

    wrong: bool = False
    max_error: float | None = None
    note: str = ""
    inputs_changed: bool = False
    """The calls changed their inputs, so that each worked on what the one before left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(WorkerReply):
    """The call is ready and warm; what reading the clock and an empty call of its shape cost."""

    first_call_s: float
    call_s: float
    loops: int
    settled: bool
    clock_s: float
    overhead_s: float
    overhead_uncertainty_s: float
    drain_s: float = 0.0
    """The time that waiting for the device adds to a sample, however many calls it has."""
    work: str = ""
    """How its work behaves on a device with a queue: `queued`, `waits`, `idle`; empty on other devices."""
    effects: SideEffects = field(default_factory=SideEffects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited(WorkerReply):
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
    """The host's time to submit a call, in the same samples."""
    gapless: tuple[bool, ...] = ()
    """Whether each of these samples is proven to have no launch gap in it."""
    aside_ns: int = 0
    """The time of the lead-in, of cache evictions and of samples of the device's own time: no part of other samples."""
    effects: SideEffects = field(default_factory=SideEffects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed(WorkerReply):
    """The device's time per call in a replayed graph."""

    device_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdTimed(WorkerReply):
    """The device's time per call with cold caches; None where a launch gap may be in it."""

    device_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshTimed(WorkerReply):
    """How many times as long a call takes in fresh pages, and both ends; None where pages were not known to be fresh."""

    ratio: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(WorkerReply):
    """Readings of a GPU's gauges, one after the other, while it worked on one case."""

    gauges: tuple[Telemetry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensed(WorkerReply):
    """Times of the sentinels now; there is no barrier where there is one thread.

    On a device with a queue, `compute_s` is a spin of known cycles, which tells its clock, and `launch_s`
    what submitting an empty kernel takes the host.
    """

    compute_s: float
    barrier_s: float | None
    launch_s: float | None = None
    gauges: tuple[Telemetry, ...] = ()
    """Readings of a GPU's gauges while its sentinel ran."""
    load_1m: float | None = None
    """Processes that ran or waited for a core, averaged over the last minute by the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered(WorkerReply):
    """Joules per call, idle power included, or the reason why that can't be told."""

    energy_j: float | None
    power_w: float | None = None
    """The device's power meanwhile."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled(WorkerReply):
    """The trace has been written; the session reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed(WorkerReply):
    """The roofs of a device: its peak rates."""

    roofs: tuple[Roof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten(WorkerReply):
    """Every call and its inputs were dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(WorkerReply):
    """The case can't be measured here: a status of the row and the reason in words."""

    status: str
    reason: str
    input_bytes: int | None = None
    """The memory that its inputs, or the first of them, would have taken, if that is why."""
    codes: tuple[str, ...] = ()
    """Warnings of the row."""
    ends_worker: bool = False
    """The worker can't be used any more and ends: its CUDA context is broken."""
    no_context: bool = False
    """The worker got no context on the device, which says nothing of the case."""


_KINDS: Mapping[str, type[Any]] = {
    kind.__name__: kind for base in (WorkerRequest, WorkerReply) for kind in base.__subclasses__()
}
"""Name → kind of message. `slots` makes each class a second time; the later one, which has the name, counts."""


def encode(message: WorkerRequest | WorkerReply) -> str:
    """The message as one line of JSON."""
    return codec.encode({"kind": type(message).__name__, **codec.facts_of(message)})


def decode(line: str) -> Any:
    """The message that a line holds, its texts fit to be stored: no longer than needed, and of whole characters.

    Raises:
        ValueError: the line is not a message.
        TypeError: a field of it is missing, or of another kind.
    """
    facts = json.loads(line)
    if (
        "\\ud" in line
    ):  # half of a pair, which UTF-8 can't write, or a whole one, which this makes one character
        facts = json.loads(json.dumps(facts, ensure_ascii=False).encode(errors="replace"))
    kind = _KINDS.get(facts.pop("kind", "")) if isinstance(facts, dict) else None
    if kind is None:
        message = f"not a message: {line[:80]!r}"
        raise ValueError(message)
    return codec.decode(kind, {name: _bounded(value) for name, value in facts.items()})


def _bounded(value: Any) -> Any:
    """A text, or a list of texts, without what goes on for longer than anybody reads."""
    if isinstance(value, str):
        return clipped(value, LONGEST_TEXT)
    return [_bounded(one) for one in value] if _is_texts(value) else value


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
