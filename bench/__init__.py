"""tensorbench: benchmarks of tensor ops. This module is what a suite file or a notebook imports.

It imports no torch, so results can be read on a machine that has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.plan.case import Call, Case, Like, Skip, Work
from bench.plan.suite import Axis, Suite

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["Axis", "Call", "Case", "Like", "Skip", "Suite", "Work", "load", "load_samples"]


def load(store: str | Path = "results", *more: str | Path) -> pd.DataFrame:
    """The rows of a store, of run folders, pages or Parquet files: one per case and device.

    Raises:
        bench.errors.StoreError: a path holds no results, or they can't be read.
    """
    from bench.store.load import load_rows  # noqa: PLC0415 - pandas only when rows are wanted

    return load_rows(store, *more)


def load_samples(store: str | Path = "results", *more: str | Path) -> pd.DataFrame:
    """The raw samples, in the order in which they were taken: one row per sample.

    Raises:
        bench.errors.StoreError: a path holds no results, or they can't be read.
    """
    from bench.store.load import load_samples as read  # noqa: PLC0415 - as above

    return read(store, *more)
