"""Normalisation of images: by batch, group, instance, neighbouring channels. Run it: bench run normalisation

What does normalising images cost, by what their statistics are taken over?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from bench import Axis, Call, Case, Suite, Work

IMAGES, CHANNELS, GROUPS, EPS = 8, 64, 32, 1e-5
ALEXNET: Any = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

suite = Suite(
    "normalisation",
    axes=[
        # n is the side of 8 images of 64 channels: those of ResNet-50 are 56×56 at first, 7×7 at last.
        Axis("n", [7, 14, 28, 56], quick=[14]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("memory_format", FORMATS, quick=["contiguous"]),
    ],
)


def images(case: Case) -> Any:
    """Images of normal numbers."""
    x = case.randn(IMAGES, CHANNELS, case["n"], case["n"])
    return x.to(memory_format=case["memory_format"])


def vectors(case: Case, count: int) -> list[Any]:
    """Vectors of a number per channel: means and variances, weights and biases."""
    return [case.rand(CHANNELS) + 1 / 2 for _ in range(count)]


def batch_norm(x: Tensor, mean: Tensor, variance: Tensor, *affine: Tensor) -> list[Tensor]:
    """Normalises, and updates running means and variances, which are returned too."""
    weight, bias = affine
    return [nnf.batch_norm(x, mean, variance, weight, bias, training=True), mean, variance]


@suite.op(in_place=True)
def batch_norm_train(case: Case) -> Call:
    """Batch normalisation of 8 n×n images of 64 channels in training, by their own statistics; updates running ones."""
    return Call(batch_norm, images(case), *vectors(case, 4))


@suite.op(quick=False)
def batch_norm_eval(case: Case) -> Call:
    """Batch normalisation of 8 n×n images of 64 channels in evaluation, by running means and variances."""
    return Call(nnf.batch_norm, images(case), *vectors(case, 4))


@suite.op(quick=False)
def group_norm(case: Case) -> Call:
    """Group normalisation of 8 n×n images of 64 channels, in 32 groups of 2."""
    return Call(nnf.group_norm, images(case), GROUPS, *vectors(case, 2))


@suite.op(quick=False)
def instance_norm(case: Case) -> Call:
    """Instance normalisation of 8 n×n images of 64 channels: each channel of each image by itself."""
    return Call(nnf.instance_norm, images(case))


@suite.op(quick=False)
def normalize(case: Case) -> Call:
    """L2 normalisation of 8 n×n images of 64 channels: the numbers of each pixel divided by their norm."""
    return Call(nnf.normalize, images(case))


@suite.op(quick=False, without=["dtype"])
def local_response_norm(case: Case) -> Call:
    """Local response normalisation of 8 n×n images of 64 channels, over 5 neighbours, as in AlexNet."""
    return Call(nnf.local_response_norm, images(case), **ALEXNET)


def work(case: Case, *, vectors: int = 0, written: int = 0) -> Work:
    """Images and vectors of a number per channel read; images, and some of the vectors, written."""
    images, vector = IMAGES * CHANNELS * case["n"] ** 2 * case.itemsize, CHANNELS * case.itemsize
    return Work(read_bytes=images + vectors * vector, written_bytes=images + written * vector)


normalize.work(work)
instance_norm.work(work)
local_response_norm.work(work)
group_norm.work(partial(work, vectors=2))
batch_norm_eval.work(partial(work, vectors=4))
batch_norm_train.work(partial(work, vectors=4, written=2))


def standard(x: Any, axes: tuple[int, ...]) -> Any:
    """Numbers less their mean, divided by their standard deviation, by NumPy."""
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + EPS)


def per_channel(*vectors: Any) -> list[Any]:
    """Vectors as images of one pixel."""
    return [one.numpy()[:, None, None] for one in vectors]


def scaled(x: Any, *affine: Tensor) -> Any:
    """Each channel times its weight, plus its bias."""
    weight, bias = per_channel(*affine)
    return x * weight + bias


@batch_norm_train.reference
def batch_norm_train_reference(
    x: Tensor, mean: Tensor, variance: Tensor, *affine: Tensor
) -> object:
    """By NumPy; a tenth of the running statistics is replaced, by a variance of N-1 in N numbers."""
    y = standard(x.numpy(), (0, 2, 3))
    own = x.numpy().mean((0, 2, 3)), x.numpy().var((0, 2, 3), ddof=1)
    running = [
        0.9 * old.numpy() + 0.1 * new for old, new in zip((mean, variance), own, strict=True)
    ]
    return [scaled(y, *affine), *running]


@batch_norm_eval.reference
def batch_norm_eval_reference(x: Tensor, *of_channels: Tensor) -> object:
    """By NumPy, all numbers of a channel alike."""
    mean, variance = per_channel(*of_channels[:2])
    return scaled((x.numpy() - mean) / np.sqrt(variance + EPS), *of_channels[2:])


@group_norm.reference
def group_norm_reference(x: Tensor, groups: int, *affine: Tensor) -> object:
    """By NumPy, the numbers of a group in one row."""
    y = standard(x.numpy().reshape(IMAGES, groups, -1), (2,))
    return scaled(y.reshape(x.shape), *affine)


@local_response_norm.reference
def local_response_norm_reference(
    x: Tensor, size: int, alpha: float, beta: float, k: float
) -> object:
    """By NumPy: the mean of the squares of five channels, zeros beyond the first and the last."""
    squares = np.pad(x.numpy() ** 2, ((0, 0), (size // 2, size // 2), (0, 0), (0, 0)))
    mean = sum(squares[:, at : at + CHANNELS] for at in range(size)) / size
    return x.numpy() / (k + alpha * mean) ** beta


instance_norm.reference(lambda x: standard(x.numpy(), (2, 3)))
normalize.reference(lambda x: x.numpy() / np.linalg.norm(x.numpy(), axis=1, keepdims=True))
