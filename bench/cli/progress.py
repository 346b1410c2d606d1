"""Progress of a run: a bar with the time left on a terminal, a few lines elsewhere.

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
    TimeRemainingColumn,
)
from rich.table import Column

from bench.analysis.usable import failure
from bench.run.listener import Listener, other_memory

if TYPE_CHECKING:
    from rich.console import Console

    from bench.records.record import Record

_BAR_WIDTH = 20


class LiveListener(Listener):
    """Shows progress while it is entered; the time left comes from the steps taken, not from the plan.

    Args:
        console: where.
        repeats: the run before was like this one, and what it said of the workers is not said again.
    """

    def __init__(self, console: Console, *, repeats: bool = False) -> None:
        self._console = console
        self._repeats = repeats
        self._progress = Progress(
            BarColumn(bar_width=_BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("cases,"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=False),
            TextColumn("left"),
            # The name of the case takes what is left of the line, and is cut rather than the numbers.
            TextColumn(
                "{task.fields[case]}",
                style="dim",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            console=console,
            transient=True,
            expand=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._waited = False
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
            self._progress.update(self._task, advance=steps / self._per_case, case=case)

    def waiting(self) -> None:
        """Say why the bar stands still; in a log, once, why the run takes longer than it said."""
        if self._task is not None:
            self._progress.update(self._task, case="waiting: the machine is slower than usual")
        if not (self._waited or self._console.is_terminal):
            self._print(
                "the machine is slower than usual: waiting for it to come back (--patience 0 does not)"
            )
        self._waited = True

    def surveying(self, device: str, seconds: float) -> None:
        """Say why the first case is late, once per machine."""
        self._print(
            f"measuring roofs of {device}, about {seconds:.0f} s: they are kept for later runs"
        )

    def memory_differs(self, why: str) -> None:
        """Say once that rows will have another memory policy than was asked for."""
        if not self._repeats:
            self._print(other_memory(why))

    def finished(self, record: Record) -> None:
        """Say at once when a case could not be measured, or its result is wrong."""
        if how := failure(record):
            why = f": {record.reason}" if record.reason else ""
            self._print(f"{how.replace('-', ' ')}: {record.case} on {record.device}{why}")

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._progress.stop()

    def _print(self, line: str) -> None:
        """Print a line as it is, however long."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
