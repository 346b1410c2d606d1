"""Gradients of small formulas: one step, chains, two steps. Run it: bench run autograd

What does building and walking a graph cost for a formula whose arithmetic is next to nothing?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import Axis, Call, Case, Suite, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

# The formulas are those of the course, for n values at once; backward begins at their sum, since it needs
# a single number. With n=1 nearly all of the time is the graph's, not the arithmetic's.
suite = Suite(
    "autograd",
    axes=[
        # n is the number of elements of a vector: from one to 2 million, 16 MB in float64.
        Axis("n", [8**k for k in range(8)], quick=[1]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)


def n_values(flop: int, *, inputs: int = 1) -> Callable[[Case], Work]:
    """So many FLOP per element; each input is read, and a gradient or value of its size written."""

    def work(case: Case) -> Work:
        size = inputs * case["n"] * case.itemsize
        return Work(flop=flop * case["n"], read_bytes=size, written_bytes=size)

    return work


def cubic(x: torch.Tensor) -> torch.Tensor:
    """A polynomial that is 0 at 3, 4 and 6; its slope is 31 at 1 and 14 at 2."""
    return (x - 3) * (x - 6) * (x - 4)


def x_y_z(x: torch.Tensor) -> torch.Tensor:
    """Two nodes after x; the slope of the last is 15 at 1."""
    y = x**3
    return 5 * y - 4


def backward(y: torch.Tensor) -> None:
    """Add the gradients of the sum of y to those that the inputs have."""
    y.sum().backward()  # type: ignore[no-untyped-call]


def step(x: torch.Tensor, formula: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor | None:
    """Forward and backward; returns the gradient."""
    x.grad = None
    backward(formula(x))
    return x.grad


@suite.op
def polynomial(case: Case) -> Call:
    """Forward and backward of (x-3)(x-6)(x-4) for x of n."""
    return Call(step, case.rand(case["n"]).requires_grad_(), cubic)


polynomial.reference(lambda x, _: np.polyval([3, -26, 54], x.numpy()))


@suite.op
def chain(case: Case) -> Call:
    """Forward and backward of x → y → z for x of n, where y = x³ and z = 5y - 4."""
    return Call(step, case.rand(case["n"]).requires_grad_(), x_y_z)


chain.reference(lambda x, _: 15 * x.numpy() ** 2)


def four_nodes_step(x11: torch.Tensor, x21: torch.Tensor) -> list[torch.Tensor | None]:
    """Forward and backward; returns the gradients, which are 44 and -6 at 2 and 3."""
    x11.grad = x21.grad = None
    x12 = 5 * x11 - 3 * x21
    x22 = 2 * x11**2 + 2 * x21
    backward(4 * x12 + 3 * x22)
    return [x11.grad, x21.grad]


@suite.op(quick=False)
def four_nodes(case: Case) -> Call:
    """Forward and backward of a network: two inputs of n, two nodes that use both, and an output."""
    n = case["n"]
    return Call(four_nodes_step, case.rand(n).requires_grad_(), case.rand(n).requires_grad_())


four_nodes.reference(lambda a, b: [20 + 12 * a.numpy(), np.full(len(b), -6)])


def two_steps(x: torch.Tensor, *, zeroed: bool) -> torch.Tensor | None:
    """Forward and backward, twice; at 2 the gradient is 24, or 12 where the first was dropped."""
    x.grad = None
    backward(x * x * 3)
    if zeroed:
        x.grad = None
    backward(x * x * 3)
    return x.grad


@suite.op(quick=False)
def accumulate(case: Case) -> Call:
    """3x² for x of n, forward and backward twice: the second gradient is added to the first."""
    return Call(two_steps, case.rand(case["n"]).requires_grad_(), zeroed=False)


@suite.op(quick=False)
def zeroed(case: Case) -> Call:
    """3x² for x of n, forward and backward twice: the first gradient is dropped, x.grad = None."""
    return Call(two_steps, case.rand(case["n"]).requires_grad_(), zeroed=True)


accumulate.reference(lambda x, **_: 12 * x.numpy())
zeroed.reference(lambda x, **_: 6 * x.numpy())


def twice_back(x: torch.Tensor) -> torch.Tensor | None:
    """Forward once and backward twice; at 2 the gradient is 24."""
    x.grad = None
    y = (x * x * 3).sum()
    y.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    y.backward()  # type: ignore[no-untyped-call]
    return x.grad


@suite.op(quick=False)
def retain_graph(case: Case) -> Call:
    """3x² for x of n, forward once and backward twice, which retain_graph=True makes possible."""
    return Call(twice_back, case.rand(case["n"]).requires_grad_())


retain_graph.reference(lambda x: 12 * x.numpy())


# FLOP per element.
polynomial.work(n_values(5 + 1 + 6))  # the polynomial, the sum, the product rule
chain.work(n_values(4 + 1 + 3))  # x³ and 5y - 4, the sum, 15x²
four_nodes.work(n_values(10 + 1 + 2, inputs=2))  # the three nodes, the sum, 20 + 12 x11
accumulate.work(n_values(2 * (2 + 1 + 1) + 1))  # twice 3x², the sum and 6x; adding up
zeroed.work(n_values(2 * (2 + 1 + 1)))  # twice 3x², the sum and 6x
retain_graph.work(n_values(2 + 1 + 2 * 1 + 1))  # 3x², the sum, twice 6x; adding up
