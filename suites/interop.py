"""From tensors to NumPy and Python, and copies of tensors. Run it: bench run interop

What does it cost to get values out of a tensor: as an array, a list, a number?
"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Skip, Suite, Work

FLOATS = ["float32", "float64", "bfloat16", "float16"]
NUMPY_TYPES = ["float32", "float64", "float16", "int64"]  # NumPy has no bfloat16
NUMPY_IS_ON_CPU = "an array is in the CPU's memory"

suite = Suite(
    "interop",
    axes=[
        # n is the number of elements of a vector: from one to 16 million, 128 MB in float64.
        Axis("n", [8**k for k in range(9)], quick=[8**5]),
        Axis("dtype", [*FLOATS, "int64"], quick=["float32"]),
    ],
)
for_numpy = Axis("dtype", NUMPY_TYPES, quick=["float32"])


@suite.op(axes=[for_numpy])
def numpy(case: Case) -> Call:
    """A vector of n as an array: x.numpy(), which copies nothing: both share their memory."""
    if case.device != "cpu":
        raise Skip(NUMPY_IS_ON_CPU)
    return Call(torch.Tensor.numpy, case.randn(case["n"]))


def copied(x: torch.Tensor) -> object:
    """An array of its own; np.array(x) does the same, but NumPy 2 warns that torch is behind it."""
    return np.array(x.numpy())


@suite.op(axes=[for_numpy])
def array(case: Case) -> Call:
    """A vector of n as an array with memory of its own: np.array(x.numpy()), which copies."""
    if case.device != "cpu":
        raise Skip(NUMPY_IS_ON_CPU)
    return Call(copied, case.randn(case["n"]))


@suite.op(axes=[Axis("n", [8**k for k in range(7)], quick=[8**4])])
def tolist(case: Case) -> Call:
    """A vector of n as a Python list: x.tolist() makes an object of each element."""
    return Call(torch.Tensor.tolist, case.randn(case["n"]))


@suite.op(without=["n"])
def item(case: Case) -> Call:
    """A tensor of one number as a Python number: x.item(), which waits for the device."""
    return Call(torch.Tensor.item, case.randn())


def read_one_by_one(x: torch.Tensor) -> list[float]:
    """Every element on its own: a view, and a number out of it, which waits for the device."""
    return [x[i].item() for i in range(len(x))]


@suite.op(axes=[Axis("n", [1, 10, 100, 1000, 10_000], quick=[100])], quick=False)
def item_loop(case: Case) -> Call:
    """A vector of n as a Python list, in a loop over x[i].item(); tolist does it in one call."""
    return Call(read_one_by_one, case.randn(case["n"]))


@suite.op(quick=False)
def clone(case: Case) -> Call:
    """A copy of a vector of n in memory of its own: x.clone()."""
    return Call(torch.Tensor.clone, case.randn(case["n"]))


@suite.op(
    axes=[Axis("n", [1, 8**3, 8**5], quick=[8**5]), Axis("dtype", FLOATS, quick=["float32"])],
    quick=False,
)
def detach(case: Case) -> Call:
    """A vector of n without its history: x.detach(), a view that no gradient flows through."""
    return Call(torch.Tensor.detach, case.randn(case["n"]).requires_grad_())


@array.work
@clone.work
def copy_work(case: Case) -> Work:
    """Every element is read once and written once."""
    size = case["n"] * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


@tolist.work
@item_loop.work
def n_read(case: Case) -> Work:
    """Every element is read once; what a list takes is Python's to choose, and is not counted."""
    return Work(read_bytes=case["n"] * case.itemsize)


@numpy.reference
@array.reference
@clone.reference
@detach.reference
def same(x: torch.Tensor) -> object:
    """The same values; only whose memory they are in changes."""
    return np.array(x.tolist())


@tolist.reference
@item.reference
@item_loop.reference
def numbers(x: torch.Tensor) -> object:
    """The same values, read by NumPy."""
    return x.numpy()
