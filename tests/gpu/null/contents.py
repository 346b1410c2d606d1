"""Fills and copies on the null GPU leave in memory what they leave on the CPU: drawn at random, compared after each read.

    python tests/gpu/null/contents.py

Both are noted first, and made only where memory is looked at, or not at all if nothing has changed since. 1 where a value differs.
"""

from __future__ import annotations

import random
import sys
from collections import deque

import torch

BUFFERS, LENGTH, STEPS, SEED = 3, 240, 20_000, 1
DTYPES = torch.uint8, torch.int16, torch.float32, torch.float64
DEEDS = "fill", "copy", "copy", "copy again", "upload", "renew", "read"
Pair = tuple[torch.Tensor, torch.Tensor]
"""On the CPU and on the GPU."""


class Buffers:
    """The same few buffers on the CPU and on the GPU, and what is done to both."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._pairs = [self._new() for _ in range(BUFFERS)]
        self._copies = deque([(self._pairs[0], self._pairs[1])], maxlen=4)
        """Targets and sources of the last copies, which may be made again."""

    def _new(self) -> Pair:
        """All of them begin as bytes, so that each dtype is seen to cut through the elements of others."""
        host = torch.zeros(LENGTH * 8, dtype=torch.uint8)
        return host, host.to("cuda")

    def _slices(self, dtype: torch.dtype, length: int) -> Pair:
        """A part of one of them, on both."""
        host, device = (one.view(dtype) for one in self._draw.choice(self._pairs))
        start = self._draw.randrange(len(host) - length + 1)
        return host[start : start + length], device[start : start + length]

    def step(self) -> bool:
        """One thing done to both; whether they are the same where that was looked at."""
        dtype, length = self._draw.choice(DTYPES), self._draw.choice((1, 7, 64, LENGTH))
        target, source = self._slices(dtype, length), self._slices(dtype, length)
        match self._draw.choice(DEEDS):
            case "fill":
                value = self._draw.randrange(100)
                target[0].fill_(value)
                target[1].fill_(value)
            case "copy" if not _overlap(target[0], source[0]):
                self._copy(target, source)
                self._copies.append((target, source))
            case "copy again":
                self._copy(*self._draw.choice(self._copies))
            case "upload":
                values = torch.arange(length, dtype=dtype)
                self._copy(target, (values, values))
            case "renew":
                self._pairs[self._draw.randrange(BUFFERS)] = self._new()
            case _:
                return torch.equal(target[0], target[1].cpu())
        return True

    @staticmethod
    def _copy(target: Pair, source: Pair) -> None:
        for one, other in zip(target, source, strict=True):
            one.copy_(other)


def _overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether they share memory: what copying then leaves is not defined."""
    return abs(one.data_ptr() - other.data_ptr()) < one.nbytes


def main() -> int:
    """So many steps."""
    buffers = Buffers(random.Random(SEED))  # noqa: S311 - steps, not a secret
    wrong = next((step for step in range(STEPS) if not buffers.step()), None)
    print("all the same" if wrong is None else f"step {wrong}: not what the CPU has")
    return int(wrong is not None)


if __name__ == "__main__":
    sys.exit(main())
