"""How facts of rows and runs are worded, the same in a terminal, a file and a page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.analysis.grid import title
from bench.records.memory_policy import REUSE
from bench.records.record import STATUSES
from bench.units import MISSING, rate, seconds, seconds_with_interval, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.analysis.findings.footnotes import Note, Unmeasured
    from bench.records.record import Record
    from bench.store.runs import RunInfo

_MOST_TOLD = 3
"""A footnote names so many rows by themselves."""
_MARKDOWN_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|~"} | {"\n": " ", "\r": " "})


def escaped(text: str) -> str:
    """The text as Markdown shows it, in a table or out of it."""
    return text.translate(_MARKDOWN_SPECIAL)


def rate_of(record: Record) -> str:
    """FLOP/s where the op declares arithmetic, else B/s where it declares bytes, else nothing."""
    if record.flop:
        return rate(record.flop_per_s, "FLOP/s")
    return rate(record.bytes_per_s, "B/s") if record.bytes else MISSING


def time_of(record: Record) -> str:
    """A row's time with its interval, or its status."""
    if record.status != "ok":
        return record.status
    return seconds_with_interval(record.time_s, record.time_lo_s, record.time_hi_s)


def interval(time: str) -> tuple[str, str]:
    """`12.3 µs ± 0.4 %` in two, so that each aligns under its like."""
    value, plus_minus, width = time.partition(" ± ")
    return value, f"± {width}" if plus_minus else ""


def states(record: Record) -> str:
    """The two times of a case that has two, and which is which; nothing where it has one."""
    times, shares, faults = record.state_times_s, record.state_shares, record.state_faults
    if len(faults) != len(times) or not faults:
        both = zip(times, shares, strict=False)
        return ", ".join(f"{seconds(time)} in {share(part)} of the visits" for time, part in both)
    (most, time, part), (_, other, _) = sorted(zip(faults, times, shares, strict=True))[::-1]
    pages = f"{most:,.0f} fresh page{'' if round(most) == 1 else 's'}"
    kinds = (
        f"{seconds(time)} where the system gave {pages} a call",
        f"{seconds(other)} where memory was reused",
    )
    return f"{', '.join(kinds)} (fresh in {share(part)} of the visits)"


def told(note: Note) -> str:
    """What single rows say of a note."""
    said = [f"{r.suite}/{title(r)}: {states(r)}" for r in note.told[:_MOST_TOLD]]
    more = [f"and {len(note.told) - _MOST_TOLD} more"] if len(note.told) > _MOST_TOLD else []
    return "; ".join([*said, *more])


def footnote(note: Note) -> str:
    """A note as a line: what was seen in how many rows, why most likely, what to do."""
    where = "the only row" if note.of == 1 else f"{note.count} of {note.of} rows"
    parts = [f"{note.words.code} ({where}): {note.words.seen}."]
    if note.words.cause:
        parts.append(f"Likely: {note.words.cause}.")
    if note.words.remedy:
        parts.append(f"To do: {note.words.remedy}.")
    if note.told:
        parts.append(f"{told(note)}.")
    return " ".join(parts)


def who(group: Unmeasured, title: str) -> str:
    """Which cases a group is: the one by its title, else how many of which suite."""
    count = len(group.records)
    return title if count == 1 else f"{count} cases of {group.records[0].suite}"


def when(text: str) -> str:
    """An ISO time as `2026-11-23 05:02 UTC`, whatever its zone; other text stays as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M} UTC"


def counted(counts: Mapping[str, int], wrong: int = 0) -> str:
    """`149 ok, 1 wrong, 1 failed`; a wrong result is not called ok, though it was measured."""
    known = {status: counts.get(status, 0) for status in STATUSES}
    known = {"ok": known.pop("ok") - wrong, "wrong": wrong, **known}
    return ", ".join(f"{n} {status}" for status, n in known.items() if n) or "no cases"


def devices(*runs: RunInfo) -> str:
    """The devices that these runs were made on; those asked for, where an early version kept no others."""
    own = [d for run in runs for d in run.devices or run.options.get("devices") or ()]
    return listed(list(dict.fromkeys(own)))


def listed(values: Sequence[Any] | None) -> str:
    """`cpu, cuda`."""
    return ", ".join(map(str, values or ())) or MISSING


def machine_name(info: RunInfo) -> str:
    """What the machine is called."""
    return str(info.machine.get("name") or info.machine.get("machine_id") or "unknown machine")


def preset(info: RunInfo) -> str:
    """The preset, and the state of the caches and the memory policy where they were chosen and are not the usual ones."""
    cold = ", cold" if info.options.get("cache") == "cold" else ""
    policy = info.memory.get("cpu") or REUSE
    memory = f", memory {policy}" if policy != REUSE else ""
    return str(info.options.get("preset") or MISSING) + cold + memory


def memory(records: Iterable[Record]) -> str:
    """`fresh on cpu`: the memory policies that are not the usual one, each with its device; empty if none is."""
    unusual = {
        f"{r.memory_policy} on {r.device}"
        for r in records
        if r.memory_policy != REUSE and r.status != "skipped"
    }
    return ", ".join(sorted(unusual))


def torch_version(info: RunInfo) -> str:
    """The torch that ran."""
    return str(info.torch.get("version") or MISSING)


def rates_of(record: Record) -> str:
    """Every rate there is: `71.7 GFLOP/s, 6.72 GB/s`."""
    flop = rate(record.flop_per_s, "FLOP/s") if record.flop else ""
    moved = rate(record.bytes_per_s, "B/s") if record.bytes else ""
    return ", ".join(part for part in (flop, moved) if part not in {"", MISSING})
