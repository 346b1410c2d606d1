"""A hazard has its topic's words, and a remedy only where there is something to do."""

from __future__ import annotations

import pytest

from bench.doctor.hazard import SEVERITIES, Hazard, Topic, flag_in, number_in

TOPIC = Topic(code="wind", subject="the wind", effect="papers fly", remedy="close the window")


@pytest.mark.parametrize(
    ("found", "severity", "remedy"),
    [
        (TOPIC.will("a storm"), "will", "close the window"),
        (TOPIC.may("a breeze", "a stone on top"), "may", "a stone on top"),
        (TOPIC.fine("calm"), "fine", ""),
        (TOPIC.unknown(), "unknown", ""),
    ],
)
def test_a_topic_lends_its_words(found: Hazard, severity: str, remedy: str) -> None:
    """Code and effect always, the remedy unless the rule knows a better one."""
    assert (found.code, found.effect) == ("wind", "papers fly")
    assert (found.severity, found.remedy) == (severity, remedy)
    assert found.alarming == bool(remedy)


@pytest.mark.parametrize(
    ("hazard", "found"),
    [(True, TOPIC.may("a breeze")), (False, TOPIC.fine("calm")), (None, TOPIC.unknown())],
)
def test_a_flag_is_a_hazard_fine_or_unknown(*, hazard: bool | None, found: Hazard) -> None:
    """By what was read, if it was."""
    assert TOPIC.flag("may", "a breeze", "calm", when=hazard) == found


@pytest.mark.parametrize(("value", "read"), [(True, True), (False, False), (1, None), ("no", None)])
def test_only_a_flag_is_a_flag(value: object, *, read: bool | None) -> None:
    """Another version may have written something else."""
    assert flag_in({"x": value}, "x") is read
    assert flag_in({}, "x") is None


def test_what_can_not_be_read_is_said() -> None:
    """It is no sign that all is well."""
    assert TOPIC.unknown().seen == "the wind can't be read"
    assert SEVERITIES.index("unknown") < SEVERITIES.index("fine")


@pytest.mark.parametrize(("value", "read"), [(2, 2.0), (0.5, 0.5), (True, None), ("2", None)])
def test_only_a_number_is_a_number(value: object, read: float | None) -> None:
    """Another version may have written something else."""
    assert number_in({"x": value}, "x") == read
    assert number_in({}, "x") is None
