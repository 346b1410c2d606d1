"""A word means one case of the stored rows, on one machine and one device, or says what it may mean."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.trend.series import series
from bench.errors import SelectionError
from tests.fakes.rows import WHEN, record

if TYPE_CHECKING:
    from bench.records.record import Record


def rows() -> list[Record]:
    """Two sizes; the larger one also on a GPU, and later on other machines, of which two share a name."""
    found = []
    for day, (machine, name) in enumerate(
        (("m-1", "Old box"), ("m-2", "New box"), ("m-3", "New box"), ("m-1", "Old box"))
    ):
        about: dict[str, Any] = {
            "machine_id": machine,
            "machine": name,
            "started_at": WHEN + timedelta(days=day),
        }
        about["run_id"] = f"run-{day}"
        found += [record(params={"n": n, "dtype": "float32"}, **about) for n in (16, 64)]
    return [*found, dataclasses.replace(found[-1], device="cuda")]


def test_an_id_or_an_expression_means_a_case() -> None:
    """On the machine of the newest row, oldest first, whatever the order of the rows."""
    for word in ("matmul/square[n=16,dtype=float32]", "square and n=16"):
        found = series(rows()[::-1], word)
        assert [r.run_id for r in found] == ["run-0", "run-3"]


def test_machine_and_device_are_as_asked_for() -> None:
    """A machine by its id or a part of its name, a device where there are several."""
    assert [r.run_id for r in series(rows(), "n=16", machine="m-3")] == ["run-2"]
    assert [r.run_id for r in series(rows(), "n=16", machine="old")] == ["run-0", "run-3"]
    assert [r.device for r in series(rows(), "n=64", device="cuda")] == ["cuda"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"word": "zebra"}, "'zebra' matches none of 2 cases; see the ids with: bench export"),
        ({"word": "square"}, "'square' matches 2 cases: matmul/square"),
        ({"word": "and"}, "case 'and': a word is missing"),
        ({"word": "n=16", "machine": "lathe"}, "--machine 'lathe' did not measure it; known: New"),
        (
            {"word": "n=16", "machine": "new box"},
            "--machine 'new box' means 2 machines: New box (m-2), New box (m-3); name one by its id",
        ),
        (
            {"word": "n=64"},
            "matmul/square[n=64,dtype=float32] was measured on cpu, cuda; choose with --device cpu",
        ),
        ({"word": "n=16", "device": "cuda"}, "was not measured on it; known: cpu"),
    ],
)
def test_anything_else_is_one_line_with_a_way_out(words: dict[str, str], said: str) -> None:
    """What it means instead."""
    with pytest.raises(SelectionError) as caught:
        series(rows(), **words)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_store_has_no_case() -> None:
    """And says so."""
    with pytest.raises(SelectionError, match="'x' matches none of 0 cases"):
        series([], "x")
