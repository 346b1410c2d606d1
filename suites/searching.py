"""Sorting, selecting, searching and counting. Run it: bench run searching

Is taking the k largest cheaper than sorting, and what do searching and counting cost?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

INDEX = 8  # bytes of a position or a count, which is an int64
BINS = 256
VOCABULARY = 128256  # Llama 3's

# n is the length of a vector: from 10 elements to 8 MB in int64, or 80 MB where nothing is sorted.
shorter = Axis("n", [10**k for k in range(1, 7)], quick=[10**4])
longer = Axis("n", [10**k for k in range(1, 8)], quick=[10**4])
suite = Suite("searching", [shorter, Axis("dtype", ["float32", "int64"], quick=["float32"])])
logits = [  # the question is "topk or sort?", so both have the same axes
    Axis("n", [10**2, 10**3, 10**4, VOCABULARY, 10**6], quick=[VOCABULARY]),
    Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
    Axis("k", [1, 10, 100], quick=[10]),
]


def keys(case: Case) -> Any:
    """A vector of n random keys, spread evenly over most of int64."""
    return case.ints(case["n"], low=-(2**62), high=2**62).to(case.dtype)


@suite.op(axes=[Axis("order", ["random", "sorted", "reversed"], quick=["random"])])
def sort(case: Case) -> Call:
    """A vector of n keys in ascending order and where each was; the keys come in the order named."""
    x, order = keys(case), case["order"]
    return Call(torch.sort, x if order == "random" else x.sort(descending=order == "reversed")[0])


@suite.op(quick=False)
def argsort(case: Case) -> Call:
    """The positions that put n whole numbers from -8 to 8 in order, equal ones as they come (stable)."""
    return Call(torch.argsort, case.ints(case["n"]).to(case.dtype), stable=True)


@suite.op(axes=logits)
def topk(case: Case) -> Call:
    """The k largest of n values and their positions, largest first, by torch.topk."""
    return Call(torch.topk, case.randn(case["n"]), min(case["k"], case["n"]))


def sort_and_slice(x: torch.Tensor, k: int) -> list[torch.Tensor]:
    """The k largest and their positions, out of a sort of all."""
    return [part[:k] for part in torch.sort(x, descending=True)]


@suite.op(axes=logits, quick=False)
def topk_by_sort(case: Case) -> Call:
    """The k largest of n values and their positions, largest first, by a sort of all and a slice."""
    return Call(sort_and_slice, case.randn(case["n"]), min(case["k"], case["n"]))


@suite.op(axes=[longer], quick=False)
def kthvalue(case: Case) -> Call:
    """The n/10-th smallest of n keys and its position."""
    return Call(torch.kthvalue, keys(case), max(1, case["n"] // 10))


@suite.op(axes=[longer], quick=False)
def median(case: Case) -> Call:
    """The median of n keys; of an even number, the lower of the two in the middle."""
    return Call(torch.median, keys(case))


@suite.op(without=["dtype"], quick=False)
def quantile(case: Case) -> Call:
    """The 0.9 quantile of n normal values, interpolated between two of them."""
    return Call(torch.quantile, case.randn(case["n"]), 0.9)


@suite.op(quick=False)
def unique(case: Case) -> Call:
    """The distinct values among n whole numbers from 0 to n/10, in ascending order."""
    return Call(torch.unique, case.ints(case["n"], low=0, high=case["n"] // 10 + 1).to(case.dtype))


@suite.op(axes=[longer], without=["dtype"], quick=False)
def unique_consecutive(case: Case) -> Call:
    """One element of each run of equal ones: n int64 in runs of two."""
    return Call(torch.unique_consecutive, torch.arange(case["n"], device=case.device) // 2 % 5)


@suite.op
def searchsorted(case: Case) -> Call:
    """The positions at which n keys belong among n sorted keys, by binary search."""
    return Call(torch.searchsorted, keys(case).sort()[0], keys(case))


@suite.op(axes=[longer], without=["dtype"], quick=False)
def nonzero(case: Case) -> Call:
    """The positions of what is true among n booleans: in each pair one, at random."""
    first = case.rand(case["n"] // 2) < 1 / 2
    return Call(torch.nonzero, torch.stack([first, ~first], dim=1).flatten())


@suite.op(axes=[longer], without=["dtype"], quick=False)
def bincount(case: Case) -> Call:
    """How often each number from 0 to 255 is among n random int64."""
    return Call(torch.bincount, case.ints(case["n"], low=0, high=BINS), minlength=BINS)


@suite.op(axes=[longer], without=["dtype"], quick=False)
def histc(case: Case) -> Call:
    """How many of n uniform values are in each of 256 bins of equal width."""
    return Call(torch.histc, case.rand(case["n"]), BINS, 0, 1)


@suite.op(axes=[Axis("m", [8, 1000], quick=[8])], without=["dtype"], quick=False)
def isin(case: Case) -> Call:
    """Which of n random whole numbers below 2m are among m random others."""
    return Call(torch.isin, *(case.ints(case[side], low=0, high=2 * case["m"]) for side in "nm"))


def reads(case: Case, written: float) -> Work:
    """All n elements read once, and so many bytes written."""
    return Work(read_bytes=case["n"] * case.itemsize, written_bytes=written)


def selects(x: Any, wanted: Any, values: Any, at: Any) -> bool:
    """Whether the values are those that are wanted, each from a position of its own in x."""
    right = np.array_equal(values, wanted) and len(at.unique()) == at.numel()
    return right and np.array_equal(x.numpy().take(at, mode="clip"), wanted)


for op in (topk, topk_by_sort):
    op.check(lambda x, k, found: selects(x, np.sort(x)[: -k - 1 : -1], *found))
    op.work(lambda case: reads(case, min(case["k"], case["n"]) * (case.itemsize + INDEX)))
sort.check(lambda x, found: selects(x, np.sort(x), *found))
sort.work(lambda case: reads(case, case["n"] * (case.itemsize + INDEX)))
argsort.reference(lambda x, **_: x.numpy().argsort(kind="stable"))
kthvalue.check(lambda x, k, found: selects(x, np.sort(x)[k - 1], *found))
median.reference(lambda x: np.sort(x)[(len(x) - 1) // 2])
unique_consecutive.reference(lambda x: x.numpy()[np.diff(x, prepend=-1) != 0])
searchsorted.reference(lambda x, queries: x.numpy().searchsorted(queries.numpy()))
nonzero.reference(lambda x: np.argwhere(x.numpy()))
nonzero.work(lambda case: Work(read_bytes=case["n"], written_bytes=case["n"] // 2 * INDEX))
bincount.work(lambda case: Work(read_bytes=case["n"] * INDEX, written_bytes=BINS * INDEX))
histc.reference(lambda x, bins, *ends: np.histogram(x, bins, ends)[0])
histc.work(lambda case: reads(case, BINS * case.itemsize))
for op in (quantile, unique, bincount, isin):
    op.reference(getattr(np, op.name))
