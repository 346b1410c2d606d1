"""Settings of the worker's tests: a `Worker` is asked in the test's own process."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def _frozen() -> None:
    """Exempt what there is from garbage collection, as a worker process does before its first case.

    A worker collects several times a case; beside half a million objects of other tests that takes 0.5 s each time.
    """
    gc.freeze()
