"""Claims are on a page where its rows answer one."""

from __future__ import annotations

from bench.report.html.run_page.claims import claims_view
from tests.fakes.claims import answered


def test_claims_have_a_view_where_one_is_answered() -> None:
    """With those that the run says something about; of the others their number."""
    view = claims_view(answered())
    assert view is not None
    assert [row.id for row in view.values.rows] == ["free", "from", "not", "wide", "broken"]
    assert view.values.unmeasured == 2
    assert claims_view(answered()[3:]) is None
