"""Embeddings: rows of a table by their numbers, sums of rows, backward. Run it: bench run embedding

What do rows of a table cost, and does a sparse gradient pay?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench import Axis, Call, Case, Suite, Work

INDEX_BYTES = 8  # torch counts in int64
PER_BAG = 20

suite = Suite(
    "embedding",
    axes=[
        # n rows: GPT-2 has 50257 tokens, Llama 3 128256; 8 rows of 2300×64 are those of pytorch#189281.
        Axis("n", [100, 2300, 50257, 128256], quick=[2300]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("batch", [8, 1024], quick=[8]),
        Axis("dim", [64, 384], quick=[64]),  # of DLRM, and of MiniLM
    ],
)


def inputs(case: Case, per: int = 1) -> tuple[Tensor, Tensor]:
    """Numbers of rows at random, in bags if there are several, and a table of n rows."""
    shape = (case["batch"], per) if per > 1 else (case["batch"],)
    return case.ints(shape, low=0, high=case["n"]), case.randn(
        case["n"], case.values.get("dim", 64)
    )


@suite.op
def lookup(case: Case) -> Call:
    """A batch of rows out of a table of n, by their numbers: torch.nn.functional.embedding."""
    return Call(functional.embedding, *inputs(case))


def gradient(result: Tensor, table: Tensor, slope: Tensor, _: Tensor) -> Tensor:
    """Backward alone; the graph that the forward left is kept for the next call."""
    return torch.autograd.grad(result, table, slope, retain_graph=True)[0]


def backward(case: Case, function: Any, chosen: Tensor, table: Tensor, **how: Any) -> Call:
    """Backward of one of torch's functions; the numbers are named again for who checks and counts."""
    result = function(chosen, table.requires_grad_(), **how)
    return Call(gradient, result, table, case.randn(*result.shape), chosen)


@suite.op(quick=False)
def lookup_backward(case: Case) -> Call:
    """Backward alone of a lookup: a gradient as large as the table, zeros but for a batch of rows."""
    return backward(case, functional.embedding, *inputs(case))


@suite.op(quick=False)
def lookup_backward_sparse(case: Case) -> Call:
    """Backward alone of a lookup with sparse=True: a sparse tensor of the slopes, of which none is moved."""
    return backward(case, functional.embedding, *inputs(case), sparse=True)


@suite.op(axes=[Axis("reduce", ["sum", "mean", "max"], quick=["sum"])], without=["dim"])
def bag(case: Case) -> Call:
    """A batch of bags of 20 rows, each reduced to one of 64 features: torch.nn.functional.embedding_bag."""
    return Call(functional.embedding_bag, *inputs(case, PER_BAG), mode=case["reduce"])


def weighted_sums(chosen: Tensor, table: Tensor, starts: Tensor, weights: Tensor) -> Tensor:
    """Of bags that start at some of the numbers."""
    return functional.embedding_bag(chosen, table, starts, mode="sum", per_sample_weights=weights)


@suite.op(without=["dim"], quick=False)
def bag_weighted(case: Case) -> Call:
    """A batch of weighted sums of 20 rows of 64 features, the numbers in one vector, with offsets."""
    chosen, table = inputs(case, PER_BAG)
    starts = torch.arange(0, chosen.numel(), PER_BAG, device=case.device)
    return Call(weighted_sums, chosen.flatten(), table, starts, case.rand(chosen.numel()))


# Not of 100 rows: 200 slopes added to each in bfloat16 are off by 3 % on the CPU.
@suite.op(axes=[Axis("n", [2300, 50257, 128256], quick=[2300])], without=["dim"], quick=False)
def bag_backward(case: Case) -> Call:
    """Backward alone of a batch of sums of 20 rows of 64 features: a gradient as large as the table."""
    return backward(case, functional.embedding_bag, *inputs(case, PER_BAG), mode="sum")


def distinct(case: Case, count: int) -> int:
    """How many different rows so many numbers at random name, on average."""
    n: int = case["n"]
    return round(n - n * (1 - 1 / n) ** count)


def work(case: Case, numbers: int, read: int, written: int) -> Work:
    """So many numbers and rows read, so many rows written."""
    row = case.values.get("dim", 64) * case.itemsize
    return Work(read_bytes=numbers * INDEX_BYTES + read * row, written_bytes=written * row)


@lookup.work
def lookup_work(case: Case) -> Work:
    """The numbers and each row that is named are read, a row for each number is written."""
    count = case["batch"]
    return work(case, count, distinct(case, count), count)


@bag.work
def bag_work(case: Case) -> Work:
    """The numbers and each row that is named are read, a row for each bag is written."""
    count = case["batch"] * PER_BAG
    return work(case, count, distinct(case, count), case["batch"])


@bag_weighted.work
def bag_weighted_work(case: Case) -> Work:
    """As bag, and a weight for each number and a start for each bag are read."""
    plain, count = bag_work(case), case["batch"] * PER_BAG
    read = plain.read_bytes + count * case.itemsize + case["batch"] * INDEX_BYTES
    return Work(read_bytes=read, written_bytes=plain.written_bytes)


lookup_backward.work(lambda case: work(case, case["batch"], case["batch"], case["n"]))
bag_backward.work(lambda case: work(case, case["batch"] * PER_BAG, case["batch"], case["n"]))

MODES: dict[str, Any] = {"sum": np.sum, "mean": np.mean, "max": np.max}
lookup.reference(lambda chosen, table: table.numpy()[chosen.numpy()])
bag.reference(lambda chosen, table, mode: MODES[mode](table.numpy()[chosen.numpy()], axis=1))


@bag_weighted.reference
def bag_weighted_reference(chosen: Any, table: Any, starts: Any, weights: Any) -> Any:
    """Weighted rows, added up where a bag starts, by NumPy."""
    return np.add.reduceat(table.numpy()[chosen.numpy()] * weights.numpy()[:, None], starts.numpy())


@lookup_backward.reference
@lookup_backward_sparse.reference
@bag_backward.reference
def scattered(_: Any, table: Any, slope: Any, chosen: Any) -> Any:
    """Slopes added to the rows that were read, by NumPy."""
    found = np.zeros(table.shape)
    np.add.at(found, chosen.numpy().T, slope.numpy())
    return found
