"""The plan: suites × axes × devices → cases in order, and skips with their reasons. Measures nothing.

A plan is a value: it can be listed, written into the run's manifest, and sent to a worker case by case.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.errors import SelectionError, SuiteError, hint
from bench.plan.case import Case, Skip, Work, with_inputs
from bench.plan.filter import Filter
from bench.plan.suite import case_id, make_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.plan.discover import LoadedSuite
    from bench.plan.suite import Axis, Op


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
    # 200 cases ready in six workers (50 s), for the roofs, once (15 s), and for the report.
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
    """The user's choice of cases: devices, filter, values of axes."""

    devices: tuple[str, ...] = ("cpu",)
    keyword: str = ""
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    short_axes: bool = True


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
        SelectionError: a setting names an axis that no op has, or nothing is left to measure.
        SuiteError: a setting's value is not possible, or an op or its work model fails.
    """
    _check_settings(loaded, selection)
    keyword = Filter(selection.keyword) if selection.keyword.strip() else None
    cases: list[PlannedCase] = []
    skips: list[PlannedSkip] = []
    for one in loaded:
        for op, labels, device in _grid(one, selection):
            if keyword and not keyword.matches(case_id(one.suite.name, op.name, labels), labels):
                continue
            planned, reason = _plan_one(one, op, labels, device)
            reason = missing.get(device) or reason
            if reason:
                skips.append(PlannedSkip(case=planned, reason=reason))
            else:
                cases.append(planned)
    if not cases and not skips:
        raise SelectionError(_nothing(loaded, selection))
    return Plan(cases=tuple(cases), skips=tuple(skips))


def _grid(one: LoadedSuite, selection: Selection) -> Iterator[tuple[Op, dict[str, str], str]]:
    for op in one.suite.ops.values():
        texts = [_labels(axis, selection) for axis in op.axes.values()]
        for point in itertools.product(*texts):
            for device in selection.devices:
                yield op, dict(zip(op.axes, point, strict=True)), device


def _labels(axis: Axis, selection: Selection) -> tuple[str, ...]:
    wanted = selection.settings.get(axis.name)
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
                message = f"--set {name}={text}: no selected op can take it; "
                raise SelectionError(message + hint(text, (c for a in having for c in a.choices)))


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
    ops = [f"{one.suite.name}/{name}" for one in loaded for name in one.suite.ops]
    return f"-k {selection.keyword!r} matches none of the cases; ops: {', '.join(ops)}"
