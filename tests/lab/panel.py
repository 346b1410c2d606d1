"""Thirteen CPU cases on which measuring tools are compared: a suite for ours, callables for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from bench import Call, Case, Suite

if TYPE_CHECKING:
    from collections.abc import Callable

    Tensors = Callable[..., Any]
    """Makes a tensor of normal random numbers: `torch.randn`, or a case's own."""


def cube_step(v: torch.Tensor) -> torch.Tensor | None:
    """Forward and backward through sum(v³); returns the gradient of v."""
    v.grad = None
    (v**3).sum().backward()  # type: ignore[no-untyped-call]
    return v.grad


def _two(function: Callable[..., Any], n: int) -> Callable[[Tensors], Call]:
    return lambda randn: Call(function, randn(n, n), randn(n, n))


def _joined(n: int) -> Callable[[Tensors], Call]:
    return lambda randn: Call(torch.cat, [randn(n, n) for _ in range(3)], 1)


MAKERS: dict[str, Callable[[Tensors], Call]] = {
    "view_15": lambda randn: Call(torch.Tensor.view, randn(15), 5, 3),
    **{f"mul_{n}": _two(torch.mul, n) for n in (1, 64, 512, 1024)},
    **{f"matmul_{n}": _two(torch.matmul, n) for n in (64, 256, 1024)},
    **{f"cat_{n}": _joined(n) for n in (4, 512)},
    "zeros_1024": lambda _: Call(torch.zeros, 1024, 1024),
    "rand_512": lambda _: Call(torch.rand, 512, 512),
    "backward_4096": lambda randn: Call(cube_step, randn(4096).requires_grad_()),
}

suite = Suite("panel")


def _declare(name: str, make: Callable[[Tensors], Call]) -> None:
    def op(case: Case) -> Call:
        return make(case.randn)

    op.__name__ = name
    suite.op(op)


for _name, _make in MAKERS.items():
    _declare(_name, _make)


def callables() -> dict[str, Call]:
    """Name → something to call without arguments, with inputs that torch seeds."""
    torch.manual_seed(0)
    return {name: make(torch.randn) for name, make in MAKERS.items()}
