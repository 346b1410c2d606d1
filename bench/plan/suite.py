"""Suites: the axes and ops that a suite file declares. Declarations only; nothing here runs an op or imports torch.

A suite is data plus small functions; the plan expands it and a worker, elsewhere, calls it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, overload

from bench.errors import SuiteError, hint, shown
from bench.plan.case import DEFAULT_DTYPE, DTYPES, Case, Tolerance, dtype_name, itemsize_bytes
from bench.plan.case_id import case_id, written
from bench.plan.label import UNSAFE, label, value_like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.plan.case import Call, Work

_NAME = re.compile(r"[^\W\d][\w.-]{,99}")
_NAMED = 'Axis({!r}, {{"NAME": value, …}})'
"""How a suite gives values labels of its own."""


def _check_name(what: str, name: str) -> None:
    """Accept a name that stands in ids and on command lines as it is."""
    if not _NAME.fullmatch(name):
        message = f"{shown(name)} can't name {what}; use letters, digits, _, - and . (at most 100)"
        raise SuiteError(message)


def _unique(kind: str, owner: str, what: str, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a mapping; two under one name would be one lost without a word."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            message = f"{kind} {owner!r} has two {what} called {shown(name)}; name them apart"
            how = f": {_NAMED.format(owner)}" if kind == "axis" else ""
            raise SuiteError(message + how)
        found[name] = value
    return found


@dataclass(frozen=True, slots=True, init=False)
class Axis:
    """One dimension of the grid: a name and its values, in order; `quick` is the short list.

    Values may be anything: each has a label (`bench/plan/label.py`), or the one that a mapping from labels gives it.
    """

    name: str
    choices: Mapping[str, Any]
    quick: tuple[str, ...]

    def __init__(
        self,
        name: str,
        values: Iterable[Any] | Mapping[str, Any],
        *,
        quick: Sequence[Any] | None = None,
    ) -> None:
        _check_name("an axis", name)
        named = values.items() if hasattr(values, "items") else ((v, v) for v in values)
        choices = _unique("axis", name, "values", ((label(text), v) for text, v in named))
        if not choices:
            message = f"axis {name!r} has no values"
            raise SuiteError(message)
        for text in choices:
            if UNSAFE.search(text):
                message = f"axis {name!r}: {shown(text)} holds a control character; name it: "
                raise SuiteError(message + _NAMED.format(name))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "choices", MappingProxyType(choices))
        short = choices if quick is None else (self.label(label(v)) for v in quick)
        object.__setattr__(self, "quick", tuple(short))

    def value(self, text: str) -> Any:
        """The value a label stands for; a number or a shape need not be on the axis.

        Raises:
            SuiteError: it is neither on the axis nor of the kind of its values.
        """
        known = self._listed(text)
        if known is not None:
            return self.choices[known]
        try:
            return value_like(text, self.choices.values())
        except ValueError as error:
            message = f"axis {self.name!r} can't be {shown(text)}; {hint(text, map(written, self.choices))}"
            raise SuiteError(message) from error

    def label(self, text: str) -> str:
        """The one spelling of a label, so that ids join: `064` → `64`, or the name that the axis gives to 64.

        Raises:
            SuiteError: as for `value`.
        """
        own = label(self.value(text))
        return self._listed(text) or self._listed(own) or own

    def _listed(self, text: str) -> str | None:
        """The label on the axis that this is, or whose value has this as its own label."""
        if text in self.choices:
            return text
        return next((name for name, v in self.choices.items() if label(v) == text), None)


@dataclass(slots=True, eq=False)
class Op:
    """An op of a suite: how to build its call, and, if declared, its work and its reference."""

    name: str
    build: Callable[[Case], Call]
    axes: Mapping[str, Axis]
    work_of: Callable[[Case], Work] | None = None
    reference_of: Callable[..., Any] | None = None
    check_of: Callable[..., Any] | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    in_place: bool = False
    """Whether it writes to its inputs on purpose, and is as good a measurement on what a call left."""
    version: str | None = None
    """What its fingerprint is made of in place of its code, where that was asked for."""
    quick: bool = True
    """Whether it is measured where neither it nor its suite is named and only a look is wanted."""

    def work(self, function: Callable[[Case], Work]) -> Callable[[Case], Work]:
        """Declare what one call has to do: `@my_op.work`."""
        self.work_of = function
        return function

    @overload
    def reference(self, function: Callable[..., Any], /) -> Callable[..., Any]: ...
    @overload
    def reference(
        self, /, *, rtol: float | None = None, atol: float | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...

    def reference(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> Callable[..., Any]:
        """Declare what the result must equal: `@my_op.reference`, or how nearly: `@my_op.reference(rtol=1e-3)`.

        Args:
            function: of the arguments, as float64 CPU tensors; gives the expected result.
            rtol: the error allowed, as a share of the largest expected value; what the dtypes allow if not given.
            atol: the error allowed beside that, in the result's own units.

        Raises:
            SuiteError: a tolerance is no number, or negative.
        """
        stated: dict[str, Any] = {"rtol": rtol, "atol": atol}
        for name, value in stated.items():
            if value is not None and not (isinstance(value, (int, float)) and value >= 0):
                message = f"op {self.name!r}: {name}={value!r} is no error to allow; write 0 or a positive number"
                raise SuiteError(message)
        self.tolerance = Tolerance(rtol=rtol, atol=atol)

        def add(reference: Callable[..., Any]) -> Callable[..., Any]:
            self.reference_of = reference
            return reference

        return add if function is None else add(function)

    def check(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Declare a property of the result: `@my_op.check` on a function of the inputs and, last, the result.

        It returns True; else False, the reason in words, or an error as a share, to be compared with what the
        dtypes allow, or with the share allowed that is returned beside it. A parameter named `tolerance` is
        given what the dtypes allow.
        """
        self.check_of = function
        return function

    @property
    def summary(self) -> str:
        """The first line of the op's docstring."""
        return (self.build.__doc__ or "").strip().partition("\n")[0]

    def __call__(self, *_: object) -> NoReturn:
        """Refuse: an op is planned and measured, not called."""
        message = f"op {self.name!r} is not called directly; run it with: bench run -k {self.name}"
        raise SuiteError(message)


@dataclass(slots=True, init=False, eq=False)
class Suite:
    """A named set of ops that share axes. `axes` of an op add to these or replace them by name."""

    name: str
    axes: Mapping[str, Axis]
    ops: dict[str, Op]

    def __init__(self, name: str, axes: Iterable[Axis] = ()) -> None:
        _check_name("a suite", name)
        self.name = name
        self.axes = _unique("suite", name, "axes", ((axis.name, axis) for axis in axes))
        self.ops = {}

    @overload
    def op(self, build: Callable[[Case], Call], /) -> Op: ...
    @overload
    def op(
        self,
        /,
        *,
        axes: Iterable[Axis] = (),
        without: Iterable[str] = (),
        in_place: bool = False,
        version: str | None = None,
        quick: bool = True,
    ) -> Callable[[Callable[[Case], Call]], Op]: ...

    def op(
        self,
        build: Callable[[Case], Call] | None = None,
        /,
        *,
        axes: Iterable[Axis] = (),
        without: Iterable[str] = (),
        in_place: bool = False,
        version: str | None = None,
        quick: bool = True,
    ) -> Op | Callable[[Callable[[Case], Call]], Op]:
        """Add an op: `@suite.op`, or `@suite.op(axes=[…], without=["dtype"])` for a grid of its own.

        `in_place=True` says that it writes to its inputs on purpose, so that this is no warning.
        `version="2"` says by hand which code is the same: with an equal version, results go on from
        earlier ones whatever was edited; with another, they begin anew.
        `quick=False` leaves it out of the quick preset, unless its suite, it or a keyword is named.
        """

        def add(function: Callable[[Case], Call]) -> Op:
            name = function.__name__
            _check_name("an op", name)
            if name in self.ops:
                message = f"suite {self.name!r} has two ops called {name!r}"
                raise SuiteError(message)
            own = _unique("op", name, "axes", ((axis.name, axis) for axis in axes))
            dropped = set(without)
            for unknown in sorted(dropped - set(self.axes)):
                message = f"op {name!r} is without {unknown!r}, which suite {self.name!r} lacks; "
                raise SuiteError(message + hint(unknown, self.axes))
            kept = {k: a for k, a in self.axes.items() if k not in dropped}
            self.ops[name] = Op(
                name,
                function,
                {**kept, **own},
                in_place=in_place,
                version=None if version is None else str(version),
                quick=quick,
            )
            return self.ops[name]

        return add if build is None else add(build)


def make_case(suite: Suite, op: Op, labels: Mapping[str, str], device: str) -> Case:
    """The case that these labels stand for, without inputs (see `with_inputs`)."""
    values = {name: axis.value(labels[name]) for name, axis in op.axes.items()}
    dtype = dtype_name(values.get("dtype", DEFAULT_DTYPE))
    if itemsize_bytes(dtype) is None:
        message = f"{suite.name}/{op.name}: unknown dtype {dtype!r}; {hint(dtype, DTYPES)}"
        raise SuiteError(message)
    identity = case_id(suite.name, op.name, labels)
    return Case(id=identity, values=values, device=device, dtype_name=dtype)
