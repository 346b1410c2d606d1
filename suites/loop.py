"""One element after the other in Python, or all at once. Run it: bench run loop

How much faster is one op on a tensor than a loop in Python?
"""

from __future__ import annotations

import operator

import numpy as np
import torch

from bench import Axis, Call, Case, Skip, Suite, Work

LIST_IS_ON_CPU = "a list is in the CPU's memory"
NUMPY_IS_ON_CPU = "an array is in the CPU's memory"

suite = Suite(
    "loop",
    axes=[
        # n is the number of elements of a vector; 1000 is the example that the course counts out.
        Axis("n", [1, 10, 100, 1000, 10_000, 100_000], quick=[1000]),
        Axis("dtype", ["float32", "float64"], quick=["float32"]),
    ],
)


def multiplied(a: list[float], b: list[float]) -> list[float]:
    """One product after the other, put where it belongs."""
    out = [0.0] * len(a)
    for i in range(len(a)):
        out[i] = a[i] * b[i]
    return out


@suite.op(without=["dtype"])
def list_loop(case: Case) -> Call:
    """Two lists of n numbers, multiplied: for i in range(n): out[i] = a[i] * b[i]."""
    if case.device != "cpu":
        raise Skip(LIST_IS_ON_CPU)
    n = case["n"]
    return Call(multiplied, case.randn(n).tolist(), case.randn(n).tolist())


def comprehended(a: list[float], b: list[float]) -> list[float]:
    """The same without counting."""
    return [x * y for x, y in zip(a, b, strict=True)]


@suite.op(without=["dtype"], quick=False)
def comprehension(case: Case) -> Call:
    """Two lists of n numbers, multiplied: [x * y for x, y in zip(a, b, strict=True)]."""
    if case.device != "cpu":
        raise Skip(LIST_IS_ON_CPU)
    n = case["n"]
    return Call(comprehended, case.randn(n).tolist(), case.randn(n).tolist())


@suite.op
def tensor_mul(case: Case) -> Call:
    """Two tensors of n numbers, multiplied: a * b."""
    n = case["n"]
    return Call(operator.mul, case.randn(n), case.randn(n))


@suite.op(quick=False)
def numpy_mul(case: Case) -> Call:
    """Two NumPy arrays of n numbers, multiplied: a * b."""
    if case.device != "cpu":
        raise Skip(NUMPY_IS_ON_CPU)
    n = case["n"]
    return Call(operator.mul, case.randn(n).numpy(), case.randn(n).numpy())


@list_loop.work
@comprehension.work
def products_work(case: Case) -> Work:
    """One FLOP per element; what a list takes is Python's to choose, and is not counted."""
    return Work(flop=case["n"])


@tensor_mul.work
@numpy_mul.work
def vectors_work(case: Case) -> Work:
    """One FLOP per element; two vectors read, one written."""
    n, size = case["n"], case.itemsize
    return Work(flop=n, read_bytes=2 * n * size, written_bytes=n * size)


@list_loop.reference
@comprehension.reference
@tensor_mul.reference
@numpy_mul.reference
def product(a: object, b: object) -> object:
    """The same products in float64, by NumPy."""
    return np.multiply(np.asarray(a, np.float64), np.asarray(b, np.float64))


def added(x: torch.Tensor) -> float:
    """One element after the other; on a GPU each is waited for."""
    total = 0.0
    for i in range(len(x)):
        total += x[i].item()
    return total


@suite.op
def item_sum(case: Case) -> Call:
    """The sum of n elements of a tensor: for i in range(n): total += x[i].item()."""
    return Call(added, case.rand(case["n"]))


@item_sum.work
def item_sum_work(case: Case) -> Work:
    """One FLOP per element, which is read; the sum is a Python number."""
    n = case["n"]
    return Work(flop=n, read_bytes=n * case.itemsize)


@suite.op
def tensor_sum(case: Case) -> Call:
    """The sum of n elements of a tensor: x.sum()."""
    return Call(torch.sum, case.rand(case["n"]))


@tensor_sum.work
def tensor_sum_work(case: Case) -> Work:
    """One FLOP per element, which is read; one number is written."""
    n, size = case["n"], case.itemsize
    return Work(flop=n, read_bytes=n * size, written_bytes=size)


@item_sum.reference
@tensor_sum.reference
def total(x: torch.Tensor) -> object:
    """The same sum in float64, by NumPy."""
    return x.numpy().sum()
