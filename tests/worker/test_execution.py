"""Execution: the same call in each mode gives the same on the same inputs, and says what it can't do."""

from __future__ import annotations

import pytest
import torch

from bench.plan.case import Call, Skip
from bench.worker.compiled import Compilation, Compiler, forget
from bench.worker.execution import TimedCall, executed
from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock


def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of two matrices."""
    return a @ b


def build() -> Call:
    """A product of matrices."""
    return Call(product, torch.ones(4, 4), b=torch.full((4, 4), 2.0))


def test_eager_is_the_call_as_it_is_built() -> None:
    """Nothing is put around it."""
    call = build()
    assert executed(lambda: call, "eager", "cpu", None) is call


def test_what_is_no_call_is_handed_on() -> None:
    """For the worker to say so."""
    assert executed(lambda: "nothing", "compile", "cpu", None) == "nothing"


@pytest.mark.parametrize(
    ("mode", "dtype"),
    [("autocast", torch.bfloat16), ("autocast:float16", torch.float16)],
)
def test_autocast_holds_within_each_call(mode: str, dtype: torch.dtype) -> None:
    """The device's usual dtype, or the one that is named; after the call it holds no more."""
    call = executed(build, mode, "cpu", None)
    assert call().dtype is dtype
    assert not torch.is_autocast_enabled("cpu")
    assert call.function.__name__ == "product"


def test_fresh_inputs_stay_fresh() -> None:
    """A call's setup is that of the call in another mode."""
    original = Call(product, torch.ones(2, 2), torch.ones(2, 2), setup=lambda a, b: (a, b))
    call = executed(lambda: original, "autocast", "cpu", None)
    assert call.setup is original.setup
    assert call().dtype is torch.bfloat16


def test_a_graph_replays_the_call_on_the_same_inputs() -> None:
    """Captured once; what it gives is what the captured call gave."""
    made: list[Call] = []

    def counted() -> Call:
        made.append(build())
        return made[-1]

    call = executed(counted, "graph", "cuda", Gpu(clock=Clock()))
    assert len(made) == 1
    assert torch.equal(call(), torch.full((4, 4), 8.0))
    assert call() is call()


def test_a_device_without_graphs_has_none() -> None:
    """A reason, no failure."""
    with pytest.raises(Skip, match="records no graphs"):
        executed(build, "graph", "cpu", None)


def test_a_graph_can_t_have_fresh_inputs() -> None:
    """A replay reads what was there when it was recorded."""
    fresh = Call(product, torch.ones(2, 2), torch.ones(2, 2), setup=lambda a, b: (a, b))
    with pytest.raises(Skip, match="needs fresh ones"):
        executed(lambda: fresh, "graph", "cuda", Gpu(clock=Clock()))


def test_a_timed_call_notes_what_it_took() -> None:
    """The first one with what is done once, a later one without."""
    clock = Clock()

    def slow_at_first(times: list[int]) -> int:
        clock.advance(times.pop())
        return len(times)

    timed = TimedCall(Call(slow_at_first, [2_000_000, 5_000_000_000]), clock)
    assert timed() == 1
    assert timed.took_s == pytest.approx(5.0)
    assert timed() == 0
    assert timed.took_s == pytest.approx(2e-3)


@pytest.mark.slow
def test_a_compiled_call_is_compiled_and_right() -> None:
    """One graph, the same numbers; compiled again where it was forgotten."""
    Compiler().start("cpu")
    forget()
    seen = Compilation()
    with seen:
        call = executed(build, "compile", "cpu", None)
        before = seen.graphs
        assert torch.equal(call(), build()())
        assert (before, seen.graphs, seen.graph_breaks) == (None, 1, 0)
    forget()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the compiler
def test_what_the_compiler_can_t_trace_is_known_as_not_compiled() -> None:
    """It gives the right result and no graph."""
    Compiler().start("cpu")
    forget()
    with (seen := Compilation()):
        call = executed(lambda: Call(list.copy, [1, 2]), "compile", "cpu", None)
        assert call() == [1, 2]
        assert not seen.graphs
    forget()


def test_a_compiler_that_can_t_compile_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked once; each case then has the reason, and what to install."""
    asked: list[object] = []

    def broken(function: object) -> object:
        asked.append(function)
        message = "No working C++ compiler found\nin a long message"
        raise RuntimeError(message)

    monkeypatch.setattr(torch, "compile", broken)
    compiler = Compiler()
    said = r"needs a C\+\+ compiler \(g\+\+, or CXX\) here: RuntimeError: No working C\+\+ compiler found$"
    for _ in range(2):
        with pytest.raises(Skip, match=said):
            compiler.start("cpu")
    assert len(asked) == 1
