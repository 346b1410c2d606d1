"""Making tensors: filled, random, from Python and from NumPy. Run it: bench run creation"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Like, Skip, Suite, Work

FLOATS = ["float32", "float64", "bfloat16", "float16"]
NUMPY_TYPES = ["float32", "float64", "float16", "int64"]  # NumPy has no bfloat16
SHARED_IS_ON_CPU = "torch.from_numpy shares NumPy's memory, which the GPU can't"

suite = Suite(
    "creation",
    axes=[
        # n is the number of elements of a vector: from one to 16 million, 128 MB in float64.
        Axis("n", [8**k for k in range(9)], quick=[1, 8**3, 8**5, 8**7]),
        Axis("dtype", [*FLOATS, "int64"], quick=["float32"]),
    ],
)


@suite.op
def zeros(case: Case) -> Call:
    """A vector of n zeros."""
    return Call(torch.zeros, case["n"], dtype=case.dtype, device=case.device)


zeros.reference(lambda n, **_: np.zeros(n))


@suite.op
def ones(case: Case) -> Call:
    """A vector of n ones."""
    return Call(torch.ones, case["n"], dtype=case.dtype, device=case.device)


ones.reference(lambda n, **_: np.ones(n))


@suite.op
def full(case: Case) -> Call:
    """A vector of n times the number 3."""
    return Call(torch.full, (case["n"],), 3, dtype=case.dtype, device=case.device)


full.reference(lambda shape, value, **_: np.full(shape, value))


@suite.op
def empty(case: Case) -> Call:
    """Memory for n elements, as it is found: nothing is written, so it has no work model."""
    return Call(torch.empty, case["n"], dtype=case.dtype, device=case.device)


empty.reference(lambda n, **_: Like(shape=(n,)))


@suite.op(axes=[Axis("dtype", ["float32", "float64", "int64"], quick=["float32"])])
def arange(case: Case) -> Call:
    """The numbers from 0 to n-1; half types can't hold them."""
    return Call(torch.arange, case["n"], dtype=case.dtype, device=case.device)


arange.reference(lambda n, **_: np.arange(n))


@suite.op(axes=[Axis("dtype", FLOATS, quick=["float32"])])
def rand(case: Case) -> Call:
    """A vector of n uniform random numbers in [0, 1)."""
    return Call(torch.rand, case["n"], dtype=case.dtype, device=case.device)


rand.reference(lambda n, **_: Like(shape=(n,), low=0, high=1, mean=1 / 2, std=12**-0.5))


@suite.op(axes=[Axis("dtype", FLOATS, quick=["float32"])])
def randn(case: Case) -> Call:
    """A vector of n standard normal random numbers."""
    return Call(torch.randn, case["n"], dtype=case.dtype, device=case.device)


randn.reference(lambda n, **_: Like(shape=(n,), mean=0, std=1))


@suite.op
def zeros_like(case: Case) -> Call:
    """Zeros in the shape and dtype, and on the device, of a tensor; its values are not read."""
    return Call(torch.zeros_like, case.randn(case["n"]))


@suite.op
def ones_like(case: Case) -> Call:
    """Ones in the shape and dtype, and on the device, of a tensor; its values are not read."""
    return Call(torch.ones_like, case.randn(case["n"]))


zeros_like.reference(lambda x: np.zeros(len(x)))
ones_like.reference(lambda x: np.ones(len(x)))


@suite.op(axes=[Axis("dtype", FLOATS, quick=["float32"])])
def rand_like(case: Case) -> Call:
    """Uniform random numbers in the shape and dtype, and on the device, of a tensor."""
    return Call(torch.rand_like, case.randn(case["n"]))


rand_like.reference(lambda x: Like(shape=(len(x),), low=0, high=1, mean=1 / 2, std=12**-0.5))


@suite.op(axes=[Axis("n", [8**k for k in range(7)], quick=[1, 8**2, 8**4])])
def from_list(case: Case) -> Call:
    """torch.tensor of a Python list of n numbers: each one is an object to be read."""
    return Call(torch.tensor, case.randn(case["n"]).tolist(), dtype=case.dtype, device=case.device)


from_list.reference(lambda numbers, **_: np.array(numbers))


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


from_numpy.reference(lambda array: array)
copy_numpy.reference(lambda array, **_: array)


@copy_numpy.work
def copy_numpy_work(case: Case) -> Work:
    """Every element is read once and written once."""
    size = case["n"] * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


@zeros.work
@ones.work
@full.work
@arange.work
@rand.work
@randn.work
@zeros_like.work
@ones_like.work
@rand_like.work
@from_list.work
def n_written(case: Case) -> Work:
    """Every element is written once; nothing has to be read."""
    return Work(written_bytes=case["n"] * case.itemsize)
