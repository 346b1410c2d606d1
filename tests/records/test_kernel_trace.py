"""From a trace to what ran per call: nothing counted twice, nothing from outside, nothing lost unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.kernel_trace import INCOMPLETE, MARK, Activity, activity, events_of
from bench.records.warning_codes import CODES
from tests.fakes.kernel_trace import cuda_trace, event, kernel, launch, mark, op, trace


def seen(made: dict[str, Any], calls: int = 2, device: str = "cuda") -> Activity:
    """What is read from a trace."""
    return activity(events_of(made), calls, device)


def on_cpu(*events: dict[str, Any], calls: int = 1) -> Activity:
    """What is read from ops within a mark of 1 ms."""
    return seen(trace(mark(0, 1000), *events), calls, "cpu")


def table(found: Activity) -> dict[str, tuple[int, float]]:
    """Name → count, and microseconds in all."""
    return {line.name: (line.count, round(line.total_s * 1e6, 3)) for line in found.lines}


def test_an_op_is_counted_without_the_ops_inside_it() -> None:
    """So that the sum is the time of the outermost."""
    found = on_cpu(
        op("matmul", 10, 100), op("mm", 15, 90.5), op("resolve", 20, 0.5), op("t", 200, 5)
    )
    assert table(found) == {
        "mm": (1, 90.0),
        "matmul": (1, 9.5),
        "t": (1, 5.0),
        "resolve": (1, 0.5),
    }
    assert found.per_call_s == pytest.approx(105e-6)
    assert found.codes == ()


def test_ops_of_another_thread_hold_none_of_ours() -> None:
    """Autograd has threads of its own; what they do at one time is one busy time."""
    found = on_cpu(op("backward", 0, 100), op("mm", 10, 50, tid=2))
    assert table(found) == {"backward": (1, 100.0), "mm": (1, 50.0)}
    assert found.busy_s == pytest.approx(100e-6)


def test_what_is_outside_the_mark_does_not_count() -> None:
    """Neither what was thrown away nor what came after."""
    found = on_cpu(op("zeros", -20, 5), op("neg", 10, 5), op("late", 999, 5))
    assert list(table(found)) == ["neg"]


def test_times_per_call_are_totals_over_calls() -> None:
    """Of all marked calls."""
    found = on_cpu(op("neg", 0, 4), op("neg", 10, 6), calls=2)
    assert table(found) == {"neg": (2, 10.0)}
    assert found.per_call_s == pytest.approx(5e-6)
    assert found.idle_s == pytest.approx(6e-6)
    assert found.idle_share == pytest.approx(6 / 16)


def test_kernels_and_copies_are_what_a_device_does() -> None:
    """The marked ones; neither ops, nor launches, nor annotations on the device's track."""
    found = seen(cuda_trace(calls=2, apart_us=20))
    assert table(found) == {"gemm": (2, 16.0), "Memcpy DtoD (Device -> Device)": (2, 4.0)}
    assert [line.kind for line in found.lines] == ["kernel", "memcpy"]
    assert found.span_s == pytest.approx(30e-6)
    assert found.idle_s == pytest.approx(10e-6)
    assert found.codes == ()


@pytest.mark.parametrize(("apart_us", "idle_share"), [(10.0, 0.0), (20.0, 3 / 7), (40.0, 9 / 13)])
def test_gaps_between_launches_are_idle_time(apart_us: float, idle_share: float) -> None:
    """With 10 µs of work per call, in four calls."""
    assert seen(cuda_trace(4, apart_us), 4).idle_share == pytest.approx(idle_share)


def test_a_single_kernel_has_no_gap() -> None:
    """A trace without any has no idle share at all."""
    single = seen(trace(mark(0, 50), launch(1, 1), kernel(1, 10, 5)), 1)
    assert (single.codes, single.idle_share) == ((), 0.0)
    assert seen(trace(), 1).idle_share is None


def test_work_of_several_streams_is_busy_once() -> None:
    """The sum of its times is longer than that."""
    found = seen(
        trace(mark(0, 50), launch(1, 1), launch(2, 3), kernel(1, 10, 20), kernel(2, 15, 20)), 2
    )
    assert found.busy_s == pytest.approx(25e-6)
    assert found.per_call_s == pytest.approx(20e-6)


def without(made: dict[str, Any], name: str, place: int = 0) -> dict[str, Any]:
    """The trace without the record of this name at this place."""
    events = list(made["traceEvents"])
    del events[[n for n, one in enumerate(events) if one["name"] == name][place]]
    return {**made, "traceEvents": events}


@pytest.mark.parametrize("place", [0, 1])
def test_a_lost_kernel_is_said(place: int) -> None:
    """Wherever it was."""
    assert seen(without(cuda_trace(), "gemm", place)).codes == (INCOMPLETE,)


def test_a_kernel_that_was_lost_in_every_call_is_said() -> None:
    """The rest is a whole multiple; the launches are witnesses."""
    made = without(without(cuda_trace(), "gemm"), "gemm")
    found = seen(made)
    assert list(table(found)) == ["Memcpy DtoD (Device -> Device)"]
    assert found.codes == (INCOMPLETE,)


def test_a_misdated_record_is_lost_and_makes_no_gap() -> None:
    """CUPTI may hand back a time of another clock."""
    made = cuda_trace()
    events = [dict(one) for one in made["traceEvents"]]
    next(one for one in events if one["name"] == "gemm")["ts"] -= 1e11
    found = seen({**made, "traceEvents": events})
    assert found.codes == (INCOMPLETE,)
    assert found.span_s < 1e-3


def test_a_device_of_which_nothing_was_seen_was_not_watched() -> None:
    """Without rights to the counters there are neither kernels nor launches."""
    assert seen(trace(mark(0, 50), op("aten::mm", 1, 5))).codes == (INCOMPLETE,)


def test_calls_that_launch_nothing_are_complete() -> None:
    """A view has no kernel; the throwaway one before it proves that it would have been seen."""
    host = event("cuda_runtime", "cudaLaunchHostFunc", 5, 1, correlation=7)
    found = seen(trace(launch(1, -50), kernel(1, -40, 3), mark(0, 50), op("aten::t", 1, 2), host))
    assert (found.lines, found.codes, found.idle_share) == ((), (), None)


def test_a_graph_is_one_launch_of_many_kernels() -> None:
    """They share what ties them to it."""
    events = [
        one
        for place in (0, 1)
        for one in (
            launch(place, 20 * place, "cudaGraphLaunch"),
            kernel(place, 20 * place + 5, 2, "a"),
            kernel(place, 20 * place + 8, 3, "b"),
        )
    ]
    found = seen(trace(mark(0, 60), *events))
    assert table(found) == {"b": (2, 6.0), "a": (2, 4.0)}
    assert found.codes == ()


def test_clocks_a_little_apart_lose_nothing() -> None:
    """A kernel may seem to begin before the mark does, by the device's clock."""
    found = seen(trace(mark(0, 50), launch(1, 1), kernel(1, -3, 5)), 1)
    assert (list(table(found)), found.codes) == (["gemm"], ())


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_without_the_mark_nothing_is_known(device: str) -> None:
    """A trace of something else."""
    found = seen(trace(op("neg", 0, 5), launch(1, 1), kernel(1, 5, 5)), 1, device)
    assert (found.lines, found.codes) == ((), (INCOMPLETE,))


def test_ops_that_differ_from_call_to_call_are_said() -> None:
    """Three in two calls."""
    assert on_cpu(*(op("neg", at, 1) for at in (0, 5, 9)), calls=2).codes == (INCOMPLETE,)


def test_the_code_has_words() -> None:
    """Whoever shows it takes them from there."""
    assert INCOMPLETE in CODES
    assert MARK


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 400), st.sampled_from("ab")), max_size=12
    )
)
def test_no_time_is_counted_twice(spans: list[tuple[int, int, str]]) -> None:
    """However work overlaps: busy is at most the span, and at most the sum of the work."""
    pairs = [
        (launch(n, 0.5), kernel(n, at, long, name)) for n, (at, long, name) in enumerate(spans)
    ]
    found = seen(trace(mark(0, 1000), *(one for pair in pairs for one in pair)), 1)
    total_s = sum(long for _, long, _ in spans) * 1e-6
    assert found.per_call_s == pytest.approx(total_s)
    assert found.busy_s <= min(found.span_s, total_s) + 1e-12
    longest_s = max((long for _, long, _ in spans), default=0) * 1e-6
    assert found.busy_s >= longest_s - 1e-12


@given(st.lists(st.floats(0.01, 9.99), min_size=1, max_size=6), st.integers(1, 5))
def test_self_times_add_up_to_the_outermost(insets_us: list[float], calls: int) -> None:
    """Ops nested to any depth, in any number of calls."""
    events, outermost_us = [], 2 * sum(insets_us) + 1
    for call in range(calls):
        at_us, long_us = call * 150.0, outermost_us
        for depth, inset_us in enumerate(insets_us):
            events.append(op(f"op{depth}", at_us, long_us))
            at_us, long_us = at_us + inset_us, long_us - 2 * inset_us
    found = on_cpu(*events, calls=calls)
    assert found.per_call_s == pytest.approx(outermost_us * 1e-6, abs=1e-8)
    assert found.codes == ()
