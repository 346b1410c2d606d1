"""A call lies elsewhere at each visit, on the same values; what can't be built again stays where it is."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.plan.case import Call
from bench.worker.inputs import TensorInputs
from bench.worker.placement import ChangedInputsError, InputValues, Placement, block
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable


def _draw(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - places, not secrets


def inputs(values: InputValues | None, dtype: str = "float32") -> TensorInputs:
    """Inputs of one case."""
    return TensorInputs("s/op[n=1]", "cpu", dtype, values=values)


def always(_: Call) -> bool:
    """Any call has the inputs of the first."""
    return True


def placed(
    build: Callable[[InputValues], Call], *, clock: Clock | None = None, seed: int = 1
) -> Placement:
    """A call's placement on the CPU."""
    return Placement(build, lambda size: block(size, "cpu"), _draw(seed), clock or Clock())


def product(values: InputValues) -> Call:
    """A call of two inputs."""
    made = inputs(values)
    return Call(torch.mul, made.randn(64, 64), made.rand(64, 64))


def tensors(call: Call) -> list[torch.Tensor]:
    """Its arguments."""
    return list(call.args)


@given(st.integers(0, 2**32))
def test_a_call_moves_and_keeps_its_values(seed: int) -> None:
    """It is built while the one before is still there."""
    made = placed(product, seed=seed)
    first = tensors(made.call)
    with made.drawn(1.0, always) as call:
        for before, now in zip(first, tensors(call), strict=True):
            assert now.data_ptr() != before.data_ptr()
            assert torch.equal(before, now)


def test_what_calls_do_to_inputs_is_not_kept() -> None:
    """Each visit begins with the values of the case."""
    made = placed(lambda values: Call(torch.Tensor.mul_, inputs(values).randn(8), 0.0))
    original = made.call.args[0].clone()
    for _ in range(3):
        with made.drawn(1.0, always) as call:
            assert torch.equal(call.args[0], original)
            call()
            assert not call.args[0].any()


def test_what_building_does_to_inputs_is_done_once() -> None:
    """An op that scales what it was given, in place, scales the same values again."""

    def scaled(values: InputValues) -> Call:
        return Call(torch.neg, inputs(values).randn(8).mul_(2.0))

    made = placed(scaled)
    first = made.call.args[0].clone()
    for _ in range(3):
        with made.drawn(1.0, always) as call:
            assert torch.equal(call.args[0], first)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int64", "uint8", "bool"])
def test_copies_are_what_was_made(dtype: str) -> None:
    """Dtype, shape, whether it needs a gradient; leaves of the graph, as at first."""
    values = InputValues()
    gradient = dtype in {"float32", "float64", "bfloat16"}

    def made(of: InputValues) -> list[torch.Tensor]:
        source = inputs(of, dtype)
        return [source.randn(3, 2, requires_grad=gradient), source.ints(5), source.rand(1)]

    before, after = made(values), made(values.again())
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other)
        assert one.data_ptr() != other.data_ptr()
        assert (one.dtype, one.requires_grad, one.is_leaf) == (
            other.dtype,
            other.requires_grad,
            other.is_leaf,
        )


def test_other_inputs_than_at_first_are_noticed() -> None:
    """An op that draws its own size must not be given values of another."""
    values = InputValues()
    inputs(values).randn(4)
    with pytest.raises(ChangedInputsError):
        inputs(values.again()).randn(5)
    with pytest.raises(ChangedInputsError):
        inputs(values.again()).rand(4)
    source = inputs(values.again())
    source.randn(4)
    with pytest.raises(ChangedInputsError):
        source.randn(4)


def _once(values: InputValues, built: list[int]) -> Call:
    built.append(1)
    if len(built) > 1:
        message = "it can't be built twice"
        raise ValueError(message)
    return product(values)


def _too_large(values: InputValues, _: list[int]) -> Call:
    values._left_bytes = 0
    return product(values)


def _grows(values: InputValues, built: list[int]) -> Call:
    built.append(1)
    return Call(torch.neg, inputs(values).randn(len(built)))


@pytest.mark.parametrize("build", [_once, _too_large, _grows])
def test_what_can_not_be_built_again_stays(build: Callable[[InputValues, list[int]], Call]) -> None:
    """It is measured where it is, and not tried again."""
    built: list[int] = []
    made = placed(lambda values: build(values, built))
    first = made.call
    for _ in range(2):
        with made.drawn(1.0, always) as call:
            assert call is first
    assert made.fixed


def test_a_call_on_other_values_is_not_taken() -> None:
    """Such as of a seed that is drawn anew; it is asked once."""
    asked = []

    def same(call: Call) -> bool:
        asked.append(call)
        return False

    made = placed(product)
    first = made.call
    for _ in range(2):
        with made.drawn(1.0, same) as call:
            assert call is first
    assert len(asked) == 1


@pytest.mark.parametrize(("build_ns", "moves"), [(500_000, 40), (4_000_000, 11), (40_000_000, 2)])
def test_building_takes_an_eighth_of_the_samples_time(build_ns: int, moves: int) -> None:
    """Of visits of 8 ms each one moves, every fourth, and one of forty; the first does always."""
    clock = Clock()

    def slow(values: InputValues) -> Call:
        clock.advance(build_ns)
        return product(values)

    made = placed(slow, clock=clock)
    places = [made.call]
    for _ in range(40):
        with made.drawn(8e-3, always) as call:
            if call is not places[-1]:
                places.append(call)
    assert len(places) - 1 == moves


def test_memory_that_is_short_is_no_failure() -> None:
    """Blocks only move what lies behind them."""

    def refuse(_: int) -> object:
        message = "out of memory"
        raise RuntimeError(message)

    made = Placement(product, refuse, _draw(1), Clock())
    with made.drawn(1.0, always) as call:
        assert call() is not None


def test_blocks_are_held_while_it_is_sampled_and_no_longer() -> None:
    """Two of three: results fall into the gap, or behind them."""
    held: list[int] = []

    class Block:
        def __init__(self, size: int) -> None:
            self.size = size
            held.append(size)

        def __del__(self) -> None:
            held.remove(self.size)

    made = Placement(product, Block, _draw(1), Clock())
    with made.drawn(1.0, always):
        assert len(held) == 2
        assert all(2**6 <= size <= 2**23 for size in held)
    assert held == []
