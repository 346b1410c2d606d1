"""Making tensors: filled, random, from Python and from NumPy. Run it: bench run creation

What does a new tensor cost: its memory, its values, its random numbers, its copy from Python or NumPy?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Like, Skip, Suite, Work

FLOATS = ["float32", "float64", "bfloat16", "float16"]
NUMPY_TYPES = ["float32", "float64", "float16", "int64"]  # NumPy has no bfloat16
SHARED_IS_ON_CPU = "torch.from_numpy shares NumPy's memory, which the GPU can't"
MADE_ON_CPU = "torch.Tensor of a list makes its tensor on the CPU, whatever the device"
SEED = 2

suite = Suite(
    "creation",
    axes=[
        # n is the number of elements of a vector: from one to 16 million, 128 MB in float64.
        Axis("n", [8**k for k in range(9)], quick=[8**3, 8**7]),
        Axis("dtype", [*FLOATS, "int64"], quick=["float32"]),
    ],
)
side = Axis("n", [8**k for k in range(5)], quick=[8**3])  # of a square matrix; its square is above
floats = Axis("dtype", FLOATS, quick=["float32"])


@suite.op
def zeros(case: Case) -> Call:
    """A vector of n zeros."""
    return Call(torch.zeros, case["n"], dtype=case.dtype, device=case.device)


@suite.op(quick=False)
def ones(case: Case) -> Call:
    """A vector of n ones."""
    return Call(torch.ones, case["n"], dtype=case.dtype, device=case.device)


@suite.op(quick=False)
def full(case: Case) -> Call:
    """A vector of n times the number 3."""
    return Call(torch.full, (case["n"],), 3, dtype=case.dtype, device=case.device)


@suite.op
def empty(case: Case) -> Call:
    """Memory for n elements, as it is found: nothing is written, so it has no work model."""
    return Call(torch.empty, case["n"], dtype=case.dtype, device=case.device)


@suite.op(axes=[Axis("dtype", ["float32", "float64", "int64"], quick=["float32"])], quick=False)
def arange(case: Case) -> Call:
    """The numbers from 0 to n-1; half types can't hold them."""
    return Call(torch.arange, case["n"], dtype=case.dtype, device=case.device)


@suite.op(axes=[side], quick=False)
def eye(case: Case) -> Call:
    """The n×n identity matrix: ones on the diagonal, zeros elsewhere."""
    return Call(torch.eye, case["n"], dtype=case.dtype, device=case.device)


@suite.op(axes=[floats])
def rand(case: Case) -> Call:
    """A vector of n uniform random numbers in [0, 1)."""
    return Call(torch.rand, case["n"], dtype=case.dtype, device=case.device)


@suite.op(axes=[side, floats], quick=False)
def rand_shape(case: Case) -> Call:
    """An n×n matrix of uniform random numbers in [0, 1), its shape given as a tuple."""
    return Call(torch.rand, (case["n"], case["n"]), dtype=case.dtype, device=case.device)


def rand_from_seed(seed: int, n: int, **where: Any) -> torch.Tensor:
    """The same random numbers each time."""
    torch.manual_seed(seed)
    return torch.rand(n, **where)


@suite.op(axes=[Axis("n", [8**k for k in range(9)], quick=[8**3]), floats], quick=False)
def seeded(case: Case) -> Call:
    """torch.manual_seed(2), then n uniform random numbers, which are the same each time."""
    return Call(rand_from_seed, SEED, case["n"], dtype=case.dtype, device=case.device)


@suite.op(axes=[floats])
def randn(case: Case) -> Call:
    """A vector of n standard normal random numbers."""
    return Call(torch.randn, case["n"], dtype=case.dtype, device=case.device)


@suite.op(axes=[Axis("n", [8**k for k in range(7)], quick=[1, 8**2, 8**4])], quick=False)
def from_list(case: Case) -> Call:
    """torch.tensor of a Python list of n numbers: each one is an object to be read."""
    return Call(torch.tensor, case.randn(case["n"]).tolist(), dtype=case.dtype, device=case.device)


@suite.op(axes=[Axis("n", [8**k for k in range(7)], quick=[8**4])], without=["dtype"], quick=False)
def tensor_class(case: Case) -> Call:
    """torch.Tensor of a Python list of n numbers: float32 on the CPU, whatever the numbers are."""
    if case.device != "cpu":
        raise Skip(MADE_ON_CPU)
    return Call(torch.Tensor, case.randn(case["n"]).tolist())


@suite.op(axes=[Axis("dtype", NUMPY_TYPES, quick=["float32"])])
def from_numpy(case: Case) -> Call:
    """torch.from_numpy, which copies nothing: the tensor and the array share their memory."""
    if case.device != "cpu":
        raise Skip(SHARED_IS_ON_CPU)
    return Call(torch.from_numpy, case.randn(case["n"]).numpy())


@suite.op(axes=[Axis("dtype", NUMPY_TYPES, quick=["float32"])])
def copy_numpy(case: Case) -> Call:
    """torch.tensor of a NumPy array, which copies it, to the GPU if that is the device."""
    return Call(torch.tensor, case.randn(case["n"]).cpu().numpy(), device=case.device)


def uniform(*shape: int) -> Like:
    """Numbers spread evenly over [0, 1)."""
    return Like(shape=shape, low=0, high=1, mean=1 / 2, std=12**-0.5)


zeros.reference(lambda n, **_: np.zeros(n))
ones.reference(lambda n, **_: np.ones(n))
full.reference(lambda shape, value, **_: np.full(shape, value))
empty.reference(lambda n, **_: Like(shape=(n,)))
arange.reference(lambda n, **_: np.arange(n))
eye.reference(lambda n, **_: np.identity(n))
rand.reference(lambda n, **_: uniform(n))
rand_shape.reference(lambda shape, **_: uniform(*shape))
seeded.reference(lambda _, n, **__: uniform(n))
randn.reference(lambda n, **_: Like(shape=(n,), mean=0, std=1))
from_list.reference(lambda numbers, **_: np.array(numbers))
tensor_class.reference(np.array)
from_numpy.reference(lambda array: array)
copy_numpy.reference(lambda array, **_: array)


@copy_numpy.work
def copy_numpy_work(case: Case) -> Work:
    """Every element is read once and written once."""
    size = case["n"] * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


# Every element is written once; nothing has to be read.
for op in (zeros, ones, full, arange, rand, seeded, randn, from_list, tensor_class):
    op.work(lambda case: Work(written_bytes=case["n"] * case.itemsize))
for op in (eye, rand_shape):
    op.work(lambda case: Work(written_bytes=case["n"] ** 2 * case.itemsize))
