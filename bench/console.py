"""How a run shows itself while it goes on: a bar with an honest ETA on a terminal, else a few lines.

Everything here goes to stderr, so that stdout holds results only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bench.session import Listener

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from bench.record import Record

_LONGEST_NAME = 40
_BAD = ("failed", "timeout", "oom")


class LiveListener(Listener):
    """Shows progress while it is entered; the ETA comes from the steps taken, not from the plan."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cases ·"),
            TimeElapsedColumn(),
            TextColumn("· left"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=False),
            TextColumn("{task.fields[case]}", style="dim", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self.run_id = ""

    def started(self, run_id: str, cases: int, steps: int) -> None:
        """Begin the bar."""
        self.run_id = run_id
        self._task = self._progress.add_task(
            "measuring", total=max(cases, 1), case="starting workers"
        )
        self._per_case = steps / cases if cases else 1.0

    def advanced(self, case: str, steps: int) -> None:
        """Move the bar by the share of a case that these steps are."""
        if self._task is not None:
            shown = case if len(case) <= _LONGEST_NAME else case[: _LONGEST_NAME - 1] + "…"
            self._progress.update(self._task, advance=steps / self._per_case, case=shown)

    def finished(self, record: Record) -> None:
        """Say at once when a case could not be measured."""
        if record.status in _BAD:
            self._console.print(
                f"{record.status}: {record.case} on {record.device}: {record.reason}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._progress.stop()
