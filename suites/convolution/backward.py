"""Backward of convolutions by itself: gradients of image and filters. Run it: bench run convolution

What do the gradients of convolutions cost, and do those of grouped ones cost more?
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor
from torch.nn.functional import conv2d

from bench import Axis, Call, Case, Suite, Work

Shapes = tuple[tuple[int, ...], tuple[int, ...]]
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
OF = {"input": slice(0, 1), "weight": slice(1, 2), "both": slice(0, 2)}
TF32_ERROR = 0.01  # of results of about 1: on a GPU torch lets cuDNN convolve float32 in TF32

suite = Suite(
    "convolution",
    axes=[
        # n is the side of an image. It has 3584/n channels: ResNet-50's 64 at 56×56 to 512 at 7×7.
        Axis("n", [7, 14, 28, 56], quick=[14]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("memory_format", FORMATS),  # of all that is given, which is converted before
    ],
)


def dense_shapes(case: Case) -> Shapes:
    """As many filters as channels, by ResNet-50's stages."""
    n, channels = case["n"], max(1, 3584 // case["n"])
    return (1, channels, n, n), (channels, channels, 3, 3)


def wide_shapes(case: Case, groups: int | None = None) -> Shapes:
    """Twice as many channels, a multiple of 32: in groups, or each by itself."""
    n, channels = case["n"], 32 * max(1, 224 // case["n"])
    return (1, channels, n, n), (channels, channels // (groups or channels), 3, 3)


def gradients(
    result: Tensor, inputs: tuple[Tensor, ...], wanted: slice, slope: Tensor
) -> tuple[Tensor, ...]:
    """Backward alone, gradients returned; the graph that the forward left is kept for the next call."""
    return torch.autograd.grad(result, inputs[wanted], slope, retain_graph=True)


def backward(case: Case, shapes: Shapes) -> Call:
    """A call on values whose gradients are about 1."""
    order = case["memory_format"]
    x, weight, slope = (case.randn(shape) for shape in (*shapes, shapes[0]))
    x, weight = x / case["n"], weight / prod(weight.shape[1:]) ** 0.5
    x, weight, slope = (one.to(memory_format=order) for one in (x, weight, slope))
    inputs = x.requires_grad_(), weight.requires_grad_()
    result = conv2d(x, weight, padding=1, groups=x.shape[1] // weight.shape[1])
    return Call(gradients, result, inputs, case.values.get("of", OF["both"]), slope)


@suite.op(axes=[Axis("of", OF, quick=["both"])])
def dense_backward(case: Case) -> Call:
    """Backward alone of 3×3 filters over n×n, 3584/n channels, for the gradient of image, filters, or both."""
    return backward(case, dense_shapes(case))


@suite.op(quick=False)
def grouped_backward(case: Case) -> Call:
    """Backward alone of 3×3 filters in 32 groups over n×n, 7168/n channels: both gradients."""
    return backward(case, wide_shapes(case, groups=32))


@suite.op(quick=False)
def depthwise_backward(case: Case) -> Call:
    """Backward alone of one 3×3 filter for each of 7168/n channels of n×n: both gradients."""
    return backward(case, wide_shapes(case))


def work(case: Case, shapes: Shapes) -> Work:
    """Per gradient 2 FLOP per weight that meets the image, of which Winograd saves three quarters.

    Read are the slope and, per gradient, the other input. No FLOP for float32 on a GPU: torch lets
    cuDNN compute in TF32, which has another roof.
    """
    both, wanted = [prod(shape) for shape in shapes], case.values.get("of", OF["both"])
    pairs = prod(shapes[1][:2]) * (3 * case["n"] - 2) ** 2 // 4
    is_tf32 = case.device != "cpu" and case.dtype_name == "float32"
    flop = 0 if is_tf32 else 2 * pairs * len(both[wanted])
    read, written = both[0] + sum(both[::-1][wanted]), sum(both[wanted])
    return Work(flop=flop, read_bytes=read * case.itemsize, written_bytes=written * case.itemsize)


dense_backward.work(lambda case: work(case, dense_shapes(case)))
grouped_backward.work(lambda case: work(case, wide_shapes(case, groups=32)))
depthwise_backward.work(lambda case: work(case, wide_shapes(case)))


def met(image: Any, groups: int) -> Any:
    """What each weight of a 3×3 filter meets, group by group."""
    padded = np.pad(image[0], [(0, 0), (1, 1), (1, 1)])
    seen = sliding_window_view(padded, (3, 3), (1, 2)).transpose(0, 3, 4, 1, 2)
    return seen.reshape(groups, -1, prod(seen.shape[3:]))


@dense_backward.reference(atol=TF32_ERROR)
@grouped_backward.reference(atol=TF32_ERROR)
@depthwise_backward.reference(atol=TF32_ERROR)
def backward_reference(_: Any, inputs: tuple[Any, Any], wanted: slice, slope: Any) -> Any:
    """The slope convolved with the filters turned round; the slope times what each weight meets."""
    x, weight = inputs
    channels, width = weight.shape[:2]
    groups = channels // width
    turned = weight.flip(2, 3).reshape(groups, -1, width, 9).transpose(1, 2)
    of_input = turned.reshape(groups, width, -1).numpy() @ met(slope, groups)
    of_weight = slope.reshape(groups, -1, prod(slope.shape[2:])).numpy() @ met(x, groups).mT
    return [of_input.reshape(x.shape), of_weight.reshape(weight.shape)][wanted]
