"""A judged comparison as JUnit XML, which CI systems show case by case.

What the gate calls a regression is a failure, what is unsure is skipped with its reason, and a case
that failed in the new run is an error. Times are those of one call, in seconds. By hand: a library for it would
save some 25 lines, and cost a dependency.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bench.report.text import ratio_text
from bench.units import seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.gate import Finding, Gate
    from bench.store.runs import RunInfo

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 §2.2 does not allow, not even escaped; no library replaces them."""
_NOWHERE = "tensorbench"


def junit(*judged: tuple[Comparison, Gate]) -> str:
    """One document for one or more comparisons; ends with a newline."""
    root = ET.Element("testsuites", name=_NOWHERE)
    for comparison, gate in judged:
        _comparison(root, comparison, gate)
    for outcome in ("tests", "failures", "errors", "skipped"):
        root.set(outcome, str(sum(int(suite.get(outcome, 0)) for suite in root)))
    ET.indent(root, " ")
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _comparison(root: ET.Element, comparison: Comparison, gate: Gate) -> None:
    """A test suite for each suite of cases; what concerns no single case has one of its own."""
    findings = sorted(gate.findings, key=_suite_of)
    for suite, members in groupby(findings, key=_suite_of):
        _suite(root, suite, comparison, [_case(one) for one in members])
    tests = [_error(name, "failed in the new run") for name in gate.failed]
    if comparison.comparable.verdict == "no" or not (gate.findings or gate.failed):
        tests.append(_error("comparability", gate.sentence))
    if tests:
        _suite(root, _NOWHERE, comparison, tests)


def _suite(
    root: ET.Element, name: str, comparison: Comparison, tests: Sequence[ET.Element]
) -> None:
    base, new = _run(comparison.base), _run(comparison.new)
    suite = _element(
        "testsuite", name=f"{name}: {base} → {new}", timestamp=comparison.new.started_at
    )
    root.append(suite)
    for outcome, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(outcome, str(sum(test.find(tag) is not None for test in tests)))
    suite.set("tests", str(len(tests)))
    suite.extend(tests)


def _case(finding: Finding) -> ET.Element:
    case = finding.case
    test = _element("testcase", classname=_suite_of(finding), name=f"{case.case} on {case.device}")
    if case.new_s is not None:
        test.set(
            "time", f"{case.new_s:.9f}"
        )  # CI systems read no exponents; a call takes 1 ns at least
    if finding.found == "regression":
        test.append(_element("failure", message=_slower(finding), type="slower"))
    elif finding.found == "open":
        test.append(_element("skipped", message=f"undecided: {case.reason or 'no reason given'}"))
    return test


def _slower(finding: Finding) -> str:
    case = finding.case
    ratio = ratio_text.cell(case.ratio, case.ratio_lo, case.ratio_hi)
    which = "at reference" if case.at == "reference" else "headlines"
    times = f"{seconds(case.base_s)} → {seconds(case.new_s)} ({which})"
    return f"slower: {ratio} times as long, {times}, allowed {share(case.threshold)}: {case.reason}"


def _error(name: str, message: str) -> ET.Element:
    test = _element("testcase", classname=_NOWHERE, name=name)
    test.append(_element("error", message=message, type="error"))
    return test


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {k: _NOT_XML.sub("\ufffd", v) for k, v in attributes.items()})


def _suite_of(finding: Finding) -> str:
    return finding.case.case.partition("/")[0]


def _run(info: RunInfo) -> str:
    return info.label or info.run_id
