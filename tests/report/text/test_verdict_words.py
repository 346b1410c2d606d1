"""`same` is said of what lies close together; a wide threshold says no more than what it allows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from bench.report.html.compare_page.sentences import counts
from bench.report.text.compare_markdown import markdown
from bench.report.text.compare_terminal import comparison_facts, comparison_table
from bench.report.text.verdict_words import word, word_of
from bench.stats.ratio import Ratio
from tests.fakes.comparisons import case, comparison

if TYPE_CHECKING:
    from bench.analysis.compare.comparison import Comparison

WIDE: dict[str, Any] = {"threshold": 0.9, "ratio_lo": 1.29, "ratio_hi": 1.41}


def shown(found: Comparison) -> str:
    """The table in a terminal."""
    out = io.StringIO()
    Console(file=out, width=120, highlight=False).print(comparison_table(found, width=120))
    return out.getvalue()


@pytest.mark.parametrize(
    ("verdict", "ratio", "values", "said"),
    [
        ("same", 1.35, WIDE, "within the threshold"),
        ("same", 1.0, {"threshold": 0.9, "ratio_lo": 0.7, "ratio_hi": 1.4}, "within the threshold"),
        ("same", 1.0, {"threshold": 0.9}, "same"),
        ("same", 1.04, {"threshold": 0.05, "ratio_lo": 1.02, "ratio_hi": 1.06}, "same"),
        ("slower", 3.0, {"threshold": 0.9}, "slower"),
        ("unsure", None, {"threshold": 0.9}, "unsure"),
    ],
)
def test_a_verdict_in_words(
    verdict: str, ratio: float | None, values: dict[str, Any], said: str
) -> None:
    """With a wide threshold it is the same only if a usual one would have shown that."""
    found = case(verdict, ratio, **values)
    assert word(found) == said
    if ratio is not None:
        of = Ratio(value=ratio, low=found.ratio_lo or 0.0, high=found.ratio_hi or 9.0)
        assert word_of(found.verdict, of, found.threshold) == said


def test_it_is_said_so_everywhere_but_not_in_keys() -> None:
    """Programs read `same`, which is in the contract."""
    found = comparison(case(), case("same", 1.35, **WIDE), threshold=0.9)
    text = " ".join(shown(found).split())
    assert "within the threshold matmul/square" in text
    assert "2 cases: 0 slower, 0 faster, 0 unsure, 1 same, 1 within the threshold" in text
    assert "0 unsure, 1 same, 1 within the threshold** in 2 cases" in markdown(found)
    assert "<summary>2 same or within the threshold</summary>" in markdown(found)
    assert counts(found).endswith("2 the same or within the threshold; 0 unsure.")
    assert [one["verdict"] for one in comparison_facts(found)["cases"]] == ["same", "same"]
