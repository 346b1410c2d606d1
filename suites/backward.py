"""Forward and backward together, through a formula and a network. Run it: bench run backward

How much does a backward pass add to a forward pass?
"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Skip, Suite, Work

SAMPLES = 64
LARGEST_HALF_ON_CPU = 256
HALF_IS_SLOW = (
    "torch multiplies float16 matrices on the CPU without a fast kernel: seconds per call"
)

suite = Suite(
    "backward",
    axes=[
        # n is the side of a square matrix: from one element to 32 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 2048], quick=[16, 256, 1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)
# fresh: the old gradient is dropped first, as zero_grad() does. accumulate: it is added to.
# A sum in float16 stops growing where a gradient is half a step of it. Below 16 that is before 65504.
grads = Axis("grads", ["fresh", "accumulate"], quick=["fresh"])


def too_slow(case: Case) -> bool:
    """Whether one call would take seconds."""
    is_half_on_cpu = case.device == "cpu" and case["dtype"] == "float16"
    return is_half_on_cpu and case["n"] > LARGEST_HALF_ON_CPU


def cube_step(x: torch.Tensor, grads: str) -> torch.Tensor | None:
    """Forward and backward through sum(x³); returns the gradient of x."""
    if grads == "fresh":
        x.grad = None
    (x**3).sum().backward()  # type: ignore[no-untyped-call]
    return x.grad


@suite.op(axes=[grads])
def cube(case: Case) -> Call:
    """Forward and backward of sum(x³) for x of n×n.

    x is in [0, 1), so that gradients that add up over many calls stay finite in every dtype.
    """
    n = case["n"]
    return Call(cube_step, case.rand(n, n).requires_grad_(), case["grads"])


@cube.work
def cube_work(case: Case) -> Work:
    """Per element two FLOP for x³, one for the sum, two for 3x²; x read, its gradient written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(flop=5 * elements, read_bytes=elements * size, written_bytes=elements * size)


@cube.reference
def cube_reference(x: torch.Tensor, _: str) -> object:
    """The derivative 3x², by NumPy; on the first call there is nothing to add it to."""
    return 3 * x.numpy() ** 2


def network_step(
    x: torch.Tensor, first: torch.Tensor, second: torch.Tensor, grads: str
) -> list[torch.Tensor | None]:
    """Forward and backward through two layers; returns the gradients of their weights."""
    if grads == "fresh":
        first.grad = second.grad = None
    loss = (torch.tanh(x @ first) @ second).square().sum()
    loss.backward()  # type: ignore[no-untyped-call]
    return [first.grad, second.grad]


@suite.op(axes=[grads], quick=False)
def network(case: Case) -> Call:
    """Forward and backward of sum((tanh(x W) V)²) for 64 samples of n features; W, V are n×n.

    V is small, so that gradients that add up over many calls stay finite in every dtype.
    """
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    first, second = case.randn(n, n) / n**0.5, case.randn(n, n) / n**0.5 / 16
    weights = first.requires_grad_(), second.requires_grad_()
    return Call(network_step, case.randn(SAMPLES, n), *weights, case["grads"])


@network.work
def network_work(case: Case) -> Work:
    """Five products of 2·64·n² FLOP; samples and weights read, gradients of the weights written."""
    n, size = case["n"], case.itemsize
    read, written = (SAMPLES * n + 2 * n * n) * size, 2 * n * n * size
    return Work(flop=5 * 2 * SAMPLES * n * n, read_bytes=read, written_bytes=written)


@network.reference
def network_reference(x: torch.Tensor, first: torch.Tensor, second: torch.Tensor, _: str) -> object:
    """The chain rule by hand, in NumPy."""
    features, w, v = x.numpy(), first.numpy(), second.numpy()
    hidden = np.tanh(features @ w)
    slope = 2 * hidden @ v
    return [features.T @ (slope @ v.T * (1 - hidden**2)), hidden.T @ slope]
