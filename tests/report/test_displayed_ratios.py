"""Wherever two times and their ratio are shown together, they agree within rounding, whichever times these are."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.analysis.compare.comparison import compare
from bench.analysis.compare.gate import gate
from bench.analysis.compare.runs import lineup
from bench.analysis.pivot import crosstab
from bench.experiment.ab import Answer, DecisionGoal, Result
from bench.report.html.compare_page import ratio_figure
from bench.report.html.compare_page.cases import listing
from bench.report.text.ab import SideNames, ab_facts, ab_table
from bench.report.text.compare_markdown import as_csv, markdown
from bench.report.text.compare_terminal import comparison_facts, comparison_table
from bench.report.text.junit import junit
from bench.report.text.pivot import crosstab_table
from bench.stats.ratio import Ratio
from bench.units import parse_seconds
from tests.fakes.two_runs import BASE, NEW, run, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from bench.analysis.compare.comparison import Comparison
    from bench.records.record import Record

TIME = r"(\d[\d.]* (?:ns|µs|ms|s))\*?"
SIGNED = r"([+−]<?[\d.]+ %)"
PLAIN = r"(\d[\d.]*)"
SPREAD = st.floats(1e-3, 0.3)


@st.composite
def rows(draw: st.DrawFn) -> Record:
    """A case with a headline and, perhaps, a quite different time at reference."""
    found = timed(draw(st.floats(1e-7, 1e-2)), draw(SPREAD))
    if draw(st.booleans()):
        return dataclasses.replace(
            found,
            time_at_reference_s=None,
            time_at_reference_lo_s=None,
            time_at_reference_hi_s=None,
        )
    time_s, width = draw(st.floats(1e-7, 1e-2)), draw(SPREAD)
    return dataclasses.replace(
        found,
        time_at_reference_s=time_s,
        time_at_reference_lo_s=time_s * (1 - width),
        time_at_reference_hi_s=time_s * (1 + width),
    )


def shown(table: RenderableType) -> str:
    """A table as it is printed."""
    out = io.StringIO()
    Console(file=out, width=160, highlight=False).print(table)
    return out.getvalue()


def assert_agree(base: str, new: str, ratio: str, *, digits: int = 3) -> None:
    """A ratio, or a change in per cent, that two times of so many digits have; itself it has two or more."""
    seen = parse_seconds(new) / parse_seconds(base)
    if ratio.endswith("%"):
        change = float(ratio.strip("+−<% ")) / 100 * (-1 if ratio.startswith("−") else 1)
        told, rounding = 1 + change, 0.06 * abs(change) + 0.0011
    else:
        told, rounding = float(ratio), 0.006 * float(ratio)
    assert abs(told - seen) <= rounding + 11 / 10**digits * seen, (base, new, ratio)


def texts(found: Comparison) -> Iterator[tuple[str, str]]:
    """What each surface shows of a comparison, and the pattern of times and ratio in it."""
    yield shown(comparison_table(found, width=160)), rf"{TIME} +{TIME} +{SIGNED}"
    unescaped = markdown(found).replace("&#42;", "*")
    yield unescaped, rf"\| {TIME} \| {TIME} \| {PLAIN} "
    gated = junit((found, gate(found)))
    yield gated, rf"(?P<ratio>\d[\d.]*) (?:\(.*?\) )?times as long, {TIME} → {TIME}"


@given(base=rows(), new=rows(), other=rows())
def test_times_and_ratio_of_a_comparison_agree(base: Record, new: Record, other: Record) -> None:
    """In a terminal, Markdown, JUnit and files for programs."""
    third = dataclasses.replace(other, case="matmul/square[n=99]")
    found = compare([base, third], [new, third], run(), run(NEW))
    for text, pattern in texts(found):
        for match in re.finditer(pattern, text):
            ratio = match.groupdict().get("ratio") or match.groups()[-1]
            times = [word for word in match.groups() if re.fullmatch(TIME, str(word))]
            assert_agree(times[0], times[1], ratio)
    assert len(re.findall(rf"{TIME} +{TIME} +{SIGNED}", next(texts(found))[0])) == 2
    numbers = [*comparison_facts(found)["cases"], *csv.DictReader(io.StringIO(as_csv(found)))]
    for one in numbers:
        assert one["at"] in {"headline", "reference"}
        ratio = float(one["new_s"]) / float(one["base_s"])
        assert abs(ratio / float(one["ratio"]) - 1) < 1e-9


@given(base=rows(), new=rows(), other=rows())
def test_so_do_those_of_its_page(base: Record, new: Record, other: Record) -> None:
    """In the table of two runs and of more, and beside a dot of the figure."""
    infos = [run(BASE), run(NEW), run("20261123T070201Z-cccccc")]
    two = lineup(infos[:2], [[base], [new]])
    (entry,) = listing(two, ("a", "b")).entries
    assert_agree(*(cell.rstrip("*").split(" (")[0] for cell in entry.cells[1:4]))
    three = lineup(infos, [[base], [new], [other]])
    (entry,) = listing(three, ("a", "b", "c")).entries
    for cell in entry.cells[-2:]:
        if match := re.match(rf"{TIME} · {PLAIN} ", cell):
            assert_agree(entry.cells[-3].rstrip("*"), match[1], match[2])
    drawing = ratio_figure.cases(two, ("a", "b"))
    assert drawing is not None
    (hover,) = drawing.figure["data"][-1]["hovertext"]
    match = re.search(rf"{PLAIN} (?:\(.*\) )?times as long.*<br>{TIME} → {TIME}", hover)
    assert match, hover
    assert_agree(match[2], match[3], match[1])


@given(base=rows(), new=rows(), value=st.floats(0.1, 10.0))
def test_so_do_those_of_two_sides(base: Record, new: Record, value: float) -> None:
    """Their ratio is of the rounds that both share, and the headlines of the two runs are not."""
    ratio = Ratio(value=value, low=value * 0.9, high=value * 1.1)
    answer = Answer(one=base, other=new, ratio=ratio, verdict="unsure", ended="decided")
    found = Result(answers=(answer,), aim=DecisionGoal(budget_s=1), took_s=1.0)
    names = SideNames(a="old", b="new")
    match = re.search(rf"{TIME} +{TIME} +{PLAIN}", shown(ab_table(found, names, [], width=160)))
    assert match
    assert_agree(*match.groups())
    (facts,) = ab_facts(found, names, [])["cases"]
    assert abs(facts["new_s"] / facts["base_s"] / facts["ratio"] - 1) < 1e-9


@given(base=rows(), new=rows())
def test_so_do_those_of_a_table_by_a_column(base: Record, new: Record) -> None:
    """Ratios are to the first column."""
    changes: dict[str, Any] = {"run_id": NEW}
    found = crosstab([base, dataclasses.replace(new, **changes)], "run_id")
    text = shown(crosstab_table(found, width=160))
    times, ratio = re.findall(rf"{TIME} ±", text), re.search(rf"×{PLAIN}", text)
    assert ratio
    base_time, new_time = times
    assert_agree(base_time, new_time, ratio[1], digits=2)
