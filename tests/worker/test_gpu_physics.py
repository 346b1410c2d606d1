"""What a GPU does that could prove a number wrong, or cost a run its workers: on whole runs, on one that is made up.

Captures that fail, contexts, noise, a drain, kernels that are loaded late: `tests.fakes.gpu.Physics`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.worker.best_time import BestTimer
from bench.worker.devices import Cuda
from tests.fakes.gpu import Gpu
from tests.fakes.gpu_machine import START_NS
from tests.fakes.gpu_runs import WORKERS, Bench, h200, machine, rows
from tests.fakes.torch_cuda import TorchCuda
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]


def says_nothing(row: Row, *columns: str) -> bool:
    """Whether a row is empty in these."""
    return all(row[name] is None or math.isnan(row[name]) for name in columns)


def by_op(found: dict[tuple[str, int, str], Row]) -> dict[str, Row]:
    """Op → its row, where each has one."""
    return {op: row for (op, _, _), row in found.items()}


def test_no_worker_is_lost_to_a_call_that_can_not_be_recorded(bench: Bench) -> None:
    """A look at a result ends a capture in an error of CUDA's, and so does a backward built on another stream.

    Each would cost a worker, 2.5 s and what its successor has to prepare again. The one is refused by torch
    before, the other is built where it is recorded, and so has a time in a graph.
    """
    host = h200()
    ops = "look", "backward", "view", "kernel"
    found = by_op(rows(bench.run(host, 8_000, ops=ops, kernels=False)))

    assert host.starts == WORKERS
    assert {row["status"] for row in found.values()} == {"ok"}
    assert says_nothing(found["look"], "graph_time_s")
    assert "not-queued" in found["look"]["warnings"]
    for op in ("backward", "kernel"):
        assert found[op]["graph_time_s"] == pytest.approx(8e-6, rel=0.005)


def test_a_fault_costs_one_case_and_one_worker(bench: Bench) -> None:
    """All that comes after it in the same process would fail too; a new one takes its time."""
    host = h200()
    found = by_op(rows(bench.run(host, 8_000, ops=("kernel", "broken", "view"), kernels=False)))

    assert {op: row["status"] for op, row in found.items()} == {
        "kernel": "ok",
        "broken": "failed",
        "view": "ok",
    }
    assert "an illegal memory access was encountered" in found["broken"]["reason"]
    assert host.starts == WORKERS + 1
    assert host.clock() > 2 * START_NS


@pytest.mark.parametrize(
    ("build", "from_cuda"),
    [
        (lambda gpu: gpu.wait, False),
        (lambda gpu: gpu.synchronize, True),
        (lambda gpu: _foreign(gpu, gpu.process.stream), True),
    ],
    ids=["a look", "a wait that torch does not see", "another stream"],
)
def test_a_capture_that_fails_leaves_torch_as_it_was(
    monkeypatch: pytest.MonkeyPatch, build: Callable[[Gpu], Callable[[], None]], *, from_cuda: bool
) -> None:
    """Its current stream, and whether it refuses waits; the next call is recorded."""
    gpu = Gpu(clock=Clock())
    TorchCuda({"cuda": gpu}).install(monkeypatch)
    home, call = torch.cuda.current_stream(), build(gpu)
    with pytest.raises(RuntimeError) as refused:
        Cuda("cuda").capture(lambda: call, 2)

    assert isinstance(refused.value, torch.AcceleratorError) is from_cuda
    assert torch.cuda.current_stream() is home
    assert torch.cuda.get_sync_debug_mode() == 0
    replay = Cuda("cuda").capture(lambda: lambda: gpu.launch(5_000), 2)
    gpu.synchronize()
    begun_ns = gpu.clock()
    replay()
    gpu.synchronize()
    assert gpu.clock() - begun_ns == 2 * gpu.launch_ns + 10_000


def _foreign(gpu: Gpu, stream: Any) -> Callable[[], None]:
    return lambda: gpu.launch(5_000, stream)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("jitter_ns", [500, 2_000])
def test_noise_of_marks_is_no_time_of_a_device(bench: Bench, jitter_ns: int, seed: int) -> None:
    """A view has no kernel; what marks say of it differs from 0 by their noise, in either direction."""
    host = h200(jitter_ns=jitter_ns, seed=seed)
    (row,) = rows(bench.run(host, 5_000, ops=("view",), kernels=False)).values()

    assert row["time_s"] == pytest.approx(5e-6, rel=0.005)
    assert says_nothing(row, "device_time_s", "graph_time_s", "device_time_cold_s", "bound_by")


def test_noise_of_marks_hardly_moves_a_time(bench: Bench) -> None:
    """Half a microsecond either way, of a sample of 100 µs, and the middle of many."""
    host = h200(jitter_ns=1_000, launch_ns=3_000)
    for (_, ns, _), row in rows(bench.run(host, 5_000, 50_000, kernels=False)).items():
        assert row["device_time_s"] == pytest.approx((ns + 700) * 1e-9, rel=0.005)
        assert row["graph_time_s"] == pytest.approx(ns * 1e-9, rel=0.005)


@pytest.mark.parametrize("launch_ns", [2_000, 7_000], ids=["device", "launch"])
@pytest.mark.parametrize("sample_s", [2e-4, 7.5e-4, 1.5e-3, 5e-3])
def test_a_headline_is_true_whatever_the_length_of_its_samples(
    bench: Bench, sample_s: float, launch_ns: int
) -> None:
    """10 µs of drain are 5 % of a sample of 0.2 ms; a gap of 1 µs belongs to each kernel. To 0.5 %."""
    host = machine(
        launch_ns=launch_ns, latency_ns=3_000, gap_ns=1_000, drain_ns=10_000, replay_ns=700
    )
    found = rows(bench.run(host, 4_000, 5_000, sample_s=sample_s, kernels=False))

    for (_, ns, _), row in found.items():
        assert row["time_s"] == pytest.approx(max(ns + 1_000, launch_ns) * 1e-9, rel=0.005)
        assert row["device_time_s"] == pytest.approx((ns + 1_000) * 1e-9, rel=0.005)
        assert row["graph_time_s"] == pytest.approx(ns * 1e-9, rel=0.005)


def test_a_call_that_waits_costs_no_spins(bench: Bench) -> None:
    """None is long enough for it, so that few are tried: 0.1 s for each visit of each worker would starve the others."""
    without, beside = h200(), h200()
    bench.run(without, 8_000, ops=("kernel",), kernels=False)
    found = by_op(rows(bench.run(beside, 8_000, ops=("kernel", "look"), kernels=False)))

    assert (beside.clock() - without.clock()) * 1e-9 < 0.3
    assert found["look"]["time_s"] == pytest.approx(18.98e-6, rel=0.005)
    assert found["look"]["stopped_by"] == "precise"


def test_a_gpu_for_one_process_is_given_up_in_one_sentence(bench: Bench) -> None:
    """The first worker has the context; three others are lost over it, and not one for each case."""
    host = h200(exclusive=True)
    found = [*rows(bench.run(host, *range(5_000, 5_012), kernels=False)).values()]
    reasons = {row["status"]: row["reason"] for row in found}

    assert [row["status"] for row in found] == ["failed"] * 3 + ["skipped"] * 9
    busy = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"
    assert reasons["failed"] == f"AcceleratorError: {busy}"
    assert reasons["skipped"] == (
        f"cuda was given up after 3 cases in a row: AcceleratorError: {busy}; "
        "bench doctor names its compute mode and who is at work on it"
    )
    assert host.starts == WORKERS + 3


def test_a_gpu_for_one_process_serves_a_run_of_one_worker(bench: Bench) -> None:
    """Whose successor has the context when it is lost."""
    host = h200(exclusive=True)
    run = bench.run(host, 8_000, ops=("broken", "kernel"), kernels=False, workers=1)
    found = by_op(rows(run))

    assert (found["broken"]["status"], found["kernel"]["status"]) == ("failed", "ok")
    assert found["kernel"]["warnings"] == ["no-interval"]
    assert host.starts == 2


def test_a_kernel_that_is_loaded_late_is_in_the_first_call_alone(bench: Bench) -> None:
    """20 ms in each process, and as much for the context; neither is in another column, nor in a spin."""
    host = h200(load_ns=20_000_000, context_ns=150_000_000)
    (row,) = rows(bench.run(host, 50_000, kernels=False)).values()

    assert (row["warnings"], row["gapless_share"]) == ([], 1)
    assert row["first_call_s"] > 5e-3
    assert row["time_s"] == pytest.approx(50.7e-6, rel=0.005)
    assert row["device_time_s"] == pytest.approx(50.7e-6, rel=0.005)
    assert row["graph_time_s"] == pytest.approx(50e-6, rel=0.005)


def test_a_roof_waits_once_for_its_kernel_to_be_loaded() -> None:
    """20 ms, and not again behind spins of that length."""
    gpu = Gpu.like_an_h200(Clock(), load_ns=20_000_000)
    found_s = BestTimer(gpu.clock, gpu).best_s(lambda: gpu.launch(50_000), 2e-3)

    assert found_s == pytest.approx(50.7e-6, rel=0.005)
    assert gpu.clock() < 45_000_000


@pytest.mark.parametrize("stall_at", [90, 220, 1_000])
def test_a_host_that_stalls_once_makes_no_later_sample_long(bench: Bench, stall_at: int) -> None:
    """30 ms in each worker cost each of them that, and the spins of that one sample, if it was behind one."""
    calm, stalling = h200(), h200(stall_ns=30_000_000, stall_at=stall_at)
    bench.run(calm, 50_000, kernels=False)
    (row,) = rows(bench.run(stalling, 50_000, kernels=False)).values()

    assert row["time_s"] == pytest.approx(50.7e-6, rel=0.005)
    assert row["device_time_s"] == pytest.approx(50.7e-6, rel=0.005)
    assert (stalling.clock() - calm.clock()) * 1e-9 < WORKERS * 0.1


def test_a_power_limit_holds_long_work_back_and_short_work_not() -> None:
    """900 W of which 700 are allowed, as an average of 40 ms: the clock sinks to 78 % of itself, and comes back."""
    gpu = Gpu(clock=Clock(), kernel_w=900.0, limit_w=700.0)

    def took_ns(kernels: int) -> float:
        begun_ns = gpu.clock()
        for _ in range(kernels):
            gpu.launch(1_000_000)
        gpu.synchronize()
        return (gpu.clock() - begun_ns) / kernels

    assert took_ns(10) == pytest.approx(1e6, rel=0.01)
    took_ns(200)
    assert took_ns(10) == pytest.approx(1e6 * 900 / 700, rel=0.01)
    gpu.clock.advance(400_000_000)
    assert took_ns(10) == pytest.approx(1e6, rel=0.01)
