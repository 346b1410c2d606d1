"""Arithmetic and functions, element by element. Run it: bench run elementwise

At which size does arithmetic stop to be overhead, and does it run at the speed of memory?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

FLOATS = ["float32", "float64", "bfloat16", "float16"]

suite = Suite(
    "elementwise",
    axes=[
        # n is the side of a square matrix: from one element to 128 MB in float64.
        Axis("n", [1, 16, 64, 256, 1024, 4096], quick=[1024]),
        Axis("dtype", [*FLOATS, "int64"], quick=["float32"]),
    ],
)
floats = Axis("dtype", FLOATS, quick=["float32"])


def one(case: Case) -> Any:
    """An n×n matrix of normal numbers."""
    n = case["n"]
    return case.randn(n, n)


def two(case: Case) -> tuple[Any, Any]:
    """Two of them."""
    return one(case), one(case)


def one_to_two(case: Case) -> Any:
    """An n×n matrix of numbers from 1 to 2, which are safe to divide by."""
    n = case["n"]
    return case.rand(n, n).add_(1)


@suite.op
def add(case: Case) -> Call:
    """n×n plus n×n into a new tensor."""
    return Call(torch.add, *two(case))


@suite.op(in_place=True, quick=False)
def add_in_place(case: Case) -> Call:
    """n×n plus n×n into the first: x.add_(y), so x grows with each call.

    Numbers of y are below 8, half the step of float16 from 16384 on: there the sum stops growing.
    """
    return Call(torch.Tensor.add_, *two(case))


@suite.op(quick=False)
def sub(case: Case) -> Call:
    """n×n minus n×n into a new tensor."""
    return Call(torch.sub, *two(case))


@suite.op(axes=[floats], quick=False)
def div(case: Case) -> Call:
    """n×n divided by n×n, whose numbers are from 1 to 2, into a new tensor."""
    return Call(torch.div, one(case), one_to_two(case))


@suite.op
def pow(case: Case) -> Call:  # noqa: A001 - an op is named as torch names it
    """n×n to the power of n×n: bases from 1 to 2, exponents from 0 to 3."""
    n = case["n"]
    return Call(torch.pow, one_to_two(case), case.rand(n, n).mul_(3))


@suite.op(quick=False)
def add_scalar(case: Case) -> Call:
    """n×n plus the Python number 2 into a new tensor."""
    return Call(torch.add, one(case), 2)


@suite.op(quick=False)
def sub_scalar(case: Case) -> Call:
    """n×n minus the Python number 3 into a new tensor."""
    return Call(torch.sub, one(case), 3)


@suite.op(axes=[floats], quick=False)
def div_scalar(case: Case) -> Call:
    """n×n divided by the Python number 3 into a new tensor."""
    return Call(torch.div, one(case), 3)


@suite.op(quick=False)
def pow_scalar(case: Case) -> Call:
    """n×n to the power of the Python number 3, which torch may do by multiplying."""
    return Call(torch.pow, one(case), 3)


@suite.op(quick=False)
def neg(case: Case) -> Call:
    """The negative of n×n."""
    return Call(torch.neg, one(case))


@suite.op(quick=False)
def abs(case: Case) -> Call:  # noqa: A001 - an op is named as torch names it
    """n×n without its signs."""
    return Call(torch.abs, one(case))


@suite.op(axes=[floats])
def exp(case: Case) -> Call:
    """The exponential function of n×n: e to its power."""
    return Call(torch.exp, one(case))


add.reference(lambda a, b: a.numpy() + b.numpy())
add_in_place.reference(lambda a, b: a.numpy() + b.numpy())
sub.reference(lambda a, b: a.numpy() - b.numpy())
div.reference(lambda a, b: a.numpy() / b.numpy())
pow.reference(lambda a, b: a.numpy() ** b.numpy())
add_scalar.reference(lambda x, number: x.numpy() + number)
sub_scalar.reference(lambda x, number: x.numpy() - number)
div_scalar.reference(lambda x, number: x.numpy() / number)
pow_scalar.reference(lambda x, number: x.numpy() ** number)
neg.reference(lambda x: -x.numpy())
abs.reference(lambda x: np.fabs(x.numpy()))
exp.reference(lambda x: np.exp(x.numpy()))


def work(case: Case, *, matrices_read: int) -> Work:
    """An operation per element, n² FLOP, whatever it takes; so many matrices read, one written."""
    size = case["n"] ** 2 * case.itemsize
    return Work(flop=case["n"] ** 2, read_bytes=matrices_read * size, written_bytes=size)


for op in (add, add_in_place, sub, div, pow):
    op.work(partial(work, matrices_read=2))
for op in (add_scalar, sub_scalar, div_scalar, pow_scalar, neg, abs, exp):
    op.work(partial(work, matrices_read=1))
