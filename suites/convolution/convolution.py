"""Convolution of images: dense, strided, dilated, grouped. Run it: bench run convolution

Does channels_last pay, and what do grouped and depthwise convolutions lose against dense ones?
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch.nn.functional import conv2d

from bench import Axis, Call, Case, Skip, Suite, Work

Shape = tuple[int, ...]
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
WINOGRAD = 3  # the side of filters for which cuDNN has Winograd's algorithm
HALF_IS_SLOW = "a batch in float16 takes a CPU without AVX512-FP16 seconds per call"
TF32_ERROR = 0.01  # of results of about 1: on a GPU torch lets cuDNN convolve float32 in TF32

suite = Suite(
    "convolution",
    axes=[
        # n is the side of an image. It has 3584/n channels: ResNet-50's 64 at 56×56 to 512 at 7×7.
        Axis("n", [7, 14, 28, 56], quick=[14]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("memory_format", FORMATS),  # of image and filters, which are converted before
    ],
)
halves = Axis("dtype", ["float32", "bfloat16", "float16"], quick=["float32"])


def same(case: Case, side: int = 3) -> list[Shape]:
    """Shapes of the image and of as many filters as it has channels, by ResNet-50's stages."""
    n, channels = case["n"], max(1, 3584 // case["n"])
    return [(case.values.get("batch", 1), channels, n, n), (channels, channels, side, side)]


def wide(case: Case, groups: int | None = None) -> list[Shape]:
    """Twice as many channels, a multiple of 32: in groups, or each by itself."""
    n, channels = case["n"], 32 * max(1, 224 // case["n"])
    return [(1, channels, n, n), (channels, channels // (groups or channels), 3, 3)]


def convolution(case: Case, shapes: list[Shape], stride: int = 1, dilation: int = 1) -> Call:
    """A call on values whose results are about 1, padded so that stride 1 keeps the image's side."""
    (_, channels, *_), (_, width, side, _) = shapes
    x, weight = case.randn(shapes[0]), case.randn(shapes[1]) / (width * side * side) ** 0.5
    x, weight = (one.to(memory_format=case["memory_format"]) for one in (x, weight))
    move = (stride, dilation * (side // 2), dilation, channels // width)
    return Call(conv2d, x, weight, None, *move)


@suite.op(axes=[halves, Axis("batch", [1, 8], quick=[1])])
def conv2d_3x3(case: Case) -> Call:
    """3×3 filters with stride 1 over a batch of n×n images of 3584/n channels, as many channels out."""
    if case.device == "cpu" and case["dtype"] == "float16" and case["batch"] > 1:
        raise Skip(HALF_IS_SLOW)
    return convolution(case, same(case))


@suite.op(quick=False)
def conv2d_1x1(case: Case) -> Call:
    """1×1 filters (pointwise) over an n×n image of 3584/n channels, as many channels out."""
    return convolution(case, same(case, side=1))


@suite.op(quick=False)
def strided(case: Case) -> Call:
    """3×3 filters with stride 2 over an n×n image of 3584/n channels, as many channels out."""
    return convolution(case, same(case), stride=2)


@suite.op(quick=False)
def dilated(case: Case) -> Call:
    """3×3 filters with dilation 2 over an n×n image of 3584/n channels, as many channels out."""
    return convolution(case, same(case), dilation=2)


@suite.op
def grouped(case: Case) -> Call:
    """3×3 filters in 32 groups over an n×n image of 7168/n channels, as in ResNeXt-50."""
    return convolution(case, wide(case, groups=32))


@suite.op
def depthwise(case: Case) -> Call:
    """One 3×3 filter for each of the 7168/n channels of an n×n image, as in MobileNet."""
    return convolution(case, wide(case))


def meetings(n: int, side: int, stride: int, dilation: int) -> int:
    """How often a weight meets the image, not the padding, along one dimension."""
    offsets = [dilation * (tap - side // 2) for tap in range(side)]
    return sum(0 <= place + offset < n for place in range(0, n, stride) for offset in offsets)


def work(case: Case, shapes: list[Shape], stride: int = 1, dilation: int = 1) -> Work:
    """2 FLOP per weight that meets the image, of 3×3 a quarter; image and filters read once.

    By Winograd's F(4×4, 3×3), which cuDNN has, 16 results take 36 multiplications, not 144. No FLOP
    for float32 on a GPU: torch lets cuDNN compute in TF32, which has another roof.
    """
    (batch, _, _, n), (outputs, width, side, _) = shapes
    share = 4 if side == WINOGRAD and stride == dilation == 1 else 1
    count = batch * outputs * width * meetings(n, side, stride, dilation) ** 2
    is_tf32 = case.device != "cpu" and case.dtype_name == "float32"
    written = batch * outputs * (-(-n // stride)) ** 2 * case.itemsize
    read = sum(map(prod, shapes)) * case.itemsize
    return Work(flop=0 if is_tf32 else 2 * count // share, read_bytes=read, written_bytes=written)


conv2d_3x3.work(lambda case: work(case, same(case)))
conv2d_1x1.work(lambda case: work(case, same(case, side=1)))
strided.work(lambda case: work(case, same(case), stride=2))
dilated.work(lambda case: work(case, same(case), dilation=2))
grouped.work(lambda case: work(case, wide(case, groups=32)))
depthwise.work(lambda case: work(case, wide(case)))


def convolved(x: Any, weight: Any, _: None, *move: int) -> Any:
    """Each filter times what it sees, by NumPy."""
    stride, padding, dilation, groups = move
    padded = np.pad(x.numpy(), [(0, 0)] * 2 + [(padding, padding)] * 2)
    reach = dilation * (weight.shape[-1] - 1) + 1
    seen = sliding_window_view(padded, (reach, reach), (2, 3))[:, :, ::stride, ::stride]
    taps = seen[..., ::dilation, ::dilation].transpose(0, 1, 4, 5, 2, 3)
    columns = taps.reshape(len(x), groups, -1, prod(taps.shape[4:]))
    filters = weight.numpy().reshape(groups, len(weight) // groups, -1)
    return (filters @ columns).reshape(len(x), -1, *taps.shape[4:])


for op in (conv2d_3x3, conv2d_1x1, strided, dilated, grouped, depthwise):
    op.reference(atol=TF32_ERROR)(convolved)
