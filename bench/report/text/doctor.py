"""What `bench doctor` found, for people and for programs: the worst first, and what to do about it.

What is fine or not known is a line; what is to be feared also says why, and what helps.
"""

from __future__ import annotations

import dataclasses
import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from bench.doctor.hazard import SEVERITIES
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.doctor.checkup import Checkup
    from bench.doctor.hazard import Hazard, Severity

_WORDS: Mapping[Severity, str] = {
    "will": "will",
    "may": "may",
    "unknown": "not known",
    "fine": "fine",
}
_STYLES: Mapping[Severity, str] = {
    "will": "bold red",
    "may": "yellow",
    "unknown": "dim",
    "fine": "green",
}
_INDENT = max(map(len, _WORDS.values())) + 2
_NEXT = "bench selftest measures how noisy it really is, and what bench compare makes of that"


def doctor_text(findings: Sequence[Hazard], *, width: int) -> Text:
    """The findings for a terminal of so many columns, and what to run next."""
    text = Text()
    for one in findings:
        for place, line in enumerate(_lines(one, width - _INDENT)):
            word = _WORDS[one.severity] if place == 0 else ""
            text.append(word.ljust(_INDENT), style=_STYLES[one.severity])
            text.append(f"{line}\n", style="" if one.alarming else "dim")
    text.append("\n" + "\n".join(textwrap.wrap(_closing(findings), width)))
    return text


def doctor_facts(found: Checkup) -> dict[str, Any]:
    """The findings and the facts they were found in, for JSON."""
    return {
        "findings": [dataclasses.asdict(one) for one in found.findings],
        "counts": _counts(found.findings),
        "facts": {
            "options": dict(found.info.options),
            "machine": dict(found.info.machine),
            "environment": dict(found.info.environment),
            "torch": dict(found.info.torch),
            "state": dict(found.info.state),
            "known": dataclasses.asdict(found.known),
        },
    }


def _lines(one: Hazard, width: int) -> Iterator[str]:
    """What was seen, why that matters, what to do: a line each, if they fit."""
    yield from textwrap.wrap(one.seen, width, break_on_hyphens=False)
    if not one.alarming:
        return
    parts = [f"why: {one.effect}", f"do:  {one.remedy}"]
    for part in parts:
        # a command that is cut at a hyphen can't be copied
        yield from textwrap.wrap(
            part, width, initial_indent="  ", subsequent_indent=" " * 7, break_on_hyphens=False
        )


def _counts(findings: Sequence[Hazard]) -> dict[str, int]:
    return {severity: sum(f.severity == severity for f in findings) for severity in SEVERITIES}


def _closing(findings: Sequence[Hazard]) -> str:
    counts = _counts(findings)
    feared = counts["will"] + counts["may"]
    if not feared:
        return f"Nothing seen that makes numbers noisy. Next: {_NEXT}."
    head = f"{counted(feared, 'thing')} can make numbers noisy here, {counts['will']} of them will."
    return f"{head} Next: {_NEXT}."
