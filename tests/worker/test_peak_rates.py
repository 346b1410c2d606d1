"""Roofs are the best of many short looks: products by successive halving, and never for long."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.plan.case import Skip
from bench.pool import protocol
from bench.records.roofs import BANDWIDTH, FLOP, LAUNCH, TF32, Roof
from bench.worker import bandwidth
from bench.worker import peak_rates as measuring
from bench.worker.best_time import BestTimer
from bench.worker.peak_rates import DTYPES, measure, product, survey
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.peak_rates import Shape


class Blas:
    """A library whose products take the time that a script says; it notes which were asked for."""

    def __init__(self, rate: Callable[[Shape], float], first_s: float = 0.0) -> None:
        self.clock = Clock()
        self.called: Counter[Shape] = Counter()
        self._rate = rate
        self._first_s = first_s

    def matmul(self, a: Any, b: Any, out: Any) -> Callable[[], object]:
        """The call of a product."""
        shape = a.shape[0], b.shape[1], a.shape[1]
        assert out.shape == (shape[0], shape[1])
        return lambda: self._multiply(shape)

    def _multiply(self, shape: Shape) -> None:
        fresh = shape not in self.called
        self.called[shape] += 1
        took_s = 2 * math.prod(shape) / self._rate(shape) + (self._first_s if fresh else 0.0)
        self.clock.advance(max(1, round(took_s * 1e9)))


@pytest.fixture(name="small")
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes whose matrices are made at once."""
    shapes = ((8, 8, 8), (16, 16, 16), (16, 64, 16), (32, 32, 32), (64, 64, 64))
    monkeypatch.setattr(measuring, "SHAPES", shapes)


def found_by(blas: Blas, monkeypatch: pytest.MonkeyPatch, seconds: float = 1.0) -> Any:
    """The roof of float32 by this library."""
    monkeypatch.setattr(measuring, "_matmul", blas.matmul)
    return product("cpu", "float32", seconds, BestTimer(blas.clock))


@pytest.mark.usefixtures("small")
def test_the_best_shape_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And gets most of the looks, as others drop out."""
    blas = Blas(lambda shape: 3e8 if shape == (16, 64, 16) else 1e8)
    roof = found_by(blas, monkeypatch)
    assert (roof.kind, roof.dtype, roof.how) == (FLOP, "float32", "16×16 by 16×64")
    assert roof.value == pytest.approx(3e8, rel=0.01)
    took_s = blas.called[16, 64, 16] * 2 * 16 * 64 * 16 / 3e8
    assert (
        took_s > 0.4 * blas.clock() * 1e-9
    )  # alternating with the four others it would be a fifth


@pytest.mark.usefixtures("small")
def test_it_keeps_to_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a call that is under way."""
    blas = Blas(lambda _: 1e8)
    found_by(blas, monkeypatch, seconds=2.0)
    assert 1.8 < blas.clock() * 1e-9 < 2.2


@pytest.mark.usefixtures("small")
def test_products_that_would_take_too_long_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Float16 on some CPUs: minutes a call. Smaller ones tell."""
    blas = Blas(lambda _: 1e6)
    found_by(blas, monkeypatch)
    assert max(blas.called, key=math.prod) == (16, 64, 16)
    assert blas.clock() * 1e-9 < 1.3


@pytest.mark.usefixtures("small")
def test_a_slow_first_call_says_nothing_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some libraries make code for each shape: the larger ones are still looked at."""
    blas = Blas(lambda _: 1e8, first_s=0.02)
    roof = found_by(blas, monkeypatch)
    assert (64, 64, 64) in blas.called
    assert roof.value == pytest.approx(1e8, rel=0.01)


def test_a_dtype_without_products_has_no_roof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch says so by an error."""

    def refuse(*_: object) -> Callable[[], object]:
        message = '"addmm_impl_cpu_" not implemented for this dtype'
        raise RuntimeError(message)

    monkeypatch.setattr(measuring, "_matmul", refuse)
    assert product("cpu", "float16", 1.0, BestTimer(Clock())) is None


@pytest.mark.usefixtures("small")
def test_a_real_cpu_has_all_of_its_roofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are, in a tenth of a second: bandwidths, a product per dtype, a launch."""
    monkeypatch.setattr(bandwidth, "free_memory_bytes", lambda: 16 * 2**20)
    timer = BestTimer(time.perf_counter_ns)
    found = measure("cpu", 0.1, timer, {"L1": 64 * 2**10, "L2": 2**20})
    assert {one.level for one in found if one.kind == BANDWIDTH} == {"L1", "L1+L2", "L2", "L2+DRAM"}
    assert [one.dtype for one in found if one.kind == FLOP] == list(DTYPES)
    assert [one.kind for one in found].count(LAUNCH) == 1
    assert all(one.value > 0 for one in found)


@pytest.mark.usefixtures("small")
def test_a_device_with_a_queue_has_a_roof_of_tf32_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured with that precision in force, which holds no longer than that."""
    seen: list[tuple[str, str]] = []

    def product(device: str, dtype: str, seconds: float, timer: BestTimer) -> Roof:
        assert (device, seconds > 0, timer.queue is not None) == ("cuda", True, True)
        seen.append((dtype, torch.get_float32_matmul_precision()))
        return Roof(kind=FLOP, dtype=dtype, value=1e12)

    monkeypatch.setattr("bench.worker.peak_rates.bandwidths", lambda *_: [])
    monkeypatch.setattr("bench.worker.peak_rates.points", lambda *_: [])
    monkeypatch.setattr(
        "bench.worker.peak_rates.launch", lambda *_: Roof(kind="launch", value=5e-6)
    )
    monkeypatch.setattr("bench.worker.peak_rates.transfer", lambda *_: Roof(kind="bus", value=5e10))
    monkeypatch.setattr("bench.worker.peak_rates.product", product)
    gpu = Gpu(clock=Clock())
    found = measure("cuda", 1.0, BestTimer(gpu.clock, gpu), {"L2": 2**20})

    assert [one.dtype for one in found if one.kind == FLOP] == [*DTYPES, TF32]
    assert seen == [*((name, "highest") for name in DTYPES), ("float32", "high")]
    assert torch.get_float32_matmul_precision() == "highest"


def test_a_worker_answers_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a message that survives the line between two processes."""
    monkeypatch.setattr(bandwidth, "free_memory_bytes", lambda: 16 * 2**20)
    monkeypatch.setattr(measuring, "caches_of", lambda _: {"L1": 2**15})
    reply = survey(protocol.Survey(device="cpu", seconds=0.05), None, time.perf_counter_ns)
    assert protocol.decode(protocol.encode(reply)) == reply
    assert reply.roofs


def test_roofs_of_a_device_without_a_queue_are_not_measured() -> None:
    """Its calls return before they are done, so that each would be the fastest ever."""
    with pytest.raises(Skip, match="which caches mps has is not known"):
        survey(protocol.Survey(device="mps", seconds=1.0), None, Clock())


def test_what_was_not_seen_is_no_roof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue may never prove a sample; a roof of nothing would be above everything."""
    seen, unseen = (Roof(kind=FLOP, value=value, dtype="float32") for value in (1e9, 0.0))
    monkeypatch.setattr(measuring, "measure", lambda *_: [seen, unseen])
    reply = survey(protocol.Survey(device="cpu", seconds=1.0), None, Clock())
    assert reply.roofs == (seen,)
