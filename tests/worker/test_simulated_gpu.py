"""Whole runs on a GPU that is made up: from a suite's file to the rows that are read back.

Real are plan, session, pool, worker, journal and files; made up are the GPU, the clock and the processes.
"""

from __future__ import annotations

import math

import pytest

from bench.run import scheduler
from bench.run.listener import Listener
from bench.store.load import load_samples
from tests.fakes.gpu import Gpu
from tests.fakes.gpu_machine import PEAK_BYTES, START_NS, Machine
from tests.fakes.gpu_runs import WORKERS, Bench, machine, rows
from tests.fakes.workers import Clock

GREEDY = """

import torch

made = []


def ask_for_too_much(device, ns):
    made.append(device)
    if len(made) > CALLS:
        raise torch.OutOfMemoryError(
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB "
            "of which 512.00 MiB is free. Of the allocated memory 14.00 GiB is allocated by PyTorch."
        )
    return machine.submit(device, ns)


@suite.op
def greedy(case):
    return Call(ask_for_too_much, case.device, case["ns"])
"""


class Droop(Listener):
    """Lowers a GPU's clock for good after so many steps of the run, of which two prepare the case."""

    def __init__(self, steps: int, share: float) -> None:
        self._steps_left = steps
        self._share = share

    def advanced(self, case: str, steps: int) -> None:
        """Steps were taken."""
        assert case
        self._steps_left -= steps

    def hertz(self, _: float) -> float:
        """The clock now."""
        return 1.5e9 * (1.0 if self._steps_left > 0 else self._share)


def test_kernels_longer_than_their_launch_bind_the_device(bench: Bench) -> None:
    """50 µs that take 5 to submit: all three times are the kernel's, and nothing is to be distrusted."""
    (row,) = rows(bench.run(machine(launch_ns=5_000), 50_000)).values()

    assert (row["status"], row["warnings"]) == ("ok", [])
    assert row["time_s"] == pytest.approx(50e-6, rel=0.01)
    assert row["device_time_s"] == pytest.approx(50e-6, rel=0.01)
    assert row["graph_time_s"] == pytest.approx(50e-6, rel=0.01)
    assert row["host_time_s"] == pytest.approx(5e-6, rel=0.01)
    assert (row["bound_by"], row["gapless_share"], row["correct"]) == ("device", 1, True)
    assert row["sentinel_compute_s"] == pytest.approx(1e6 / 1.5e9, rel=0.005)
    assert row["sentinel_launch_s"] == pytest.approx(5e-6, rel=0.01)
    assert row["peak_memory_bytes"] == PEAK_BYTES


def test_kernels_shorter_than_their_launch_bind_the_host(bench: Bench) -> None:
    """2 µs that take 5 to submit: a caller waits for the launches, and the row tells the two apart."""
    (row,) = rows(bench.run(machine(launch_ns=5_000), 2_000)).values()

    assert (row["status"], row["warnings"]) == ("ok", [])
    assert row["time_s"] == pytest.approx(5e-6, rel=0.01)
    assert row["device_time_s"] == pytest.approx(2e-6, rel=0.05)
    assert row["graph_time_s"] == pytest.approx(2e-6, rel=0.05)
    assert row["host_time_s"] == pytest.approx(5e-6, rel=0.01)
    assert (row["bound_by"], row["gapless_share"]) == ("launch", 1)


@pytest.mark.parametrize("calls", [0, 500], ids=["at once", "while it is measured"])
def test_memory_that_runs_out_costs_one_case(bench: Bench, calls: int) -> None:
    """Its row says how much was asked for, and keeps its samples; the next case is measured."""
    found = rows(
        bench.run(
            machine(), 50_000, ops=("greedy", "kernel"), more=GREEDY.replace("CALLS", str(calls))
        )
    )
    lost, kept = found["greedy", 50_000, "cuda"], found["kernel", 50_000, "cuda"]
    samples = load_samples(bench.store)

    assert lost["status"] == "oom"
    assert "Tried to allocate 2.00 GiB; 512.00 MiB of 15.77 GiB were free" in lost["reason"]
    assert bool((samples["case"] == lost["case"]).any()) == bool(calls)
    assert (kept["status"], kept["warnings"]) == ("ok", [])
    assert kept["device_time_s"] == pytest.approx(50e-6, rel=0.01)


@pytest.mark.parametrize(
    ("turns_before", "share", "hertz", "codes"),
    [(6, 0.6, 1.5e9, {"two-states"}), (3, 0.3, 1.2e9, {"two-states", "other-state"})],
    ids=["late", "early"],
)
def test_a_clock_that_falls_by_a_fifth_is_another_state(
    bench: Bench, turns_before: int, share: float, hertz: float, codes: set[str]
) -> None:
    """The headline is of the state that has visits enough, or of all visits, and says so; both are told."""
    droop = Droop(WORKERS + turns_before, 0.8)
    (row,) = rows(bench.run(machine(hertz=droop.hertz), 50_000, listener=droop)).values()

    assert codes <= set(row["warnings"])
    assert ("other-state" in row["warnings"]) == ("other-state" in codes)
    assert row["reference_share"] == pytest.approx(share)
    assert row["time_s"] == pytest.approx(50e-6 * 1.5e9 / hertz, rel=0.01)
    assert row["sentinel_compute_s"] == pytest.approx(1e6 / hertz, rel=0.005)
    assert row["state_times_s"] == pytest.approx([50e-6, 62.5e-6], rel=0.01)
    if hertz == 1.5e9:
        assert row["time_at_reference_s"] == pytest.approx(50e-6, rel=0.02)
    else:
        assert math.isnan(row["time_at_reference_s"])
        assert row["time_lo_s"] < 50e-6


def test_times_are_brought_to_the_clock_of_an_earlier_run(bench: Bench) -> None:
    """A tenth below it is drift: what the device binds is converted to its time at reference, a launch never moved."""
    bench.run(machine(), 50_000, 2_000)
    found = rows(bench.run(machine(hertz=lambda _: 1.35e9), 50_000, 2_000))
    kernel, launch = (found["kernel", ns, "cuda"] for ns in (50_000, 2_000))

    for row, reference_s in ((kernel, 1e6 / 1.5e9), (launch, 5e-6)):
        assert (row["warnings"], row["reference_share"]) == ([], 1)
        assert row["sentinel_compute_s"] == pytest.approx(1e6 / 1.35e9, rel=0.005)
        assert row["reference_compute_s"] == pytest.approx(reference_s, rel=0.005)
    assert kernel["time_s"] == pytest.approx(50e-6 / 0.9, rel=0.01)
    assert kernel["time_at_reference_s"] == pytest.approx(50e-6, rel=0.02)
    assert launch["time_s"] == pytest.approx(5e-6, rel=0.01)
    assert launch["time_at_reference_s"] == pytest.approx(5e-6, rel=0.02)


def test_batches_of_a_first_run_are_brought_to_one_reference(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock drifts by some per cent; rows of the next run can be compared with all of these."""
    monkeypatch.setattr(scheduler, "BATCH_CASES", 1)
    drifting = machine(hertz=lambda now_ns: 1.5e9 * (1 - 0.03 * min((now_ns - START_NS) / 1e9, 1)))
    first = rows(bench.run(drifting, 50_000, 60_000, 70_000)).values()
    again = rows(bench.run(machine(), 50_000, 60_000, 70_000)).values()

    references = {row["reference_compute_s"] for row in (*first, *again)}
    assert len(references) == 1
    assert len({row["sentinel_compute_s"] for row in first}) > 1


class Slowing(Listener):
    """Makes launches take longer from a step of the run on, as another guest on the same core does."""

    def __init__(self, gpu: Gpu, steps: int, launch_ns: int) -> None:
        self._gpu = gpu
        self._steps_left = steps
        self._launch_ns = launch_ns

    def advanced(self, case: str, steps: int) -> None:
        """Steps were taken."""
        assert case
        self._steps_left -= steps
        if self._steps_left <= 0:
            self._gpu.launch_ns = self._launch_ns


@pytest.mark.parametrize("steps", [0, 2 * WORKERS + 14], ids=["throughout", "for a while"])
def test_a_host_that_launches_more_slowly_changes_no_time_at_reference(
    bench: Bench, steps: int
) -> None:
    """Seen on an H200's host: 7 to 18 µs a launch within minutes, at one and the same clock of the GPU.

    Where all of a run was slow its headline is, and the row says so; where a part was not, it is told from
    that. What the device binds has nothing to do with it.
    """
    bench.run(machine(), 50_000, 2_000)
    slow = machine()
    found = rows(bench.run(slow, 50_000, 2_000, listener=Slowing(slow.gpus["cuda"], steps, 7_000)))
    kernel, launch = (found["kernel", ns, "cuda"] for ns in (50_000, 2_000))

    assert (kernel["warnings"], kernel["reference_share"]) == ([], 1)
    assert kernel["time_at_reference_s"] == pytest.approx(50e-6, rel=0.02)
    assert launch["time_at_reference_s"] == pytest.approx(5e-6, rel=0.02)
    assert launch["reference_share"] < 1
    assert ("other-state" in launch["warnings"]) == (steps == 0)
    assert launch["time_s"] == pytest.approx(5e-6 if steps else 7e-6, rel=0.01)


def test_a_gpu_that_is_slow_for_a_while_is_waited_for(bench: Bench) -> None:
    """Two seconds of its own time after the machine's start it is as it was in an earlier run."""
    bench.run(machine(), 50_000)
    slow = machine(hertz=lambda now_ns: 1.5e9 if now_ns > START_NS + 2e9 else 1.2e9)
    run = bench.run(slow, 50_000, patience_s=60)
    (row,) = rows(run).values()

    assert 1 < run.info.waited_s <= 2
    assert (row["warnings"], row["reference_share"]) == ([], 1)
    assert row["time_s"] == pytest.approx(50e-6, rel=0.01)


def test_gpus_are_measured_each_by_its_own_clock(bench: Bench) -> None:
    """Two in one run, one with twice the clock and half the launches: rows, sentinels and references apart."""
    clock = Clock()
    gpus = {
        "cuda:0": Gpu(clock=clock, launch_ns=10_000),
        "cuda:1": Gpu(clock=clock, launch_ns=5_000, hertz=lambda _: 3e9),
    }
    run = bench.run(Machine(clock=clock, gpus=gpus), 50_000, devices=("cuda:0", "cuda:1"))
    found = rows(run)

    for device, time_s, launch_s, spin_s in (
        ("cuda:0", 50e-6, 10e-6, 1e6 / 1.5e9),
        ("cuda:1", 25e-6, 5e-6, 1e6 / 3e9),
    ):
        row = found["kernel", 50_000, device]
        assert (row["status"], row["warnings"], row["reference_share"]) == ("ok", [], 1)
        assert row["time_s"] == pytest.approx(time_s, rel=0.01)
        assert row["device_time_s"] == pytest.approx(time_s, rel=0.01)
        assert row["time_at_reference_s"] == pytest.approx(time_s, rel=0.01)
        assert row["host_time_s"] == pytest.approx(launch_s, rel=0.01)
        assert row["sentinel_compute_s"] == pytest.approx(spin_s, rel=0.005)
        assert row["sentinel_launch_s"] == pytest.approx(launch_s, rel=0.01)
        assert row["reference_compute_s"] == pytest.approx(spin_s, rel=0.005)
        assert run.info.reference[device]["compute_s"] == pytest.approx(spin_s, rel=0.005)


def test_a_case_has_a_row_for_each_device(bench: Bench) -> None:
    """20 µs on the CPU and on a GPU: under one id, and what only a GPU has is empty on the CPU."""
    found = rows(bench.run(machine(launch_ns=5_000), 20_000, devices=("cpu", "cuda")))
    cpu, cuda = found["kernel", 20_000, "cpu"], found["kernel", 20_000, "cuda"]

    assert cpu["case"] == cuda["case"] == "kernels/kernel[ns=20000]"
    for row in (cpu, cuda):
        assert (row["status"], row["warnings"]) == ("ok", [])
        assert row["time_s"] == pytest.approx(20e-6, rel=0.01)
    assert cuda["device_time_s"] == pytest.approx(20e-6, rel=0.01)
    assert cuda["bound_by"] == "device"
    assert cpu["bound_by"] is None or math.isnan(cpu["bound_by"])
    for column in ("device_time_s", "host_time_s", "graph_time_s", "sentinel_launch_s"):
        assert math.isnan(cpu[column])
        assert cuda[column] > 0
