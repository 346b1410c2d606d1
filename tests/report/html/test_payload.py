"""What a page carries comes out as it went in, whatever it holds, and can't end its element."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.html.view import Payload, columns, unpacked

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def short(value: Any) -> Any:
    """The value with numbers in as many digits as a page has."""
    if isinstance(value, float):
        return value if value.is_integer() else float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: short(one) for key, one in value.items()}
    return [short(one) for one in value] if isinstance(value, list) else value


@given(VALUES)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    """And the same bytes each time, of an alphabet in which there is no markup."""
    packed = Payload(id="x", value=value).packed
    assert unpacked(packed) == short(value)
    assert packed == Payload(id="x", value=value).packed
    assert not set(packed) & set("<'\"\\ \n")


def test_what_json_has_no_word_for_is_refused() -> None:
    """A browser would not read it."""
    with pytest.raises(ValueError, match="JSON"):
        _ = Payload(id="x", value=[float("inf")]).packed


def test_rows_are_made_small() -> None:
    """They say the same things again and again."""
    rows = [{"suite": "matmul", "op": "square", "n": n} for n in range(1000)]
    assert len(Payload(id="x", value=rows).packed) < len(str(rows)) / 5


@given(st.lists(st.fixed_dictionaries({"a": st.integers(), "b": st.text()}), max_size=5))
def test_columns_hold_what_rows_do(rows: list[dict[str, Any]]) -> None:
    """One list per key; of no rows none."""
    found = columns(rows)
    assert [
        dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)
    ] == rows


def test_sizes_keep_all_their_digits() -> None:
    """16,777,216 elements are not 16,777,000."""
    assert unpacked(Payload(id="x", value=[16777216.0, 2**53]).packed) == [16777216, 2**53]
