"""Paired run of a command: measured under an interruption that says what is kept."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.cli.output import say
from bench.run.listener import other_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.experiment.interleave import PairedRun, SideSpec
    from bench.plan.choose import Pair

BUDGET_HELP = (
    "Time to measure in all, without starting workers; what is measured at least may take longer."
)


@contextmanager
def opened(
    sides: tuple[SideSpec, SideSpec], store: Path, pairs: Sequence[Pair] = ()
) -> Iterator[PairedRun]:
    """A paired run; where it is interrupted, the runs that it leaves are named."""
    from bench.experiment.interleave import PairedRun

    paired: PairedRun | None = None
    try:
        with PairedRun.open(sides, store, pairs) as paired:
            if paired.memory_note:
                say(other_memory(paired.memory_note), err=True)
            yield paired
    except KeyboardInterrupt:
        runs = paired.runs if paired else []
        kept = ", ".join(f"run {run.info.run_id} in {run.folder}" for run in runs)
        say(f"\ninterrupted; kept: {kept or 'nothing, since no case was finished'}", err=True)
        raise


def time_text(budget_s: float, workers: int, least_s: float = 0.0) -> str:
    """How long it takes: the budget is of measuring, and less than is measured at least does not keep it.

    Args:
        budget_s: what was asked for.
        workers: how many have to start before.
        least_s: the sampling time that is spent whatever was asked for.
    """
    from bench.units import clock, counted

    about = clock(max(budget_s, least_s, 1.0))
    return f"measuring for about {about}, once {counted(workers, 'worker')} have started"
