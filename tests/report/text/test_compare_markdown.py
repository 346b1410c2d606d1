"""A comparison fits a pull request, says what matters first, and can't be made to say something else."""

from __future__ import annotations

import csv
import dataclasses
import io
import re

import pytest

from bench.analysis.compare.comparability import Comparability, Difference
from bench.analysis.compare.gate import gate
from bench.analysis.compare.verdict import CaseVerdict
from bench.report.text.compare_markdown import as_csv, markdown
from tests.fakes.comparisons import APART, case, comparison, example, left_out
from tests.fakes.rows import HOSTILE, assert_golden, info

NASTY = [
    HOSTILE,
    "a|b\\|c\\",
    "`x` ``y`` ```z",
    "</code></details><script>",
    "@someone see #12 and https://example.org www.example.org",
    "line\n# head\r\n| x |",
    "![i](u) [a](b) ~~s~~ __b__ $m$ &lt;",
]


def test_a_comparison_with_a_gate() -> None:
    """Counts, the gate, what differs, then slower, faster, unsure; same and missing are folded."""
    found = example()
    assert_golden(markdown(found, gate(found)), "comparison_gate.md")


def test_runs_that_cant_be_compared() -> None:
    """What differs and the command that would help stand open."""
    barred = case("unsure", reason="not comparable: threads differs")
    found = comparison(barred, comparable=APART)
    assert_golden(markdown(found, gate(found)), "comparison_apart.md")


def test_every_case_is_a_csv_row_with_every_field() -> None:
    """And with the runs that it comes from; nothing is rounded, what is missing is empty."""
    text = as_csv(example())
    assert_golden(text, "comparison.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == [
        "base_run",
        "new_run",
        *(f.name for f in dataclasses.fields(CaseVerdict)),
    ]
    known = example()
    ids = [*(one.case for one in known.cases), *(one.case for one in known.missing)]
    assert [row["case"] for row in rows] == ids
    assert float(rows[1]["ratio_lo"]) == 1.083 * 0.98
    assert rows[4]["ratio_lo"] == ""


def test_several_comparisons_share_one_csv_header() -> None:
    """The ids of the runs tell their rows apart."""
    third = comparison(case(), new=info(run_id="20261123T070201Z-cccccc"))
    rows = list(csv.DictReader(io.StringIO(as_csv(comparison(case()), third))))
    assert [row["new_run"][-6:] for row in rows] == ["bbbbbb", "cccccc"]


def test_the_summary_comes_first_and_regressions_before_all_else() -> None:
    """A reader who stops early has read what matters."""
    lines = markdown(example()).splitlines()
    assert lines[0].startswith("**2 slower, 1 faster, 2 unsure, 2 same** in 7 cases")
    heads = [line for line in lines if line.startswith(("### ", "<details>"))]
    assert [re.sub(r"<[^>]*>|### ", "", head) for head in heads] == [
        "2 slower",
        "1 faster",
        "2 unsure",
        "2 same",
        "2 in one run only",
    ]


def test_what_was_lost_comes_before_the_summary() -> None:
    """The gravest first; a reader who stops there has not read that all is well. CSV has it without a number."""
    gone = left_out("a/gone", new="not there", loss="gone")
    wrong = left_out("a/wrong", new="wrong result", loss="wrong")
    found = comparison(case(), missing=(left_out(), gone, wrong))
    assert markdown(found, gate(found)).startswith(
        "**1 wrong result, 1 case gone from the new run**\n\n"
        "- `a/wrong` on cpu: new: wrong result\n- `a/gone` on cpu: new: not there\n\n"
        "**0 slower, 0 faster, 0 unsure, 1 same** in 1 case"
    )
    assert "<summary>1 in one run only</summary>" in markdown(found)
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert [row["verdict"] for row in rows] == ["same", "missing", "gone", "wrong"]
    assert {row["ratio"] + row["new_s"] for row in rows[1:]} == {""}


def test_the_largest_change_stands_first() -> None:
    """Slower and faster by how much; unsure by the worst that is still possible."""
    text = markdown(
        comparison(
            *(case("slower", r, case=f"s/s[n={r}]") for r in (1.2, 1.4)),
            *(case("faster", r, case=f"f/f[n={r}]") for r in (0.9, 0.5)),
            case("unsure", 1.3, case="u/u[n=1.3]"),
            case("unsure", None, case="u/u[n=0]"),
        )
    )
    assert re.findall(r"`(./.\[n=[\d.]+\])`", text) == [
        "s/s[n=1.4]", "s/s[n=1.2]", "f/f[n=0.5]", "f/f[n=0.9]", "u/u[n=0]", "u/u[n=1.3]",
    ]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_data_is_shown_and_never_obeyed(text: str) -> None:
    """Wherever it stands: no column, tag, code, link, mention or heading comes of it."""
    differs = Difference(field=text, base=text, new=text, matters="care")
    known = Comparability(verdict="with-care", differences=(differs,), remedy=text)
    named = info(label=text, machine={"name": text}, torch={"version": text}, started_at=text)
    found = comparison(
        case("slower", 2.0, case=text, device=text, reason=text),
        base=named,
        comparable=known,
        missing=(left_out(text), left_out(text, device=text, new=text, loss="gone")),
    )
    shown = markdown(found, gate(found))
    for line in shown.splitlines():
        if line.startswith("|"):
            assert line.count("|") in {5, 6, 8}
        assert not line.startswith(("# ", "```"))
    outside = re.sub(r"<code>.*?</code>|`[^`\n]*`", "", shown)
    assert re.findall(r"<[^>]+>", outside) == [
        "<details>", "<summary>", "</summary>", "</details>",
    ]  # fmt: skip
    assert not re.search(r"@\w|(?<!&)#\d|://\w|www\.\w|\]\(|~~|__|\$", outside)
    assert not re.search(r"[<>`|]", "".join(re.findall(r"<code>(.*?)</code>", shown)))
    assert shown.count("`") % 2 == 0


def test_a_usual_id_is_legible_in_the_source_too() -> None:
    """Not every reader of a comment sees it rendered; mail does not."""
    assert "| `matmul/square[n=16,dtype=float32]` | cpu |" in markdown(comparison(case()))


@pytest.mark.parametrize("verdict", ["slower", "same"])
def test_a_long_comparison_is_folded_and_fits_a_comment(verdict: str) -> None:
    """Even where data are hostile and long; what was left out is counted."""
    many = [case(verdict, 1.2, case=f"a/b[n={n}]", reason="<" * 500) for n in range(900)]
    apart = [left_out(f"{n}" + "|" * 300) for n in range(900)]
    gone = [left_out("|" * 300, new="<" * 300, loss="gone") for _ in range(900)]
    text = markdown(comparison(*many, missing=(*apart, *gone)))
    rows = sum(line.startswith("| `a/b") for line in text.splitlines())
    (untold,) = re.findall(rf"(\d+) more {verdict}: left out", text)
    assert rows + int(untold) == 900
    assert rows > 20
    assert "more in one run only: left out, to fit a comment; `--format json`" in text
    assert "more lost: left out, to fit a comment; `--format json`" in text
    assert len(text) < 65_536
    open_rows = text.partition("<details><summary>" + ("" if verdict == "same" else f"{rows - 20}"))
    assert open_rows[0].count("| `a/b") == (0 if verdict == "same" else 20)


def test_no_single_text_fills_the_comment() -> None:
    """Ids, remedies and reasons are clipped, and seen to be."""
    known = Comparability(verdict="no", differences=(), remedy="x" * 70_000)
    text = markdown(
        comparison(
            case("slower", 2.0, case="c" * 70_000, reason="r" * 70_000),
            base=info(label="b" * 70_000),
            comparable=known,
        )
    )
    assert len(text) < 5_000
    assert "c…" in text
    assert "r…" in text


def test_what_got_slower_is_the_last_to_be_left_out() -> None:
    """Space is given to what matters first, whatever the order of the cases."""
    many = [case("same", 1.0, case=f"a/same[n={n}]", reason="|" * 99) for n in range(400)]
    text = markdown(comparison(*many, *[case("slower", 1.3, case="a/slow[n=1]")] * 15))
    assert text.count("a/slow") == 15
    assert "more same: left out" in text


def test_many_differences_do_not_push_the_cases_out() -> None:
    """They are folded, then counted."""
    differs = [Difference(field=f"f{n}", base="<" * 99, new="x", matters="care") for n in range(99)]
    known = Comparability(verdict="with-care", differences=tuple(differs), remedy="")
    text = markdown(comparison(case("slower", 2.0), comparable=known))
    assert "<details><summary>99 differences</summary>" in text
    assert "more differences: left out" in text
    assert "### 1 slower" in text


def test_a_comparison_without_cases_is_still_a_document() -> None:
    """No empty table, no mean of nothing."""
    text = markdown(comparison())
    assert text.startswith("**0 slower, 0 faster, 0 unsure, 0 same** in 0 cases\n")
    assert "new / base" not in text


def test_a_half_known_interval_is_no_interval() -> None:
    """One end alone would look like certainty."""
    assert "| 2.000 (?) |" in markdown(comparison(case("slower", 2.0, ratio_lo=None)))
    assert "| 1234 (?) |" not in markdown(comparison(case("slower", 1234.0)))
