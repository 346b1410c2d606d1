"""Runs one command under a time limit, with its output in a file, and leaves no process of it behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
GRACE_S = 5.0
"""Between the request to end and the end."""
_TAIL_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended: its exit code, or None where it was cut off at its limit."""

    code: int | None
    seconds: float

    @property
    def words(self) -> str:
        """For a person."""
        how = "CUT OFF" if self.code is None else f"exit code {self.code}"
        return f"{how}, {self.seconds:.1f} s"


def environment(work: Path, around: Mapping[str, str]) -> dict[str, str]:
    """What commands find: the checkout, which needs no installation for that, and a cache of their own.

    The machine may have any number of pytest plugins: none is loaded.
    """
    path = os.pathsep.join([str(ROOT), *filter(None, [around.get("PYTHONPATH")])])
    return {
        **around,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TENSORBENCH_CACHE": str(work / "cache"),
    }


def run(command: Sequence[str], log: Path, limit_s: float, environment: Mapping[str, str]) -> Ended:
    """Run a command in the checkout; all that it prints is added to a file."""
    began = time.monotonic()
    with log.open("ab") as kept:
        kept.write(f"$ {shlex.join(command)}\n".encode())
        kept.flush()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=kept,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, which can be ended as a whole
        )
        code: int | None = None
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(limit_s)
        finally:
            _end(process)
    return Ended(code=code, seconds=time.monotonic() - began)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a command: its group, and workers, which have groups of their own."""
    family = _descendants(process.pid)
    if process.poll() is None:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _signal(process.pid, signal.SIGKILL)
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.wait()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def tail(log: Path, lines: int, width: int) -> list[str]:
    """The last lines of a file, none longer than that."""
    with log.open("rb") as kept:
        kept.seek(max(0, kept.seek(0, os.SEEK_END) - _TAIL_BYTES))
        text = kept.read().decode(errors="replace")
    return [line[:width] for line in text.splitlines()[-lines:]]
