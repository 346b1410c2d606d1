"""A forward pass with a graph for gradients and without one. Run it: bench run graph

How much of a small forward pass is the graph that it builds?
"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

# The formula is the course's, for n values at once. With n=1 nearly all of the time is the graph's, not
# the arithmetic's.
suite = Suite(
    "graph",
    axes=[
        # n is the number of elements of a vector: from one to 2 million, 16 MB in float64.
        Axis("n", [8**k for k in range(8)], quick=[1]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)


def cubic(x: torch.Tensor) -> torch.Tensor:
    """A polynomial that is 0 at 3, 4 and 6."""
    return (x - 3) * (x - 6) * (x - 4)


@suite.op
def requires_grad(case: Case) -> Call:
    """Forward of (x-3)(x-6)(x-4) for x of n that requires a gradient: a graph is built, and dropped."""
    return Call(cubic, case.rand(case["n"]).requires_grad_())


def without_graph(x: torch.Tensor) -> torch.Tensor:
    """Forward alone."""
    with torch.no_grad():
        return cubic(x)


@suite.op
def no_grad(case: Case) -> Call:
    """Forward of (x-3)(x-6)(x-4) for the same x within torch.no_grad(): no graph."""
    return Call(without_graph, case.rand(case["n"]).requires_grad_())


@requires_grad.reference
@no_grad.reference
def cubic_by_horner(x: torch.Tensor) -> object:
    """The polynomial multiplied out, by NumPy."""
    return np.polyval([1, -13, 54, -72], x.numpy())


@requires_grad.work
@no_grad.work
def five_per_element(case: Case) -> Work:
    """Three differences and two products per element; x read, as many values written."""
    size = case["n"] * case.itemsize
    return Work(flop=5 * case["n"], read_bytes=size, written_bytes=size)
