"""The verdicts of `bench ab` as a table and as JSON: a line per case."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.analysis.usable import failure
from bench.report.text import ratio_text
from bench.report.text.machine_readable import fields_of
from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole
from bench.report.text.verdict_words import counted as counted_words
from bench.report.text.verdict_words import word_of
from bench.stats.ratio import VERDICTS
from bench.units import MISSING, counted, number, seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from bench.experiment.ab import Answer, Result
    from bench.records.record import Record
    from bench.store.runs import StoredRun

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
        return "; ".join(
            f"{name} {_time(row)}{f': {row.reason}' if row.reason else ''}"
            for name, row in sides
            if failure(row)
        )
    found = answer.ratio
    if found is None or not found.known:
        return "too few rounds or workers to know how sure the ratio is"
    between = f"b takes {number(found.low, 4)} to {number(found.high, 4)} times as long"
    if answer.verdict == "unsure":
        return f"{between}; {_open(answer)}"
    if answer.verdict == "same":
        return f"{between}; an equivalence test puts it within ±{share(threshold)}"
    return between


def ab_table(
    found: Result, names: SideNames, kept: Sequence[StoredRun], *, width: int
) -> RenderableType:
    """Both sides of each case, their ratio and the verdict; then what it rests on and where the rows are."""
    table = PlainTable(folded("case"), *map(right, ("a", "b", "b / a")), whole("verdict"))
    for one in found.answers:
        said = word_of(one.verdict, one.ratio, found.aim.threshold)
        table.add(_case(one), _time(one.one), _other_time(one), _ratio(one), said)
    sides = (("a", names.a), ("b", names.b))
    title = [f"{name} is {said}" for name, said in sides if said] or [f"{_UNCHANGED}."]
    where = [f"run {run.info.run_id} is in {run.folder}" for run in kept]
    below = (_counts(found), _rests_on(found), *_notes(found), *where)
    return below_each_other(*_broken(found), *title, "", table, "", *below, width=width)


def ab_facts(found: Result, names: SideNames, kept: Sequence[StoredRun]) -> dict[str, Any]:
    """The same for `--json`; what is not known is null. a is the base, b what is new."""
    aim = found.aim
    return {
        **asdict(names),
        "cases": [_facts(answer, aim.threshold) for answer in found.answers],
        "summary": {name: _count(found, name) for name in VERDICTS},
        **fields_of(aim, "threshold", "confidence"),
        "took_s": found.took_s,
        "runs": [{"run": run.info.run_id, "path": str(run.folder)} for run in kept],
    }


def _facts(answer: Answer, threshold: float) -> dict[str, Any]:
    found = answer.ratio
    return {
        "case": answer.one.case,
        "other_case": answer.other.case,
        "device": answer.one.device,
        "base_s": None if failure(answer.one) else answer.one.time_s,
        "new_s": None if failure(answer.other) else _new_s(answer),
        "ratio": found.value if found else None,
        "ratio_lo": found.low if found and found.known else None,
        "ratio_hi": found.high if found and found.known else None,
        **fields_of(answer, "rounds", "verdict", "taken_back"),
        "reason": reason(answer, threshold),
        "ended": answer.ended,
    }


def _open(answer: Answer) -> str:
    """Why a case is undecided, and what would decide it."""
    if answer.taken_back and answer.ended in {"decided", "rounds"}:
        return f"{_CHANCE}; measure it once more by itself"
    lacks = _OPEN.get(answer.ended, answer.ended)
    return f"{_CHANCE}, and {lacks}" if answer.taken_back else lacks


def _case(answer: Answer) -> str:
    """`mul/matrices n=64`, with the other op where there is one, and a device that is not the CPU.

    Blanks for brackets and commas, so that lines break between axes.
    """
    one, other = answer.one, answer.other
    device = "" if one.device == "cpu" else f" on {one.device}"
    beside = "" if one.op_id == other.op_id else f", {other.op_id}"
    axes = "".join(f" {name}={text}" for name, text in one.params.items())
    return f"{one.op_id}{axes}{beside}{device}"


def _time(row: Record) -> str:
    """`1.05 µs`, or how the row failed: `wrong result`, `oom`."""
    why = failure(row)
    return why.replace("-", " ") if why else seconds(row.time_s)


def _new_s(answer: Answer) -> float | None:
    """The time of b: that of a times their ratio, which is of the rounds that both share, as drift is not in it.

    The headlines of both runs, each from rounds of its own, need not agree with it.
    """
    base_s, found = answer.one.time_s, answer.ratio
    return base_s * found.value if base_s and found else answer.other.time_s


def _other_time(answer: Answer) -> str:
    """The time of b, or how its row failed."""
    return _time(answer.other) if failure(answer.other) else seconds(_new_s(answer))


def _ratio(answer: Answer) -> str:
    found = answer.ratio
    return ratio_text.of(found) if found else MISSING


def _counts(found: Result) -> str:
    """`4 cases: 1 slower, 3 same.`, in the order of what matters."""
    said = [word_of(one.verdict, one.ratio, found.aim.threshold) for one in found.answers]
    counts = [f"{count} {name}" for name, count in counted_words(said).items() if count]
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
        f"Measured interleaved for {found.took_s:.0f} s; intervals of b / a hold at {level} % over all looks, "
        f"and a difference below {share(aim.threshold)} is none.{many} "
        "b's time is that of a times b / a, which drift cancels from; bench show has its headline."
    )


def _notes(found: Result) -> list[str]:
    """Once for each cause what would decide the cases that stay open."""
    undecided = [a for a in found.answers if a.verdict == "unsure" and a.ended in _OPEN]
    return [f"unsure: {why}" for why in dict.fromkeys(map(_open, undecided))]


def _broken(found: Result) -> list[str]:
    """The cases that failed or are wrong on a side, before all else; nothing where there are none."""
    broken = [
        f"  {_case(answer)}: {reason(answer, found.aim.threshold)}"
        for answer in found.answers
        if answer.ended == "failed"
    ]
    return [f"wrong or failed, {counted(len(broken), 'case')}:", *broken, ""] if broken else []
