"""Engine of pools whose visits are started elsewhere, by a manifest (`bench fleet emit`): there is nobody to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bench.fleet.engine import Job, Node


class ElsewhereEngine:
    """Knows no node and no job; the store tells of visits when they have begun."""

    def nodes(self) -> Sequence[Node]:
        """None that is known."""
        return ()

    def submit(self, visits: int, *, among: Sequence[str], avoid: Sequence[str]) -> int:  # noqa: ARG002
        """Take none: who follows such a pool has to be told before."""
        return 0

    def jobs(self) -> Sequence[Job]:
        """None that is known."""
        return ()

    def cancel(self, states: Collection[str]) -> None:
        """Nothing can be taken back."""

    def gather(self) -> None:
        """Machines write into the store themselves."""

    def close(self) -> None:
        """There is nothing to leave."""
