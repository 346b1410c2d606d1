"""What a language model does over its n tokens: one-hot vectors, positions, logits. Run it: bench run embedding

What does a vocabulary cost at both ends of a language model?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch.nn import functional

from bench import Axis, Call, Case, Suite, Work

if TYPE_CHECKING:
    from torch import Tensor

INDEX_BYTES = 8  # torch counts in int64
FEATURES = 768  # of GPT-2

suite = Suite(
    "embedding",
    axes=[
        # n tokens: characters, some words, GPT-2's 50257.
        Axis("n", [100, 2300, 50257], quick=[2300]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("batch", [1, 8, 128], quick=[8]),
    ],
)


def tokens(case: Case) -> Any:
    """A batch of them, at random."""
    return case.ints(case["batch"], low=0, high=case["n"])


def table(case: Case) -> Any:
    """Features of each token."""
    return case.randn(case["n"], FEATURES)


@suite.op(without=["dtype"], quick=False)
def one_hot(case: Case) -> Call:
    """A batch of tokens as rows of n zeros and a one, in int64."""
    return Call(functional.one_hot, tokens(case), case["n"])


def one_hot_product(chosen: Tensor, table: Tensor) -> Tensor:
    """A lookup as a product of matrices."""
    return functional.one_hot(chosen, len(table)).to(table.dtype) @ table


@suite.op(quick=False)
def one_hot_matmul(case: Case) -> Call:
    """The lookup of a batch of tokens' 768 features as one-hot vectors times the table: the slow way."""
    return Call(one_hot_product, tokens(case), table(case))


def with_positions(chosen: Tensor, table: Tensor, positions: Tensor) -> Tensor:
    """Features of tokens, each with those of its place added."""
    return functional.embedding(chosen, table) + positions


@suite.op
def positions(case: Case) -> Call:
    """768 features for each of a sequence of tokens, and those of its position added, as in GPT-2."""
    return Call(with_positions, tokens(case), table(case), case.randn(case["batch"], FEATURES))


@suite.op
def tied_logits(case: Case) -> Call:
    """Logits of a batch over n tokens: 768 features times the transposed table, as in GPT-2."""
    return Call(functional.linear, case.randn(case["batch"], FEATURES), table(case) / FEATURES**0.5)


def distinct(case: Case) -> int:
    """How many different tokens are in a batch at random, on average."""
    n, batch = int(case["n"]), int(case["batch"])
    return round(n - n * (1 - 1 / n) ** batch)


@one_hot.work
def one_hot_work(case: Case) -> Work:
    """A number read and n written for each token."""
    batch = case["batch"]
    return Work(read_bytes=batch * INDEX_BYTES, written_bytes=batch * case["n"] * INDEX_BYTES)


@one_hot_matmul.work
def one_hot_matmul_work(case: Case) -> Work:
    """As a lookup: the numbers and the rows that they name are read, a row for each is written."""
    batch, row = case["batch"], FEATURES * case.itemsize
    read = batch * INDEX_BYTES + distinct(case) * row
    return Work(read_bytes=read, written_bytes=batch * row)


@positions.work
def positions_work(case: Case) -> Work:
    """As a lookup, and a row for each position read; an addition per element."""
    lookup, elements = one_hot_matmul_work(case), case["batch"] * FEATURES
    read = lookup.read_bytes + elements * case.itemsize
    return Work(flop=elements, read_bytes=read, written_bytes=lookup.written_bytes)


@tied_logits.work
def tied_logits_work(case: Case) -> Work:
    """2 FLOP per feature and logit; features and table read, logits written."""
    batch, n, size = case["batch"], case["n"], case.itemsize
    read, written = (batch + n) * FEATURES * size, batch * n * size
    return Work(flop=2 * batch * n * FEATURES, read_bytes=read, written_bytes=written)


one_hot.reference(lambda chosen, n: (chosen.numpy()[:, None] == np.arange(n)).astype(int))
one_hot_matmul.reference(lambda chosen, table: table.numpy()[chosen.numpy()])
positions.reference(lambda chosen, table, added: table.numpy()[chosen.numpy()] + added.numpy())
tied_logits.reference(lambda x, table: x.numpy() @ table.numpy().T)
