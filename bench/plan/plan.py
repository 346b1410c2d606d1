"""The plan: suites × axes × devices → cases in order, and skips with their reasons. Measures nothing.

A plan is a value: it can be listed, written into the run's manifest, and sent to a worker case by case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import SelectionError, SuiteError
from bench.plan.case import Case, Skip, Work, with_inputs
from bench.plan.case_id import case_id
from bench.plan.mode import EAGER, is_compiled, params, why_not
from bench.plan.selection import nothing_chosen, points
from bench.plan.suite import make_case
from bench.plan.suite_imports import imports_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.plan.discover import LoadedSuite
    from bench.plan.selection import Point, Selection
    from bench.plan.suite import Op


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
    mode: str = EAGER
    """How its function is called (`bench.plan.mode`)."""

    @property
    def params(self) -> Mapping[str, str]:
        """What stands in its id: a label for each axis, and the mode if it is another than eager."""
        return params(self.labels, self.mode)

    @property
    def is_compiled(self) -> bool:
        """Whether torch's compiler makes the function that is called."""
        return is_compiled(self.mode)

    @property
    def twin(self) -> tuple[str, str]:
        """Equal for cases that differ in their mode alone."""
        return case_id(self.suite, self.op, self.labels), self.device

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
    def compiled(self) -> int:
        """How many cases are compiled."""
        return sum(case.is_compiled for case in self.cases)

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
    cases: list[PlannedCase] = []
    skips: list[PlannedSkip] = []
    for point in points(loaded, selection):
        with imports_of(point.suite.path):
            planned, reason = _plan_one(point)
        reason = missing.get(point.device) or reason
        if reason:
            skips.append(PlannedSkip(case=planned, reason=reason))
        else:
            cases.append(planned)
    if not cases and not skips:
        raise SelectionError(nothing_chosen(loaded, selection))
    return Plan(cases=tuple(cases), skips=tuple(skips))


def _plan_one(point: Point) -> tuple[PlannedCase, str]:
    one, op = point.suite, point.op
    case = make_case(one.suite, op, point.labels, point.device)
    try:
        reason = why_not(point.mode, point.device) or _skip_reason(op, case)
        work = None if reason else _work(op, case)
    except SuiteError:
        raise
    except Exception as error:
        message = f"{one.path}: {case.id} can't be planned: {type(error).__name__}: {error}"
        raise SuiteError(message) from error
    planned = PlannedCase(
        id=point.identity,
        suite=one.suite.name,
        op=op.name,
        suite_path=str(one.path),
        labels=dict(point.labels),
        device=point.device,
        dtype=case.dtype_name,
        flop=work.flop if work else None,
        bytes=work.bytes if work else None,
        mode=point.mode,
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
