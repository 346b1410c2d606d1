"""Copies are added as a claim of the course says, else by the bytes of inputs and result; else not at all."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.crossover.crossovers import crossovers
from bench.analysis.crossover.with_copies import Moved, moved, ways
from tests.fakes.crossover import both, copies, cpu_s, curve, gpu_s

if TYPE_CHECKING:
    from bench.records.record import Record

START_S, ELEMENT_S = 2e-5, 1e-10


def of(rows: list[Record], *more: Record) -> Moved | None:
    """The one crossing of these rows, with the copies in them."""
    (found,) = crossovers(rows)
    return moved(found, ways([*rows, *more]))


def added(found: Moved | None) -> dict[float, float]:
    """What copies add at each size."""
    assert found is not None
    return {p.size: p.timed.time_s - gpu_s(p.size) for p in found.points}


def test_a_claim_says_how_many_matrices_an_op_brings() -> None:
    """Two of n × n to the product and one back, each a copy with a start of its own."""
    found = of(both("matmul/square", input_bytes=1, bytes=1e9), *copies(START_S, ELEMENT_S))
    each = {n: START_S + ELEMENT_S * n * n for n in (16, 64, 256, 1024)}
    assert added(found) == pytest.approx({n: 3 * copy_s for n, copy_s in each.items()})
    assert found is not None
    assert found.found.kind == "at"


def test_of_other_ops_the_inputs_are_brought_and_what_else_is_moved_is_fetched() -> None:
    """Each in one copy; what is smaller than the smallest copy measured takes as long as that."""
    rows = curve("cpu", cpu_s, "mul/any") + curve(
        "cuda", gpu_s, "mul/any", input_bytes=4000, bytes=4000.5
    )
    brought, fetched = START_S + ELEMENT_S * 1000, START_S + ELEMENT_S
    assert list(added(of(rows, *copies())).values()) == pytest.approx([brought + fetched] * 4)

    made = [dataclasses.replace(r, input_bytes=0) for r in rows]
    one = START_S + ELEMENT_S * 4000.5 / 4
    assert list(added(of(made, *copies())).values()) == pytest.approx([one] * 4)


def test_its_interval_is_as_wide_as_the_sum_of_all() -> None:
    """What the copies may be off by adds to what the call may be off by."""
    found = of(both(), *copies(1.0))
    assert found is not None
    assert [p.timed.low_s / p.timed.time_s for p in found.points] == pytest.approx([0.99] * 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"input_bytes": None, "bytes": 8.0},
        {"input_bytes": 8, "bytes": None},
        {"input_bytes": 8, "bytes": 8.0},
    ],
)
def test_where_it_is_not_known_what_moves_nothing_is_made_up(changes: dict[str, Any]) -> None:
    """No inputs told, or no result."""
    assert of(both("mul/any", **changes), *copies()) is None


def test_copies_of_another_machine_or_device_are_not_its_own() -> None:
    """And one way alone is none."""
    rows = both()
    other = [dataclasses.replace(r, machine_id="m-2") for r in copies()]
    assert of(rows, *copies()) is not None
    assert of(rows, *other) is of(rows, *copies(device="cuda:1")) is None
    assert of(rows, *(r for r in copies() if r.op == "to_host")) is None
    assert ways(copies(device="cuda:1")).keys() == {("m-00000001", "cuda:1")}


def test_only_a_gpu_against_the_cpu_has_copies() -> None:
    """Threads share their memory, and of two GPUs neither has the data."""
    threads = [*curve("cpu", cpu_s, threads=1), *curve("cpu", gpu_s, threads=2)]
    gpus = [*curve("cuda", cpu_s), *curve("cuda:1", gpu_s)]
    assert of(threads, *copies()) is None
    assert of(gpus, *copies(device="cuda:1")) is None


def test_sizes_beyond_the_largest_copy_are_left_out() -> None:
    """At two of them the winner could change; at one it can't."""
    few = [r for r in copies() if float(r.params["n"]) <= 256]
    assert of(both(), *few) is None
