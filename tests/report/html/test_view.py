"""A view is what the navigation names."""

from __future__ import annotations

from bench.report.html.view import View


def test_a_view_needs_no_data_of_its_own() -> None:
    """Some are text alone."""
    assert (
        View(id="method", name="Method", template="views/method.html", values=None).payloads == ()
    )
