"""Inputs of a case: tensors that are seeded, and the same on every run.

Values stay in a normal range: no denormals, no drift to zero or infinity by construction.
"""

from __future__ import annotations

import hashlib
import math
import operator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from bench.errors import SuiteError
from bench.plan.case import Skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.placement import InputValues


def seed_of(identity: str) -> int:
    """A 63-bit seed from a case's id: the same in every process, on every machine."""
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def dtype_of(name: str) -> torch.dtype:
    """Torch's dtype of this name.

    Raises:
        Skip: this torch has none.
    """
    found = getattr(torch, name, None)
    if isinstance(found, torch.dtype):
        return found
    message = f"torch {torch.__version__} has no dtype {name}"
    raise Skip(message)


class InputsTooLarge(MemoryError):  # noqa: N818 - it is no mistake, but a size
    """The inputs of a case take more memory than they may; raised before anything is made."""

    def __init__(self, asked_bytes: int) -> None:
        super().__init__(f"inputs of {asked_bytes} bytes do not fit")
        self.asked_bytes = asked_bytes


class TensorInputs:
    """`bench.plan.case.Inputs` on a torch device; the makers draw from one generator, in call order."""

    def __init__(
        self,
        identity: str,
        device: str,
        dtype_name: str,
        input_limit_bytes: float = math.inf,
        values: InputValues | None = None,
    ) -> None:
        self._values = values
        self._input_limit_bytes = input_limit_bytes
        self._asked_bytes = 0
        self._device = torch.device(device)
        self._dtype = dtype_of(dtype_name)
        self._seed = seed_of(identity)

    @cached_property
    def _generator(self) -> torch.Generator:
        """Made for the first random numbers; a call that needs none asks nothing of its device."""
        return torch.Generator(self._device).manual_seed(self._seed)

    @property
    def dtype(self) -> torch.dtype:
        """The `torch.dtype`."""
        return self._dtype

    @property
    def _whole(self) -> bool:
        return not (self._dtype.is_floating_point or self._dtype.is_complex)

    def _claim(self, given: tuple[Any, ...], dtype: torch.dtype | None = None) -> tuple[int, ...]:
        """The shape that was given, in numbers or as one tuple or list, once its memory is allowed."""
        whole = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
        shape = tuple(map(operator.index, whole))
        self._asked_bytes += math.prod(shape) * (dtype or self._dtype).itemsize
        if self._asked_bytes > self._input_limit_bytes:
            raise InputsTooLarge(self._asked_bytes)
        return shape

    def _made(
        self, make: Callable[..., torch.Tensor], given: tuple[Any, ...], *, requires_grad: bool
    ) -> torch.Tensor:
        """A tensor in the dtype of the case, by one of torch's makers."""
        if requires_grad and self._whole:
            message = f"requires_grad=True needs a floating or complex dtype, and this is {self._dtype}; leave it out"
            raise SuiteError(message)
        shape = self._claim(given)
        return make(shape, device=self._device, dtype=self._dtype, requires_grad=requires_grad)

    def randn(self, *shape: Any, requires_grad: bool = False) -> torch.Tensor:
        """Standard normal values; in an integer dtype whole numbers from -8 to 8."""
        if self._whole and not requires_grad:
            return self.ints(*shape)
        return self._made(self._random(torch.randn), shape, requires_grad=requires_grad)

    def rand(self, *shape: Any, requires_grad: bool = False) -> torch.Tensor:
        """Uniform values in [0, 1); in an integer dtype 0 or 1."""
        if self._whole and not requires_grad:
            return self.ints(*shape, low=0, high=2)
        return self._made(self._random(torch.rand), shape, requires_grad=requires_grad)

    def _random(self, make: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        """A maker of random values, drawn in float32 where torch can draw none in the dtype itself (float8)."""
        own = self._dtype if self._dtype.itemsize > 1 else torch.float32

        def drawn(
            *shape: Any, requires_grad: bool, dtype: torch.dtype, **kwargs: Any
        ) -> torch.Tensor:
            values = self._once(
                (make.__name__, shape, dtype),
                lambda: make(*shape, generator=self._generator, dtype=own, **kwargs).to(dtype),
            )
            return values.requires_grad_(requires_grad)

        return drawn

    def _once(self, key: Any, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Random values, which are drawn the first time only where they are kept."""
        return self._values.of(key, make) if self._values else make()

    def ints(self, *shape: Any, low: int = -8, high: int = 9) -> torch.Tensor:
        """Whole numbers in [low, high), as int64 unless the dtype is an integer type.

        One by itself is not 0 if it need not be: of 0 most ops make 0, computed or not.
        """
        if self._dtype is torch.bool:
            low, high = 0, 2
        elif self._whole and not self._dtype.is_signed:
            low = max(low, 0)
        dtype = self._dtype if self._whole else torch.int64
        sizes = self._claim(shape, dtype)
        drawn = self._once(
            ("ints", sizes, dtype, low, high),
            lambda: torch.randint(
                low, high, sizes, generator=self._generator, device=self._device, dtype=dtype
            ),
        )
        return drawn if drawn.numel() != 1 else drawn.masked_fill(drawn == 0, high - 1 or low)

    def zeros(self, *shape: Any, requires_grad: bool = False) -> torch.Tensor:
        """Zeros."""
        return self._made(torch.zeros, shape, requires_grad=requires_grad)

    def ones(self, *shape: Any, requires_grad: bool = False) -> torch.Tensor:
        """Ones."""
        return self._made(torch.ones, shape, requires_grad=requires_grad)

    def empty(self, *shape: Any, requires_grad: bool = False) -> torch.Tensor:
        """Memory as it is found."""
        return self._made(torch.empty, shape, requires_grad=requires_grad)
