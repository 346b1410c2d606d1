"""Case, call, work, expected result: what an op is given and what it returns.

Facts only; a case can make tensors once a worker has given it `inputs`. Nothing here imports torch.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from bench.errors import SuiteError, hint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ALIASES = MappingProxyType(
    {
        "half": "float16",
        "float": "float32",
        "double": "float64",
        "short": "int16",
        "int": "int32",
        "long": "int64",
        "chalf": "complex32",
        "cfloat": "complex64",
        "cdouble": "complex128",
    }
)
"""Torch's second names of dtypes."""
DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool")
"""What is suggested where a name is none; every dtype of torch is one."""
_BITS_PER_BYTE = 8
_SIZED = re.compile(r"(?:u?int|b?float|complex|q[u]?int|bits)(\d+)(?:_\w+|x\d+)?")
"""A dtype's name says how many bits an element has, before an underscore or an x."""

DEFAULT_DTYPE = "float32"


def dtype_name(value: object) -> str:
    """The one name of a dtype, given as torch's own object, its text or its second name: `torch.half` → `float16`."""
    text = str(value).removeprefix("torch.")
    return _ALIASES.get(text, text)


def itemsize_bytes(name: str) -> int | None:
    """Bytes of one element of a dtype, by its name, without torch; None where this can be no dtype.

    What is packed, several elements in a byte, counts as one byte, as torch counts it.
    """
    if name == "bool":
        return 1
    found = _SIZED.fullmatch(name)
    bits = int(found[1]) if found else 0
    known = bits and (bits < _BITS_PER_BYTE or bits.bit_count() == 1)
    return max(1, bits // _BITS_PER_BYTE) if known else None


class Skip(Exception):  # noqa: N818 - it is an answer, not an error
    """Raised by an op for a case that makes no sense; its text is the reason people read."""


@dataclass(frozen=True, slots=True, init=False)
class Call:
    """The call that is timed: `function(*args, **kwargs)`, and nothing else.

    With `setup` each call is given fresh inputs, made before it and not timed: for functions that use up or
    change what they are given. It is called with the arguments, or without any if it takes none, and
    returns the inputs of one call: a tuple of them, one that is no tuple, a pair of a tuple and a
    dict of keywords, or None where it has put the arguments right in place.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    setup: Callable[..., Any] | None

    def __init__(
        self,
        function: Callable[..., Any],
        /,
        *args: Any,
        setup: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "kwargs", kwargs)
        object.__setattr__(self, "setup", setup)

    def __call__(self) -> Any:
        """Make the call once, on fresh inputs where it has a `setup`."""
        once = self.fresh()
        return once.function(*once.args, **once.kwargs)

    def fresh(self) -> Call:
        """The call on inputs of its own, to be made once; itself where it has no `setup`."""
        if self.setup is None:
            return self
        given = _takes(self.setup, self.args, self.kwargs)
        made = self.setup(*self.args, **self.kwargs) if given else self.setup()
        args, kwargs = _inputs(made, self.args, self.kwargs)
        return Call(self.function, *args, **kwargs)


def _takes(setup: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether it can be called with these arguments; most functions written in C don't say, and take them."""
    try:
        inspect.signature(setup).bind(*args, **kwargs)
    except ValueError:
        return True
    except TypeError:
        return False
    return True


def _inputs(
    made: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments and keywords that a setup's answer means."""
    if made is None:
        return args, kwargs
    if not isinstance(made, tuple):
        return (made,), kwargs
    match made:
        case (tuple() | list() as positional, dict() as named) if len(args) != len(made):
            return tuple(positional), named
    return made, kwargs


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The error that an op allows its result: `rtol`, a share of the largest expected value, plus `atol`.

    What is not stated is what the dtypes allow, and nothing beside it.
    """

    rtol: float | None = None
    atol: float | None = None


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
        found = itemsize_bytes(self.dtype_name)
        if found is None:
            message = f"{self.id} has no dtype of torch, but {self.dtype_name!r}"
            raise SuiteError(message)
        return found

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
