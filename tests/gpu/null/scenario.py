"""A scenario: commands on a null GPU of some settings, and what must have come of them."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.run.scheduler import BATCH_CASES
from bench.store.load import load_rows
from bench.store.runs import list_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    Command = tuple[str, ...]

STORE, LOG = "store", "device.log"

WRONG = 6
"""The exit code of a command in which a case failed or a result was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended: its exit code, None where it was cut off, and what it printed."""

    code: int | None
    seconds: float
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a scenario left in its folder."""

    work: Path
    ended: tuple[Ended, ...]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows of its finished runs."""
        return load_rows(*(run.folder for run in list_runs(self.work / STORE) if run.finished))

    @cached_property
    def events(self) -> Counter[str]:
        """What the null GPU noted of all processes: `context`, `error 700`, `end_capture 0` → how often."""
        path = self.work / LOG
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return Counter(" ".join(_event(line)) for line in lines)

    def codes(self, *wanted: int) -> list[str]:
        """Which commands ended with another exit code, and their last line.

        Where all is to be well, 6 counts as well: kernels compute nothing, so that results are wrong.
        """
        return [
            f"command {place}: exit code {one.code}, {code} expected: {last_line(one)}"
            for place, (one, code) in enumerate(zip(self.ended, wanted, strict=True), 1)
            if one.code != code and (one.code, code) != (WRONG, 0)
        ]

    def lost_workers(self, workers: int, allowed: int = 0) -> list[str]:
        """Whether more processes had a context than a run needs: its workers, and one a batch after the profile."""
        batches = sum(math.ceil(n / BATCH_CASES) for n in self.rows["device"].value_counts())
        needed, seen = workers + batches + allowed, self.events["context"]
        return [f"{seen} processes had a context, {needed} are needed"] if seen > needed else []

    def failed_captures(self) -> list[str]:
        """Captures that CUDA ended with an error; each costs a process."""
        failed = {k: n for k, n in self.events.items() if re.fullmatch(r"end_capture [^0].*", k)}
        return [f"captures ended with errors: {failed}"] if failed else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Commands, the settings of the null GPU under them, and the check of what they left."""

    name: str
    what: str
    commands: tuple[Command, ...]
    check: Callable[[Made], list[str]]
    settings: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 300
    only_named: bool = False
    """Whether it is left out unless it is asked for by name: it takes many minutes."""


def last_line(ended: Ended) -> str:
    """Of what a command had to say."""
    lines = (ended.err.strip() or ended.out.strip()).splitlines()
    return lines[-1][:300] if lines else ""


def _event(line: str) -> list[str]:
    _, _, what, value = line.split()
    return [what] if what in {"start", "context", "end"} else [what, value]
