"""Selection: which cases a user means, and the points of the suites' grids that it chooses."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.errors import SelectionError, SuiteError, hint, shown
from bench.plan.case_id import case_id, written
from bench.plan.filter import Filter
from bench.plan.mode import AXIS, EAGER, MODES, params
from bench.plan.suite import Axis

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.plan.case_id import CaseName
    from bench.plan.discover import LoadedSuite
    from bench.plan.suite import Op

_FEW = 10
"""So many names can be read in an error line."""
_MODE = Axis(AXIS, MODES)
"""The axis that every op has which has none of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The user's choice of cases: devices, filter, values of axes, cases by name.

    Of a suite of which ops or cases are `named`, nothing else is planned. The id of a case, here or in the filter,
    also means a size that is on no list of its op.
    """

    devices: tuple[str, ...] = ("cpu",)
    keyword: str = ""
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    short_axes: bool = True
    named: tuple[CaseName, ...] = ()
    modes: tuple[str, ...] = (EAGER,)
    quick_ops: bool = False
    """Whether only ops that are `quick` are meant, since none and no suite was named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of an op's grid: a label for each of its axes, a mode and a device."""

    suite: LoadedSuite
    op: Op
    labels: Mapping[str, str]
    mode: str
    device: str

    @property
    def identity(self) -> str:
        """The id of its case."""
        return case_id(self.suite.suite.name, self.op.name, params(self.labels, self.mode))


def points(loaded: Sequence[LoadedSuite], selection: Selection) -> Iterator[Point]:
    """The points that names, filter and values choose, suite by suite.

    Raises:
        SelectionError: a setting names an axis that no op has, or a name an op that is not there.
        SuiteError: a value is not possible.
    """
    _check_settings(loaded, selection)
    keyword = Filter(selection.keyword) if selection.keyword.strip() else None
    named = [_resolved(name, loaded) for name in selection.named]
    ids = [*named, *(keyword.ids if keyword else ())]
    for one in loaded:
        wanted = [name for name in named if name.suite == one.suite.name]
        for point in _grid(one, selection, ids):
            labels = {AXIS: point.mode, **point.labels}
            by_name = not wanted or any(name.matches(point.identity, labels) for name in wanted)
            if by_name and (not keyword or keyword.matches(point.identity, labels)):
                yield point


def nothing_chosen(loaded: Sequence[LoadedSuite], selection: Selection) -> str:
    """Why nothing is left; ops whose names are near the words of the filter, or where all are listed."""
    ops = [f"{one.suite.name}/{name}" for one in loaded for name in one.suite.ops]
    names = {*ops, *(op.partition("/")[2] for op in ops)}
    more = f", … ({len(ops)} in all; see bench list)" if len(ops) > _FEW else ""
    near = hint(selection.keyword, names, f"ops: {', '.join(ops[:_FEW])}{more}")
    return f"-k {shown(selection.keyword)} matches none of the cases; {near}"


def _resolved(name: CaseName, loaded: Sequence[LoadedSuite]) -> CaseName:
    """The name with each label as its axis spells it.

    Raises:
        SelectionError: there is no such op.
        SuiteError: it has no such axis, or the axis can't have the value.
    """
    ops = {f"{one.suite.name}/{op.name}": op for one in loaded for op in one.suite.ops.values()}
    if name.op_id not in ops:
        there = [known for known in ops if known.startswith(f"{name.suite}/")]
        message = (
            f"there is no op {name.op_id!r} among what was chosen; {hint(name.op_id, there or ops)}"
        )
        raise SelectionError(message)
    axes = _axes(ops[name.op_id])
    for axis in name.labels:
        if axis not in axes:
            message = f"{name.op_id} has no axis {axis!r}; {hint(axis, ops[name.op_id].axes)}"
            raise SelectionError(message)
    labels = {axis: axes[axis].label(text) for axis, text in name.labels.items()}
    return dataclasses.replace(name, labels=labels)


def _grid(one: LoadedSuite, selection: Selection, ids: Sequence[CaseName]) -> Iterator[Point]:
    """The points of a suite: those of the lists of its axes, then those that ids mean beyond them."""
    for op in one.suite.ops.values():
        if selection.quick_ops and not op.quick:
            continue
        _check_modes(one, op, selection)
        axes = _axes(op)
        lists = [_labels(axis, selection) for axis in axes.values()]
        beyond: dict[tuple[str, ...], None] = {}
        for name in ids:
            if name.op_id == f"{one.suite.name}/{op.name}" and _can_take(axes, name.labels):
                meant = _meaning(selection, name.labels)
                texts = [_labels(axis, meant) for axis in axes.values()]
                beyond |= dict.fromkeys(itertools.product(*texts))
        more = (p for p in beyond if not all(map(operator.contains, lists, p)))
        for texts_of_axes in itertools.chain(itertools.product(*lists), more):
            labels = dict(zip(axes, texts_of_axes, strict=True))
            mode = labels.pop(AXIS) if AXIS not in op.axes else EAGER
            for device in selection.devices:
                yield Point(suite=one, op=op, labels=labels, mode=mode, device=device)


def _axes(op: Op) -> Mapping[str, Axis]:
    """The op's axes, and its mode as one more."""
    return op.axes if AXIS in op.axes else {**op.axes, AXIS: _MODE}


def _check_modes(one: LoadedSuite, op: Op, selection: Selection) -> None:
    """See that modes can be asked for of an op.

    Raises:
        SelectionError: it has an axis of that name.
    """
    if AXIS in op.axes and selection.modes != (EAGER,):
        message = (
            f"--mode: {one.suite.name}/{op.name} has an axis {AXIS!r} of its own; rename the axis"
        )
        raise SelectionError(message)


def _meaning(selection: Selection, labels: Mapping[str, str]) -> Selection:
    """The selection with each axis as the labels have it, where they name it."""
    settings = {**selection.settings, **{axis: (text,) for axis, text in labels.items()}}
    modes = (labels[AXIS],) if AXIS in labels else selection.modes
    return dataclasses.replace(selection, settings=settings, modes=modes)


def _can_take(axes: Mapping[str, Axis], labels: Mapping[str, str]) -> bool:
    return all(name in axes and _possible(axes[name], t) for name, t in labels.items())


def _labels(axis: Axis, selection: Selection) -> tuple[str, ...]:
    wanted = selection.settings.get(axis.name)
    if axis is _MODE:  # what is set may be meant for an axis of this name that another op has
        wanted = tuple(filter(MODES.__contains__, wanted or ())) or selection.modes
    if wanted is None:
        return axis.quick if selection.short_axes else tuple(axis.choices)
    return tuple(dict.fromkeys(axis.label(text) for text in wanted if _possible(axis, text)))


def _possible(axis: Axis, text: str) -> bool:
    """An op whose own axis lacks a value that another op's axis has is left out, not an error."""
    try:
        axis.value(text)
    except SuiteError:
        return False
    return True


def _check_settings(loaded: Sequence[LoadedSuite], selection: Selection) -> None:
    axes = [axis for one in loaded for op in one.suite.ops.values() for axis in _axes(op).values()]
    for name, texts in selection.settings.items():
        having = [axis for axis in axes if axis.name == name]
        if not having:
            known_axes = (axis.name for axis in axes if axis is not _MODE)
            message = f"--set {name}=…: no selected op has such an axis; {hint(name, known_axes)}"
            raise SelectionError(message)
        for text in texts:
            if not any(_possible(axis, text) for axis in having):
                message = f"--set {name}={written(text)}: no selected op can take it; "
                known = (written(choice) for axis in having for choice in axis.choices)
                raise SelectionError(message + hint(text, known))
