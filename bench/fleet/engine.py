"""Engine of a pool: what starts visits on its nodes, lists them, and takes them back. Four calls, whatever is behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class EngineError(BenchError):
    """A scheduler or host that can't be reached, or that refuses for now: to be tried again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node as its engine sees it now."""

    name: str
    state: Literal["idle", "busy", "down"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A visit that was handed to the engine and has not ended."""

    id: str
    state: Literal["waiting", "running", "held"]
    """A job that is held never begins by itself: its launch failed, or somebody stopped it."""
    node: str = ""
    """Where it runs, or the one node that it waits for."""
    reason: str = ""
    """Why it waits."""


class Engine(Protocol):
    """Starts visits of one campaign on the nodes of one pool."""

    def nodes(self) -> Sequence[Node]:
        """The nodes of the pool.

        Raises:
            EngineError: they can't be asked for now.
        """

    def submit(self, visits: int, *, among: Sequence[str], avoid: Sequence[str]) -> int:
        """Hand over so many visits; how many were taken, since a scheduler may take no more for now.

        Args:
            visits: which node each gets is the engine's to choose.
            among: the nodes that may be used; all of the pool that are not avoided where there are none.
            avoid: nodes that must not be used.

        Raises:
            EngineError: none was taken.
            SettingsError: none ever will be.
        """

    def jobs(self) -> Sequence[Job]:
        """The visits that have not ended, also those that another process handed over.

        Raises:
            EngineError: they can't be asked for now.
        """

    def cancel(self, states: Collection[str]) -> None:
        """Take back the jobs that are in one of these states.

        Raises:
            EngineError: it can't be.
        """

    def gather(self) -> None:
        """Bring results of hosts that don't share the store into it; most engines have nothing to do.

        Raises:
            EngineError: a host can't be reached.
        """

    def close(self) -> None:
        """Leave jobs to themselves; those that can't live on are ended, and keep what they have measured."""
