"""Sixty cheap CPU cases, none of which takes long to build or to call: what measuring itself costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bench import Axis, Call, Suite

if TYPE_CHECKING:
    from bench import Case

SIZES = (*range(1, 11), 16, 24, 32, 48, 64)

suite = Suite("cheap", axes=[Axis("n", SIZES)])


@suite.op
def transpose(case: Case) -> Call:
    """A view: no arithmetic."""
    n = case["n"]
    return Call(torch.t, case.randn(n, n))


@suite.op
def mul(case: Case) -> Call:
    """Element by element."""
    n = case["n"]
    return Call(torch.mul, case.randn(n, n), case.randn(n, n))


@suite.op
def matmul(case: Case) -> Call:
    """A small product."""
    n = case["n"]
    return Call(torch.matmul, case.randn(n, n), case.randn(n, n))


@suite.op
def cat(case: Case) -> Call:
    """Three small matrices side by side."""
    n = case["n"]
    return Call(torch.cat, [case.randn(n, n) for _ in range(3)], 1)


transpose.reference(lambda a: a.numpy().T)
mul.reference(lambda a, b: a.numpy() * b.numpy())
matmul.reference(lambda a, b: a.numpy() @ b.numpy())


@cat.reference
def cat_reference(parts: list[torch.Tensor], axis: int) -> torch.Tensor:
    """The same, in float64."""
    return torch.cat(parts, axis)
