"""What to distrust in some rows, and what was not measured: each named once, with its count.

The words belong to `bench.records.warning_codes`; a code that this version does not know is still shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.records.warning_codes import BY_FAULTS, CODES, Code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.records.record import Record

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNKNOWN = "this version has no words for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A warning that occurs: its mark on the page, its words, and how many rows carry it."""

    mark: str
    words: Code
    count: int
    of: int
    told: tuple[Record, ...] = ()
    """The rows that can say more of it: which of two times they had with how many page faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """Cases without a time that share status and reason."""

    status: str
    reason: str
    records: tuple[Record, ...]


def notes(records: Iterable[Record]) -> list[Note]:
    """One note per code that occurs, numbered in the order of `bench.records.warning_codes`."""
    rows = list(records)
    counts = Counter(code for row in rows for code in set(row.warnings))
    unknown = [code for row in rows for code in row.warnings]
    found = [code for code in dict.fromkeys([*CODES, *unknown]) if code in counts]
    return [
        Note(
            mark=superscript(place),
            words=_words(code),
            count=counts[code],
            of=len(rows),
            told=tuple(r for r in rows if r.state_faults) if code == BY_FAULTS else (),
        )
        for place, code in enumerate(found, start=1)
    ]


def marks(record: Record, known: Sequence[Note]) -> str:
    """The marks of a row's warnings: `¹ ³`."""
    return " ".join(note.mark for note in known if note.words.code in record.warnings)


def superscript(number: int) -> str:
    """`12` → `¹²`."""
    return str(number).translate(_SUPERSCRIPTS)


def unmeasured(records: Iterable[Record]) -> list[Unmeasured]:
    """Everything without a time, by suite: failures one by one, skips folded by their reason."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        if record.status == "ok":
            continue
        alone = () if record.status == "skipped" else (record.case, record.device)
        identity = (record.suite, record.status, record.reason or "no reason was given", *alone)
        groups.setdefault(identity, []).append(record)
    return [
        Unmeasured(status=status, reason=reason, records=tuple(members))
        for (_, status, reason, *_), members in groups.items()
    ]


def _words(code: str) -> Code:
    return CODES.get(code) or Code(code=code, seen=_UNKNOWN, cause="", remedy="")
