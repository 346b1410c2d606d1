"""Pooling: the largest or the mean of neighbours. Run it: bench run pooling

What does pooling cost, and does channels_last pay there?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch.nn import functional

from bench import Axis, Call, Case, Skip, Suite, Work

NO_BFLOAT16 = "torch has no bfloat16 kernel of this op for the CPU"
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

suite = Suite(
    "pooling",
    axes=[
        # n is the side of an image of 64 channels, as what ResNet-50 pools at 112.
        Axis("n", [4, 16, 64, 256], quick=[64]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("memory_format", FORMATS),  # of the image, which is converted before
    ],
)


def image(case: Case, side: int) -> Any:
    """An image of 64 channels."""
    return case.randn(1, 64, side, side).to(memory_format=case["memory_format"])


@suite.op
def max_pool2d(case: Case) -> Call:
    """The largest of 3×3 pixels with stride 2, of an n×n image of 64 channels, as in ResNet-50."""
    return Call(functional.max_pool2d, image(case, case["n"]), 3, 2, 1)


@suite.op(quick=False)
def max_pool2d_backward(case: Case) -> Call:
    """Backward alone of max_pool2d by 3×3 with stride 2: the gradient of an n×n image of 64 channels."""
    x = image(case, case["n"]).requires_grad_()
    result = functional.max_pool2d(x, 3, 2, 1)
    return Call(torch.autograd.grad, result, x, image(case, result.shape[-1]), retain_graph=True)


@suite.op(quick=False)
def avg_pool2d(case: Case) -> Call:
    """The mean of 2×2 pixels with stride 2, of an n×n image of 64 channels."""
    return Call(functional.avg_pool2d, image(case, case["n"]), 2)


@suite.op(quick=False)
def lp_pool2d(case: Case) -> Call:
    """The root of the sum of squares of 2×2 pixels with stride 2, of an n×n image of 64 channels."""
    return Call(functional.lp_pool2d, image(case, case["n"]), 2, 2)


@suite.op(axes=[Axis("side", [1, 7], quick=[1])])
def adaptive_avg_pool2d(case: Case) -> Call:
    """Means of an n×n image of 64 channels: of all pixels (global pooling), or of 7×7 parts."""
    return Call(functional.adaptive_avg_pool2d, image(case, case["n"]), case["side"])


@suite.op(
    axes=[Axis("n", [16, 256, 4096, 65536], quick=[256])], without=["memory_format"], quick=False
)
def max_pool1d(case: Case) -> Call:
    """The larger of each two neighbours in n steps of 64 channels."""
    return Call(functional.max_pool1d, case.randn(1, 64, case["n"]), 2)


@suite.op(axes=[Axis("n", [4, 16, 64], quick=[16])], without=["memory_format"], quick=False)
def avg_pool3d(case: Case) -> Call:
    """The mean of 2×2×2 elements with stride 2, of a volume of n×n×n, 16 channels."""
    if case.device == "cpu" and case["dtype"] == "bfloat16":
        raise Skip(NO_BFLOAT16)
    return Call(functional.avg_pool3d, case.randn(1, 16, *[case["n"]] * 3), 2)


def work(counts: Any, case: Case) -> Work:
    """Elements read and written, of an n that is even, as bytes."""
    read, written = counts(case["n"])
    return Work(read_bytes=read * case.itemsize, written_bytes=written * case.itemsize)


# All elements read, a share of them written. Backward it is the other way round; it must know as well
# where the largest were, which torch keeps as it likes.
ELEMENTS = {
    **dict.fromkeys([max_pool2d, avg_pool2d, lp_pool2d], lambda n: (64 * n * n, 16 * n * n)),
    max_pool2d_backward: lambda n: (16 * n * n, 64 * n * n),
    max_pool1d: lambda n: (64 * n, 32 * n),
    avg_pool3d: lambda n: (16 * n**3, 2 * n**3),
}
for op, counts in ELEMENTS.items():
    op.work(partial(work, counts))
adaptive_avg_pool2d.work(lambda case: work(lambda n: (64 * n * n, 64 * case["side"] ** 2), case))


def windows(x: Any, side: int, stride: int, padding: int = 0) -> Any:
    """The elements that each result is made of, as the last axis; beyond the edge is less than all."""
    dims = x.ndim - 2
    edges = [(0, 0)] * 2 + [(padding, padding)] * dims
    padded = np.pad(x.numpy(), edges, constant_values=-np.inf)
    seen: Any = sliding_window_view(padded, (side,) * dims, tuple(range(2, x.ndim)))
    chosen = seen[(slice(None), slice(None), *[slice(None, None, stride)] * dims)]
    return chosen.reshape(*chosen.shape[: x.ndim], -1)


def backward_reference(_: Any, x: Any, slope: Any, **__: bool) -> Any:
    """Each slope goes to the first of the largest in its window, by NumPy."""
    n, first = x.shape[-1], windows(x, 3, 2, 1).argmax(-1)
    padded = np.zeros((1, 64, n + 2, n + 2))
    for tap in range(9):
        row, column = divmod(tap, 3)
        met = padded[:, :, row : row + n : 2, column : column + n : 2]
        met += slope.numpy() * (first == tap)
    return [padded[:, :, 1:-1, 1:-1]]


def adaptive_reference(x: Any, side: int) -> Any:
    """Parts begin at the whole number below i n/side, and end at that above (i + 1) n/side."""
    n = x.shape[-1]
    ends = [(i * n // side, -(-(i + 1) * n // side)) for i in range(side)]
    rows = np.stack([x.numpy()[..., a:b, :].mean(-2) for a, b in ends], -2)
    return np.stack([rows[..., a:b].mean(-1) for a, b in ends], -1)


max_pool2d.reference(lambda x, *how: windows(x, *how).max(-1))
max_pool1d.reference(lambda x, side: windows(x, side, side).max(-1))
avg_pool2d.reference(lambda x, side: windows(x, side, side).mean(-1))
avg_pool3d.reference(lambda x, side: windows(x, side, side).mean(-1))
lp_pool2d.reference(lambda x, _, side: (windows(x, side, side) ** 2).sum(-1) ** 0.5)
max_pool2d_backward.reference(backward_reference)
adaptive_avg_pool2d.reference(adaptive_reference)
