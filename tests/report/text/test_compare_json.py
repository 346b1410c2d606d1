"""The JSON of a comparison has the contract's keys, in its order, and nothing that JSON has no word for."""

from __future__ import annotations

import json

from bench.analysis.compare.comparison import compare
from bench.report.text.compare_terminal import comparison_facts, comparisons_facts
from tests.fakes.rows import record
from tests.fakes.two_runs import BASE, NEW, example, run, timed


def test_the_keys_are_those_of_the_contract() -> None:
    """Other programs read them; `at` says which times these are; others are beside them."""
    facts = comparison_facts(example())
    assert list(facts) == ["comparable", "cases", "summary", "left_out"]
    assert list(facts["comparable"]) == ["verdict", "differences"]
    assert list(facts["comparable"]["differences"][0]) == ["field", "base", "new", "matters"]
    assert " ".join(facts["cases"][0]) == (
        "case device base_s new_s ratio ratio_lo ratio_hi verdict reason smallest_visible at threshold "
        "op_changed"
    )
    assert " ".join(facts["summary"]) == (
        "faster slower same unsure missing geomean_ratio geomean_lo geomean_hi"
    )
    assert facts["left_out"] == [
        {
            "case": "matmul/square[n=4096,dtype=float32]",
            "device": "cpu",
            "base": None,
            "new": "timeout, no answer within 60 s",
            "loss": "failed",
            "open": False,
        }
    ]


def test_what_is_not_known_is_null() -> None:
    """No interval, no ends."""
    bare = record(time_lo_s=None, time_hi_s=None)
    facts = comparison_facts(compare([timed()], [bare], run(), run(NEW)))
    (one,) = json.loads(json.dumps(facts, allow_nan=False))["cases"]
    assert (one["ratio_lo"], one["ratio_hi"], one["smallest_visible"]) == (None, None, None)


def test_several_comparisons_are_a_list() -> None:
    """Each with its runs; one alone is the contract's document."""
    several = comparisons_facts([example(), example()])
    assert [(one["base"], one["new"]) for one in several["comparisons"]] == [(BASE, NEW)] * 2
    assert comparisons_facts([example()]) == comparison_facts(example())
