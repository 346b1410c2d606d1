"""Frames become records without NaN."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from bench.store.rows import plain, records
from tests.fakes.rows import WHEN, example, frame, lost, record


def test_records_survive_the_way_through_a_frame() -> None:
    """What was written is what is read, None for None and int for int."""
    assert records(frame(example())) == example()


def test_infinite_is_as_unknown_as_nan() -> None:
    """JSON knows neither, and nobody can use either."""
    (found,) = records(frame([record(time_hi_s=math.inf, time_lo_s=math.nan)]))
    assert found.time_hi_s is None
    assert found.time_lo_s is None


def test_columns_of_newer_versions_are_kept_in_plain_rows() -> None:
    """A column this version does not know passes through, as plain Python."""
    rows = frame([record(), lost("oom", None)])
    rows["of_a_later_version"] = [1.5, math.nan]
    rows["seen_at"] = pd.Series([WHEN, None], dtype="datetime64[us, UTC]")
    rows["powers_w"] = pd.Series([np.array([1.5, 2.5]), np.array([])], dtype=object)
    first, second = plain(rows)
    assert first["powers_w"] == [1.5, 2.5]
    assert first["of_a_later_version"] == 1.5
    assert second["of_a_later_version"] is None
    assert second["seen_at"] is None
    assert records(rows)[0] == record()


@given(st.floats(min_value=1e-12, max_value=1e6), st.integers(min_value=0, max_value=2**40))
def test_numbers_are_not_changed(time: float, samples: int) -> None:
    """No rounding on the way."""
    (found,) = records(frame([record(time_s=time, samples=samples), lost("oom", "x")])[:1])
    assert (found.time_s, found.samples) == (time, samples)
