"""The profiler's own trace of known calls: the marked ones are in it, as often as they were made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch

from bench.plan.case import Call
from bench.records.kernel_trace import activity, events_of
from bench.worker.devices import Cpu, Cuda
from bench.worker.profiler import WARM_CALLS, ProfiledCall, record_trace, warm
from tests.fakes.workers import Clock, Device

if TYPE_CHECKING:
    from pathlib import Path


def test_the_marked_calls_are_in_the_trace(tmp_path: Path) -> None:
    """As often as they were made; neither warm-up nor throwaway ops are among them."""
    path = tmp_path / "trace.json"
    a = torch.ones(8, 8)
    record_trace(
        [ProfiledCall(call=Call(torch.matmul, a, a), calls=7, labels={})], "cpu", Cpu(), str(path)
    )
    found = activity(events_of(json.loads(path.read_text())), 7, "cpu")
    counts = {line.name: line.count for line in found.lines}
    assert (counts["aten::matmul"], counts["aten::mm"]) == (7, 7)
    assert "aten::add_" not in counts
    assert found.codes == ()


def test_each_call_is_watched_under_its_own_settings(tmp_path: Path) -> None:
    """What a case's axis sets holds for its own calls alone."""
    seen = []

    def note(name: str) -> None:
        seen.append((name, torch.get_float32_matmul_precision()))

    watched = [
        ProfiledCall(
            call=Call(note, "one"), calls=1, labels={"float32_matmul_precision": "medium"}
        ),
        ProfiledCall(call=Call(note, "other"), calls=1, labels={}),
    ]
    record_trace(watched, "cpu", Cpu(), str(tmp_path / "trace.json"))
    assert seen == [("one", "medium")] * 2 + [("other", "highest")] * 2


def test_warming_up_makes_ten_calls() -> None:
    """Each waited for."""
    clock, made = Clock(), list[int]()
    device = Device(clock)
    warm(Call(made.append, 1), device, clock)
    assert len(made) == device.synchronized == WARM_CALLS


@pytest.mark.parametrize(("cost_ns", "calls"), [(600_000_000, 1), (200_000_000, 3)])
def test_warming_up_a_slow_call_takes_half_a_second(cost_ns: int, calls: int) -> None:
    """And one call at least."""
    clock, made = Clock(), list[int]()

    def slow() -> None:
        made.append(1)
        clock.advance(cost_ns)

    warm(Call(slow), Device(clock), clock)
    assert len(made) == calls


@pytest.mark.gpu
def test_kernels_are_in_the_trace_of_a_gpu(tmp_path: Path) -> None:
    """One for each call, none lost."""
    path = tmp_path / "trace.json"
    a = torch.ones(64, device="cuda")
    record_trace(
        [ProfiledCall(call=Call(torch.neg, a), calls=7, labels={})], "cuda", Cuda("cuda"), str(path)
    )
    found = activity(events_of(json.loads(path.read_text())), 7, "cuda")
    assert [(line.kind, line.count) for line in found.lines] == [("kernel", 7)]
    assert found.codes == ()
