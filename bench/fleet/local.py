"""Local engine: visits of this machine, one after the other. Two at a time would measure each other."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from bench.fleet.engine import Job, Node

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_GRACE_S = 120.0
"""For a visit to end its step and to keep what it has."""


class LocalEngine:
    """Starts a visit as a process of this one.

    Args:
        node: what this machine is called.
        command: of a visit.
    """

    def __init__(self, node: str, command: Sequence[str]) -> None:
        self._node = node
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    def nodes(self) -> Sequence[Node]:
        """This machine."""
        return (Node(name=self._node, state="busy" if self.jobs() else "idle"),)

    def submit(self, visits: int, *, among: Sequence[str], avoid: Sequence[str]) -> int:
        """Start a visit, unless one is under way."""
        wanted = visits and (not among or self._node in among) and self._node not in avoid
        if not wanted or self.jobs():
            return 0
        self._process = subprocess.Popen(self._command)  # noqa: S603 - this program
        return 1

    def jobs(self) -> Sequence[Job]:
        """The visit under way."""
        if self._process is None or self._process.poll() is not None:
            return ()
        return (Job(id=str(self._process.pid), state="running", node=self._node),)

    def cancel(self, states: Collection[str]) -> None:
        """End the visit under way; none ever waits."""
        if "running" in states:
            self.close()

    def gather(self) -> None:
        """Results are in the store already."""

    def close(self) -> None:
        """End the visit under way: its process is this one's, and would be left without anybody to see it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
