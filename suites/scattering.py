"""Writing and adding at given positions, by index or mask. Run it: bench run scattering

What does writing to given positions cost, and what where several values meet in one position?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

INDEX = 8  # bytes of a position, which is an int64
ROW = 64  # elements
MEAN = 8  # repetitions of an element

# n is the number of positions: from 10 to 10 million, 80 MB in int64.
size = Axis("n", [10**k for k in range(1, 8)], quick=[10**4])
rows = Axis("n", [10**k for k in range(1, 6)], quick=[10**3])
shorter = Axis("n", [10**k for k in range(1, 7)], quick=[10**3])
targets = Axis("targets", [16, 65536], quick=[16])  # of few, each is wanted by many GPU threads
suite = Suite("scattering", [size, Axis("dtype", ["float32", "int64"], quick=["float32"])])


def at_random(case: Case, among: int, *row: int, equal: bool = False) -> tuple[Any, int, Any, Any]:
    """Whole numbers x, dimension 0, n random positions in x, n values; one per position if `equal`."""
    x, values = (case.ints(length, *row).to(case.dtype) for length in (among, case["n"]))
    at = case.ints(case["n"], low=0, high=among)
    return x, 0, at, values[at] if equal else values


@suite.op
def scatter(case: Case) -> Call:
    """A vector of n in which n values are written at random positions, by torch.scatter."""
    return Call(torch.scatter, *at_random(case, case["n"], equal=True))


@suite.op(quick=False)
def index_put(case: Case) -> Call:
    """A vector of n in which n values are written at random positions, by torch.index_put."""
    x, _, at, values = at_random(case, case["n"], equal=True)
    return Call(torch.index_put, x, (at,), values)


@suite.op(quick=False)
def put(case: Case) -> Call:
    """A vector of n in which n values are written at random positions, by torch.put."""
    x, _, at, values = at_random(case, case["n"], equal=True)
    return Call(torch.put, x, at, values)


@suite.op(axes=[rows], quick=False)
def index_copy(case: Case) -> Call:
    """A matrix of n rows of 64 in which n rows are written at random positions, by torch.index_copy."""
    return Call(torch.index_copy, *at_random(case, case["n"], ROW, equal=True))


@suite.op(axes=[rows], quick=False)
def index_add(case: Case) -> Call:
    """A matrix of n rows of 64 to which n rows are added at random positions, by torch.index_add."""
    return Call(torch.index_add, *at_random(case, case["n"], ROW))


@suite.op(axes=[targets])
def scatter_add(case: Case) -> Call:
    """A vector of few targets to which n values are added at random positions, by torch.scatter_add."""
    return Call(torch.scatter_add, *at_random(case, case["targets"]))


@suite.op(axes=[targets], quick=False)
def index_put_accumulate(case: Case) -> Call:
    """A vector of few targets to which n values are added at random positions, by torch.index_put."""
    x, _, at, values = at_random(case, case["targets"])
    return Call(torch.index_put, x, (at,), values, accumulate=True)


@suite.op(axes=[targets], quick=False)
def scatter_reduce(case: Case) -> Call:
    """The largest of what is in each of few targets and of n values sent to random ones (amax)."""
    return Call(torch.scatter_reduce, *at_random(case, case["targets"]), "amax")


def masked(case: Case) -> tuple[Any, Any]:
    """A vector of n and a mask that marks one of each pair, at random."""
    first = case.ints(case["n"] // 2, low=0, high=2) > 0
    return case.randn(case["n"]), torch.stack([first, ~first], dim=1).flatten()


@suite.op
def masked_select(case: Case) -> Call:
    """The half of n elements that a mask marks at random."""
    return Call(torch.masked_select, *masked(case))


@suite.op(quick=False)
def masked_fill(case: Case) -> Call:
    """A vector of n in which the half that a mask marks at random is set to 3."""
    return Call(torch.masked_fill, *masked(case), 3)


@suite.op(quick=False)
def masked_scatter(case: Case) -> Call:
    """A vector of n in which n/2 values, in order, are written where a mask marks it at random."""
    return Call(torch.masked_scatter, *masked(case), case.randn(case["n"] // 2))


@suite.op(axes=[shorter, Axis("output_size", ["unknown", "given"])], quick=False)
def repeat_interleave(case: Case) -> Call:
    """Each of n elements 1 to 15 times in a row, 8 on average, where torch is told the sum or adds up."""
    first = case.ints(case["n"] // 2, low=1, high=2 * MEAN)
    repeats = torch.stack([first, 2 * MEAN - first], dim=1).flatten()
    known = {"output_size": MEAN * case["n"]} if case["output_size"] == "given" else {}
    return Call(torch.repeat_interleave, case.randn(case["n"]), repeats, **known)


def changed(change: Any, x: Any, *given: Any, **_: Any) -> object:
    """A copy of x after the same change by NumPy, at the positions and by the values that are given."""
    at, values = (one for one in given if not isinstance(one, (int, str)))
    expected = x.numpy().copy()
    change(expected, (at[0] if isinstance(at, tuple) else at).numpy(), values.numpy())
    return expected


for op in (scatter, index_put, put, index_copy):
    op.reference(partial(changed, np.ndarray.__setitem__))
for op in (scatter_add, index_put_accumulate, index_add):
    op.reference(partial(changed, np.add.at))
scatter_reduce.reference(partial(changed, np.maximum.at))
masked_select.reference(lambda x, mask: x.numpy()[mask.numpy()])
masked_fill.reference(lambda x, mask, value: np.where(mask.numpy(), value, x.numpy()))
masked_scatter.reference(partial(changed, np.place))
repeat_interleave.reference(lambda x, repeats, **_: np.repeat(x.numpy(), repeats.numpy()))


def each(case: Case, read: float, written: float, other: int = INDEX) -> Work:
    """For each of n so many elements read and written, and so many other bytes read."""
    n, size = case["n"], case.itemsize
    return Work(read_bytes=n * (read * size + other), written_bytes=n * written * size)


for op in (scatter, index_put, put):
    op.work(lambda case: each(case, 2, 1))
for op in (index_add, index_copy):
    op.work(lambda case: each(case, 2 * ROW, ROW))
for op in (scatter_add, index_put_accumulate, scatter_reduce):
    op.work(lambda case: each(case, 1 + case["targets"] / case["n"], case["targets"] / case["n"]))
masked_select.work(lambda case: each(case, 1, 1 / 2, 1))
masked_fill.work(lambda case: each(case, 1, 1, 1))
masked_scatter.work(lambda case: each(case, 3 / 2, 1, 1))
repeat_interleave.work(lambda case: each(case, 1, MEAN))
