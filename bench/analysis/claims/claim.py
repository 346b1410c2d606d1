"""Claims compared with measured rows: a claim is data and a judge; an answer is a verdict and its rows.

Cases are compared only within one run, since a change between runs, of torch or of the machine's
state, is not the op's doing. The claims themselves are in `course.toml` and `disputed.toml`, the judges in `judges.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bench.analysis import grid
from bench.analysis.rerun_command import quoted
from bench.analysis.usable import FOR_INTERVALS, failure, unusable
from bench.plan.case import DEFAULT_DTYPE
from bench.plan.mode import AXIS as MODE
from bench.plan.mode import EAGER, is_eager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.records.record import Record

    Judge = Callable[[Sequence["ClaimSeries"]], "ClaimVerdict | None"]

ClaimKind = Literal["holds", "holds-from", "does-not-hold", "cant-tell", "not-measured"]
ANSWERED: tuple[ClaimKind, ...] = ("holds", "holds-from", "does-not-hold")
"""The verdicts that intervals decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A teaching text: its title, where it comes from, and its file name, by which JSON has always named it."""

    title: str
    origin: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a claim comes from: a text, and the place in it in our own words."""

    text: Text
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSelector:
    """Selects rows of one op (`mul/matrices`) in one dtype on one kind of device; they may differ in size."""

    op: str
    dtype: str = DEFAULT_DTYPE
    device: str = "cpu"
    where: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The selected cases in words: `mul/spelling call=*`."""
        return " ".join([self.op, *(f"{axis}={text}" for axis, text in self.where.items())])

    def include(self, record: Record) -> bool:
        """Whether the row is selected, whatever its status."""
        return (
            self.op == record.op_id
            and self.dtype == record.dtype
            and self.device == record.device.partition(":")[0]
            and self.where.items() <= record.params.items()
            and (MODE in self.where or is_eager(record.mode))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSeries:
    """The measured rows of the selected cases by size, smallest first; without a size axis, one point at 0.

    `trouble` says why none of the rows can be used; None where some can.
    """

    cases: CaseSelector
    axis: str | None
    points: tuple[tuple[float, Record], ...]
    trouble: str | None = None

    def at(self, size: float) -> Record | None:
        """The row of this size; an op without a size has one row for all of them."""
        if self.axis is None:
            return self.points[0][1] if self.points else None
        return next((record for place, record in self.points if place == size), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimVerdict:
    """The verdict on a claim, its numbers as a sentence, and the size from which the claim holds."""

    kind: ClaimKind
    numbers: str
    axis: str | None = None
    size: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence that measurements can settle: `judge` is given one series for each of `needs`, in order.

    A judge returns None where the series lack the sizes it needs.
    """

    id: str
    sentence: str
    sources: tuple[Source, ...]
    needs: tuple[CaseSelector, ...]
    judge: Judge

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that its cases are needed in, each once."""
        return tuple(dict.fromkeys(cases.where.get(MODE, EAGER) for cases in self.needs))

    @property
    def needs_gpu(self) -> bool:
        """Whether a machine without a GPU can't answer it."""
        return any(cases.device != "cpu" for cases in self.needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAnswer:
    """A claim, its verdict, and the rows of the one run that it rests on."""

    claim: Claim
    verdict: ClaimVerdict
    run_id: str | None = None
    records: tuple[Record, ...] = ()


def answers(claims: Iterable[Claim], runs: Sequence[Sequence[Record]]) -> list[ClaimAnswer]:
    """Each claim by the first of these runs that has its cases; so the newest run comes first."""
    return [_answer(claim, runs) for claim in claims]


def by_run(records: Iterable[Record]) -> list[list[Record]]:
    """The rows of each run, newest run first."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.run_id, []).append(record)
    return [found[run_id] for run_id in sorted(found, reverse=True)]


def select(cases: CaseSelector, records: Iterable[Record]) -> ClaimSeries | None:
    """The selected rows of a run, on the first device that has any; None where none has."""
    rows = [record for record in records if cases.include(record)]
    if not rows:
        return None
    first = grid.ranked_devices(rows)[0]
    rows = [record for record in rows if record.device == first]
    (axis,) = grid.size_axes(rows).values()
    points: dict[float, Record] = {}
    for record in filter(fit, rows):
        points.setdefault(_size(record, axis), record)
    ordered = tuple(sorted(points.items(), key=lambda point: point[0]))
    trouble = None if ordered else _trouble(cases, rows[0])
    return ClaimSeries(cases=cases, axis=axis, points=ordered, trouble=trouble)


def measuring_command(claims: Iterable[Claim]) -> str | None:
    """One `bench run` for all that these claims need, and few cases more; None if they need nothing.

    Ops that are needed in one dtype are not measured in those that others are needed in, and what is needed
    in several modes has a command of its own, since compiling takes long.
    """
    known = list(claims)
    moded = [claim for claim in known if claim.modes != (EAGER,)]
    plain = [cases for claim in known if claim not in moded for cases in claim.needs]
    modes = ",".join(dict.fromkeys(mode for claim in moded for mode in claim.modes))
    in_modes = [cases for claim in moded for cases in claim.needs]
    commands = (_command(plain), f"{_command(in_modes)} --mode {modes}" if moded else "")
    return " && ".join(filter(None, commands)) or None


def _command(needs: Sequence[CaseSelector]) -> str:
    """The command for these cases in one mode; empty where there are none."""
    dtypes = list(dict.fromkeys([DEFAULT_DTYPE, *(cases.dtype for cases in needs)]))
    several = {cases.op for cases in needs if cases.dtype != DEFAULT_DTYPE}
    in_one = dict.fromkeys(cases.op for cases in needs if cases.op not in several)
    in_many = dict.fromkeys(cases.op for cases in needs if cases.op in several)
    if not needs:
        return ""
    if not in_many:
        return f"bench run -k {quoted(' or '.join(in_one))}"
    others = "".join(f" and not dtype={dtype}" for dtype in dtypes[1:])
    plain = [f"({' or '.join(in_one)}){others}"] if in_one else []
    words = quoted(" or ".join([*plain, *in_many]))
    return f"bench run -k {words} --set dtype={','.join(dtypes)}"


def fit(record: Record) -> bool:
    """Whether the row's interval says something about the op.

    A time that is lost in the loop's own cost may stay: its interval is wide, and reaches as far.
    """
    known = record.time_lo_s is not None and record.time_hi_s is not None
    return known and not unusable(record, barred=FOR_INTERVALS)


def _answer(claim: Claim, runs: Sequence[Sequence[Record]]) -> ClaimAnswer:
    unusable: ClaimAnswer | None = None
    for rows in runs:
        series = [found for cases in claim.needs if (found := select(cases, rows))]
        if len(series) < len(claim.needs):
            continue
        if trouble := next((one.trouble for one in series if one.trouble), None):
            verdict = ClaimVerdict(kind="cant-tell", numbers=trouble)
            unusable = unusable or ClaimAnswer(claim=claim, verdict=verdict, run_id=rows[0].run_id)
        elif judged := claim.judge(series):
            used = tuple(record for one in series for _, record in one.points)
            return ClaimAnswer(claim=claim, verdict=judged, run_id=rows[0].run_id, records=used)
    nothing = ClaimVerdict(kind="not-measured", numbers="")
    return unusable or ClaimAnswer(claim=claim, verdict=nothing)


def _size(record: Record, axis: str | None) -> float:
    return (grid.size_of(record.params.get(axis, "")) or 0.0) if axis else 0.0


def _trouble(cases: CaseSelector, record: Record) -> str:
    """Why the first of some rows, none of which is fit, is not."""
    if record.status != "ok":
        return f"{cases.name}: {record.status}: {record.reason or 'no reason was given'}"
    if failure(record):
        return f"{cases.name}: its result is wrong"
    return f"{cases.name}: its time has no interval"
