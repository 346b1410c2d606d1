"""Store in memory, by a clock of the test's own: what `Objects` does with a folder, without a disk, and away at will."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.store.objects import Found, Objects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

BEGUN = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


class MemoryObjects(Objects):
    """Objects in a dictionary.

    Args:
        now: the time by the store's clock.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: BEGUN) -> None:
        self.place, self.folder, self._now = "memory", None, now
        self.kept: dict[str, tuple[bytes, datetime]] = {}
        self.away = False

    def read(self, key: str) -> bytes | None:
        """As the store does."""
        self._reach()
        return self.kept[key][0] if key in self.kept else None

    def create(self, key: str, data: bytes) -> bool:
        """As the store does."""
        self._reach()
        if key in self.kept:
            return False
        self.kept[key] = data, self._now()
        return True

    def write(self, key: str, data: bytes) -> None:
        """As the store does."""
        self._reach()
        self.kept[key] = data, self._now()

    def remove(self, keys: Sequence[str]) -> None:
        """As a bucket does: what is not there is no error."""
        self._reach()
        for key in keys:
            self.kept.pop(key, None)

    def found(self, prefix: str) -> Sequence[Found]:
        """As the store does."""
        self._reach()
        below = f"{prefix.rstrip('/')}/" if prefix else ""
        return [
            Found(key=key, at=at, size=len(data))
            for key, (data, at) in sorted(self.kept.items())
            if key.startswith(below)
        ]

    def path(self, key: str) -> Path | None:  # noqa: ARG002 - as the store has it
        """None: there is no folder."""
        return None

    def _reach(self) -> None:
        if self.away:
            message = "the store memory can't be used: it is away"
            raise StoreError(message)
