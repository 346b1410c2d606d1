"""A run as CSV, JSON and Markdown keeps what it is and who made it."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from typing import Any

import pytest

from bench.errors import SelectionError
from bench.records.record import Record
from bench.report.text.export import export
from tests.fakes.rows import CODES, HOSTILE, assert_golden, example, info, lost, on, record, values


@pytest.fixture(autouse=True)
def fixed_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden files do not change with the wording of warnings."""
    monkeypatch.setattr("bench.analysis.findings.footnotes.CODES", CODES)


def refuse(constant: str) -> Any:
    """Standard JSON has no such constant."""
    raise AssertionError(constant)


def test_csv_has_every_column_of_every_row() -> None:
    """One header; nothing of the run's identity is dropped; missing is empty."""
    text = export(values(example()), info(), "csv")
    assert_golden(text, "report_export.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(example())
    assert list(rows[0]) == [f.name for f in dataclasses.fields(Record)]
    assert {row["machine_id"] for row in rows} == {"m-00000001"}
    assert rows[0]["params"] == "n=16;dtype=float32"
    assert rows[6]["warnings"] == "noisy;unchecked"
    assert rows[7]["time_s"] == ""


def test_csv_holds_any_text_in_one_cell() -> None:
    """Commas, quotes and line ends do not shift columns."""
    reason = f'{HOSTILE}, "\nand so on'
    (row,) = csv.DictReader(io.StringIO(export(values([lost("failed", reason)]), info(), "csv")))
    assert row["reason"] == reason
    assert row["schema_version"] == "1"


def test_json_is_standard_and_complete() -> None:
    """Nulls for what is missing, ISO times, mappings and lists as such."""
    rows = [*example(), record(time_hi_s=math.inf)]
    found = json.loads(export(values(rows), info(), "json"), parse_constant=refuse)
    assert found["run"]["label"] == "before"
    assert found["rows"][0]["params"] == {"n": "16", "dtype": "float32"}
    assert found["rows"][0]["started_at"] == "2026-11-23T05:02:01+00:00"
    assert found["rows"][6]["warnings"] == ["noisy", "unchecked"]
    assert found["rows"][7]["time_s"] is None
    assert found["rows"][-1]["time_hi_s"] is None
    assert list(found["rows"][0]) == [f.name for f in dataclasses.fields(Record)]


def test_markdown_is_a_table_per_suite_with_footnotes() -> None:
    """It can be pasted where code is discussed."""
    rows = [*example(), *on("cuda", example()[:2])]
    assert_golden(export(values(rows), info(), "markdown"), "report_export.md")


def test_markdown_shows_hostile_text_as_text() -> None:
    """A pipe does not make a column, nor a bracket a tag."""
    rows = [lost("failed", HOSTILE + "\n|"), record()]
    text = export(values(rows), info(label="<b>\n# x"), "markdown")
    for line in text.splitlines():
        assert not line.startswith("# ")
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 5
    assert "<b" not in text.replace("\\<b", "")


def test_an_empty_run_is_still_a_document() -> None:
    """The header, an empty list, a sentence."""
    assert export(values([]), info(), "csv").count("\n") == 1
    assert json.loads(export(values([]), info(), "json"))["rows"] == []
    assert "There are no cases." in export(values([]), info(), "markdown")


def test_an_unknown_form_is_answered_with_the_known_ones() -> None:
    """The value, the rule, the fix."""
    with pytest.raises(SelectionError, match="did you mean json"):
        export(values([]), info(), "jsn")
