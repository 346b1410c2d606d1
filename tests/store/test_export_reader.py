"""An export as JSON is the run again, but for its samples."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from bench.errors import StoreError
from bench.records.record import record_of
from bench.report.text.export import export
from bench.store.export_reader import is_export, run_of
from tests.fakes.rows import example, info, values


def document() -> dict[str, Any]:
    """What `bench export --format json` prints of a run in which most things happen."""
    told: dict[str, Any] = json.loads(export(values(example()), info(), "json"))
    return told


def test_rows_and_facts_are_those_of_the_run() -> None:
    """Nothing is rounded, and nothing is lost."""
    about, entries = run_of(document(), "a.json")
    assert about == dataclasses.replace(info(), files={})
    assert [entry.record for entry in entries] == example()
    assert {entry.samples for entry in entries} == {()}


def test_columns_of_a_newer_version_are_passed_over() -> None:
    """As everywhere."""
    row = document()["rows"][0]
    assert record_of({**row, "taste": "sweet"}) == record_of(row)


@pytest.mark.parametrize(
    "broken",
    [{"run": 3}, {"run": {}}, {"rows": [{"case": "x"}]}, {"rows": [3]}, {"rows": None}],
)
def test_half_an_export_is_refused_in_one_line(broken: dict[str, Any]) -> None:
    """With what to do."""
    with pytest.raises(
        StoreError, match=r"a\.json is no whole export of a run \(.*export it again"
    ):
        run_of({**document(), **broken}, "a.json")


@pytest.mark.parametrize(
    ("told", "is_one"), [({"run": {}, "rows": []}, True), ({"run": {}}, False), (3, False)]
)
def test_exports_are_told_from_other_files(told: Any, *, is_one: bool) -> None:
    """By what stands in them."""
    assert is_export(told) is is_one
