"""A case's times on a GPU stand side by side, each with what it is. All rows here are made up."""

from __future__ import annotations

from bench.report.text import device_times
from tests.fakes.launches import launched
from tests.fakes.rows import lost, record

TIMES = {
    "host_time_s": 3e-6,
    "device_time_s": 4e-6,
    "device_time_cold_s": 5e-6,
    "graph_time_s": 6e-6,
    "profiled_time_s": 7e-6,
    "drain_s": 8e-6,
}


def test_every_way_has_its_time_and_a_sentence() -> None:
    """Hot and cold, in a graph and by the profiler, beside what a caller waits."""
    row = launched(time_s=2e-6, **TIMES)
    expected = ("2.00 µs", "3.00 µs", "4.00 µs", "5.00 µs", "6.00 µs", "7.00 µs", "8.00 µs")
    assert device_times.texts(row) == expected
    assert len({way.name for way in device_times.WAYS}) == len(expected)
    assert all(way.meaning.endswith(".") for way in device_times.WAYS)


def test_what_is_not_known_is_a_dash() -> None:
    """Calls that wait for the device themselves have no time of its own, but may have one by the profiler."""
    bare = dict.fromkeys(TIMES)
    row = launched(**{**bare, "profiled_time_s": 1e-6})
    assert device_times.texts(row) == ("10.0 µs", "–", "–", "–", "–", "1.00 µs", "–")


def test_rows_without_work_on_a_device_have_none() -> None:
    """Draining is done for a view as well, which runs nothing there."""
    view = launched(**{**dict.fromkeys(TIMES), "drain_s": 6e-6})
    rows = [record(), lost("failed", "x"), view]
    assert device_times.known(rows) == []
    assert device_times.texts(record()) == ()
