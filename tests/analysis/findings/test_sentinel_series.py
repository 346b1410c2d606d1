"""The sentinels in the course of a run: once per stretch, against the reference, no state left out."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.findings import sentinel_series
from bench.analysis.findings.sentinel_series import SentinelReading, SentinelSeries

REFERENCE = {"cpu": {"compute_s": 1e-4, "barrier_s": 2e-6}}


def samples(*rows: tuple[str, int, int, float, float, float | None]) -> pd.DataFrame:
    """Samples of which only the sentinels matter."""
    names = ["device", "worker", "round", "at_s", "sentinel_compute_s", "sentinel_barrier_s"]
    frame = pd.DataFrame(rows, columns=pd.Index(names))
    return frame.assign(sentinel_launch_s=None)


def course(*times: float, apart_s: float = 1.0) -> SentinelSeries:
    """A sentinel that took these, a second apart."""
    found = [
        SentinelReading(at_s=i * apart_s, round=0, worker=0, time_s=t) for i, t in enumerate(times)
    ]
    return SentinelSeries(
        device="cpu", sentinel="compute", reference_s=1.0, is_reference=True, looks=tuple(found)
    )


def test_samples_between_two_looks_count_once() -> None:
    """They carry the same numbers."""
    frame = samples(
        ("cpu", 0, 0, 3.0, 1e-4, 2e-6),
        ("cpu", 0, 0, 3.1, 1e-4, 2e-6),
        ("cpu", 1, 0, 2.0, 2e-4, 3e-6),
    )
    compute, barrier = sentinel_series.courses(frame, REFERENCE)
    assert [(look.at_s, look.worker) for look in compute.looks] == [(2.0, 1), (3.0, 0)]
    assert [compute.share(look) for look in compute.looks] == pytest.approx([2, 1])
    assert [barrier.share(look) for look in barrier.looks] == pytest.approx([1.5, 1])


def test_each_device_has_the_sentinels_that_were_timed() -> None:
    """One thread has no barrier, and a device without a reference is held against its own middle."""
    rows = [("cuda", 0, r, float(r), t, None) for r, t in enumerate((1e-3, 2e-3, 4e-3))]
    (found,) = sentinel_series.courses(samples(*rows), REFERENCE)
    assert (found.device, found.sentinel, found.is_reference) == ("cuda", "compute", False)
    assert [found.share(look) for look in found.looks] == [0.5, 1, 2]


@pytest.mark.parametrize("reference", [{}, {"cpu": None}, {"cpu": {"other": 1}}])
def test_what_another_version_wrote_is_no_reference(reference: dict[str, object]) -> None:
    """It is a file, and may hold anything."""
    compute, _ = sentinel_series.courses(samples(("cpu", 0, 0, 0.0, 1e-4, 2e-6)), reference)
    assert not compute.is_reference


def test_no_samples_are_no_course() -> None:
    """They may not be at hand."""
    assert sentinel_series.courses(None, REFERENCE) == []
    assert sentinel_series.courses(samples(), REFERENCE) == []


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=200), st.integers(2, 50))
def test_thinning_keeps_the_fastest_and_the_slowest(times: list[float], most: int) -> None:
    """A state that lasted a second must not vanish; order and number are kept."""
    shown = course(*times).shown(most)
    assert len(shown) <= max(most, 2)
    assert {min(times), max(times)} <= {look.time_s for look in shown}
    assert [look.at_s for look in shown] == sorted(look.at_s for look in shown)


def test_middles_are_medians_of_stretches_of_time() -> None:
    """Of equal length, whatever number of looks fell into them."""
    found = course(1, 1, 9, 2, 2, 2).middles(2)
    assert found == [(1.0, 1.0), (4.0, 2.0)]
    assert course(3.0).middles(5) == [(0.0, 3.0)]
