"""tensorbench: benchmarks of tensor ops. This module is what a suite file or a notebook imports.

It imports no torch, so results can be read on a machine that has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.plan.case import Call, Case, Like, Skip, Work
from bench.plan.suite import Axis, Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

__all__ = ["Axis", "Call", "Case", "Like", "Skip", "Suite", "Work", "load", "load_samples"]


def load(*places: str | Path, store: str | Path = "results") -> pd.DataFrame:
    """The rows of runs: one per case and device.

    Args:
        places: stores, run folders, pages or Parquet files, and runs by name, as on the command line:
            `@latest`, `@-2`, `label:X`, `tag:K=V`, `machine:X`, `git:COMMIT` or an id's beginning. All of
            `store` if none.
        store: where runs are looked up by name.

    Raises:
        bench.errors.StoreError: a place holds no results, or they can't be read; or a name means no run.
    """
    from bench.store.load import load_rows  # noqa: PLC0415 - pandas only when rows are wanted

    return _loaded(load_rows, places, store)


def load_samples(*places: str | Path, store: str | Path = "results") -> pd.DataFrame:
    """The raw samples, in the order in which they were taken: one row per sample.

    Args:
        places: as for `load`.
        store: as for `load`.

    Raises:
        bench.errors.StoreError: a place holds no results, or they can't be read; or a name means no run.
    """
    from bench.store.load import load_samples as read  # noqa: PLC0415 - as above

    return _loaded(read, places, store)


def _loaded(
    read: Callable[..., pd.DataFrame], places: Sequence[str | Path], store: str | Path
) -> pd.DataFrame:
    """What is read of these places; an error ends here, and not five functions further down."""
    from bench.errors import StoreError  # noqa: PLC0415 - as above
    from bench.store.find import places_of  # noqa: PLC0415 - as above

    try:
        return read(*places_of(places, store))
    except StoreError as error:
        raise error.with_traceback(None) from None
