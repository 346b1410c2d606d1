"""Progress of a run, as it is told to whoever shows it: a listener with a method for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.records.memory_policy import SYSTEM

if TYPE_CHECKING:
    from bench.records.record import Record


def other_memory(why: str) -> str:
    """That the memory policy asked for can't be had, on one line."""
    return f"rows of the CPU have memory {SYSTEM}, not as asked for: {why}"


class Listener:
    """Is told how a run goes on; the default does nothing with it."""

    def started(self, run_id: str, cases: int, steps: int) -> None:
        """Workers are being started for `cases` cases, which take `steps` steps."""

    def advanced(self, case: str, steps: int) -> None:
        """Steps were taken on a case."""

    def waiting(self) -> None:
        """The machine is in a slower state than its reference; measuring pauses until it is back."""

    def surveying(self, device: str, seconds: float) -> None:
        """The peak rates of a device are measured first, which takes so many seconds."""

    def memory_differs(self, why: str) -> None:
        """The memory policy asked for can't be had: results get their memory as the system does it."""

    def finished(self, record: Record) -> None:
        """A case is done and on disk."""
