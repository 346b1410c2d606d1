"""Spool of a node: runs under way, and runs that the store could not take yet, on a disk of the node itself.

Journals are written case by case, which a shared file system makes slow and may lose; and a store that is away for
an hour must not cost what was measured.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.machine.environment import read_environment
from bench.run import session
from bench.store import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.plan.plan import Plan
    from bench.pool.pool import Start
    from bench.records.campaign import Campaign, Pool
    from bench.run.listener import Listener
    from bench.run.manifest import Options
    from bench.store.objects import Objects
    from bench.store.runs import StoredRun

_PLACE = Path("/var/tmp")  # noqa: S108 - below it is a folder that only its owner may enter
"""Outlives a reboot, unlike /tmp, and is a disk of the node nearly everywhere; where there is none, the usual place."""
_ABANDONED, _LOCK = "abandoned", "visit.lock"
_SAME = ("kernel", "gpu_driver", "packages", "python")
"""What holds throughout a run."""
RETRIES_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 30.0, 30.0)
"""Pauses before another try to reach the store: two minutes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """The folder of one plan and node; it is a store of its own."""

    folder: Path

    @classmethod
    def of(cls, pool: Pool, campaign: Campaign, node: str) -> Spool:
        """The spool of a node, made if there is none.

        Raises:
            StoreError: it can't be made, or belongs to somebody else.
        """
        base = _base(pool.spool)
        folder = base / campaign.identity / node
        try:
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = base.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != _user():
                message = f"{base} is no folder of yours; name another: spool in fleet.toml"
                raise StoreError(message)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"the spool {folder} can't be made: {error.strerror}; name another: spool in fleet.toml"
            raise StoreError(message) from error
        return cls(folder=folder)

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Have it for one job at a time; whether this is the one.

        A scheduler that lost sight of a job begins it again, also where it lives on.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415 - a tenth of a second, for jobs alone

        lock = FileLock(self.folder / _LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def runs(self) -> list[StoredRun]:
        """What it holds, oldest first."""
        return runs.list_runs(self.folder)

    def measured(
        self, visit: int, plan: Plan, options: Options, listener: Listener, started: Start
    ) -> StoredRun:
        """The finished run of a visit: gone on with, if this node has begun one under the same circumstances.

        Raises:
            BenchError: it can't be measured.
        """
        begun = self._unfinished(visit)
        if begun and _same_environment(begun):
            with suppress(StoreError):  # it began on other hardware, or with another torch
                return session.resume(begun, plan, options, listener, started)
        if begun:
            self._abandon(begun)
        return session.run(plan, options, self.folder, listener, started)

    def _unfinished(self, visit: int) -> StoredRun | None:
        of_visit = [r for r in self.runs() if r.info.tags.get("visit") == str(visit)]
        return next((run for run in reversed(of_visit) if not run.finished), None)

    def _abandon(self, begun: StoredRun) -> None:
        """End a run that can't be gone on with; its rows are kept, and count for nothing that the campaign says."""
        (begun.folder / _ABANDONED).touch()
        runs.finish(begun.folder, begun.info)

    @staticmethod
    def is_abandoned(run: StoredRun) -> bool:
        """Whether it was ended before it was whole."""
        return (run.folder / _ABANDONED).exists()


def _base(named: str) -> Path:
    """The folder of all spools: as it is named, or below it one of the user's, if it is everybody's."""
    own = f"tensorbench-{_user()}"
    if not named:
        return (_PLACE if _PLACE.is_dir() else Path(tempfile.gettempdir())) / own
    place = Path(named).expanduser()
    with suppress(OSError):
        found = place.lstat()
        shared = found.st_uid == 0 or found.st_mode & stat.S_ISVTX
        if stat.S_ISDIR(found.st_mode) and found.st_uid != _user() and shared:
            return place / own
    return place


def _user() -> int:
    """The number of this user; 0 where users have none."""
    return os.getuid() if hasattr(os, "getuid") else 0


def _same_environment(begun: StoredRun) -> bool:
    """Whether nothing that a reboot or an upgrade can change was changed since a run began."""
    now = dataclasses.asdict(read_environment())
    return all(begun.info.environment.get(name) == now[name] for name in _SAME)


def publish(run: StoredRun, objects: Objects) -> None:
    """Copy a finished run into the store, its manifest last; what is there already is the same.

    Raises:
        StoreError: the store can't be written.
    """
    for name in (*run.info.files, runs.MANIFEST):
        objects.write(f"{run.info.run_id}/{name}", (run.folder / name).read_bytes())


def tried(action: Callable[[], None], sleep: Callable[[float], None]) -> bool:
    """Do something with the store, again and again while it is away; whether it was done."""
    for pause_s in (*RETRIES_S, None):
        try:
            action()
        except StoreError:
            if pause_s is not None:
                sleep(pause_s)
        else:
            return True
    return False


def remove(run: StoredRun) -> None:
    """Remove a run that the store has."""
    shutil.rmtree(run.folder, ignore_errors=True)
