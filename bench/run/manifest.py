"""The manifest of a run: what was asked, where and with what it is measured. Measures nothing.

From it come the run's manifest, which is kept, and the facts that all of its rows share.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.machine import hardware as machines
from bench.machine.activity import gpu_snapshots
from bench.machine.environment import read_environment
from bench.pool.pool import start
from bench.records import memory_policy
from bench.run import own_packages, peak_survey
from bench.run.outcome import RunFacts
from bench.run.peak_survey import RoofOwner
from bench.stats.interval import CONFIDENCE
from bench.store.runs import RunInfo, names_of, new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.plan.plan import Plan
    from bench.plan.schedule import Schedule
    from bench.pool.pool import Start
    from bench.pool.protocol import Hello

_INPUT_MEMORY_SHARE = 0.4
"""Share of the free memory that the inputs of interleaved cases may take; results need the rest."""

_SCHEDULE_FACTS = (
    *("workers", "rounds", "timeout_s", "patience_s"),
    *("cache", "memory", "kernels", "energy"),
)
_OPTIONS_FACTS = "roofs", "threads", "confidence", "seed"
"""Fields of a schedule and of a run's options that its manifest has under the same names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run is measured and what it is called."""

    schedule: Schedule
    threads: int
    seed: int
    preset: str
    selection: Mapping[str, Any]
    label: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    argv: Sequence[str] = ()
    confidence: float = CONFIDENCE
    roofs: bool = False
    """Compare rows with the peak rates of the machine; measure these if they are not known."""


def usable_memory_bytes() -> float:
    """Bytes that the inputs of all workers may take of the memory that is free now."""
    return machines.free_memory_bytes() * _INPUT_MEMORY_SHARE


def look_around(
    threads: int, tell: Callable[[str, float], None] | None = None
) -> dict[str, dict[str, Any]]:
    """This machine's identity, environment (with torch, as a worker sees it), state and roofs.

    Args:
        threads: that a worker has.
        tell: measure the roofs, and tell this of each device and its seconds; else those that are kept.
    """
    machine = machines.read_machine()
    with start(1, threads) as started:
        hello = started.pool.hello(0)
        place = RoofOwner(
            machine_id=machine.machine_id, threads=threads, torch=str(hello.torch["version"])
        )
        devices = _devices(hello)
        if tell:
            peak_survey.measured(started.pool, place, devices, tell)
    return {
        "machine": dataclasses.asdict(machine),
        "environment": dataclasses.asdict(read_environment()),
        "torch": dict(hello.torch),
        "state": dataclasses.asdict(started.state),
        "roofs": {
            device: dataclasses.asdict(one)
            for device, one in peak_survey.known(place, devices).items()
        },
    }


def _devices(hello: Hello) -> list[str]:
    """The devices of this machine, each once: a GPU that is alone is `cuda`, others have their numbers."""
    numbered = [name for name in hello.device_names if ":" in name]
    return ["cpu", *(numbered if len(numbered) > 1 else ["cuda"] if numbered else [])]


def new(plan: Plan, options: Options, started: Start | None = None) -> RunInfo:
    """A new run's facts, as far as they are known before a worker has spoken."""
    now = datetime.now(UTC)
    schedule = options.schedule
    environment = dataclasses.asdict(read_environment())
    devices = sorted({case.device for case in plan.cases})
    return RunInfo(
        run_id=new_run_id(now),
        started_at=now.isoformat(timespec="seconds"),
        label=options.label,
        tags=options.tags,
        argv=options.argv,
        options={
            **options.selection,
            "preset": options.preset,
            "budget_s": schedule.case_budget_s,
            **{name: getattr(schedule, name) for name in _SCHEDULE_FACTS},
            **{name: getattr(options, name) for name in _OPTIONS_FACTS},
        },
        machine=dataclasses.asdict(machines.read_machine()),
        environment=environment,
        state=_state(started),
        folder=str(Path.cwd()),
        devices=devices,
        memory=_memory(devices, schedule.memory, environment),
        **code_of(plan),
    )


def _state(started: Start | None) -> dict[str, Any]:
    """What the machine was like when the run began; of its GPUs what their driver says, such as power limits."""
    state = dataclasses.asdict(started.state if started else machines.read_state())
    # Workers have been started, so that not every process on a GPU is somebody else's.
    gpus = [{**dataclasses.asdict(gpu), "processes": None} for gpu in gpu_snapshots()]
    return {**state, "gpus": gpus} if gpus else state


def code_of(plan: Plan) -> dict[str, Any]:
    """The fields of a manifest that say which code was measured."""
    cases = plan.all_cases
    return {
        "suites": {case.suite: case.suite_hash for case in cases if case.suite_hash},
        "imported": own_packages.imported({Path(case.suite_path) for case in cases}),
    }


def with_torch(info: RunInfo, torch: Mapping[str, Any]) -> RunInfo:
    """The run's facts with torch's.

    Raises:
        StoreError: it is a resumed run, and began with another torch.
    """
    before, now = info.torch.get("version"), torch["version"]
    if before not in {None, now}:
        message = f"run {info.run_id} began with torch {before}, and this is {now}; start a new run"
        raise StoreError(message)
    return dataclasses.replace(info, torch=torch)


def with_memory(info: RunInfo, hello: Hello) -> RunInfo:
    """The run's facts with the memory policy that holds in its workers, and why it is not the one asked for."""
    return dataclasses.replace(
        info,
        memory=_memory(info.devices, hello.memory, info.environment),
        memory_note=hello.memory_note or info.memory_note,
    )


def _memory(devices: Iterable[str], of_cpu: str, environment: Mapping[str, Any]) -> dict[str, str]:
    """Device → its memory policy."""
    known = environment.get("variables") or {}
    return {device: memory_policy.on(device, of_cpu, known) for device in devices}


def row_facts(info: RunInfo, options: Options, hello: Hello | None) -> RunFacts:
    """The facts that rows share, as a worker tells them, which is not always as they were asked for."""
    torch = hello.torch if hello else {}
    started = datetime.fromisoformat(info.started_at)
    since_start_ns = (datetime.now(UTC) - started).total_seconds() * 1e9
    return RunFacts(
        run_id=info.run_id,
        machine_id=info.machine["machine_id"],
        machine=info.machine["name"],
        device_names={
            "cpu": info.machine["cpu_model"],
            **(hello.device_names if hello else {}),
        },
        torch_version=torch.get("version"),
        threads=torch.get("threads", options.threads),
        confidence=options.confidence,
        cache=options.schedule.cache,
        memory=info.memory,
        budget_s=min(options.schedule.case_budget_s, options.schedule.timeout_s),
        started_at=started,
        started_ns=time.perf_counter_ns() - round(since_start_ns),
        names=names_of(info),
    )
