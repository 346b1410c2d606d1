"""The plan: suites × axes × devices → cases in order, and skips with their reasons. Measures nothing.

A plan is a value: it can be listed, written into the run's manifest, and sent to a worker case by case.
"""

from __future__ import annotations

import dataclasses
import itertools
import operator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.errors import SelectionError, SuiteError, hint, shown
from bench.plan.case import Case, Skip, Work, with_inputs
from bench.plan.case_id import case_id, written
from bench.plan.filter import Filter
from bench.plan.suite import make_case
from bench.plan.suite_imports import imports_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.plan.case_id import CaseName
    from bench.plan.discover import LoadedSuite
    from bench.plan.suite import Axis, Op

    _Point = tuple[Op, dict[str, str], str]
    """An op, a label for each of its axes, a device."""


_FEW = 10
"""So many names can be read in an error line."""


THREADS = "threads"
"""The axis that says how many threads its cases have."""


def whole_threads(text: str) -> int | None:
    """The number of threads that a label of this axis stands for; None where it is no whole number from 1."""
    return int(text) or None if text.isascii() and text.isdecimal() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How wide and how long to measure."""

    short_axes: bool
    case_budget_s: float
    run_budget_s: float | None
    workers: int
    rounds: int
    patience_s: float


PRESETS: Mapping[str, Preset] = {
    # 45 s of sampling leave time within the two minutes that a look may take: for start-up, for getting
    # 200 cases ready in six workers and visiting them (40 s), for the roofs, once (30 s), and for the report.
    "quick": Preset(
        short_axes=True,
        case_budget_s=0.5,
        run_budget_s=45,
        workers=6,
        rounds=5,
        patience_s=180,
    ),
    "full": Preset(
        short_axes=False,
        case_budget_s=0.5,
        run_budget_s=None,
        workers=6,
        rounds=8,
        patience_s=900,
    ),
    # A full sweep on a small rented machine: a GPU of 12 GB, a CPU of two cores. All sizes and dtypes,
    # since where the GPU begins to win lies between the short list's sizes, and elsewhere in half types.
    # With four workers the inputs of a batch, times four, fit beside four CUDA contexts. Some 7000 cases
    # share ten minutes of sampling; getting ready takes twenty more (0.16 s a case), so it is better made
    # suite by suite, as a GPU session is. Four workers of five rounds leave no case without an interval.
    "colab": Preset(
        short_axes=False,
        case_budget_s=0.3,
        run_budget_s=600,
        workers=4,
        rounds=5,
        patience_s=180,
    ),
}


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
    quick_ops: bool = False
    """Whether only ops that are `quick` are meant, since none and no suite was named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCase:
    """A case by name: everything a worker needs to build it from the suite's file."""

    id: str
    suite: str
    op: str
    suite_path: str
    labels: Mapping[str, str]
    device: str
    dtype: str
    flop: float | None
    bytes: float | None
    fingerprint: str | None = None
    """Of its op's code (`bench.plan.fingerprint`); None where that is not known."""
    suite_hash: str | None = None
    """SHA-256 of the suite's file as it was planned."""

    @property
    def key(self) -> tuple[str, str]:
        """The case's id and device, which together are unique within a run."""
        return self.id, self.device

    @property
    def op_id(self) -> str:
        """The op's full name, `suite/op`."""
        return f"{self.suite}/{self.op}"

    @property
    def threads(self) -> int | None:
        """The threads that it has by an axis of that name, where it has one."""
        return whole_threads(self.labels.get(THREADS, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSkip:
    """A case that won't be measured, and why."""

    case: PlannedCase
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cases that will be measured, and those that won't with the reason."""

    cases: tuple[PlannedCase, ...]
    skips: tuple[PlannedSkip, ...]

    @property
    def all_cases(self) -> tuple[PlannedCase, ...]:
        """The cases that will be measured, then those that won't."""
        return (*self.cases, *(skip.case for skip in self.skips))


class _Planned(Exception):  # noqa: N818 - it ends a dry run, nothing went wrong
    """The op began to make inputs, so it did not skip."""


class _NoInputs:
    """Inputs of a dry run: whatever is asked for ends it, before memory is touched."""

    def __getattr__(self, name: str) -> object:
        raise _Planned(name)


def expand(loaded: Sequence[LoadedSuite], selection: Selection, missing: Mapping[str, str]) -> Plan:
    """The plan for these suites.

    Args:
        loaded: the suites, in the order in which they are to be planned.
        selection: filters and devices.
        missing: device → why this machine can't measure on it; its cases become skips.

    Raises:
        SelectionError: a setting names an axis that no op has, a name an op that is not there, or nothing is left.
        SuiteError: a setting's value is not possible, or an op or its work model fails.
    """
    _check_settings(loaded, selection)
    cases: list[PlannedCase] = []
    skips: list[PlannedSkip] = []
    for one, points in _chosen(loaded, selection):
        for op, labels, device in points:
            with imports_of(one.path):
                planned, reason = _plan_one(one, op, labels, device)
            reason = missing.get(device) or reason
            if reason:
                skips.append(PlannedSkip(case=planned, reason=reason))
            else:
                cases.append(planned)
    if not cases and not skips:
        raise SelectionError(_nothing(loaded, selection))
    return Plan(cases=tuple(cases), skips=tuple(skips))


def _chosen(
    loaded: Sequence[LoadedSuite], selection: Selection
) -> Iterator[tuple[LoadedSuite, Iterator[_Point]]]:
    """The points of each suite that the names and the filter choose."""
    keyword = Filter(selection.keyword) if selection.keyword.strip() else None
    named = [_resolved(name, loaded) for name in selection.named]
    ids = [*named, *(keyword.ids if keyword else ())]

    def is_chosen(suite: str, point: _Point) -> bool:
        identity = case_id(suite, point[0].name, point[1])
        wanted = [name for name in named if name.suite == suite]
        by_name = not wanted or any(name.matches(identity, point[1]) for name in wanted)
        return by_name and (not keyword or keyword.matches(identity, point[1]))

    for one in loaded:
        yield one, filter(partial(is_chosen, one.suite.name), _grid(one, selection, ids))


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
    axes = ops[name.op_id].axes
    for axis in name.labels:
        if axis not in axes:
            message = f"{name.op_id} has no axis {axis!r}; {hint(axis, axes)}"
            raise SelectionError(message)
    labels = {axis: axes[axis].label(text) for axis, text in name.labels.items()}
    return dataclasses.replace(name, labels=labels)


def _grid(one: LoadedSuite, selection: Selection, ids: Sequence[CaseName]) -> Iterator[_Point]:
    """The points of a suite: those of the lists of its axes, then those that ids mean beyond them."""
    for op in one.suite.ops.values():
        if selection.quick_ops and not op.quick:
            continue
        lists = [_labels(axis, selection.settings, selection) for axis in op.axes.values()]
        beyond: dict[tuple[str, ...], None] = {}
        for name in ids:
            if name.op_id == f"{one.suite.name}/{op.name}" and _can_take(op, name.labels):
                settings = dict(selection.settings)
                settings |= {axis: (text,) for axis, text in name.labels.items()}
                texts = [_labels(axis, settings, selection) for axis in op.axes.values()]
                beyond |= dict.fromkeys(itertools.product(*texts))
        more = (p for p in beyond if not all(map(operator.contains, lists, p)))
        for point in itertools.chain(itertools.product(*lists), more):
            for device in selection.devices:
                yield op, dict(zip(op.axes, point, strict=True)), device


def _can_take(op: Op, labels: Mapping[str, str]) -> bool:
    return all(name in op.axes and _possible(op.axes[name], t) for name, t in labels.items())


def _labels(
    axis: Axis, settings: Mapping[str, tuple[str, ...]], selection: Selection
) -> tuple[str, ...]:
    wanted = settings.get(axis.name)
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
    axes = [axis for one in loaded for op in one.suite.ops.values() for axis in op.axes.values()]
    for name, texts in selection.settings.items():
        having = [axis for axis in axes if axis.name == name]
        if not having:
            message = f"--set {name}=…: no selected op has such an axis; "
            raise SelectionError(message + hint(name, (axis.name for axis in axes)))
        for text in texts:
            if not any(_possible(axis, text) for axis in having):
                message = f"--set {name}={written(text)}: no selected op can take it; "
                known = (written(choice) for axis in having for choice in axis.choices)
                raise SelectionError(message + hint(text, known))


def _plan_one(
    one: LoadedSuite, op: Op, labels: Mapping[str, str], device: str
) -> tuple[PlannedCase, str]:
    case = make_case(one.suite, op, labels, device)
    try:
        reason = _skip_reason(op, case)
        work = None if reason else _work(op, case)
    except SuiteError:
        raise
    except Exception as error:
        message = f"{one.path}: {case.id} can't be planned: {type(error).__name__}: {error}"
        raise SuiteError(message) from error
    planned = PlannedCase(
        id=case.id,
        suite=one.suite.name,
        op=op.name,
        suite_path=str(one.path),
        labels=dict(labels),
        device=device,
        dtype=case.dtype_name,
        flop=work.flop if work else None,
        bytes=work.bytes if work else None,
    )
    return planned, reason


def _work(op: Op, case: Case) -> Work | None:
    work: object = op.work_of(case) if op.work_of else None
    if work is None or isinstance(work, Work):
        return work
    message = f"the work model of {case.id} returned {type(work).__name__}; write: return Work(…)"
    raise SuiteError(message)


def _skip_reason(op: Op, case: Case) -> str:
    """Why the op skips this case, found without making inputs; only ops that name Skip are asked."""
    if "Skip" not in op.build.__code__.co_names:
        return ""
    dry: Any = _NoInputs()
    try:
        op.build(with_inputs(case, dry))
    except Skip as skip:
        return str(skip) or "the op gave no reason"
    except _Planned:
        pass
    return ""


def _nothing(loaded: Sequence[LoadedSuite], selection: Selection) -> str:
    """Why nothing is left; ops whose names are near the words of the filter, or where all are listed."""
    ops = [f"{one.suite.name}/{name}" for one in loaded for name in one.suite.ops]
    names = {*ops, *(op.partition("/")[2] for op in ops)}
    more = f", … ({len(ops)} in all; see bench list)" if len(ops) > _FEW else ""
    near = hint(selection.keyword, names, f"ops: {', '.join(ops[:_FEW])}{more}")
    return f"-k {shown(selection.keyword)} matches none of the cases; {near}"
