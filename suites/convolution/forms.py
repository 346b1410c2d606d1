"""Convolution in 1d and 3d, separable, transposed, unfolded. Run it: bench run convolution

What do the other forms of convolution cost, in one, two and three dimensions?
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor
from torch.nn import functional

from bench import Axis, Call, Case, Suite, Work

TF32_ERROR = 0.01  # of results of about 1: on a GPU torch lets cuDNN convolve float32 in TF32
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

suite = Suite(
    "convolution",
    axes=[
        # n is the side of an image. It has 3584/n channels: ResNet-50's 64 at 56×56 to 512 at 7×7.
        Axis("n", [7, 14, 28, 56], quick=[14]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("memory_format", FORMATS),  # of image and filters, which are converted before
    ],
)


def sizes(case: Case) -> tuple[int, int]:
    """The side of an image, and an even number of channels."""
    return case["n"], 2 * max(1, 1792 // case["n"])


def made(case: Case, x: tuple[int, ...], *filters: tuple[int, ...]) -> list[Tensor]:
    """Image and filters in the case's memory format, such that the results are about 1."""
    order = case.values.get("memory_format", torch.contiguous_format)
    scaled = [case.randn(x), *(case.randn(one) / prod(one[1:]) ** 0.5 for one in filters)]
    return [one.to(memory_format=order) for one in scaled]


@suite.op(axes=[Axis("n", [8, 32, 112, 224, 448], quick=[32])], quick=False)
def stem(case: Case) -> Call:
    """ResNet-50's first layer: 64 filters of 7×7 with stride 2 over an n×n image of 3 channels."""
    n = case["n"]
    return Call(functional.conv2d, *made(case, (1, 3, n, n), (64, 3, 7, 7)), None, 2, 3)


@suite.op(axes=[Axis("n", [8, 64, 512, 4096], quick=[64])], without=["memory_format"])
def conv1d(case: Case) -> Call:
    """512 filters of width 3 with stride 2 over n steps of 512 channels, as in wav2vec 2.0."""
    return Call(functional.conv1d, *made(case, (1, 512, case["n"]), (512, 512, 3)), None, 2, 1)


@suite.op(axes=[Axis("n", [4, 8, 16, 32], quick=[8])], without=["memory_format"], quick=False)
def conv3d(case: Case) -> Call:
    """16 filters of 3×3×3 with stride 1 over a volume of n×n×n, 16 channels."""
    n = case["n"]
    return Call(functional.conv3d, *made(case, (1, 16, n, n, n), (16, 16, 3, 3, 3)), None, 1, 1)


def depthwise_pointwise(x: Tensor, depthwise: Tensor, pointwise: Tensor) -> Tensor:
    """A filter for each channel, then sums over all channels."""
    return functional.conv2d(functional.conv2d(x, depthwise, None, 1, 1, 1, x.shape[1]), pointwise)


@suite.op(quick=False)
def separable(case: Case) -> Call:
    """A depthwise 3×3 and then a pointwise convolution of an n×n image of 3584/n channels, as in MobileNet."""
    n, c = sizes(case)
    return Call(depthwise_pointwise, *made(case, (1, c, n, n), (c, 1, 3, 3), (c, c, 1, 1)))


@suite.op(quick=False)
def transposed(case: Case) -> Call:
    """A transposed convolution by 2×2 with stride 2, as in U-Net: twice the side, half of the channels."""
    n, c = sizes(case)
    return Call(functional.conv_transpose2d, *made(case, (1, c, n, n), (c, c // 2, 2, 2)), None, 2)


@suite.op(without=["memory_format"], quick=False)
def unfold(case: Case) -> Call:
    """The 3×3 neighbours of each pixel as a column (im2col), of an n×n image of 3584/n channels."""
    n, c = sizes(case)
    return Call(functional.unfold, case.randn(1, c, n, n), 3, 1, 1)


def met(n: int, side: int, stride: int = 1) -> int:
    """How often one of the weights meets the image, not the padding, along one dimension."""
    starts = range(-(side // 2), n - side // 2, stride)
    return sum(0 <= start + tap < n for start in starts for tap in range(side))


def work(counts: Any, case: Case) -> Work:
    """2 FLOP per weight that meets a pixel; none for float32 on a GPU, as TF32 has another roof."""
    pairs, read, written = counts(*sizes(case))
    flop = 0 if case.device != "cpu" and case.dtype_name == "float32" else 2 * pairs
    return Work(flop=flop, read_bytes=read * case.itemsize, written_bytes=written * case.itemsize)


# Pairs of weight and pixel, elements read, elements written, by n and channels. A quarter of the pairs,
# in 3d an eighth, where Winograd's F(4, 3) makes do with 6 multiplications for 4 results, not 12.
COUNTS = {
    stem: lambda n, _: (192 * met(n, 7, 2) ** 2, 3 * n * n + 192 * 49, 64 * (n - n // 2) ** 2),
    conv1d: lambda n, _: (512**2 * met(n, 3, 2), 512 * n + 3 * 512**2, 512 * (n - n // 2)),
    conv3d: lambda n, _: (16**2 * met(n, 3) ** 3 // 8, 16 * n**3 + 27 * 16**2, 16 * n**3),
    separable: lambda n, c: (c * (c * n * n + met(n, 3) ** 2 // 4), (n * n + 9 + c) * c, c * n * n),
    transposed: lambda n, c: (2 * (c * n) ** 2, c * (n * n + 2 * c), 2 * c * n * n),
    unfold: lambda n, c: (0, c * n * n, 9 * c * n * n),
}
for op, counts in COUNTS.items():
    op.work(partial(work, counts))


def columns(x: Any, side: int, stride: int, padding: int) -> Any:
    """What each weight of a filter meets: channels, weights, places."""
    dims = x.ndim - 2
    padded = np.pad(x[0], [(0, 0)] + [(padding, padding)] * dims)
    seen = sliding_window_view(padded, [side] * dims, tuple(range(1, dims + 1)))
    seen = seen[(slice(None), *[slice(None, None, stride)] * dims)]
    return np.moveaxis(seen, range(dims + 1, 2 * dims + 1), range(1, dims + 1))


@stem.reference(atol=TF32_ERROR)
@conv1d.reference(atol=TF32_ERROR)
@conv3d.reference(atol=TF32_ERROR)
def convolved(x: Any, weight: Any, _: object, stride: int, padding: int) -> Any:
    """Each filter times what it meets, by NumPy."""
    return np.tensordot(weight, columns(x, weight.shape[-1], stride, padding), x.ndim - 1)[None]


@separable.reference(atol=TF32_ERROR)
def separable_reference(x: Any, depthwise: Any, pointwise: Any) -> Any:
    """Sums over what the weights of each channel meet, then over channels."""
    each = np.einsum("cab,cabij->cij", depthwise[:, 0], columns(x, 3, 1, 1))
    return np.tensordot(pointwise[..., 0, 0], each, 1)[None]


@transposed.reference(atol=TF32_ERROR)
def transposed_reference(x: Any, weight: Any, *_: object) -> Any:
    """2×2 results per pixel, which overlap nowhere."""
    pixels = np.einsum("cij,ckab->kiajb", x[0], weight, optimize=True)
    return pixels.reshape(1, -1, *[2 * x.shape[2]] * 2)


unfold.reference(lambda x, *_: columns(x, 3, 1, 1).reshape(1, 9 * x.shape[1], -1))
