"""A check in a line."""

from __future__ import annotations

import pytest

from tests.gpu.check import Check


@pytest.mark.parametrize(
    ("ok", "verdict"), [(True, "holds"), (False, "DOES NOT HOLD"), (None, "not looked at")]
)
def test_a_line_says_what_became_of_it(ok: bool | None, verdict: str) -> None:  # noqa: FBT001
    """Then what was wanted, what was seen, and why; the cases are for the file."""
    found = Check(name="one", wanted="this", seen="that", ok=ok, note="why", cases=({"case": "c"},))
    assert found.line == f"one: {verdict}; wanted: this; seen: that; why"


def test_what_is_empty_is_left_out() -> None:
    """No lone separators."""
    assert Check(name="one", wanted="this", ok=None).line == "one: not looked at; wanted: this"
