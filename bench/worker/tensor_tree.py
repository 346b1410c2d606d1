"""Tensor trees: the tensors of an argument or result, however containers nest them, and what each consists of.

Containers are lists, tuples (named ones too), mappings and dataclasses. A tensor that has no memory of its own (sparse,
jagged, a wrapper around others) consists of tensors that have some.
"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch.utils import _python_dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_is_wrapper: Callable[[Any], bool] = _python_dispatch.is_traceable_wrapper_subclass
_COMPRESSED = {
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}


def children(value: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """The keys (places, names of fields) and values of a container; None for anything else."""
    if isinstance(value, Mapping):
        return tuple(value), tuple(value.values())
    if isinstance(value, (list, tuple)):
        return tuple(range(len(value))), tuple(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = tuple(one.name for one in dataclasses.fields(value) if hasattr(value, one.name))
        return names, tuple(getattr(value, name) for name in names)
    return None


def mapped(change: Callable[[torch.Tensor], Any], value: Any) -> Any:
    """A copy of the value with each of its tensors changed; what is no container and no tensor stays as it is."""
    if isinstance(value, torch.Tensor):
        return change(value)
    found = children(value)
    if found is None:
        return value
    keys, items = found
    return _rebuilt(value, keys, [mapped(change, item) for item in items])


def _rebuilt(value: Any, keys: Sequence[Any], items: list[Any]) -> Any:
    """A container like this one, with other items."""
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(items)
    if isinstance(value, tuple):  # also torch's own result types, which are made of one sequence
        return tuple(items) if type(value) is tuple else _made(type(value), items)
    if isinstance(value, list):
        return items
    if isinstance(value, Mapping):
        return dict(zip(keys, items, strict=True))
    changed = copy.copy(value)
    for name, item in zip(keys, items, strict=True):
        object.__setattr__(changed, name, item)  # frozen ones too
    return changed


def _made(kind: type[Any], items: list[Any]) -> Any:
    try:
        return kind(items)
    except TypeError:  # its constructor takes something else
        return tuple(items)


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Every tensor in an argument or result, and no other value."""
    if isinstance(value, torch.Tensor):
        yield value
    else:
        _, items = children(value) or ((), ())
        for item in items:
            yield from tensors_in(item)


def parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    """The plain tensors that a tensor consists of: itself, unless it is sparse, nested or a wrapper."""
    if tensor.layout is torch.sparse_coo:
        return [tensor._indices(), tensor._values()]  # noqa: SLF001 - the public ones refuse what is not coalesced
    if tensor.layout in _COMPRESSED:
        return [getattr(tensor, name)() for name in _COMPRESSED[tensor.layout]]
    if _is_wrapper(tensor):
        whole: Any = tensor
        names, _ = whole.__tensor_flatten__()
        inner = [getattr(tensor, name) for name in names]
        return [part for one in inner if one is not None for part in parts(one)]
    if tensor.is_nested:
        return list(tensor.unbind())
    return [tensor]


def storage_bytes(value: Any) -> int:
    """Bytes of memory behind the tensors of `value`; memory shared by two views counts once.

    Of a tensor that does not say where its memory is (oneDNN's layout, a wrapper that hides what it holds), its
    elements are counted.
    """
    storages: dict[Any, int] = {}
    for tensor in tensors_in(value):
        try:
            for part in parts(tensor):
                memory = part.untyped_storage()
                storages[memory.data_ptr() or id(tensor)] = memory.nbytes()
        except (RuntimeError, NotImplementedError, AttributeError, TypeError):
            storages[id(tensor)] = _element_bytes(tensor)
    return sum(storages.values())


def _element_bytes(tensor: torch.Tensor) -> int:
    try:
        return tensor.numel() * tensor.element_size()
    except (RuntimeError, NotImplementedError, TypeError):
        return 0


def for_reference(value: Any) -> Any:
    """The value with its tensors as float64 CPU copies that need no gradient, sparse and nested ones in their layout.

    Whole numbers and booleans keep their dtype; complex numbers become complex128, quantized ones what they
    stand for. A dtype that torch can't convert stays as it is.
    """
    with warnings.catch_warnings(action="ignore"):
        # That CSR is in beta is no call's fault.
        return mapped(_reference_tensor, value)


def _reference_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """Converted on the CPU: MPS refuses to, since it has no float64 (`aten/src/ATen/native/mps/operations/Copy.mm`)."""
    plain = tensor.detach()
    if plain.is_meta:  # there are no values
        return plain
    plain = plain.cpu()
    own = tensor.device.type == "cpu"  # what came from a device is a copy
    if plain.is_quantized:
        return plain.dequantize().to(torch.float64)
    if plain.layout is torch._mkldnn:  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name
        return plain.to_dense().to(torch.float64)
    try:
        wide = _widest(plain.dtype)
        return plain.to(wide or plain.dtype, copy=own)
    except (
        RuntimeError,
        NotImplementedError,
    ):  # numbers of less than a byte, that torch does not even copy
        return plain


def _widest(dtype: torch.dtype) -> torch.dtype | None:
    if dtype.is_complex:
        return torch.complex128
    return torch.float64 if dtype.is_floating_point else None


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """A reference's tensor as a plain, strided one on the CPU, of the same values.

    Raises:
        TypeError: it wraps others and does not say what it stands for.
    """
    if type(tensor) is not torch.Tensor:
        tensor = tensor.as_subclass(torch.Tensor) if _has_memory(tensor) else _unwrapped(tensor)
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    return tensor.resolve_conj().resolve_neg()


def _has_memory(tensor: torch.Tensor) -> bool:
    """Whether its elements are in memory of its own, so that it wraps no other tensor."""
    if _is_wrapper(tensor):
        return False
    try:
        return tensor.untyped_storage().data_ptr() != 0 or not tensor.numel()
    except (RuntimeError, NotImplementedError):  # a layout whose memory is hidden, or a wrapper's
        return tensor.layout is not torch.strided


def _unwrapped(tensor: torch.Tensor) -> torch.Tensor:
    for name in _UNWRAP:
        try:
            found = getattr(tensor, name)()
        except (AttributeError, RuntimeError, NotImplementedError, TypeError, ValueError):
            continue
        if type(found) is torch.Tensor:
            return found
    message = (
        f"{type(tensor).__name__} has no method that makes it a plain tensor ({', '.join(_UNWRAP)})"
    )
    raise TypeError(message)


_UNWRAP = ("full_tensor", "to_dense", "dequantize")
"""By these wrappers give what they stand for: distributed tensors, sparse ones, quantized ones."""
