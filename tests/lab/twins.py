"""Ops beside twins of themselves that take longer by a stated share: a busy wait after each call."""

from __future__ import annotations

import os
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import torch

from bench import Axis, Call, Suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench import Case

SHARE = "BENCH_LAB_TWIN_SHARE"
"""The variable that says by how much the twins take longer."""

suite = Suite("twins", axes=[Axis("n", [128, 256, 512])])


class Longer:
    """The call, and then a wait in proportion to what it has just taken."""

    def __init__(self, function: Callable[..., Any], share: float) -> None:
        self._function = function
        self._share = share

    def __call__(self, *args: Any) -> Any:
        """Make the call and wait, by the clock."""
        began = perf_counter_ns()
        result = self._function(*args)
        now = perf_counter_ns()
        end = now + (now - began) * self._share
        while now < end:
            now = perf_counter_ns()
        return result


def _share() -> float:
    return float(os.environ.get(SHARE, "0.05"))


@suite.op
def mul(case: Case) -> Call:
    """Element by element, with a wait of no length."""
    n = case["n"]
    return Call(Longer(torch.mul, 0.0), case.randn(n, n), case.randn(n, n))


@suite.op
def mul_longer(case: Case) -> Call:
    """The same, and a wait."""
    n = case["n"]
    return Call(Longer(torch.mul, _share()), case.randn(n, n), case.randn(n, n))


@suite.op
def matmul(case: Case) -> Call:
    """A product, with a wait of no length."""
    n = case["n"]
    return Call(Longer(torch.matmul, 0.0), case.randn(n, n), case.randn(n, n))


@suite.op
def matmul_longer(case: Case) -> Call:
    """The same, and a wait."""
    n = case["n"]
    return Call(Longer(torch.matmul, _share()), case.randn(n, n), case.randn(n, n))
