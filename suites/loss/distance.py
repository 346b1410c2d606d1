"""Losses of regression and of similarity: errors, cosines, triplets, pairs. Run it: bench run loss

What do losses between tensors cost?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench import Axis, Call, Case, Suite, Work

INDEX_BYTES = 8  # torch counts in int64
ROWS, FEATURES, TEMPERATURE = 64, 512, 0.07

suite = Suite(
    "loss",
    axes=[
        # n features in each of 64 rows: from 8 KB to 32 MB a tensor in float32.
        Axis("n", [32, 512, 8192, 131072], quick=[512]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
    ],
)


def pair(case: Case) -> tuple[Any, Any]:
    """Predictions and targets, 64 rows of n."""
    return case.randn(ROWS, case["n"]), case.randn(ROWS, case["n"])


@suite.op
def mse(case: Case) -> Call:
    """Mean of the squared errors of 64×n predictions."""
    return Call(functional.mse_loss, *pair(case))


@suite.op(quick=False)
def l1(case: Case) -> Call:
    """Mean of the absolute errors of 64×n predictions."""
    return Call(functional.l1_loss, *pair(case))


@suite.op(quick=False)
def smooth_l1(case: Case) -> Call:
    """Mean of the errors of 64×n predictions, squared and halved where below 1, less a half elsewhere."""
    return Call(functional.smooth_l1_loss, *pair(case))


@suite.op(quick=False)
def huber(case: Case) -> Call:
    """Huber loss of 64×n predictions with delta 1: what smooth L1 gives, by a kernel of its own."""
    return Call(functional.huber_loss, *pair(case))


@suite.op
def cosine_similarity(case: Case) -> Call:
    """The cosine between each two rows of 64×n features: a number per row."""
    return Call(functional.cosine_similarity, *pair(case))


@suite.op(quick=False)
def triplet_margin(case: Case) -> Call:
    """How much farther 64 rows of n features are from a second than from a third, plus 1, where above 0."""
    three = [case.randn(ROWS, case["n"]) / case["n"] ** 0.5 for _ in range(3)]
    return Call(functional.triplet_margin_loss, *three)


def both_ways(images: Tensor, texts: Tensor, target: Tensor) -> Tensor:
    """The mean of the cross-entropies of the rows and of the columns of all cosines."""
    logits = images @ texts.T / TEMPERATURE
    of_rows = functional.cross_entropy(logits, target)
    return (of_rows + functional.cross_entropy(logits.T, target)) / 2


@suite.op(axes=[Axis("n", [16, 64, 256, 1024], quick=[64])], quick=False)
def contrastive(case: Case) -> Call:
    """CLIP's loss of n pairs of 512 features: each of the one among all of the other, both ways."""
    images, texts = (functional.normalize(case.randn(case["n"], FEATURES)) for _ in range(2))
    return Call(both_ways, images, texts, torch.arange(case["n"], device=case.device))


def work(case: Case, tensors: int, written: int = 1) -> Work:
    """So many tensors read, and a number written, or several."""
    read = tensors * ROWS * case["n"] * case.itemsize
    return Work(read_bytes=read, written_bytes=written * case.itemsize)


for op in (mse, l1, smooth_l1, huber):
    op.work(lambda case: work(case, 2))
cosine_similarity.work(lambda case: work(case, 2, written=ROWS))
triplet_margin.work(lambda case: work(case, 3))


@contrastive.work
def contrastive_work(case: Case) -> Work:
    """2 FLOP per feature of each image with each text; both and their numbers read, a number written."""
    n, size = case["n"], case.itemsize
    read = 2 * n * FEATURES * size + n * INDEX_BYTES
    return Work(flop=2 * n * n * FEATURES, read_bytes=read, written_bytes=size)


def huber_by_hand(x: Any, target: Any) -> Any:
    """Half the square of an error below 1; above it the error, less a half."""
    error = (x - target).abs().numpy()
    return np.where(error < 1, error**2 / 2, error - 1 / 2).mean()


def cosines(a: Any, b: Any) -> Any:
    """Products over the product of lengths, by NumPy."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a.numpy() * b.numpy()).sum(axis=1) / lengths


def triplets(a: Any, near: Any, far: Any) -> Any:
    """Distances by NumPy; torch adds a millionth to each difference."""
    lengths = [np.linalg.norm(a - other + 1e-6, axis=1) for other in (near, far)]
    return np.maximum(lengths[0] - lengths[1] + 1, 0).mean()


def surprises(logits: Any) -> Any:
    """The mean cross-entropy of rows whose class is on the diagonal."""
    return (np.log(np.exp(logits).sum(axis=1)) - logits.diagonal()).mean()


@contrastive.reference
def contrastive_reference(images: Any, texts: Any, _: Any) -> Any:
    """The mean of both cross-entropies, by NumPy."""
    logits = images.numpy() @ texts.numpy().T / TEMPERATURE
    return (surprises(logits) + surprises(logits.T)) / 2


mse.reference(lambda x, target: ((x - target).numpy() ** 2).mean())
l1.reference(lambda x, target: np.abs((x - target).numpy()).mean())
smooth_l1.reference(huber_by_hand)
huber.reference(huber_by_hand)
cosine_similarity.reference(cosines)
triplet_margin.reference(triplets)
