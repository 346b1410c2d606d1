"""What the tests of the course share: a shipped op's function, given a text's own values."""

from __future__ import annotations

from functools import cache
from typing import Any

from bench.plan.case import with_inputs
from bench.plan.discover import load_all
from bench.plan.suite import Suite, make_case
from bench.worker.inputs import TensorInputs


@cache
def suites() -> dict[str, Suite]:
    """The shipped suites by name."""
    return {one.suite.name: one.suite for one in load_all([])}


def timed(name: str, *args: Any, **labels: str) -> Any:
    """What the op times, with these arguments in place of its own first ones; its keywords stay.

    `name` is `suite/op`. Labels not given are the first of their axes.
    """
    suite_name, _, op_name = name.partition("/")
    suite = suites()[suite_name]
    op = suite.ops[op_name]
    first = {axis.name: next(iter(axis.choices)) for axis in op.axes.values()}
    plain = make_case(suite, op, {**first, **labels}, "cpu")
    call = op.build(with_inputs(plain, TensorInputs(plain.id, "cpu", plain.dtype_name)))
    return call.function(*args, *call.args[len(args) :], **call.kwargs)
