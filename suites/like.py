"""Making tensors like another tensor: zeros, ones and random numbers. Run it: bench run like

What does a tensor like another one cost?
"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Like, Suite, Work

FLOATS = ["float32", "float64", "bfloat16", "float16"]

suite = Suite(
    "like",
    axes=[
        # n is the number of elements of a vector: from one to 16 million, 128 MB in float64.
        # What is made costs what its shape costs in the suite creation: a quick look needs one size.
        Axis("n", [8**k for k in range(9)], quick=[8**5]),
        Axis("dtype", [*FLOATS, "int64"], quick=["float32"]),
    ],
)
floats = Axis("dtype", FLOATS, quick=["float32"])


@suite.op
def zeros_like(case: Case) -> Call:
    """Zeros in the shape and dtype, and on the device, of a tensor; its values are not read."""
    return Call(torch.zeros_like, case.randn(case["n"]))


@suite.op(quick=False)
def ones_like(case: Case) -> Call:
    """Ones in the shape and dtype, and on the device, of a tensor; its values are not read."""
    return Call(torch.ones_like, case.randn(case["n"]))


@suite.op(axes=[floats], quick=False)
def rand_like(case: Case) -> Call:
    """Uniform random numbers in the shape and dtype, and on the device, of a tensor."""
    return Call(torch.rand_like, case.randn(case["n"]))


@suite.op(axes=[floats], quick=False)
def rand_like_dtype(case: Case) -> Call:
    """Uniform random numbers in the shape of a tensor of int64, in a dtype of their own."""
    return Call(torch.rand_like, case.ints(case["n"]), dtype=case.dtype)


def uniform(n: int) -> Like:
    """Numbers spread evenly over [0, 1)."""
    return Like(shape=(n,), low=0, high=1, mean=1 / 2, std=12**-0.5)


zeros_like.reference(lambda x: np.zeros(len(x)))
ones_like.reference(lambda x: np.ones(len(x)))
rand_like.reference(lambda x: uniform(len(x)))
rand_like_dtype.reference(lambda x, **_: uniform(len(x)))


@zeros_like.work
@ones_like.work
@rand_like.work
@rand_like_dtype.work
def n_written(case: Case) -> Work:
    """Every element is written once; of the other tensor only the shape and dtype are looked at."""
    return Work(written_bytes=case["n"] * case.itemsize)
