"""What a page carries comes out as it went in, whatever it holds, and can't end its element."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.payload import Payload, unpacked

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    """And the same bytes each time, of an alphabet in which there is no markup."""
    packed = Payload(id="x", value=value).packed
    assert unpacked(packed) == value
    assert packed == Payload(id="x", value=value).packed
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed)


def test_what_json_has_no_word_for_is_refused() -> None:
    """A browser would not read it."""
    with pytest.raises(ValueError, match="JSON"):
        _ = Payload(id="x", value=[float("inf")]).packed


def test_rows_are_made_small() -> None:
    """They say the same things again and again."""
    rows = [{"suite": "matmul", "op": "square", "n": n} for n in range(1000)]
    assert len(Payload(id="x", value=rows).packed) < len(str(rows)) / 5
