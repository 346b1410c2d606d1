"""Every quick case, measured by our engine and reported by pytest-benchmark (see conftest.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.records.record import Record


def test_quick(measured: Callable[[], Record]) -> None:
    """The case can be measured, and its result is right."""
    record = measured()

    assert record.status == "ok", record.reason
    assert record.correct, record.reason
