"""Backward by itself: gradients returned, or written into the inputs. Run it: bench run gradient

What does a backward pass cost by itself, and what does adding up gradients cost?
"""

from __future__ import annotations

import torch

from bench import Axis, Call, Case, Skip, Suite, Work

OF = {"first": slice(0, 1), "second": slice(1, 2), "both": slice(0, 2)}
LARGEST_HALF_ON_CPU = 256
HALF_IS_SLOW = (
    "torch multiplies float16 matrices on the CPU without a fast kernel: seconds per call"
)

suite = Suite(
    "gradient",
    axes=[
        # n is the side of a square matrix: from one element to 32 MB in float64.
        Axis("n", [1, 4, 16, 64, 256, 1024, 2048], quick=[16, 256]),
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


def gradients(
    result: torch.Tensor, inputs: tuple[torch.Tensor, ...], wanted: slice, slope: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Backward alone, gradients returned; the graph that the forward left is kept for the next call."""
    return torch.autograd.grad(result, inputs[wanted], slope, retain_graph=True)


@suite.op(axes=[Axis("of", OF, quick=["both"])])
def matmul(case: Case) -> Call:
    """Backward alone of n×n times n×n, for the gradient of the first factor, the second, or both."""
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    factors = case.randn(n, n).requires_grad_(), case.randn(n, n).requires_grad_()
    return Call(gradients, factors[0] @ factors[1], factors, case["of"], case.randn(n, n))


@matmul.work
def matmul_work(case: Case) -> Work:
    """Per gradient 2n³ FLOP, a factor read and the gradient written; the slope is read once."""
    n, size, gradients = case["n"], case.itemsize, len(range(2)[case["of"]])
    read, written = (1 + gradients) * n * n * size, gradients * n * n * size
    return Work(flop=2 * n**3 * gradients, read_bytes=read, written_bytes=written)


def backward_into(
    result: torch.Tensor, inputs: tuple[torch.Tensor, ...], grads: str, slope: torch.Tensor
) -> list[torch.Tensor | None]:
    """Backward alone, into the inputs' own gradients; the graph is kept for the next call."""
    if grads == "fresh":
        for one in inputs:
            one.grad = None
    result.backward(slope, retain_graph=True)  # type: ignore[no-untyped-call]
    return [one.grad for one in inputs]


@suite.op(axes=[grads], quick=False)
def matmul_backward(case: Case) -> Call:
    """Backward alone of n×n times n×n by .backward(), into the gradients of both factors.

    The slope is small, so that gradients that add up over many calls stay finite in every dtype.
    """
    if too_slow(case):
        raise Skip(HALF_IS_SLOW)
    n = case["n"]
    factors = case.randn(n, n).requires_grad_(), case.randn(n, n).requires_grad_()
    slope = case.randn(n, n) / n**0.5
    return Call(backward_into, factors[0] @ factors[1], factors, case["grads"], slope)


@matmul_backward.work
def matmul_backward_work(case: Case) -> Work:
    """Two products of 2n³ FLOP; both factors and the slope read, both gradients written."""
    n, size = case["n"], case.itemsize
    return Work(flop=4 * n**3, read_bytes=3 * n * n * size, written_bytes=2 * n * n * size)


@matmul.reference
@matmul_backward.reference
def matmul_reference(
    _: torch.Tensor, factors: tuple[torch.Tensor, ...], how: slice | str, slope: torch.Tensor
) -> object:
    """The slope times the other factor, transposed, by NumPy; on the first call nothing is added."""
    a, b = (factor.numpy() for factor in factors)
    both = [slope.numpy() @ b.T, a.T @ slope.numpy()]
    return both[how] if isinstance(how, slice) else both


@suite.op(quick=False)
def cube_grad(case: Case) -> Call:
    """Backward alone of x³ for x of n×n by torch.autograd.grad: the gradient is returned."""
    n = case["n"]
    x = case.rand(n, n).requires_grad_()
    return Call(gradients, x**3, (x,), slice(0, 1), case.randn(n, n))


@suite.op(axes=[grads])
def cube_backward(case: Case) -> Call:
    """Backward alone of x³ for x of n×n by .backward(), into the gradient of x.

    x and the slope are in [0, 1), so that gradients that add up stay finite in every dtype.
    """
    n = case["n"]
    x = case.rand(n, n).requires_grad_()
    return Call(backward_into, x**3, (x,), case["grads"], case.rand(n, n))


@cube_grad.work
@cube_backward.work
def cube_alone_work(case: Case) -> Work:
    """Per element three FLOP for 3x² times the slope; x and the slope read, the gradient written."""
    elements, size = case["n"] ** 2, case.itemsize
    return Work(flop=3 * elements, read_bytes=2 * elements * size, written_bytes=elements * size)


@cube_grad.reference
@cube_backward.reference
def cube_alone_reference(
    _: torch.Tensor, inputs: tuple[torch.Tensor, ...], __: object, slope: torch.Tensor
) -> object:
    """The derivative 3x² times the slope, by NumPy; on the first call nothing is added."""
    return [3 * inputs[0].numpy() ** 2 * slope.numpy()]
