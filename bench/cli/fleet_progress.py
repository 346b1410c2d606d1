"""Progress of a campaign on stderr: a line whenever something has changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.cli.output import say
from bench.fleet.follow import Watcher
from bench.units import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.fleet.engine import Job
    from bench.records.campaign import CampaignState


class LineWatcher(Watcher):
    """Prints what changes, so that a log reads as a terminal does; visits of this machine show their own bar."""

    def __init__(self) -> None:
        self._last = ""

    def looked(self, state: CampaignState, jobs: Mapping[str, Sequence[Job]]) -> None:
        """Say how many visits are done, and what the others wait for."""
        counts = ", ".join(f"{n} {name}" for name, n in state.counts.items() if name != "done")
        done = f"{state.counts.get('done', 0)} of {counted(len(state.visits), 'visit')} done"
        line = "; ".join(filter(None, (done, counts, _queue(jobs))))
        if line != self._last:
            self._last = line
            say(line, err=True)

    def submitted(self, pool: str, visits: int) -> None:
        """Say what was handed over."""
        say(f"{pool}: {counted(visits, 'visit')} submitted", err=True)

    def troubled(self, what: str) -> None:
        """Say what can't be reached."""
        say(f"{what}; trying again", err=True)


def _queue(jobs: Mapping[str, Sequence[Job]]) -> str:
    """Why jobs wait."""
    waiting = Counter(j.reason for of in jobs.values() for j in of if j.state == "waiting")
    if not waiting:
        return ""
    reasons = ", ".join(
        f"{n} {reason}" if reason else str(n) for reason, n in waiting.most_common(3)
    )
    return f"queue: {reasons}"
