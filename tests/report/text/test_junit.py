"""JUnit XML: one test per case, failed, skipped or passed as the gate has it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.gate import gate
from bench.report.text.junit import junit
from tests.fakes.comparisons import APART, case, comparison, example, left_out
from tests.fakes.rows import HOSTILE, assert_golden, info

if TYPE_CHECKING:
    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.left_out import LeftOut


LOST = left_out("nn/linear[n=4]", new="oom, too large", loss="failed")


def document(found: Comparison) -> str:
    """The comparison as judged."""
    return junit((found, gate(found)))


def losing(found: Comparison, *missing: LeftOut) -> Comparison:
    """The comparison with these left out."""
    return dataclasses.replace(found, missing=missing)


def outcomes(text: str) -> dict[str, str]:
    """Name → what a CI system shows."""
    tests = ET.fromstring(text).iter("testcase")  # noqa: S314 - it was written here
    return {test.attrib["name"]: test[0].tag if len(test) else "passed" for test in tests}


def test_a_comparison_as_junit() -> None:
    """Every verdict, a failed case, hostile text."""
    assert_golden(document(losing(example(), LOST)), "comparison_junit.xml")


def test_slower_fails_unsure_is_skipped_and_the_rest_passes() -> None:
    """One test per case."""
    found = comparison(*(case(v, r, case=v) for v, r in VERDICTS))
    assert outcomes(document(found)) == {
        "slower on cpu": "failure",
        "unsure on cpu": "skipped",
        "same on cpu": "passed",
        "faster on cpu": "passed",
    }


VERDICTS = [("slower", 1.3), ("unsure", 1.0), ("same", 1.0), ("faster", 0.5)]


def test_a_failure_says_what_the_case_was_allowed() -> None:
    """Its own threshold, where it has one."""
    text = document(comparison(case("slower", 1.3, threshold=0.02), case("slower", 1.3)))
    assert text.count("allowed 2.0 %") == text.count("allowed 5.0 %") == 1


@pytest.mark.parametrize("loss", ["wrong", "failed", "gone"])
def test_a_lost_case_is_an_error_in_its_suite(loss: Any) -> None:
    """With what the new run lacks; what has no time is skipped, and what the base lacks is no test."""
    one = left_out("a/lost", new="why", loss=loss)
    untimed = left_out("a/untimed", new="no time", open=True)
    text = document(comparison(case(case="a/b"), missing=(one, untimed, left_out())))
    assert outcomes(text) == {
        "a/lost on cpu": "error",
        "a/untimed on cpu": "skipped",
        "a/b on cpu": "passed",
    }
    assert f'<error message="new: why" type="{loss}" />' in text
    assert text.count("<testsuite ") == 1


def test_what_concerns_no_single_case_is_an_error() -> None:
    """Runs that can't be compared."""
    barred = case("unsure", reason="not comparable: threads differs")
    assert outcomes(document(comparison(barred, comparable=APART)))["comparability"] == "error"
    assert outcomes(document(comparison()))["comparability"] == "error"
    assert "comparability" not in outcomes(document(comparison(case())))
    assert "comparability" not in outcomes(document(comparison(missing=(LOST,))))


def test_the_counts_add_up() -> None:
    """Over the cases of a suite, and over the suites."""
    found = losing(example(), LOST)
    pair = found, gate(found)
    root = ET.fromstring(junit(pair, pair))  # noqa: S314 - it was written here
    assert len(root) == 10
    for outcome, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.attrib[outcome]) == len(list(root.iter(tag))) > 0
        for suite in root:
            assert int(suite.attrib[outcome]) == len(list(suite.iter(tag)))
    assert int(root.attrib["tests"]) == len(list(root.iter("testcase"))) == 16
    assert {len(suite) for suite in root} == {int(suite.attrib["tests"]) for suite in root} | {2}


def test_times_are_written_without_an_exponent() -> None:
    """Not every reader of JUnit knows 1e-09."""
    (test,) = ET.fromstring(document(comparison(case(new_s=1.5e-7)))).iter("testcase")  # noqa: S314 - it was written here
    assert test.attrib["time"] == "0.000000150"


@pytest.mark.parametrize("text", [HOSTILE, "\x00\x1b[31m\ud800", "]]>", "a\nb", "\ufffe"])
def test_any_text_makes_a_document_that_can_be_read(text: str) -> None:
    """XML forbids some characters altogether."""
    found = comparison(case("slower", 2.0, case=text, reason=text), base=info(label=text))
    lost = left_out(text, new=text, loss="wrong")
    root = ET.fromstring(document(losing(found, lost)).encode())  # noqa: S314 - it was written here
    assert len(list(root.iter("testcase"))) == 2


@given(text=st.text())
def test_no_text_at_all_breaks_it(text: str) -> None:
    """Whatever hypothesis thinks of; what is allowed comes through as it was."""
    root = ET.fromstring(document(comparison(case("unsure", case=text, reason=text))).encode())  # noqa: S314 - it was written here
    (test,) = root.iter("testcase")
    kept = "".join(c for c in text if c.isprintable())
    assert "".join(c for c in test.attrib["name"] if c.isprintable() and c != "\ufffd") == (
        kept.replace("\ufffd", "") + " on cpu"
    )
