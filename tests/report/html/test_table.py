"""A listing offers the filters that choose, and carries every row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.report.html.table import Column, Listing, TableEntry, blocks, filters
from bench.report.html.view import unpacked


def test_a_list_of_one_is_no_choice() -> None:
    """Options come in the order in which they are given, each once."""
    (found,) = filters({"suite": ["b", "a", "b"], "device": ["cpu", "cpu"], "op": []})
    assert (found.name, found.options) == ("suite", ("b", "a"))


def test_every_row_is_in_the_payload() -> None:
    """With what it is filtered, sorted and found by."""
    entry = TableEntry(
        id="c-1", of={"op": "x"}, cells=("x", "2 s"), sort=(0, 2.0), words="w", block=3
    )
    columns = (Column(key="case", name="case"), Column(key="time", name="time", number=True))
    table = Listing(id="cases", name="cases", columns=columns, filters=(), entries=(entry,))
    found = unpacked(table.payload.packed)
    assert table.payload.id == "cases-data"
    assert [c["key"] for c in found["columns"]] == ["case", "time"]
    assert found["count"] == 1
    assert found["rows"] == {"id": ["c-1"], "words": ["w"], "badge": [""], "block": [3]}
    assert found["of"] == {"op": ["x"]}
    assert found["cells"] == [["x"], ["2 s"]]
    assert found["sort"] == [[0], [2]]


@given(st.integers(0, 500), st.integers(1, 60))
def test_blocks_hold_everything_once(count: int, size: int) -> None:
    """In order, none too large."""
    found = blocks(count, size)
    assert [i for block in found for i in block] == list(range(count))
    assert all(0 < len(block) <= size for block in found)
