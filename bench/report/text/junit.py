"""A judged comparison as JUnit XML, which CI systems show case by case.

What the gate calls a regression is a failure, what is unsure is skipped with its reason, and a case that the
new run lost (its result is wrong there, it failed, it is gone) is an error. Times are those of one call, in seconds. By hand: a library for it would
save some 25 lines, and cost a dependency.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bench.analysis.compare.gate import said_apart
from bench.report.text import ratio_text
from bench.units import seconds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.compare.comparison import Comparison
    from bench.analysis.compare.gate import Finding, Gate
    from bench.analysis.compare.left_out import LeftOut
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
    tests = [(_suite_of(one.case), _left_out(one)) for one in comparison.lost]
    tests += [(_suite_of(one.case), _left_out(one)) for one in comparison.missing if one.open]
    tests += [(_suite_of(one.case.case), _case(one)) for one in gate.findings]
    apart = any(one.found == "barred" for one in gate.findings)
    for suite, members in groupby(sorted(tests, key=itemgetter(0)), key=itemgetter(0)):
        _suite(root, suite, comparison, [test for _, test in members])
    if apart or not tests:
        about = _test(_NOWHERE, "comparability")
        about.append(_element("error", message=said_apart(comparison), type="error"))
        _suite(root, _NOWHERE, comparison, [about])


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
    test = _test(_suite_of(case.case), f"{case.case} on {case.device}")
    if case.new_s is not None:
        test.set(
            "time", f"{case.new_s:.9f}"
        )  # CI systems read no exponents; a call takes 1 ns at least
    if finding.found == "regression":
        test.append(_element("failure", message=_slower(finding), type="slower"))
    elif finding.found != "fine":
        test.append(_element("skipped", message=f"undecided: {case.reason or 'no reason given'}"))
    return test


def _slower(finding: Finding) -> str:
    case = finding.case
    ratio = ratio_text.cell(case.ratio, case.ratio_lo, case.ratio_hi)
    which = "at reference" if case.at == "reference" else "headlines"
    times = f"{seconds(case.base_s)} → {seconds(case.new_s)} ({which})"
    return f"slower: {ratio} times as long, {times}, allowed {share(case.threshold)}: {case.reason}"


def _left_out(one: LeftOut) -> ET.Element:
    """A case without a verdict on its time: lost, or, where both sides ran it, undecided."""
    test = _test(_suite_of(one.case), one.name)
    if one.loss:
        test.append(_element("error", message=one.why, type=one.loss))
    else:
        test.append(_element("skipped", message=f"undecided: {one.why}"))
    return test


def _test(suite: str, name: str) -> ET.Element:
    return _element("testcase", classname=suite, name=name)


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {k: _NOT_XML.sub("\ufffd", v) for k, v in attributes.items()})


def _suite_of(case: str) -> str:
    return case.partition("/")[0]


def _run(info: RunInfo) -> str:
    return info.label or info.run_id
