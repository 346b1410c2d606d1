"""Label: the short text that stands for a value of an axis in ids, tables and filters.

It is the same in every process and on every machine, so that runs join on it: it holds no address, and sets are
sorted. It need not tell all values apart; an axis refuses two that share one.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_LONGEST_TEXT = 200
"""Characters of a text on an axis, or of a label that a suite gives; the end of a longer text becomes a hash."""
_LONGEST_MADE = 60
"""Characters of a label that is made out of a value's parts: several stand in one id."""
_HASH_BYTES = 4
_DEEPEST = 8
"""Values within values that are looked at; what holds itself has no end."""
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")
_SHAPE = re.compile(r"-?\d+(x-?\d+)*")
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys instead of showing it (control characters, changes of direction), and halves of characters."""


def label(value: object) -> str:
    """How a value stands in a case id: `64x128x32`, `float32`, `matmul`."""
    most = _LONGEST_TEXT if isinstance(value, str) else _LONGEST_MADE
    text = _text(value, _DEEPEST)
    if len(text) <= most:
        return text
    hashed = hashlib.blake2s(text.encode(errors="surrogatepass"), digest_size=_HASH_BYTES)
    end = f"~{hashed.hexdigest()}"
    return text[: most - len(end)] + end


def value_like(text: str, values: Collection[Any]) -> Any:
    """The value that a text stands for, of the kind that these values are: numbers, or shapes such as `64x128`.

    Raises:
        ValueError: it is no such value, or they are of no kind that could be read.
    """
    if all(map(_is_whole, values)):
        return int(text)
    if all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        return float(text)
    if all(map(_is_shape, values)) and _SHAPE.fullmatch(text):
        kind: Any = type(next(iter(values)))
        sizes = [int(part) for part in text.split("x")]
        try:
            return getattr(kind, "_make", kind)(sizes)
        except TypeError as error:  # a named tuple of another length
            raise ValueError(str(error)) from error
    raise ValueError(text)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_shape(value: object) -> bool:
    return isinstance(value, tuple | list) and bool(value) and all(map(_is_whole, value))


def _text(value: Any, depth: int) -> str:
    """The text of a value; of its parts, if it has some."""
    if isinstance(value, str) or depth == 0:
        return str(value) if depth else type(value).__name__
    if _is_shape(value):
        return "x".join(map(str, value))
    parts = _parts(value, depth - 1)
    if parts is not None:
        return "_".join(parts) or "()"
    name = _attribute(value, "__name__")
    if isinstance(name, str) and name:
        return name
    shape = _attribute(value, "shape")
    is_array = isinstance(shape, tuple) and shape
    return f"{type(value).__name__}_{_text(shape, 1)}" if is_array else _plain(value)


def _parts(value: Any, depth: int) -> list[str] | None:
    """The texts of what a value is made of; None where it is no container."""
    if isinstance(value, tuple | list):
        return [_text(item, depth) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_text(item, depth) for item in value)
    if isinstance(value, Mapping):
        return _settings(value.items(), depth)
    if isinstance(value, functools.partial):
        given = [_text(item, depth) for item in (value.func, *value.args)]
        return given + _settings(value.keywords.items(), depth)
    if _is_plain_dataclass(value):
        fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr]
        return [type(value).__name__, *_settings(fields, depth)]
    return None


def _settings(pairs: Iterable[tuple[Any, Any]], depth: int) -> list[str]:
    return [f"{_text(name, depth)}:{_text(item, depth)}" for name, item in pairs]


def _is_plain_dataclass(value: Any) -> bool:
    """Whether it is a dataclass that has no text of its own."""
    kind: Any = type(value)
    return dataclasses.is_dataclass(kind) and kind.__str__ is object.__str__


def _attribute(value: object, name: str) -> object:
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a property of a user's class may raise anything
        return None


def _plain(value: object) -> str:
    """The value's own text in one line, without `torch.` in front; its type where that is none, or has an address."""
    try:
        text = " ".join(str(value).split())
    except Exception:  # noqa: BLE001 - as above
        return type(value).__name__
    if not text or _ADDRESS.search(text):
        return type(value).__name__
    return text.removeprefix("torch.") if type(value).__module__ == "torch" else text
