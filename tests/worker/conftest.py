"""Settings of the worker's tests: a `Worker` is asked in the test's own process."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
import torch

from tests.fakes.gpu_runs import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _frozen() -> None:
    """Exempt what there is from garbage collection, as a worker process does before its first case.

    A worker collects several times a case; beside half a million objects of other tests that takes 0.5 s each time.
    """
    gc.freeze()


@pytest.fixture(name="bench")
def _bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """What makes whole runs on a GPU that is made up, with one thread, as in a worker."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Bench(tmp_path, monkeypatch)
    gc.unfreeze()
    torch.set_num_threads(threads)
