"""The claims on a page: those that its rows say something about, and how many not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.report.html.view import View
from bench.report.text import claims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.claims.claim import ClaimAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsValues:
    """What the template shows."""

    summary: str
    rows: tuple[claims.ClaimRow, ...]
    unmeasured: int


def claims_view(answers: Sequence[ClaimAnswer]) -> View | None:
    """The view of the claims; None where the rows answer none."""
    if not claims.answered(answers):
        return None
    rows = [row for row in claims.rows(answers) if row.kind != "not-measured"]
    return View(
        id="claims",
        values=ClaimsValues(
            summary=claims.summary(answers),
            rows=tuple(rows),
            unmeasured=len(answers) - len(rows),
        ),
    )
