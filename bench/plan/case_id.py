"""Case id: how the name of a case is written, read and found in a text; the one rule for its quotes.

A label stands in an id as it is. One that could be misread (with brackets, a comma, =, blanks at an end, or a
quote in front) stands in double quotes, as JSON writes a text: `mine/op[n=64,call="a,b"]`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.plan.label import UNSAFE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_SETTING = re.compile(rf'([^\[\],="]+)=({_QUOTED}|(?!")[^\[\],=]+)(?:,|$)')
_ID = re.compile(
    r'(?P<suite>[^\s/\[\],="()]+)/(?P<op>[^\s\[\],="()]+)'
    rf"(?:\[(?P<labels>(?:(?<==){_QUOTED}|[^\[\]])++)\])?"
)
_BARE = re.compile(r'(?!["\'\s])[^\[\],=]+(?<!\s)')
_PLAIN_WORD = re.compile(r"(?!')[^\s()]+")
_IN_BRACKETS = re.compile(rf"\[(?:(?<==){_QUOTED}|[^\[\]])*+\]")
_IN_QUOTES = re.compile(rf"{_QUOTED}|'[^']*'")
_BEFORE_QUOTES = " \t\r\n,=()"


def case_id(suite: str, op: str, labels: Mapping[str, str]) -> str:
    """`matmul/square[n=1024,dtype=float32]`: no device and no machine, so rows join on it."""
    inside = ",".join(f"{name}={written(text)}" for name, text in labels.items())
    return f"{suite}/{op}" + (f"[{inside}]" if inside else "")


def written(label: str) -> str:
    """The label as it stands in an id: as it is where that can be read in one way only, else in quotes."""
    if _BARE.fullmatch(label) and not UNSAFE.search(label):
        return label
    quoted = json.dumps(label, ensure_ascii=False)
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def term(axis: str, label: str) -> str:
    """`axis=label` as a word of a filter, in which blanks and parentheses count too."""
    text = written(label)
    plain = text != label or _PLAIN_WORD.fullmatch(label)
    return f"{axis}={text if plain else json.dumps(label, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseName:
    """An id, read: its op, and a label for each axis, or for some."""

    suite: str
    op: str
    labels: Mapping[str, str]

    @property
    def op_id(self) -> str:
        """The op's full name, `suite/op`."""
        return f"{self.suite}/{self.op}"

    def matches(self, identity: str, labels: Mapping[str, str]) -> bool:
        """Whether the case with this id and these labels is of this op and has all labels of this name."""
        same_op = identity.partition("[")[0].lower() == self.op_id.lower()
        return same_op and self.labels.items() <= labels.items()


def parse_id(text: str) -> CaseName | None:
    """The name that a text is: `suite/op`, or `suite/op[axis=label,…]`; None where it is no such text."""
    found = _ID.fullmatch(text)
    if found is None:
        return None
    labels: dict[str, str] = {}
    inside, place = found["labels"] or "", 0
    while place < len(inside):
        setting = _SETTING.match(inside, place)
        if setting is None or (setting[0].endswith(",") and setting.end() == len(inside)):
            return None
        try:
            labels[setting[1]] = unquoted(setting[2])
        except ValueError:
            return None
        place = setting.end()
    return CaseName(suite=found["suite"], op=found["op"], labels=labels)


def unquoted(text: str) -> str:
    """The text that is meant: that in the quotes if there are some around it, else all of it.

    Raises:
        ValueError: it stands in double quotes, and is no text of JSON.
    """
    if not _IN_QUOTES.fullmatch(text):
        return text
    return str(json.loads(text, strict=False)) if text.startswith('"') else text[1:-1]


def cut(text: str, separators: str) -> Iterator[tuple[str, str]]:
    """The parts of a text, each with the separator behind it; one in quotes or in an id's brackets does not count."""
    start = place = 0
    while place < len(text):
        skipped = _IN_BRACKETS.match(text, place)
        if skipped is None and (place == start or text[place - 1] in _BEFORE_QUOTES):
            skipped = _IN_QUOTES.match(text, place)
        if skipped:
            place = skipped.end()
            continue
        if text[place] in separators:
            yield text[start:place], text[place]
            start = place + 1
        place += 1
    yield text[start:], ""


def values_in(text: str) -> tuple[str, ...]:
    """The values of `64,256` or `"a,b",c`: by commas, without quotes and without blanks around them.

    Raises:
        ValueError: a quote is not closed.
    """
    parts = [stripped for part, _ in cut(text, ",") if (stripped := part.strip())]
    for part in parts:
        if part[0] in "'\"" and not _IN_QUOTES.fullmatch(part):
            raise ValueError(part)
    return tuple(map(unquoted, parts))
