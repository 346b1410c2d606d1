"""Value digest: a checksum of the values in an argument or result, to see later whether they are the same.

Of large tensors some slices stand for all: what changes a tensor in place changes most of it. A digest tells
values of the same process apart; it is not meant to be kept.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.worker.tensor_tree import children, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 2**20
"""Read of one tensor at most: a checksum of so many takes about 30 ms, and a GPU's copy of them 10 ms more."""
_FEWEST_SLICES = 2
_MOST_ITEMS = 1000
"""Read of one list at most, evenly spread."""


def digest(value: Any) -> int:
    """The checksum of a value: of tensors, arrays, numbers and texts, however containers nest them.

    Anything else counts by its type alone.
    """
    found = 0
    for piece in _pieces(value):
        found = zlib.crc32(piece, found)
    return found


def _pieces(value: Any) -> Iterator[Any]:
    if isinstance(value, torch.Tensor):
        yield f"{value.dtype}{tuple(value.shape)}".encode() if not value.is_nested else b"nested"
        for part in _parts(value):
            yield _bytes(part)
    elif isinstance(value, np.ndarray) and value.dtype.kind != "O":
        yield np.ascontiguousarray(_spread(value, value.nbytes)).view(np.uint8).reshape(-1)
    elif isinstance(value, (bool, int, float, complex, str, bytes, np.generic)) or value is None:
        yield repr(value).encode(errors="replace")
    else:
        yield from _pieces_in(value)


def _pieces_in(value: Any) -> Iterator[Any]:
    """Of a container: how many items it has, and the pieces of these."""
    keys, items = children(value) or ((), ())
    yield f"{type(value).__qualname__}{len(items)}".encode()
    if len(items) > _MOST_ITEMS:
        items = items[:: len(items) // _MOST_ITEMS]
    for key in keys[:_MOST_ITEMS]:
        yield repr(key).encode(errors="replace") if isinstance(key, str) else b""
    for item in items:
        yield from _pieces(item)


def _parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    try:
        return parts(tensor)
    except (RuntimeError, NotImplementedError, AttributeError, TypeError):
        return []


def _bytes(part: torch.Tensor) -> Any:
    """The bytes of a plain tensor's values, or of some slices of it; none where they can't be read."""
    try:
        plain = part.detach()
        plain = plain.int_repr() if plain.is_quantized else plain.resolve_conj().resolve_neg()
        some = _spread(plain, plain.numel() * plain.element_size())
        return some.cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    except (RuntimeError, NotImplementedError, TypeError):
        return b""


def _spread(array: Any, size_bytes: int) -> Any:
    """The array, or evenly spread slices along its longest dimension that take no more than may be read."""
    if size_bytes <= MOST_BYTES or not array.ndim:
        return array
    longest = max(range(array.ndim), key=lambda one: array.shape[one])
    count = max(_FEWEST_SLICES, int(array.shape[longest] * MOST_BYTES / size_bytes))
    step = max(1, array.shape[longest] // count)
    return array[(slice(None),) * longest + (slice(None, None, step),)]
