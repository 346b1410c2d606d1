"""Scans: running sums, products and extremes, differences, segments. Run it: bench run scanning

What do running sums and products cost against plain ones, along rows and along columns?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

INDEX = 8  # bytes of a position or a length, which is an int64
MEAN = 8  # elements of a segment
UFUNCS = {"sum": np.add, "max": np.maximum}

suite = Suite(
    "scanning",
    axes=[
        # n is the length of a vector: from 10 elements to 80 MB in int64.
        Axis("n", [10**k for k in range(1, 8)], quick=[10**5]),
        Axis("dtype", ["float32", "int64"], quick=["float32"]),
    ],
)
side = Axis("n", [8, 32, 128, 512, 2048], quick=[128])  # of a square matrix
shorter = Axis("n", [10**k for k in range(1, 7)], quick=[10**4])
floats = Axis("dtype", ["float32", "float64"], quick=["float32"])


def whole(case: Case, *shape: int) -> Any:
    """Whole numbers from -8 to 8, whose sums are exact in any order."""
    return case.ints(*shape).to(case.dtype)


@suite.op
def cumsum(case: Case) -> Call:
    """The running sum of a vector of n whole numbers."""
    return Call(torch.cumsum, whole(case, case["n"]), 0)


@suite.op(axes=[side, Axis("dim", [0, 1], quick=[1])])
def cumsum_matrix(case: Case) -> Call:
    """The running sums of an n×n matrix down its columns (dim=0) or along its rows (dim=1)."""
    return Call(torch.cumsum, whole(case, case["n"], case["n"]), case["dim"])


@suite.op(axes=[floats], quick=False)
def cumsum_backward(case: Case) -> Call:
    """The gradient of a running sum of n elements: the running sum of what is given, from its end."""
    x, slope = case.randn(case["n"], requires_grad=True), whole(case, case["n"])
    return Call(torch.autograd.grad, x.cumsum(0), x, slope, retain_graph=True)


@suite.op(axes=[floats], quick=False)
def cumprod(case: Case) -> Call:
    """The running product of n factors 1/2, 1 and 2, which is exact and stays between 1/2 and 2."""
    powers = case.ints(case["n"], low=1, high=3).to(case.dtype)
    return Call(torch.cumprod, powers / powers.roll(1), 0)


@suite.op(axes=[shorter, floats], quick=False)
def logcumsumexp(case: Case) -> Call:
    """The logarithm of the running sum of the exponentials of n normal values."""
    return Call(torch.logcumsumexp, case.randn(case["n"]), 0)


@suite.op(quick=False)
def cummax(case: Case) -> Call:
    """The largest so far of n values and its position, at each of them."""
    return Call(torch.cummax, case.randn(case["n"]), 0)


@suite.op(quick=False)
def cummin(case: Case) -> Call:
    """The smallest so far of n values and its position, at each of them."""
    return Call(torch.cummin, case.randn(case["n"]), 0)


@suite.op(quick=False)
def diff(case: Case) -> Call:
    """The differences of neighbours in a vector of n elements: what undoes a running sum."""
    return Call(torch.diff, case.randn(case["n"]))


@suite.op(axes=[floats], quick=False)
def cumulative_trapezoid(case: Case) -> Call:
    """The running integral of n samples, half a unit apart, by the trapezoidal rule."""
    return Call(torch.cumulative_trapezoid, whole(case, case["n"]), dx=0.5)


def lengths(case: Case) -> Any:
    """The lengths of n segments, from 1 to 15, so that each pair has 16 elements."""
    first = case.ints(case["n"] // 2, low=1, high=2 * MEAN)
    return torch.stack([first, 2 * MEAN - first], dim=1).flatten()


def offsets_of(sizes: torch.Tensor) -> torch.Tensor:
    """Where each segment begins, and where the last one ends."""
    return torch.nn.functional.pad(torch.cumsum(sizes, 0), (1, 0))


@suite.op(axes=[shorter], without=["dtype"], quick=False)
def offsets(case: Case) -> Call:
    """The offsets of n segments out of their lengths, an exclusive sum: cumsum, then pad by a 0."""
    return Call(offsets_of, lengths(case))


def reduce_segments(x: torch.Tensor, sizes: torch.Tensor, reduce: str) -> torch.Tensor:
    """One number per segment."""
    return torch.segment_reduce(x, reduce, lengths=sizes)


@suite.op(axes=[shorter, floats, Axis("reduce", list(UFUNCS))], quick=False)
def segment_reduce(case: Case) -> Call:
    """The sum or the maximum of each of n segments, of 1 to 15 elements, 8 on average."""
    return Call(reduce_segments, case.randn(MEAN * case["n"]), lengths(case), case["reduce"])


def extreme_so_far(x: Any, wanted: Any, values: Any, at: Any) -> bool:
    """Whether the values are those that are wanted, each from a position up to its own."""
    seen = bool((at <= torch.arange(len(at))).all()) and bool((at >= 0).all())
    return seen and np.array_equal(values, wanted) and torch.equal(x[at], values)


def moves(case: Case, read: float, written: float) -> Work:
    """So many elements read and written."""
    return Work(read_bytes=read * case.itemsize, written_bytes=written * case.itemsize)


for op in (cumsum, cumsum_backward, cumprod, logcumsumexp):
    op.work(lambda case: moves(case, case["n"], case["n"]))
for op in (cummax, cummin):
    op.work(lambda case: moves(case, case["n"], case["n"] * (1 + INDEX / case.itemsize)))
for op in (diff, cumulative_trapezoid):
    op.work(lambda case: moves(case, case["n"], case["n"] - 1))
cumsum_matrix.work(lambda case: moves(case, case["n"] ** 2, case["n"] ** 2))
offsets.work(lambda case: Work(read_bytes=case["n"] * INDEX, written_bytes=(case["n"] + 1) * INDEX))
segment_reduce.work(lambda case: moves(case, case["n"] * (MEAN + INDEX / case.itemsize), case["n"]))
cumsum.reference(lambda x, dim: x.numpy().cumsum(dim))
cumsum_matrix.reference(lambda x, dim: x.numpy().cumsum(dim))
cumsum_backward.reference(lambda _, __, slope, **___: [slope.numpy()[::-1].cumsum()[::-1]])
cumprod.reference(lambda x, dim: x.numpy().cumprod(dim))
logcumsumexp.reference(lambda x, _: np.logaddexp.accumulate(x.numpy()))
cummax.check(lambda x, _, found: extreme_so_far(x, np.maximum.accumulate(x.numpy()), *found))
cummin.check(lambda x, _, found: extreme_so_far(x, np.minimum.accumulate(x.numpy()), *found))
diff.reference(lambda x: np.diff(x.numpy()))
cumulative_trapezoid.reference(lambda y, dx: (y[1:] + y[:-1]).numpy().cumsum() * dx / 2)
offsets.reference(lambda sizes: np.concatenate([[0], sizes.numpy().cumsum()]))
segment_reduce.reference(
    lambda x, sizes, how: UFUNCS[how].reduceat(x.numpy(), np.cumsum(sizes.numpy()) - sizes.numpy())
)
