"""Placement: where a case's inputs and results lie in memory. It is drawn anew for each visit.

In one place for its whole life, each worker has a time of its own: how well a working set near the size of a cache fits
into it depends on its addresses and its physical pages. Drawn for each visit, that averages out within a run. The call
is built again from copies of the same values, behind blocks of random size, which move its results too.
"""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import torch

from bench.plan.schedule import COPIED_INPUT_BYTES
from bench.worker import garbage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from bench.plan.case import Call
    from bench.worker.sampling import Clock

_MOVING_SHARE = 1 / 8
"""Of the samples' time; the inputs of most cases are built in less than a millisecond of a visit's eight."""
_BLOCKS = 3
_SMALLEST_BLOCK_BYTES, _LARGEST_BLOCK_BYTES = 2**6, 2**23
"""From the length of a cache's line, at which torch aligns memory, to a part of the largest caches."""


class ChangedInputsError(RuntimeError):
    """The inputs asked for are not those that were made at first, or were too many to be kept."""


class InputValues:
    """Random values of a case's inputs in the order in which they were made; later they are handed out as copies."""

    def __init__(self, most_bytes: float = COPIED_INPUT_BYTES) -> None:
        self._kept: list[tuple[Any, torch.Tensor]] = []
        self._left_bytes = most_bytes
        self._next: int | None = None

    def again(self) -> InputValues:
        """Hand out copies from now on, from the first one on.

        Raises:
            ChangedInputsError: not all of them could be kept.
        """
        if self._left_bytes < 0:
            message = "the inputs are too large to be kept"
            raise ChangedInputsError(message)
        self._next = 0
        return self

    def of(self, key: Any, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The values that `make` gives, which is called the first time only.

        Args:
            key: how they are made, so that other inputs than at first are noticed.
            make: draws them.

        Raises:
            ChangedInputsError: they were made in another way, or order, at first.
        """
        if self._next is None:
            return self._keep(key, make())
        if self._next >= len(self._kept) or self._kept[self._next][0] != key:
            message = "the op asks for other inputs each time that it is built"
            raise ChangedInputsError(message)
        self._next += 1
        return self._kept[self._next - 1][1].clone()

    def _keep(self, key: Any, made: torch.Tensor) -> torch.Tensor:
        self._left_bytes -= made.nbytes
        if self._left_bytes >= 0:
            self._kept.append((key, made.clone()))
        else:
            self._kept.clear()
        return made


class Placement:
    """A case's call, and where it lies."""

    def __init__(
        self,
        build: Callable[[InputValues], Call],
        allocate: Callable[[int], object],
        draw: Random,
        clock: Clock,
    ) -> None:
        """Build the call.

        Args:
            build: makes it from input values.
            allocate: takes so many bytes of the device's memory, until the result is dropped.
            draw: tells how many.
            clock: of the host.
        """
        self._build = build
        self._allocate = allocate
        self._draw = draw
        self._clock = clock
        self._values = InputValues()
        self._moved = False
        self._spare_ns = 0.0
        self.fixed = False
        self.call = build(self._values)

    def fix(self) -> None:
        """Leave the call where it is from now on."""
        self.fixed = True
        self._values = InputValues()

    @contextmanager
    def drawn(self, seconds: float, same: Callable[[Call], bool]) -> Iterator[Call]:
        """The call in a place of its own; what is allocated within lies elsewhere than the last time.

        It is fixed where it can't be built from the same values. Building takes an eighth of the time of the samples
        at most, all in all: a call for which it takes longer stays where it is for some visits.

        Args:
            seconds: for which it is sampled.
            same: whether a call has the inputs that the first one had; asked once.
        """
        blocks = _blocks(self._allocate, self._draw)
        self._spare_ns += round(seconds * 1e9) * _MOVING_SHARE
        if not self.fixed and self._spare_ns >= 0:
            self._move(same)
        yield self.call
        del blocks

    def _move(self, same: Callable[[Call], bool]) -> None:
        objects, begun_ns = garbage.objects(), self._clock()
        try:
            call = self._build(self._values.again())
        except Exception:  # noqa: BLE001 - what a guest can build only once is measured where it is
            self.fix()
            return
        self._spare_ns -= self._clock() - begun_ns
        if not self._moved and not same(call):
            self.fix()
            return
        self.call, self._moved = call, True
        garbage.collect_left(objects, 1)


def block(size_bytes: int, device: str) -> torch.Tensor:
    """A block of a device's memory, which is not written to."""
    return torch.empty(size_bytes, dtype=torch.uint8, device=device)


def _blocks(allocate: Callable[[int], object], draw: Random) -> list[object]:
    """Blocks of random sizes, each order of magnitude as likely, with a gap between, into which a result may fall."""
    low, high = math.log(_SMALLEST_BLOCK_BYTES), math.log(_LARGEST_BLOCK_BYTES)
    blocks: list[object] = []
    with suppress(Exception):  # where memory is short, or can't be had so, nothing is shifted
        sizes = [round(math.exp(draw.uniform(low, high))) for _ in range(_BLOCKS)]
        blocks.extend(allocate(size) for size in sizes)
        del blocks[draw.randrange(_BLOCKS)]
    return blocks
