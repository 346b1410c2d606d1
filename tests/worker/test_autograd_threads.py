"""Autograd's threads are let off the core that the loop is bound to."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from bench.worker import autograd_threads
from bench.worker.autograd_threads import free_autograd_threads

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows threads by name")
_SET_NAME = 15
"""`PR_SET_NAME` of prctl(2)."""


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    free_autograd_threads.cache_clear()


class Named(threading.Thread):
    """A thread of this name, bound to one core, that waits until it is let go."""

    def __init__(self, name: str, core: int) -> None:
        super().__init__(daemon=True)
        self._kernel_name = name
        self._core = core
        self.ready, self.over = threading.Event(), threading.Event()

    def run(self) -> None:
        """Take the name and the core, and wait."""
        ctypes.CDLL(None).prctl(_SET_NAME, self._kernel_name.encode(), 0, 0, 0)
        os.sched_setaffinity(threading.get_native_id(), {self._core})
        self.ready.set()
        self.over.wait(60)


@LINUX
def test_threads_of_autograd_get_all_cores_and_others_keep_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the loop's own, which stays where OpenMP has bound it."""
    cores = os.sched_getaffinity(os.getppid())
    if len(cores) == 1:
        pytest.skip("there is only one core")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    made = [Named("pt_autograd_0", min(cores)), Named("worker", min(cores))]
    for one in made:
        one.start()
        assert one.ready.wait(10)
    try:
        assert free_autograd_threads("cpu") >= 1
        autograd, other = (os.sched_getaffinity(one.native_id or 0) for one in made)
    finally:
        for one in made:
            one.over.set()
    assert autograd == cores
    assert other == {min(cores)}


def test_without_cuda_nothing_is_done() -> None:
    """A backward of the CPU runs in the thread that calls it."""
    if not torch.cuda.is_available():
        assert free_autograd_threads("cuda") == 0


def test_a_system_that_shows_no_threads_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As macOS; no backward is made there either."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(autograd_threads, "_TASKS", tmp_path / "none")
    assert free_autograd_threads("cuda") == 0


@pytest.mark.gpu
def test_a_bound_worker_s_backward_may_run_anywhere() -> None:
    """In a process that is bound as workers are: the thread that torch has made for the GPU is free."""
    code = (
        "import os; from pathlib import Path\n"
        "from bench.worker.autograd_threads import free_autograd_threads\n"
        "found = free_autograd_threads('cuda')\n"
        "own = [t for t in Path('/proc/self/task').iterdir()\n"
        "       if (t / 'comm').read_text().startswith('pt_autograd')]\n"
        "print(found, len(own), {len(os.sched_getaffinity(int(t.name))) for t in own}, flush=True)\n"
        "os._exit(0)\n"  # torch 2.13 may abort where a process ends right after a backward
    )
    root = Path(__file__).parents[2]
    bound = {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores", "PYTHONPATH": str(root)}
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **bound},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split(maxsplit=2)
    assert int(said[0]) == int(said[1]) >= 1
    assert said[2].strip() == f"{{{len(os.sched_getaffinity(0))}}}"
