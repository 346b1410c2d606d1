"""The cases of `bench selftest`: cheap, on the CPU, and unlike each other. Loaded by path, as a suite."""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Like, Suite

suite = Suite("small")


def cube_step(x: torch.Tensor) -> torch.Tensor | None:
    """Forward and backward through sum(x³); returns the gradient of x."""
    x.grad = None
    (x**3).sum().backward()  # type: ignore[no-untyped-call]
    return x.grad


@suite.op
def view(case: Case) -> Call:
    """A vector of 15 seen as a matrix: no arithmetic, only what a call costs."""
    return Call(torch.Tensor.view, case.randn(15), 5, 3)


view.reference(lambda x, *shape: x.numpy().reshape(shape))


@suite.op
def add(case: Case) -> Call:
    """One number and one number."""
    return Call(torch.add, case.randn(1), case.randn(1))


add.reference(lambda a, b: a.numpy() + b.numpy())


@suite.op(axes=[Axis("n", [64, 512, 1024])])
def mul(case: Case) -> Call:
    """n×n times n×n, element by element: within a core's cache, within all caches, beyond."""
    n = case["n"]
    return Call(torch.mul, case.randn(n, n), case.randn(n, n))


mul.reference(lambda a, b: a.numpy() * b.numpy())


@suite.op(axes=[Axis("n", [64, 256])])
def matmul(case: Case) -> Call:
    """n×n times n×n: the small one waits for threads to meet, the large one computes."""
    n = case["n"]
    return Call(torch.matmul, case.randn(n, n), case.randn(n, n))


matmul.reference(lambda a, b: a.numpy() @ b.numpy())


@suite.op
def cat(case: Case) -> Call:
    """Three matrices side by side."""
    return Call(torch.cat, [case.randn(256, 256) for _ in range(3)], 1)


cat.reference(lambda parts, _: np.concatenate([p.numpy() for p in parts], axis=1))


@suite.op
def zeros(case: Case) -> Call:
    """4 MB of new memory, filled."""
    return Call(torch.zeros, 1024, 1024, device=case.device)


zeros.reference(lambda *shape, **_: np.zeros(shape))


@suite.op
def rand(case: Case) -> Call:
    """A quarter of a million random numbers, in one thread."""
    return Call(torch.rand, 512, 512, device=case.device)


rand.reference(lambda *shape, **_: Like(shape=shape, low=0, high=1, mean=1 / 2, std=12**-0.5))


@suite.op
def backward(case: Case) -> Call:
    """Forward and backward of sum(x³) for a vector of 4,096."""
    return Call(cube_step, case.rand(4096).requires_grad_())


backward.reference(lambda x: 3 * x.numpy() ** 2)
