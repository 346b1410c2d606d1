"""Case, call, work, expected result: what an op is given and what it returns.

Facts only; a case can make tensors once a worker has given it `inputs`. Nothing here imports torch.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from bench.errors import SuiteError, hint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ITEMSIZE_BYTES = MappingProxyType(
    {
        "float64": 8,
        "float32": 4,
        "float16": 2,
        "bfloat16": 2,
        "int64": 8,
        "int32": 4,
        "int16": 2,
        "int8": 1,
        "uint8": 1,
        "bool": 1,
        "complex64": 8,
        "complex128": 16,
    }
)
"""Bytes of one element, by the name torch gives the dtype."""

DEFAULT_DTYPE = "float32"


class Skip(Exception):  # noqa: N818 - it is an answer, not an error
    """Raised by an op for a case that makes no sense; its text is the reason people read."""


@dataclass(frozen=True, slots=True, init=False)
class Call:
    """The call that is timed: `function(*args, **kwargs)`, and nothing else."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __init__(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "kwargs", kwargs)

    def __call__(self) -> Any:
        """Make the call once."""
        return self.function(*self.args, **self.kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The work model of one call: FLOP, and the bytes that it must read and write at least."""

    flop: float = 0
    read_bytes: float = 0
    written_bytes: float = 0

    @property
    def bytes(self) -> float:
        """All bytes moved."""
        return self.read_bytes + self.written_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """What a reference returns where the values are random: their shape, range, mean and spread.

    `mean` and `std` must be met within six standard errors; `shape` and range exactly.
    """

    shape: tuple[int, ...]
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None


class Inputs(Protocol):
    """Makes seeded tensors on one device in one dtype; `bench.worker` implements it.

    A shape is numbers, or one tuple or list of them, as in torch.
    """

    @property
    def dtype(self) -> Any:
        """The `torch.dtype`."""

    def randn(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Standard normal values (whole numbers from -8 to 8 in an integer dtype)."""

    def rand(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Uniform values in [0, 1) (0 or 1 in an integer dtype)."""

    def ints(self, *shape: Any, low: int = -8, high: int = 9) -> Any:
        """Whole numbers in [low, high), as int64 unless the dtype is an integer type."""

    def zeros(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Zeros."""

    def ones(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Ones."""

    def empty(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Memory as it is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One point of a suite's grid: an op with a value for each axis, on a device."""

    id: str
    values: Mapping[str, Any]
    device: str
    dtype_name: str = DEFAULT_DTYPE
    inputs: Inputs | None = field(default=None, repr=False, compare=False)

    def __getitem__(self, axis: str) -> Any:
        """The value of an axis."""
        if axis not in self.values:
            message = f"{self.id} has no axis {axis!r}; {hint(axis, self.values)}"
            raise SuiteError(message)
        return self.values[axis]

    @property
    def itemsize(self) -> int:
        """Bytes of one element of the case's dtype."""
        return ITEMSIZE_BYTES[self.dtype_name]

    @property
    def dtype(self) -> Any:
        """The case's `torch.dtype`."""
        return self._maker.dtype

    @property
    def _maker(self) -> Inputs:
        if self.inputs is None:
            message = (
                f"{self.id}: a work model can't make tensors; use case[axis] and case.itemsize"
            )
            raise SuiteError(message)
        return self.inputs

    def randn(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Standard normal values (whole numbers from -8 to 8 in an integer dtype)."""
        return self._maker.randn(*shape, requires_grad=requires_grad)

    def rand(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Uniform values in [0, 1) (0 or 1 in an integer dtype)."""
        return self._maker.rand(*shape, requires_grad=requires_grad)

    def ints(self, *shape: Any, low: int = -8, high: int = 9) -> Any:
        """Whole numbers in [low, high), as int64 unless the dtype is an integer type."""
        return self._maker.ints(*shape, low=low, high=high)

    def zeros(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Zeros."""
        return self._maker.zeros(*shape, requires_grad=requires_grad)

    def ones(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Ones."""
        return self._maker.ones(*shape, requires_grad=requires_grad)

    def empty(self, *shape: Any, requires_grad: bool = False) -> Any:
        """Memory as it is found."""
        return self._maker.empty(*shape, requires_grad=requires_grad)


def with_inputs(case: Case, inputs: Inputs) -> Case:
    """The same case, able to make tensors."""
    return dataclasses.replace(case, inputs=inputs)
