"""A view is what the navigation names."""

from __future__ import annotations

from bench.report.html.view import View


def test_a_view_needs_no_data_of_its_own() -> None:
    """Some are text alone."""
    assert View(id="method", values=None).payloads == ()


def test_a_view_is_called_as_in_the_address() -> None:
    """A word in the navigation, and the same word in the address."""
    assert View(id="method", values=None).name == "Method"
