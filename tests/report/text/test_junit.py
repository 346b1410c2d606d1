"""JUnit XML: one test per case, failed, skipped or passed as the gate has it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.gate import gate
from bench.report.text.junit import junit
from tests.fakes.comparisons import APART, case, comparison, example
from tests.fakes.rows import HOSTILE, assert_golden, info

if TYPE_CHECKING:
    from bench.analysis.compare.comparison import Comparison


def document(found: Comparison, *failed: str) -> str:
    """The comparison as judged."""
    return junit((found, gate(found, failed=failed)))


def outcomes(text: str) -> dict[str, str]:
    """Name → what a CI system shows."""
    tests = ET.fromstring(text).iter("testcase")  # noqa: S314 - it was written here
    return {test.attrib["name"]: test[0].tag if len(test) else "passed" for test in tests}


def test_a_comparison_as_junit() -> None:
    """Every verdict, a failed case, hostile text."""
    assert_golden(document(example(), "nn/linear[n=4] on cpu"), "comparison_junit.xml")


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


def test_what_concerns_no_single_case_is_an_error() -> None:
    """Failed cases, and runs that can't be compared."""
    assert outcomes(document(comparison(case()), "x on cpu"))["x on cpu"] == "error"
    assert outcomes(document(comparison(case(), comparable=APART)))["comparability"] == "error"
    assert outcomes(document(comparison()))["comparability"] == "error"
    assert "comparability" not in outcomes(document(comparison(case())))


def test_the_counts_add_up() -> None:
    """Over the cases of a suite, and over the suites."""
    found = example()
    judged = gate(found, failed=("x",))
    root = ET.fromstring(junit((found, judged), (found, judged)))  # noqa: S314 - it was written here
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
    root = ET.fromstring(document(found, text).encode())  # noqa: S314 - it was written here
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
