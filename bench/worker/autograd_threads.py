"""Autograd threads: lets autograd's thread of a GPU run on any core, as a user's does.

A worker's threads are bound to cores (`OMP_PROC_BIND`), and a thread made later inherits the core of the one
that makes it (pytorch#91989): a backward would then share a core with the loop that calls it.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import torch

_NAME = "pt_autograd"
"""How torch names such threads, with a number behind it."""
_TASKS = Path("/proc/self/task")


@cache
def free_autograd_threads(device: str) -> int:
    """Have autograd's threads made, and give each all cores that the session has; how many there are.

    Once a device and process; nothing where the system shows no threads by name (only Linux does).
    """
    if not _TASKS.is_dir() or not torch.cuda.is_available():
        return 0
    with torch.inference_mode(mode=False), torch.enable_grad():  # whatever the case has
        some: Any = torch.ones(1, device=device, requires_grad=True)  # `backward` carries no types
        some.backward()
    cores = os.sched_getaffinity(os.getppid())
    threads = [int(task.name) for task in _TASKS.iterdir() if _named(task)]
    for thread in threads:
        os.sched_setaffinity(thread, cores)
    return len(threads)


def _named(task: Path) -> bool:
    try:
        return (task / "comm").read_text(encoding="utf-8").startswith(_NAME)
    except OSError:  # it has ended meanwhile
        return False
