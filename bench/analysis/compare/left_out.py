"""Left-out case: one that two runs can't be compared by, why, and whether that counts against the new run.

A case that can't be compared has no verdict on its time. Where its result is wrong in the new run, or the base
measured it and the new run did not, it counts all the same: else a change could pass by breaking what it slows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from bench.analysis.usable import FOR_INTERVALS, NO_TIME, WRONG_RESULT, failure, unusable
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.records.record import Record

    Key = tuple[str, str]

Loss = Literal["wrong", "failed", "gone"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
"""How the new run lost a case, the gravest first: a wrong result, no result, no row (or a skipped one)."""
GONE_REMEDY = (
    "Where cases are gone on purpose, choose those that both runs have: --where 'op=… n=…'."
)
_WORDS = {WRONG_RESULT: "wrong result", NO_TIME: "no time that could be told from none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A case that can't be compared: why, on each side (None where that side has a time), and what follows."""

    case: str
    device: str
    base: str | None
    new: str | None
    loss: Loss | None = None
    """How the new run lost it; None where it did not."""
    open: bool = False
    """Whether both sides ran it and a time is missing, so that nothing can be told."""

    @property
    def name(self) -> str:
        """The case on its device."""
        return f"{self.case} on {self.device}"

    @property
    def why(self) -> str:
        """What each side lacks."""
        sides = (("base", self.base), ("new", self.new))
        return "; ".join(f"{side}: {said}" for side, said in sides if said)

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


def left_out(before: Mapping[Key, Record], after: Mapping[Key, Record]) -> list[LeftOut]:
    """The cases that can't be compared, in the order of the rows; none that no run tried.

    Args:
        before: the base's rows by case and device, skipped ones too.
        after: those of the new run.
    """
    found = []
    for case, device in {**before, **after}:
        base, new = (rows.get((case, device)) for rows in (before, after))
        whys = _why(base), _why(new)
        if any(whys) and not (_skipped(base) and _skipped(new)):
            loss, open_ = _loss(base, new), _measured(base) and _measured(new)
            found.append(
                LeftOut(case=case, device=device, base=whys[0], new=whys[1], loss=loss, open=open_)
            )
    return found


def lost(cases: Iterable[LeftOut]) -> list[LeftOut]:
    """Those that count against the new run, the gravest first."""
    found = [(LOSSES.index(one.loss), one) for one in cases if one.loss]
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def loss_of(row: Record) -> Loss | None:
    """How a row that was tried is lost; None where it has a result that counts."""
    how = failure(row)
    return ("wrong" if how == WRONG_RESULT else "failed") if how else None


def counts(cases: Iterable[LeftOut]) -> str:
    """`1 wrong result, 2 cases failed, 1 case gone from the new run`; empty where nothing is lost."""
    number = Counter(one.loss for one in cases)
    parts = (
        (number["wrong"], counted(number["wrong"], "wrong result")),
        (number["failed"], f"{counted(number['failed'], 'case')} failed"),
        (number["gone"], f"{counted(number['gone'], 'case')} gone from the new run"),
    )
    return ", ".join(text for count, text in parts if count)


def _loss(base: Record | None, new: Record | None) -> Loss | None:
    """A wrong result is none of the base's business; all else is lost only if the base had it."""
    found = loss_of(new) if new else None
    if found == "wrong" or base is None or base.status != "ok":
        return found if found == "wrong" else None
    return found or ("gone" if _skipped(new) else None)


def _skipped(row: Record | None) -> bool:
    """Whether it was not tried."""
    return row is None or row.status == "skipped"


def _measured(row: Record | None) -> bool:
    """Whether it was tried, and neither failed nor is wrong."""
    return row is not None and row.status == "ok" and not failure(row)


def _why(row: Record | None) -> str | None:
    """Why a row can't be compared; None if it can."""
    if row is None:
        return "not there"
    why = unusable(row, barred=FOR_INTERVALS)
    if not why:
        return None
    more = f", {row.reason}" if row.reason and why != NO_TIME else ""
    return f"{_WORDS.get(why, why)}{more}"
