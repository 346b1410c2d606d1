"""Logarithmic axes hold their values, and have ticks that people can read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.html import log_axis

POSITIVE = st.floats(1e-6, 1e6)


@given(
    st.lists(st.floats(min_value=1e-9, max_value=1e4), min_size=1, max_size=50),
    st.integers(min_value=3, max_value=8),
)
def test_value_axes_show_all_values_with_few_ticks(values: list[float], most: int) -> None:
    """A point outside the axis would be lost, and one tick alone is no scale."""
    axis = log_axis.value_axis(values, "s", most)
    low, high = axis["range"]
    assert 10**low < min(values)
    assert max(values) < 10**high
    assert len([t for t in axis["tickvals"] if 10**low <= t <= 10**high]) >= 2
    assert len(axis["tickvals"]) <= most
    assert len(set(axis["ticktext"])) == len(axis["ticktext"])


@pytest.mark.parametrize(
    ("values", "unit", "texts"),
    [
        ([2e-6, 3e-2], "s", ["10 µs", "100 µs", "1 ms", "10 ms"]),
        ([2e9, 3e11], "FLOP/s", [f"{n} GFLOP/s" for n in (2, 5, 10, 20, 50, 100, 200)]),
        ([2.1e-6, 2.2e-6], "s", [f"{n} µs" for n in (1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8)]),
        ([0.001, 0.2], "%", [f"{n} %" for n in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)]),
    ],
)
def test_ticks_are_in_units_people_use(values: list[float], unit: str, texts: list[str]) -> None:
    """Never 1e-06."""
    assert log_axis.value_axis(values, unit)["ticktext"] == texts


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.95, 1.05], ["0.96×", "0.98×", "1×", "1.02×", "1.04×"]),
        ([0.5, 1.5], ["0.6×", "0.8×", "1×", "1.2×", "1.4×"]),
        ([0.02, 3.0], ["0.02×", "0.05×", "0.1×", "0.2×", "0.5×", "1×", "2×"]),
        ([1e-8, 1.0], ["1e-08×", "1e-06×", "0.0001×", "0.01×", "1×"]),
    ],
)
def test_ticks_of_ratios_are_round(values: list[float], texts: list[str]) -> None:
    """Evenly spaced near 1, of decades further off."""
    assert log_axis.ratio_axis(values, "")["ticktext"] == texts


@given(st.lists(POSITIVE, min_size=1, max_size=9))
def test_an_axis_of_ratios_holds_every_value_and_1(values: list[float]) -> None:
    """Its ticks are on it and different, and 1 is among them."""
    axis = log_axis.ratio_axis(values, "ratio")
    low, high = axis["range"]
    assert all(low <= math.log10(value) <= high for value in [1.0, *values])
    assert 1.0 in axis["tickvals"]
    assert 2 <= len(axis["tickvals"]) <= 7
    assert all(low <= math.log10(tick) <= high for tick in axis["tickvals"])
    assert len(set(axis["ticktext"])) == len(axis["tickvals"])


def test_bytes_have_binary_ticks() -> None:
    """Few enough to be read, whatever the span."""
    narrow = log_axis.bytes_axis([1024.0, 4096.0], "bytes")
    assert narrow["ticktext"] == ["1 KiB", "2 KiB", "4 KiB"]
    wide = log_axis.bytes_axis([1.0, 2.0**40], "bytes")
    assert wide["ticktext"] == ["1 B", "1 KiB", "1 MiB", "1 GiB", "1 TiB"]


def test_sizes_are_short_unless_that_makes_two_alike() -> None:
    """16.8M twice would be a lie."""
    assert log_axis.size_labels([16, 16777216, 0.5]) == ["16", "16.8M", "0.5"]
    assert log_axis.size_labels([16777216, 16777217]) == ["16777216", "16777217"]


def test_many_sizes_get_some_of_the_ticks_and_the_largest_always() -> None:
    """Ticks that overlap can't be read."""
    axis = log_axis.size_axis("n", [2**k for k in range(24)])
    assert len(axis["tickvals"]) <= 8
    assert axis["tickvals"][-1] == 2**23
