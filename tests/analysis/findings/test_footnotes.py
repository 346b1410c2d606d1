"""Warnings and failures are named once, with their count."""

from __future__ import annotations

from bench.analysis.findings import footnotes
from tests.fakes.rows import example, lost, record


def test_only_codes_that_occur_are_noted_in_a_fixed_order() -> None:
    """Two reports of the same rows number their notes alike."""
    found = footnotes.notes([record(warnings=("unchecked", "noisy")), record(warnings=("noisy",))])
    assert [(n.mark, n.words.code, n.count, n.of) for n in found] == [
        ("¹", "noisy", 2, 2),
        ("²", "unchecked", 1, 2),
    ]
    assert footnotes.marks(record(warnings=("unchecked", "noisy")), found) == "¹ ²"


def test_a_code_from_a_newer_version_is_still_shown() -> None:
    """An unknown warning is a warning."""
    (found,) = footnotes.notes([record(warnings=("from-the-future",))])
    assert found.words.code == "from-the-future"
    assert found.words.seen


def test_marks_have_as_many_digits_as_they_need() -> None:
    """The twelfth note is not the first and the second."""
    assert footnotes.superscript(12) == "¹²"


def test_failures_stand_alone_and_skips_are_folded() -> None:
    """Each failure is news; the same skip on a hundred sizes is not."""
    found = footnotes.unmeasured([*example(), lost("failed", "RuntimeError: [red]boom[/red] <b>")])
    assert [(g.status, len(g.records)) for g in found] == [
        ("timeout", 1),
        ("failed", 1),
        ("skipped", 3),
        ("failed", 1),
    ]


def test_a_missing_reason_is_said_to_be_missing() -> None:
    """A blank looks like a mistake of the page."""
    (found,) = footnotes.unmeasured([lost("oom", None)])
    assert found.reason == "no reason was given"
