"""Worker process, seen from the session: start it with its threads bound, ask it, end it. Torch-free.

A request has a deadline; a worker that dies or does not answer is an exception with the reason.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import tempfile
import threading
from typing import TYPE_CHECKING, Any

from bench.machine.environment import FALLBACK_VARIABLES
from bench.pool import interpreter, protocol
from bench.records.memory_policy import SYSTEM
from bench.units import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START_TIMEOUT_S = 120.0
"""A cold import of a CUDA build of torch from a slow disk takes up to a minute."""
_NAMED_FALLBACKS = {"PYTORCH_DEBUG_XPU_FALLBACK": "1"}
"""Has the warning of a fallback on XPU name its op."""
MEMORY_VARIABLE = "TENSORBENCH_MEMORY"
"""Tells a worker its memory policy, which holds from before torch is imported."""
_EXIT_TIMEOUT_S = 5.0
"""From the end of a worker's pipe to its own, which may have memory to free."""
_ERROR_TAIL_BYTES = 4000
_SHOWN = 60
"""Characters shown of a line that is no reply."""


class WorkerLost(Exception):  # noqa: N818 - a fact to be handled, not a mistake of the user's
    """A worker is gone: `status` is that of the row it was working on, `str()` the reason."""

    def __init__(self, *, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def worker_environment(
    threads: int,
    base: Mapping[str, str],
    *,
    number: int = 0,
    cores: Sequence[Sequence[int]] = (),
    memory: str = SYSTEM,
) -> dict[str, str]:
    """The environment that a worker must be born with, since torch reads it once.

    Threads are bound to cores so that the scheduler can't move them, and each worker begins at another
    core: what one core suffers from its neighbours is then seen as such. It also lets workers import
    torch side by side, since the library binds the importing thread to the first core of the list. What
    the user has set stays, except the number of threads, which is ours to keep. What asks for ops to be
    run on the CPU instead of an accelerator is left out.

    Args:
        threads: how many the worker gets.
        base: the environment to add to.
        number: which worker this is.
        cores: the logical cores of each physical one; the library's own list if there are none.
        memory: the policy by which the worker's results get their memory.
    """
    first = number % len(cores) if cores else 0
    rotated = [*cores[first:], *cores[:first]]
    places = ",".join("{" + ",".join(map(str, core)) + "}" for core in rotated)
    bound = {
        "OMP_PROC_BIND": "true",
        "OMP_PLACES": places or "cores",
        "PYTHONHASHSEED": "0",
    }
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    asked = {name for names in FALLBACK_VARIABLES.values() for name in names}
    kept = {name: value for name, value in base.items() if name not in asked}
    return {**bound, **kept, **counts, **_NAMED_FALLBACKS, MEMORY_VARIABLE: memory}


class WorkerProcess:
    """A running worker, of our interpreter or of another."""

    def __init__(self, environment: Mapping[str, str], python: str | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._process = subprocess.Popen(  # noqa: S603 - a Python, and fixed words
            interpreter.command(python),
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            errors="replace",  # an op may write anything to the worker's pipe
            start_new_session=True,  # Ctrl-C is for the session; it ends its workers in order
        )
        self._errors_before = 0
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._watch, daemon=True).start()
        self.hello: protocol.Hello | None = None

    def wait_ready(self) -> protocol.Hello:
        """Wait until torch is imported and the worker has said hello.

        Raises:
            WorkerLost: it died, or took longer than two minutes.
        """
        if self.hello is None:
            self.hello = self._receive(START_TIMEOUT_S)
        return self.hello

    def ask(self, request: protocol.WorkerRequest, timeout_s: float) -> Any:
        """Send a request and wait for its reply.

        Raises:
            WorkerLost: the worker died, or did not answer in time (it is then killed).
        """
        self.wait_ready()
        self._errors_before = self._errors_size()
        assert self._process.stdin is not None  # noqa: S101 - opened above
        try:
            self._process.stdin.write(protocol.encode(request) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._lost() from error
        return self._receive(timeout_s)

    def dismiss(self) -> None:
        """Let the worker end, without waiting for it: at once if it is still starting."""
        if self.hello is None:  # it would import torch to the end before it looked at its input
            self._process.kill()
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:  # a dead worker's pipe can't be flushed
                self._process.kill()

    def close(self) -> None:
        """End the worker, and wait for it; by force if it does not end when its input does."""
        self.dismiss()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.kill()
        self._errors.close()

    def kill(self) -> None:
        """End the worker now."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - opened above
        for line in self._process.stdout:
            self._lines.put(line)
        self._process.stdout.close()
        self._lines.put("")

    def _watch(self) -> None:
        """Tell that the worker has ended, also where a child of it holds its pipe open."""
        self._process.wait()
        self._reader.join(_EXIT_TIMEOUT_S)  # its last reply comes first
        self._lines.put("")

    def _receive(self, timeout_s: float) -> Any:
        try:
            line = self._lines.get(timeout=max(timeout_s, 0.001))
        except queue.Empty:
            self.kill()
            reason = f"no answer within {timeout_s:.3g} s; raise --timeout or choose smaller sizes"
            raise WorkerLost(status="timeout", reason=reason) from None
        if not line:
            raise self._lost()
        try:
            return protocol.decode(line)
        except (ValueError, TypeError, RecursionError) as error:
            self.kill()
            reason = f"what came from the worker is no reply, so the op wrote to its pipe, or broke its json: {clipped(line.strip(), _SHOWN)!r}"
            raise WorkerLost(status="failed", reason=reason) from error

    def _lost(self) -> WorkerLost:
        try:
            code = self._process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            reason = "the worker's pipe was closed, and it went on: the op closed files that aren't its own"
            return WorkerLost(status="failed", reason=reason)
        if code == -getattr(signal, "SIGKILL", 9):
            reason = "the worker was killed from outside, most likely because memory ran out"
            return WorkerLost(status="oom", reason=reason)
        if code < 0:
            reason = f"the worker crashed with {_signal_name(-code)}"
        else:
            reason = f"the worker ended with exit code {code}{self._last_error_line()}"
        return WorkerLost(status="failed", reason=reason)

    def _errors_size(self) -> int:
        return os.fstat(self._errors.fileno()).st_size

    def _last_error_line(self) -> str:
        """The last line of standard error since the last request; earlier output is about other cases."""
        self._errors.seek(max(self._errors_before, self._errors_size() - _ERROR_TAIL_BYTES))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1].strip()}" if lines else ""


def _signal_name(number: int) -> str:
    """The name of a signal, if it has one: real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
