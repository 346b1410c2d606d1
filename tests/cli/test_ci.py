"""What CI systems are handed: files where they want them, and one exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.compare.gate import gate
from bench.cli.app import exit_code
from bench.cli.ci import append_summary, hand_over
from bench.errors import StoreError
from tests.fakes.comparisons import case, comparison
from tests.fakes.rows import record

if TYPE_CHECKING:
    from pathlib import Path

SLOWER, FINE = comparison(case("slower", 1.3)), comparison(case())


def test_a_gate_appends_to_the_summary_of_the_job(tmp_path: Path) -> None:
    """After what is there, for every comparison; JUnit is written anew."""
    summary, junit = tmp_path / "summary.md", tmp_path / "bench.xml"
    summary.write_text("earlier")
    junit.write_text("earlier")
    gates = [gate(FINE), gate(SLOWER)]
    code = hand_over(
        [FINE, SLOWER],
        gates,
        gated=True,
        junit=junit,
        environ={"GITHUB_STEP_SUMMARY": str(summary)},
    )
    assert code == 3
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("earlier\n**0 slower")
    assert "**1 slower" in text
    assert text.endswith("\n")
    assert junit.read_text(encoding="utf-8").count("<testsuite ") == 2


def test_the_sentence_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """So that stdout stays the document that was asked for."""
    hand_over([SLOWER], [gate(SLOWER)], gated=True, junit=None, environ={})
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bench: Gate failed: 1 of 1 case slower than allowed")


def test_without_a_gate_nothing_fails_and_no_summary_is_written(tmp_path: Path) -> None:
    """JUnit can be had without one."""
    summary, junit = tmp_path / "summary.md", tmp_path / "bench.xml"
    environ = {"GITHUB_STEP_SUMMARY": str(summary)}
    gates = [gate(SLOWER)]
    assert hand_over([SLOWER], gates, gated=False, junit=junit, environ=environ) == 0
    assert not summary.exists()
    assert "<failure " in junit.read_text(encoding="utf-8")


def test_an_empty_variable_names_no_summary() -> None:
    """As a shell leaves it."""
    environ = {"GITHUB_STEP_SUMMARY": ""}
    gates = [gate(FINE)]
    assert hand_over([FINE], gates, gated=True, junit=None, environ=environ) == 0


def test_a_file_that_cant_be_written_is_named(tmp_path: Path) -> None:
    """The value, the rule, the fix."""
    with pytest.raises(StoreError, match=r"can't be written: .*; name another file"):
        append_summary(tmp_path / "missing" / "summary.md", "text")
    with pytest.raises(StoreError, match=r"can't be written"):
        hand_over([FINE], [gate(FINE)], gated=False, junit=tmp_path, environ={})


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    """A lone surrogate in a label must not cost the verdict."""
    append_summary(tmp_path / "summary.md", "a\ud800b")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "\na?b\n"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, 0),
        ({"correct": None, "warnings": ("unchecked",)}, 0),
        ({"correct": None, "max_error": 0.0, "warnings": ("vacuous-check",)}, 0),
        ({"status": "skipped"}, 0),
        ({"correct": False}, 6),
        ({"status": "failed"}, 6),
        ({"status": "timeout"}, 6),
        ({"status": "oom"}, 6),
    ],
)
def test_every_command_that_measures_ends_by_one_rule(values: dict[str, Any], code: int) -> None:
    """A row that failed or is wrong among good ones; not what was skipped, or shows nothing."""
    assert exit_code([record(), record(**values)]) == code
