"""Whole runs on a machine whose GPUs are made up: a suite's text, and what measures and stores it.

Real are plan, session, pool, worker, its use of torch's CUDA, journal and files; made up are the GPU, the clock,
the processes and `torch.cuda`.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bench.plan import discover
from bench.plan.plan import expand
from bench.plan.schedule import Schedule
from bench.plan.selection import Selection
from bench.run import session
from bench.run.listener import Listener
from bench.run.manifest import Options
from bench.store.load import load_rows
from tests.fakes.gpu import Gpu
from tests.fakes.gpu_machine import Machine
from tests.fakes.torch_cuda import TorchCuda
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from bench.store.runs import StoredRun

WORKERS, ROUNDS = 2, 5
SAMPLE_S = 1e-3
SUITE = '''
"""Kernels of known length, on the machine that the test has put there."""

from simulated import machine

from bench import Axis, Call, Suite

suite = Suite("kernels", axes=[Axis("ns", [AXIS])])


@suite.op
def kernel(case):
    return Call(machine.submit, case.device, case["ns"])


@kernel.reference
def kernel_reference(device, ns):
    return ns


@suite.op
def look(case):
    return Call(machine.look, case.device, case["ns"])


@suite.op
def view(case):
    return Call(machine.host_only, case.device, case["ns"])


@suite.op
def backward(case):
    return Call(machine.backward_of(case.device), case.device, case["ns"])


@suite.op
def broken(case):
    return Call(machine.break_context, case.device, case["ns"])
'''
CHOSEN = """

suite.ops = {name: suite.ops[name] for name in OPS}
"""


class Bench:
    """Runs a suite's text on a machine that is made up, into one store."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self.store = folder / "store"

    def run(
        self,
        machine: Machine,
        *kernels_ns: int,
        devices: tuple[str, ...] = ("cuda",),
        ops: tuple[str, ...] = ("kernel",),
        more: str = "",
        listener: Listener | None = None,
        **how: Any,
    ) -> StoredRun:
        """Measure these ops with kernels of these lengths; `how` is for `options`."""
        TorchCuda(machine.gpus).install(self._monkeypatch)
        self._monkeypatch.setitem(sys.modules, "simulated", SimpleNamespace(machine=machine))
        path = self._folder / "kernels.py"
        chosen = CHOSEN.replace("OPS", repr(ops))
        path.write_text(SUITE.replace("AXIS", ", ".join(map(str, kernels_ns))) + more + chosen)
        plan = expand([discover.load(path)], Selection(devices=devices), {})
        asked = options(**how)
        with machine.started(asked.schedule.workers) as started:
            return session.run(
                plan,
                asked,
                self.store,
                listener or Listener(),
                started,
                clock=machine.passing(),
            )


def rows(run: StoredRun) -> dict[tuple[str, int, str], dict[str, Any]]:
    """What was stored of a run, by op, length of the kernel, and device."""
    found = load_rows(run.folder).to_dict("records")
    return {(row["op"], int(row["params"]["ns"]), row["device"]): row for row in found}  # type: ignore[misc]  # columns have names


def options(
    *,
    workers: int = WORKERS,
    sample_s: float = SAMPLE_S,
    patience_s: float = 0.0,
    kernels: bool = True,
) -> Options:
    """Visits of ten samples each; with 1 ms, 5 µs of launch before it are half a percent."""
    schedule = Schedule(
        workers=workers,
        rounds=ROUNDS,
        case_budget_s=10 * sample_s * workers * ROUNDS,
        timeout_s=60,
        memory_bytes=1e9,
        patience_s=patience_s,
        kernels=kernels,
    )
    return Options(schedule=schedule, threads=1, seed=7, preset="quick", selection={})


def machine(**facts: Any) -> Machine:
    """A machine with one GPU."""
    clock = Clock()
    return Machine(clock=clock, gpus={"cuda": Gpu(clock=clock, **facts)})


def h200(**facts: Any) -> Machine:
    """A machine with one GPU that takes the times which were measured on an H200."""
    clock = Clock()
    return Machine(clock=clock, gpus={"cuda": Gpu.like_an_h200(clock, **facts)})
