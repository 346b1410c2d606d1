"""What two configurations measured in turn have shown, for people and programs: a line per case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from bench.units import MISSING, counted, number, seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.experiment.ab import Answer, Result
    from bench.records.record import Record
    from bench.store.runs import StoredRun

_VERDICTS = ("slower", "faster", "same", "unsure")
_UNCHANGED = "a and b are the same: whatever differs is noise"
_OPEN = {
    "rounds": "more rounds would hardly narrow it; --workers with more does",
    "budget": "the time was up; --budget with more seconds goes on",
    "timeout": "the case's time was up; --timeout with more seconds goes on",
}
_CHANCE = "among so many cases one can be that far off by chance"


@dataclass(frozen=True, slots=True, kw_only=True)
class SideNames:
    """What is different about each side, in words; empty where nothing is."""

    a: str
    b: str

    @property
    def title(self) -> str:
        """`a: 1 thread, b: 2 threads`."""
        if not (self.a or self.b):
            return _UNCHANGED
        return f"a: {self.a or 'as it is'}, b: {self.b or 'as it is'}"


def answer_line(answer: Answer, threshold: float) -> str:
    """A case as it is decided, on one line."""
    return f"{_case(answer)}: {answer.verdict}, {reason(answer, threshold)}"


def reason(answer: Answer, threshold: float) -> str:
    """Why the verdict is what it is."""
    if answer.ended == "failed":
        sides = (("a", answer.one), ("b", answer.other))
        said = [f"{name} {row.status}: {row.reason}" for name, row in sides if row.status != "ok"]
        return "; ".join(said)
    found = answer.ratio
    if found is None or found.low is None or found.high is None:
        return "too few rounds or workers to know how sure the ratio is"
    between = f"b takes {number(found.low, 4)} to {number(found.high, 4)} times as long"
    if answer.verdict == "unsure":
        return f"{between}; {_open(answer)}"
    if answer.verdict == "same":
        return f"{between}, within {share(threshold)}"
    return between


def ab_table(
    found: Result, names: SideNames, kept: Sequence[StoredRun], *, width: int
) -> RenderableType:
    """Both sides of each case, their ratio and the verdict; then what it rests on and where the rows are."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    table.add_column("case", overflow="fold")
    for name in ("a", "b", "b / a"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for one in found.answers:
        cells = (_time(one.one), _time(one.other), _ratio(one), one.verdict)
        table.add_row(*map(Text, (_case(one), *cells)))
    lines = [
        Text(f"{name} is {names_of}")
        for name, names_of in (("a", names.a), ("b", names.b))
        if names_of
    ]
    title = lines or [Text(f"{_UNCHANGED}.")]
    notes = [Text(line) for line in _notes(found)]
    where = [Text(f"run {run.info.run_id} is in {run.folder}") for run in kept]
    rests = Text(_rests_on(found))
    return Constrain(
        Group(*title, "", table, "", Text(_counts(found)), rests, *notes, *where), width
    )


def ab_facts(found: Result, names: SideNames, kept: Sequence[StoredRun]) -> dict[str, Any]:
    """The same for `--json`; what is not known is null. a is the base, b what is new."""
    aim = found.aim
    return {
        "a": names.a,
        "b": names.b,
        "cases": [_facts(answer, aim.threshold) for answer in found.answers],
        "summary": {name: _count(found, name) for name in _VERDICTS},
        "threshold": aim.threshold,
        "confidence": aim.confidence,
        "took_s": found.took_s,
        "runs": [{"run": run.info.run_id, "path": str(run.folder)} for run in kept],
    }


def _facts(answer: Answer, threshold: float) -> dict[str, Any]:
    found = answer.ratio
    return {
        "case": answer.one.case,
        "other_case": answer.other.case,
        "device": answer.one.device,
        "base_s": answer.one.time_s,
        "new_s": answer.other.time_s,
        "ratio": found.value if found else None,
        "ratio_lo": found.low if found else None,
        "ratio_hi": found.high if found else None,
        "rounds": found.rounds if found else 0,
        "verdict": answer.verdict,
        "taken_back": answer.taken_back,
        "reason": reason(answer, threshold),
        "ended": answer.ended,
    }


def _open(answer: Answer) -> str:
    """Why a case is undecided, and what would decide it."""
    if answer.taken_back and answer.ended == "rounds":
        return f"{_CHANCE}; measure it once more by itself"
    lacks = _OPEN.get(answer.ended, answer.ended)
    return f"{_CHANCE}, and {lacks}" if answer.taken_back else lacks


def _case(answer: Answer) -> str:
    """`mul/matrices n=64`, with the other op where there is one, and a device that is not the CPU.

    Blanks for brackets and commas, so that lines break between axes.
    """
    one, other = answer.one, answer.other
    device = "" if one.device == "cpu" else f" on {one.device}"
    beside = "" if one.case == other.case else f", {other.op_id}"
    axes = "".join(f" {name}={text}" for name, text in one.params.items())
    return f"{one.op_id}{axes}{beside}{device}"


def _time(row: Record) -> str:
    return seconds(row.time_s) if row.status == "ok" else row.status


def _ratio(answer: Answer) -> str:
    """`1.052 (1.031 to 1.073)`."""
    found = answer.ratio
    if found is None:
        return MISSING
    if found.low is None or found.high is None:
        return number(found.value, 4)
    low, high = number(found.low, 4), number(found.high, 4)
    return f"{number(found.value, 4)} ({low} to {high})"


def _counts(found: Result) -> str:
    """`4 cases: 1 slower, 3 same.`, in the order of what matters."""
    counts = [f"{_count(found, name)} {name}" for name in _VERDICTS if _count(found, name)]
    return f"{counted(len(found.answers), 'case')}: {', '.join(counts)}."


def _count(found: Result, name: str) -> int:
    return sum(answer.verdict == name for answer in found.answers)


def _rests_on(found: Result) -> str:
    aim = found.aim
    level = number(100 * aim.confidence, 2)
    many = (
        f" Of those called slower or faster, at most {share(1 - aim.confidence)} are so by chance, on average."
        if len(found.answers) > 1
        else ""
    )
    return (
        f"Measured in turn for {found.took_s:.0f} s; intervals of b / a hold at {level} % over all looks, "
        f"and a difference below {share(aim.threshold)} is none.{many}"
    )


def _notes(found: Result) -> list[str]:
    """What failed, and once for each cause what would decide those that stay open."""
    failed = [
        f"{_case(answer)}: {reason(answer, found.aim.threshold)}"
        for answer in found.answers
        if answer.ended == "failed"
    ]
    undecided = [a for a in found.answers if a.verdict == "unsure" and a.ended in _OPEN]
    return [*failed, *(f"unsure: {why}" for why in dict.fromkeys(map(_open, undecided)))]
