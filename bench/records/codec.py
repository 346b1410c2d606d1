"""JSON codec: frozen dataclasses to JSON objects and back, by the names and types of their fields.

`encode` writes, as do `dataclasses.asdict` and `json.dumps`; `decode` reads what they wrote. It needs nothing beside
the standard library, because workers run in interpreters that have little else.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
Read = Callable[[Any], Any]

_TYPES = {"Mapping": Mapping, "Sequence": Sequence, "datetime": datetime}
"""What annotations name and most modules import for type checking only."""


def facts_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, as they are: `dataclasses.asdict` copies every number of every list.

    Raises:
        TypeError: it is no dataclass.
    """
    kind: Any = type(value)  # as in `decode`
    return {name: getattr(value, name) for name in _names(kind)}


_ENCODER = json.JSONEncoder(default=facts_of)


def encode(facts: Mapping[str, Any]) -> str:
    """One line of JSON; dataclasses in it become objects of their fields.

    Raises:
        TypeError: JSON has no form for a value.
    """
    return _ENCODER.encode(facts)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def decode(kind: type[T], facts: Any) -> T:
    """The dataclass that a JSON object holds.

    Lists become tuples where the field is a tuple, null an empty one; objects become the dataclass of their
    field, and ISO 8601 a `datetime`. Names that the dataclass lacks are ignored: a newer version wrote them.

    Raises:
        TypeError: this is no JSON object, or a field is missing or of another kind.
        ValueError: a time can't be read.
    """
    if not isinstance(facts, Mapping):
        message = f"{kind.__name__} is read from a JSON object, not from {type(facts).__name__}"
        raise TypeError(message)
    hashable: Any = kind  # mypy takes no type[T] for hashable
    readers = _readers(hashable)
    known = {name: value for name, value in facts.items() if name in readers}
    for name, read in readers.items():
        if read is not None and name in known:
            known[name] = read(known[name])
    return kind(**known)


@cache
def _readers(kind: type[Any]) -> Mapping[str, Read | None]:
    """Field → what makes its value of the JSON; None where the JSON has it as it is."""
    hints = get_type_hints(kind, localns=_TYPES)
    return {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}


def _reader(hint: Any) -> Read | None:
    arguments = get_args(hint)
    if isinstance(hint, UnionType):  # a type or None
        (one,) = (part for part in arguments if part is not NoneType)
        read = _reader(one)
        return read and (lambda value: None if value is None else read(value))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda value: decode(hint, value)
    if hint is datetime:
        return lambda value: value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if get_origin(hint) is tuple:
        item = _reader(arguments[0])
        return lambda value: tuple(map(item, value or ()) if item else value or ())
    if get_origin(hint) is Mapping and (item := _reader(arguments[1])):
        return lambda value: {key: item(one) for key, one in dict(value).items()}
    return None
