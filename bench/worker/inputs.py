"""Inputs of a case: tensors that are seeded, and the same on every run.

Values stay in a normal range: no denormals, no drift to zero or infinity by construction.
"""

from __future__ import annotations

import hashlib
import math
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from bench.plan.case import Skip

if TYPE_CHECKING:
    from collections.abc import Callable


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
        self, identity: str, device: str, dtype_name: str, input_limit_bytes: float = math.inf
    ) -> None:
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

    def _claim(self, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> None:
        self._asked_bytes += math.prod(shape) * (dtype or self._dtype).itemsize
        if self._asked_bytes > self._input_limit_bytes:
            raise InputsTooLarge(self._asked_bytes)

    def randn(self, *shape: int) -> torch.Tensor:
        """Standard normal values; in an integer dtype whole numbers from -8 to 8."""
        if self._whole:
            return self.ints(*shape)
        self._claim(shape)
        return self._drawn(torch.randn, shape)

    def rand(self, *shape: int) -> torch.Tensor:
        """Uniform values in [0, 1); in an integer dtype 0 or 1."""
        if self._whole:
            return self.ints(*shape, low=0, high=2)
        self._claim(shape)
        return self._drawn(torch.rand, shape)

    def _drawn(self, draw: Callable[..., torch.Tensor], shape: tuple[int, ...]) -> torch.Tensor:
        """Random values, drawn in float32 where torch can draw none in the dtype itself (float8)."""
        own = self._dtype if self._dtype.itemsize > 1 else torch.float32
        values = draw(shape, generator=self._generator, device=self._device, dtype=own)
        return values.to(self._dtype)

    def ints(self, *shape: int, low: int = -8, high: int = 9) -> torch.Tensor:
        """Whole numbers in [low, high), as int64 unless the dtype is an integer type.

        One by itself is not 0 if it need not be: of 0 most ops make 0, computed or not.
        """
        if self._dtype is torch.bool:
            low, high = 0, 2
        elif self._whole and not self._dtype.is_signed:
            low = max(low, 0)
        dtype = self._dtype if self._whole else torch.int64
        self._claim(shape, dtype)
        drawn = torch.randint(
            low, high, shape, generator=self._generator, device=self._device, dtype=dtype
        )
        return drawn if drawn.numel() != 1 else drawn.masked_fill(drawn == 0, high - 1 or low)

    def zeros(self, *shape: int) -> torch.Tensor:
        """Zeros."""
        self._claim(shape)
        return torch.zeros(shape, device=self._device, dtype=self._dtype)

    def ones(self, *shape: int) -> torch.Tensor:
        """Ones."""
        self._claim(shape)
        return torch.ones(shape, device=self._device, dtype=self._dtype)

    def empty(self, *shape: int) -> torch.Tensor:
        """Memory as it is found."""
        self._claim(shape)
        return torch.empty(shape, device=self._device, dtype=self._dtype)
