"""What earlier runs say of this machine: what it is like at its best, and how far unchanged code moves.

Only rows that differ in nothing but their time are asked: same machine, threads, torch, method, and
the same code of the op. No torch, no pandas: it is read before a run and while it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import StoreError
from bench.records import machine_state
from bench.records.machine_state import Conditions
from bench.stats import interval
from bench.stats.interval import Spread
from bench.store import machine_cache, runs
from bench.store.load import load_values
from bench.store.machine_cache import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.store.runs import RunInfo, StoredRun

    Key = tuple[str, str]
    """Case and device."""

FEWEST_RUNS = 3
"""Two runs have one difference, and it is as likely small as large."""
MOST_RUNS = 20
"""What is older tells more of other kernels, drivers and neighbours than of this machine now."""
_METHOD = ("threads", "workers", "rounds", "budget_s", "cache")
_COLUMNS = (
    *("case", "device", "suite", "status", "warnings", "time_s", "torch_version", "fingerprint"),
    *("reference_compute_s", "reference_barrier_s", "time_at_reference_s", "memory"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A case in an earlier run: its headline, its time at reference, and which reference that was."""

    key: Key
    time_s: float
    at_reference_s: float | None
    reference: Conditions
    fingerprint: str | None = None
    """Of the op's code; None where only the suite's file is known, which is then that of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was known when a run began."""

    references: Mapping[str, Reference] = field(default_factory=dict)
    """Per device, what it is like at its best."""
    past: tuple[Past, ...] = ()

    def floors(
        self,
        reference: Conditions | None,
        now: Mapping[Key, str | None],
        *,
        at_reference: bool = False,
    ) -> dict[Key, Spread]:
        """Per case, how far its headlines at this reference lay apart; no case with fewer than three.

        `now` has the cases that are asked for, with the fingerprint of their code: what another code took is no
        repeat of it. `at_reference` asks the same of headlines converted to this reference.

        Cases lend each other what they have in common, as in `stats.pooled`; the machine moves them
        together, so after a few runs even that is a guess, and it settles as runs are added.
        """
        times: dict[tuple[Key, str | None], list[float]] = {}
        host = reference.of_host(anywhere=False) if reference else None
        known = [one for one in (reference, host) if one]
        for one in self.past:
            time_s = one.at_reference_s if at_reference else one.time_s
            if time_s and any(machine_state.is_at(one.reference, wanted) for wanted in known):
                code = one.fingerprint or now.get(one.key)
                times.setdefault((one.key, code), []).append(time_s)
        own = {code: _spread(of) for code, of in times.items() if len(of) >= FEWEST_RUNS}
        others = interval.pooled(list(own.values()))
        asked = {key: own[key, code] for key, code in now.items() if (key, code) in own}
        return {key: interval.combined(s, others) if others else s for key, s in asked.items()}


def read(store: Path, info: RunInfo) -> History:
    """What earlier runs on this machine say to a run that is about to begin.

    The reference is the machine's own; where that is not known (another home, another container), it is
    that of the store's latest run here.
    """
    known = runs.list_runs(store) if store.is_dir() else []
    finished = [run for run in known if run.finished]
    here = [run for run in finished if _same_machine(run.info, info)]
    alike = [run for run in here if _same_method(run.info, info)][-MOST_RUNS:]
    return History(
        references=_references(here, info),
        past=tuple(one for run in alike for one in _past(run, info)),
    )


def keep_reference(info: RunInfo, device: str, reference: Reference) -> None:
    """Let later runs on this machine know it, whatever their store."""
    machine_cache.save_reference(_reference_file(info, device), reference)


def _same_machine(then: RunInfo, now: RunInfo) -> bool:
    """The same machine with as many threads: its sentinels can be compared."""
    same_machine = then.machine.get("machine_id") == now.machine.get("machine_id")
    return same_machine and then.options.get("threads") == now.options.get("threads")


def _reference_file(info: RunInfo, device: str) -> Path:
    threads = info.options.get("threads", 0)
    return machine_cache.reference_file(info.machine["machine_id"], threads, device)


def _references(here: list[StoredRun], info: RunInfo) -> dict[str, Reference]:
    """Per device the machine's own, else that of the store's latest run here which has one."""
    known = {
        device: Reference(conditions=found)
        for run in here
        for device, facts in run.info.reference.items()
        if (found := _conditions(facts))
    }
    for device in {*known, *info.devices}:
        own = machine_cache.load_reference(_reference_file(info, device))
        if own:
            known[device] = own
    return known


def _conditions(facts: Any) -> Conditions | None:
    """Conditions as a manifest has them; None for what another version wrote in their place."""
    try:
        return Conditions(**facts)
    except TypeError:
        return None


def _same_method(then: RunInfo, now: RunInfo) -> bool:
    return all(then.options.get(name) == now.options.get(name) for name in _METHOD)


def _past(run: StoredRun, now: RunInfo) -> Iterator[Past]:
    """The headlines of a run that were measured at reference, with this torch and memory policy, of known code."""
    torch = now.torch.get("version")
    for row in _rows(run):
        same_file = run.info.suites.get(row["suite"]) == now.suites.get(row["suite"], "")
        measured = row["status"] == "ok" and row["time_s"] and row["reference_compute_s"]
        settled = "other-state" not in (row["warnings"] or ())
        known = row["fingerprint"] or same_file
        alike = (row["torch_version"], row["memory"]) == (torch, now.memory_on(row["device"]))
        if measured and settled and known and alike:
            reference = Conditions(
                compute_s=row["reference_compute_s"], barrier_s=row["reference_barrier_s"]
            )
            yield Past(
                key=(row["case"], row["device"]),
                time_s=row["time_s"],
                at_reference_s=row["time_at_reference_s"],
                reference=reference,
                fingerprint=row["fingerprint"],
            )


def _rows(run: StoredRun) -> list[dict[str, Any]]:
    """The rows of a run; none if its file is of another version or can't be read."""
    try:
        return load_values(run.folder, columns=_COLUMNS)
    except StoreError:
        return []


def _spread(times: list[float]) -> Spread:
    return Spread(variance=float(np.var(np.log(times), ddof=1)), freedom=len(times) - 1)
