"""Campaign under test: a folder with a suite of calls that sleep, a fleet.toml, and `bench fleet` run in it as a user does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.store import campaigns
from bench.store.campaign_progress import progress
from bench.store.load import load_records
from bench.store.objects import Objects
from tests.fleet.real.slurm_cluster import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.records.campaign import CampaignState
    from bench.records.record import Record

CASES = 7
_SUITE = f'''
"""Calls that sleep. Their inputs have a size and no memory, so that no two fit beside each other: each is a batch of its
own, and its row is on disk before the next one begins."""
import time
import psutil
import torch
from bench import Axis, Call, Suite

suite = Suite("sleepy", axes=[Axis("n", list(range(1, {CASES} + 1)))])

def sleep(_):
    time.sleep(0.02)

@suite.op
def nap(case):
    """Sleep 20 ms."""
    size = int(0.3 * psutil.virtual_memory().available)
    return Call(sleep, torch.empty(size, dtype=torch.uint8, device="meta"))
'''
_SETTINGS = """
[pool.here]
engine = "{engine}"
apart = 0
lease = "8s"
time = "10min"
allow = ["busy"]
spool = "{spool}"
{more}
"""
NAME = "trial"
_MOST_S = 120.0
_MIDST = (2, 3)
"""Cases in a journal: something to keep, and enough left to be ended in."""


@dataclass(slots=True)
class Trial:
    """A campaign in a folder.

    Args:
        folder: an empty one.
        environ: of the commands.
        more: lines of the pool's table.
        engine: of the pool.
    """

    folder: Path
    environ: Mapping[str, str]
    more: str = ""
    engine: str = "slurm"
    output: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def write(self) -> None:
        """Write its files."""
        (self.folder / "sleepy.py").write_text(_SUITE)
        told = _SETTINGS.format(engine=self.engine, spool=self.spool, more=self.more)
        (self.folder / "fleet.toml").write_text(told)

    @property
    def spool(self) -> Path:
        """Where runs under way are."""
        return self.folder / "spool"

    @property
    def store(self) -> Path:
        """Where finished runs are."""
        return self.folder / "results"

    def begin(self, *, visits: int = 1, deadline: str = "100") -> None:
        """Run the campaign from the beginning."""
        self.write()
        how = (
            "--budget",
            "0.5",
            "--workers",
            "1",
            "--no-roofs",
            "--patience",
            "0",
            "--preset",
            "full",
        )
        self._start(
            "sleepy.py",
            *how,
            "--pool",
            "here",
            "--name",
            NAME,
            "--visits",
            str(visits),
            "--deadline",
            deadline,
        )

    def go_on(self, *, command: str = "run") -> None:
        """Follow it again."""
        self._start(NAME, "--deadline", "100", command=command)

    def _start(self, *words: str, command: str = "run") -> None:
        argv = [sys.executable, "-m", "bench", "fleet", command, *words, "--poll", "0.5"]
        self.process = subprocess.Popen(
            argv,
            cwd=self.folder,
            env=dict(self.environ),
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self) -> int:
        """Wait until it has ended; its exit code."""
        assert self.process
        try:
            said, _ = self.process.communicate(timeout=_MOST_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            said, _ = self.process.communicate()
            said += "\n(killed: it took too long)"
        self.output.append(said)
        print(said)  # noqa: T201 - pytest shows it where a test fails
        return self.process.returncode

    def interrupt(self) -> int:
        """End the follower as Ctrl-C does."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def state(self) -> CampaignState:
        """What has become of its visits."""
        objects = Objects(self.store)
        return progress(objects, campaigns.load(objects, NAME))

    def lines_of(self, node: str) -> int:
        """How many cases a node's visit under way has in its journal."""
        journals = self.spool.glob(f"{NAME}-*/{node}/*/journal.jsonl")
        return sum('"row"' in line for path in journals for line in path.read_text().splitlines())

    def begun_runs(self, node: str) -> list[str]:
        """The runs that a node has begun and not published."""
        return sorted(path.name for path in self.spool.glob(f"{NAME}-*/{node}/2*"))

    def wait_for_midst(self, *nodes: str) -> str:
        """Wait until one of these nodes is in the midst of a visit; which one."""
        found: list[str] = []

        def there() -> bool:
            with suppress(FileNotFoundError):  # a journal becomes a run
                found[:] = [node for node in nodes if self.lines_of(node) in _MIDST]
            return bool(found)

        wait_for(there, f"no visit of {nodes} is in its midst", _MOST_S)
        return found[0]

    def went_on(self, node: str, begun: Sequence[str]) -> bool:
        """Whether the visit of a node is one of these runs, which another attempt went on with."""
        (visit,) = (visit for visit in self.state().visits if visit.node == node)
        return visit.run_id in begun and visit.attempt == 2

    def rows(self) -> dict[tuple[str, int], list[Record]]:
        """Node and visit → the rows of the run that counts."""
        return {
            (visit.node, visit.visit): load_records(self.store / visit.run_id)
            for visit in self.state().visits
            if visit.run_id
        }

    def runs(self) -> list[str]:
        """All runs that are in the store, whether they count or not."""
        return sorted(path.parent.name for path in self.store.glob("*/run.json"))

    def status(self) -> tuple[int, dict[str, Any]]:
        """Exit code and facts of `bench fleet status --json`."""
        argv = [sys.executable, "-m", "bench", "fleet", "status", NAME, "--json"]
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    def check_whole(self) -> None:
        """Every visit is done, with every case once, and nothing failed."""
        state = self.state()
        assert state.complete, state.visits
        for place, rows in self.rows().items():
            assert sorted(row.case for row in rows) == sorted({row.case for row in rows}), place
            assert len(rows) == CASES, place
            assert {row.status for row in rows} == {"ok"}, (place, [row.reason for row in rows])


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Of a command: this one's without what a job of Slurm would have, and more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    return {**kept, **extra, "COLUMNS": "100"}
