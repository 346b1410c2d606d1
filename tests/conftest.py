"""Fixtures and settings of all tests: `gpu` tests are skipped, with the reason, where there is no device."""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

collect_ignore = ["browser", "fleet/real"]
"""They need a browser, or Slurm and root: `nox -s browser` and `nox -s fleet` name the folder, and so they are collected."""
settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ours")
"""A deadline is a timed assertion, and fails on a machine that is busy with something else. CI tries the
same examples every time, so that no change is refused for an example that an earlier run did not try."""
_CACHES = itertools.count()
"""Numbers of cache folders, which tests have one each; most never make it."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes what the user's machine remembers."""
    # By its number, since `mktemp` looks through all that it has made to find the next one.
    folder = tmp_path_factory.getbasetemp() / "caches" / str(next(_CACHES))
    monkeypatch.setenv("TENSORBENCH_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Torch's calls in this process use one thread, unless the test sets another number.

    Tests run side by side, and a thread that waits for the others of its call keeps a core busy: with two
    threads on two busy cores a small call takes ten times as long.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask for a CUDA device only if a collected test needs one: importing torch takes seconds."""
    needy = [item for item in items if item.get_closest_marker("gpu")]
    if not needy:
        return
    import torch  # noqa: PLC0415 - see the docstring

    if not torch.cuda.is_available():
        for item in needy:
            item.add_marker(pytest.mark.skip(reason="torch finds no CUDA device here"))
