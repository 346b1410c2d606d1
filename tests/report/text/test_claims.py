"""Claims read as verdicts with their numbers and sources, in a terminal and as JSON."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.console import Console

from bench.analysis.claims.claim import answers
from bench.report.text.claims import claims_facts, claims_table, next_steps, rows, summary
from tests.fakes import claims as fakes_claims
from tests.fakes.claims import CLAIMS, answered
from tests.fakes.rows import RUN_ID, assert_golden

if TYPE_CHECKING:
    from rich.console import RenderableType


def shown(table: RenderableType, width: int) -> str:
    """What a terminal without colours shows, without the blanks at line ends."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_claims_are_readable_at_usual_widths(width: int) -> None:
    """Verdict, sentence, numbers or command beneath, texts as marks that are explained."""
    text = shown(claims_table(answered(), width=width), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert_golden(text, f"report_claims_{width}.txt")


def test_what_is_missing_is_one_command() -> None:
    """And what needs a GPU is another, unless there is one."""
    measure = 'bench run -k "s/look or s/gone"'
    assert next_steps(answered(), gpu=False) == [
        f"to measure what is missing: {measure}",
        "to answer 1 claim on a machine with a GPU: bench run -k s/far",
    ]
    assert next_steps(answered(), gpu=True) == [
        'to measure what is missing: bench run -k "s/look or s/gone or s/far"'
    ]
    assert next_steps(answers(CLAIMS[:5], [fakes_claims.rows()]), gpu=False) == []


def test_the_document_has_all_that_is_shown() -> None:
    """And the cases and the run that each verdict rests on."""
    facts = json.loads(json.dumps(claims_facts(answered(), gpu=False), allow_nan=False))
    found = {one["id"]: one for one in facts["claims"]}
    assert {id_: one["verdict"] for id_, one in found.items()} == {
        "free": "holds",
        "from": "holds-from",
        "not": "does-not-hold",
        "wide": "cant-tell",
        "broken": "cant-tell",
        "missing": "not-measured",
        "gpu": "not-measured",
    }
    assert (facts["runs"], facts["answered"]) == ([RUN_ID], 3)
    assert facts["missing"] == 'bench run -k "s/look or s/gone"'
    assert facts["missing_gpu"] == "bench run -k s/far"
    one = found["from"]
    assert (one["axis"], one["size"], one["run"]) == ("n", 1024, RUN_ID)
    assert {"case": "s/copy[n=16,dtype=float32]", "device": "cpu"} in one["cases"]
    assert one["sources"] == [
        {"text": "000_a.txt", "title": "All about A", "place": "where it begins"}
    ]
    assert found["gpu"]["needs_gpu"]
    assert found["missing"]["run"] is None


def test_the_run_is_named_with_each_answer_where_there_are_several() -> None:
    """Of one run the last line is enough."""
    one, other, *_ = answered()
    assert summary([one, other]) == f"2 of 2 claims answered, by run {RUN_ID}."
    elsewhere = dataclasses.replace(other, run_id="20261124T050201Z-bbbbbb")
    assert summary([one, elsewhere]) == "2 of 2 claims answered, by 2 runs."
    assert [row.beneath.rpartition("; ")[2] for row in rows([one, elsewhere])] == [
        f"run {RUN_ID}",
        "run 20261124T050201Z-bbbbbb",
    ]
    assert summary(answers(CLAIMS[:1], [])) == "0 of 1 claim answered."
