"""A checkup: what is found and in which facts, without a worker and without torch."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bench.doctor import checkup
from bench.machine import activity, environment, hardware
from bench.machine.activity import Snapshot
from bench.machine.hardware import CurrentState, Machine
from bench.records.machine_state import Conditions
from bench.records.roofs import Roofs
from bench.store import machine_cache
from bench.store.machine_cache import Reference
from tests.fakes.workers import finished_run, info

if TYPE_CHECKING:
    from pathlib import Path

HERE = Machine(
    machine_id="m-1",
    name="a machine",
    cpu_model="a CPU",
    architecture="x86_64",
    physical_cores=2,
    logical_cores=4,
    memory_bytes=2**34,
    gpus=(),
)
STATE = CurrentState(
    load_1min=0.1,
    cpu_busy_share=0.9,
    free_memory_bytes=2**33,
    frequency_hz=None,
    governor=None,
    turbo=None,
    temperature_c=None,
)
SNAPSHOT = Snapshot(
    cpu_busy_share=0.01,
    stolen_share=0.0,
    programs=(),
    swap_used_bytes=0,
    memory_stall_share=0.0,
    slowdowns=0,
    on_battery=False,
    gpus=(),
    gpus_missing="no driver",
    mps=False,
)


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One machine, whatever this one is; its cache folder is empty, and its torch a made-up one."""
    real = environment.read_environment(tmp_path)
    monkeypatch.setattr(hardware, "read_machine", lambda: HERE)
    monkeypatch.setattr(hardware, "read_state", lambda: STATE)
    monkeypatch.setattr(activity, "read_snapshot", lambda: SNAPSHOT)
    monkeypatch.setattr(hardware, "cpu_capability", lambda: "AVX2")
    monkeypatch.setattr(checkup, "read_environment", lambda: real)
    monkeypatch.setenv("TENSORBENCH_CACHE", str(tmp_path / "cache"))
    install_torch(monkeypatch, tmp_path, "__version__ = '2.9.0+cu128'\n")


def install_torch(monkeypatch: pytest.MonkeyPatch, folder: Path, version_file: str) -> None:
    """A torch that says this of itself in its own file, and 2.9.0 in its metadata."""
    path = folder / "version.py"
    path.write_text(version_file)
    found = SimpleNamespace(version="2.9.0", locate_file=lambda _: path)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: found)


def severities(store: Path) -> dict[str, str]:
    """Code → severity."""
    return {one.code: one.severity for one in checkup.examine(store, 2).findings}


def test_a_machine_that_never_measured_lacks_what_runs_leave_behind(tmp_path: Path) -> None:
    """No store, no reference, no roofs: nothing raises."""
    said = severities(tmp_path / "nowhere")
    assert {said[code] for code in ("reference", "roofs", "noise-floor")} == {"may"}
    assert said["torch"] == "fine"


def test_the_longer_measurement_counts(tmp_path: Path) -> None:
    """A tenth of a second can't tell how busy a machine is."""
    assert severities(tmp_path)["busy"] == "fine"


@pytest.mark.parametrize(
    ("version_file", "version"),
    [("__version__ = '2.9.0+cu128'\n", "2.9.0+cu128"), ("nothing of use", "2.9.0")],
)
def test_torch_is_named_as_it_names_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version_file: str, version: str
) -> None:
    """Without importing it: runs carry its build, which its metadata leaves out."""
    install_torch(monkeypatch, tmp_path, version_file)
    assert checkup.examine(tmp_path, 2).known.torch == version


def test_a_machine_without_torch_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing can be measured there."""

    def missing(_: str) -> Any:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert severities(tmp_path)["torch"] == "will"


def test_what_is_kept_of_the_machine_is_known(tmp_path: Path) -> None:
    """With as many threads, and this torch."""
    best = Reference(conditions=Conditions(compute_s=1e-4), missed=2)
    machine_cache.save_reference(machine_cache.reference_file("m-1", 2, "cpu"), best)
    found = Roofs(device="cpu", threads=2, torch="2.9.0+cu128", measured_at="x", roofs=())
    machine_cache.save_roofs(machine_cache.roofs_file("m-1", 2, "cpu"), found)
    known = checkup.examine(tmp_path, 2).known
    assert (known.reference, known.missed, known.roofs) == (True, 2, True)
    assert not checkup.examine(tmp_path, 1).known.reference


def test_earlier_runs_count_if_they_were_made_alike(tmp_path: Path) -> None:
    """The same machine, threads, torch and memory policy, which older versions left to the system."""
    like = info(options={"threads": 2}, torch={"version": "2.9.0+cu128"}, memory={"cpu": "reuse"})
    others = (
        dataclasses.replace(like, memory={}),
        dataclasses.replace(like, options={"threads": 1}),
        dataclasses.replace(like, torch={"version": "2.8.0"}),
        dataclasses.replace(like, machine={**like.machine, "machine_id": "m-2"}),
    )
    for number, about in enumerate((like, like, *others)):
        run_id = f"2026010{number + 1}T000000Z-aaaaaa"
        finished_run(tmp_path / "store", dataclasses.replace(about, run_id=run_id))
    assert checkup.examine(tmp_path / "store", 2).known.earlier_runs == 2
