"""Checkup of a machine before it measures anything: its facts now, its history, and their hazards. Starts no worker.

Torch is told by its metadata, so that a checkup takes a second or two; what is a hazard, `bench.doctor.rules` says.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.analysis import history
from bench.analysis.rerun_command import all_on_store
from bench.doctor import rules
from bench.doctor.history import MachineHistory
from bench.errors import StoreError
from bench.machine import activity, hardware
from bench.machine.environment import read_environment
from bench.machine.hardware import text_of
from bench.records.memory_policy import REUSE
from bench.store import machine_cache, runs
from bench.store.runs import RunInfo, new_run_id

if TYPE_CHECKING:
    from bench.doctor.hazard import Hazard

_DEVICE = "cpu"
"""A GPU's reference and roofs are looked up when torch says that it is there, which a run does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """The hazards of a machine, the worst first, and the facts that they were found in."""

    findings: tuple[Hazard, ...]
    info: RunInfo
    known: MachineHistory


def examine(store: Path, threads: int) -> Checkup:
    """Look at this machine.

    Args:
        store: whose earlier runs count.
        threads: that a run would have.
    """
    info = _now(threads)
    known = _known(info, store, threads)
    findings = tuple(
        dataclasses.replace(one, remedy=all_on_store(one.remedy, store))
        for one in rules.checkup(info, known)
    )
    return Checkup(findings=findings, info=info, known=known)


def _now(threads: int) -> RunInfo:
    """The facts of a run that would begin now, as far as no worker is needed."""
    now = datetime.now(UTC)
    # The busy share of the snapshot, which takes longer, replaces that of the state.
    state = dataclasses.asdict(hardware.read_state()) | dataclasses.asdict(activity.read_snapshot())
    return RunInfo(
        run_id=new_run_id(now),
        started_at=now.isoformat(timespec="seconds"),
        options={"threads": threads},
        memory={_DEVICE: REUSE},
        machine=dataclasses.asdict(hardware.read_machine()),
        environment=dataclasses.asdict(read_environment()),
        torch={"version": _torch_version(), "cpu_capability": hardware.cpu_capability()},
        state=state,
    )


def _known(info: RunInfo, store: Path, threads: int) -> MachineHistory:
    machine_id, torch = info.machine["machine_id"], info.torch["version"]
    kept = machine_cache.load_reference(machine_cache.reference_file(machine_id, threads, _DEVICE))
    roofs_file = machine_cache.roofs_file(machine_id, threads, _DEVICE)
    return MachineHistory(
        reference=kept is not None,
        missed=kept.missed if kept else 0,
        roofs=machine_cache.load_roofs(roofs_file, torch) is not None,
        store=str(store),
        earlier_runs=_earlier(info, store),
        enough_runs=history.FEWEST_RUNS,
        torch=torch,
        cpu_capability=info.torch["cpu_capability"],
    )


def _earlier(info: RunInfo, store: Path) -> int:
    """Finished runs of the store that were made here, with so many threads, this torch and the usual memory."""
    try:
        found = runs.list_runs(store)
    except StoreError:  # there is none yet
        return 0
    return sum(run.finished and _alike(run.info, info) for run in found)


def _alike(then: RunInfo, now: RunInfo) -> bool:
    facts = [
        (run.machine.get("machine_id"), run.options.get("threads"), run.torch.get("version"))
        for run in (then, now)
    ]
    return facts[0] == facts[1] and then.memory_on(_DEVICE) == now.memory_on(_DEVICE)


def _torch_version() -> str | None:
    """The installed torch as it names itself: its metadata may leave out which build it is."""
    try:
        found = importlib.metadata.distribution("torch")
    except importlib.metadata.PackageNotFoundError:
        return None
    text = text_of(Path(str(found.locate_file("torch/version.py")))) or ""
    named = re.search(r"^__version__ = ['\"](.+)['\"]$", text, re.MULTILINE)
    return named[1] if named else found.version
