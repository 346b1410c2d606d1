"""Kinds of facts: whether a dataclass that was read from elsewhere holds what its annotations say.

`codec` reads names; a file that is anybody's may have anything under them, and is best refused where it is read.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

_NAMES = {"Mapping": Mapping, "datetime": datetime}
_LARGEST = 2**53
"""A whole number that is larger is no number of anything here, and no float holds it."""


def check(value: Any, where: str = "") -> None:
    """See that each field of a dataclass, and of those within it, is of its kind, and every text can be shown.

    Raises:
        TypeError: one is not; the message names it.
    """
    kind: Any = type(value)  # mypy takes no type[Any] for hashable
    for name, hint in _hints(kind).items():
        found = getattr(value, name)
        if not _is(found, hint):
            message = f"{where}{name} can't be {found!r:.60}"
            raise TypeError(message)
        for number, one in enumerate(found if isinstance(found, tuple) else (found,)):
            if dataclasses.is_dataclass(one):
                check(one, f"{where}{name}[{number}].")


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind, localns=_NAMES)


def _is(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(_is(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple | list) and all(_is(one, inner[0]) for one in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(
            _is(name, inner[0]) and _is(one, inner[1]) for name, one in value.items()
        )
    return _is_plain(value, hint)


def _is_plain(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint is float:
        return _is_number(value) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and _is_number(value)
    if hint is str:
        return isinstance(value, str) and _can_be_shown(value)
    return isinstance(value, NoneType if hint is None else hint)


def _is_number(value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST
    return whole or isinstance(value, float)


def _can_be_shown(text: str) -> bool:
    """Half a character can't."""
    try:
        text.encode()
    except UnicodeError:
        return False
    return True
