"""View of a page: its template, the data it carries, and the addresses of cases in it.

Data is JSON, made small, safe in any element, and unpacked by the page's script when it is needed. The address of a
case is the same in every report, so that a link still means it in the next one.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    class Addressed(Protocol):
        """What has an address: a row, or a verdict on one."""

        @property
        def case(self) -> str:
            """The case's id."""

        @property
        def device(self) -> str:
            """Where it was measured."""


_GZIP_LEVEL = 9
"""The strongest: pages are read more often than made, and making one takes its time elsewhere."""
_INSTEAD_OF_LESS_THAN = ","
_DIGITS = 5
"""A number that is not whole keeps so many: more than any figure or text shows, a third of what floats have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A value under the id of the element that holds it."""

    id: str
    value: Any

    @property
    def packed(self) -> str:
        """The value as JSON, gzip and `_text`: nothing in it can end an element, the same every time.

        Raises:
            ValueError: a number is not finite, which JSON doesn't have.
        """
        value = _short(self.value)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return _text(gzip.compress(text.encode(), _GZIP_LEVEL, mtime=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view; the template of the same name finds `view` in its scope, and the page carries the payloads."""

    id: str
    values: Any
    payloads: tuple[Payload, ...] = ()

    @property
    def name(self) -> str:
        """What the navigation and the heading call it."""
        return self.id.capitalize()


def anchor(one: Addressed) -> str:
    """`c-0123456789`, of a case on a device."""
    identity = f"{one.case}@{one.device}".encode()
    return "c-" + hashlib.blake2s(identity, digest_size=5).hexdigest()


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows with the same keys as one list per key: like lies beside like, which packs far better."""
    return {key: [row[key] for row in rows] for key in rows[0]} if rows else {}


def unpacked(text: str) -> Any:
    """The value of a packed text."""
    return json.loads(gzip.decompress(base64.b85decode(text.replace(_INSTEAD_OF_LESS_THAN, "<"))))


def _text(packed: bytes) -> str:
    """Bytes as text, four in five characters, where base64 needs five and a third.

    The alphabet is that of RFC 1924 with a comma for `<`, without which no tag and no comment begins.
    """
    return base64.b85encode(packed).decode().replace("<", _INSTEAD_OF_LESS_THAN)


def _short(value: Any) -> Any:
    """The value with as many digits as are read; whole numbers keep all of theirs."""
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() else float(f"{value:.{_DIGITS}g}")
    if kind is str or kind is int or value is None:
        return value
    if kind is dict:
        return {key: _short(one) for key, one in value.items()}
    if kind is list or kind is tuple:
        return [_short(one) for one in value]
    return value
