"""Frozen dataclasses survive JSON, and what is no such object is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping  # noqa: TC003 - the codec reads annotations
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.codec import decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A dataclass within another."""

    x: float
    y: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """Every kind of field that decoding treats in its own way, and two that it leaves alone."""

    name: str
    began: datetime | None = None
    start: Point | None = None
    points: tuple[Point, ...] = ()
    words: tuple[str, ...] | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


POINTS = st.builds(Point, x=st.floats(allow_nan=False), y=st.none() | st.floats(allow_nan=False))
WORDS = st.lists(st.text(), max_size=3).map(tuple)
TRIPS = st.builds(
    Trip,
    name=st.text(),
    began=st.none() | st.datetimes(timezones=st.just(UTC)),
    start=st.none() | POINTS,
    points=st.lists(POINTS, max_size=3).map(tuple),
    words=st.none() | WORDS,
    options=st.dictionaries(st.text(), WORDS, max_size=3),
    facts=st.dictionaries(st.text(), st.lists(st.integers()), max_size=3),
)


@given(TRIPS)
def test_a_dataclass_survives_json(trip: Trip) -> None:
    """With its tuples, times and the dataclasses inside it."""
    text = json.dumps(dataclasses.asdict(trip), default=datetime.isoformat)
    assert decode(Trip, json.loads(text)) == trip


def test_a_newer_or_older_version_may_have_written_it() -> None:
    """Unknown names are ignored, absent ones have their defaults."""
    assert decode(Point, {"x": 1.0, "colour": "red"}) == Point(x=1.0)


def test_null_is_an_empty_tuple_unless_a_field_may_be_none() -> None:
    """As a column that an old file lacks."""
    found = decode(Trip, {"name": "a", "points": None, "words": None})
    assert (found.points, found.words) == ((), None)


@pytest.mark.parametrize(
    "facts",
    [
        3,
        None,
        [],
        {},
        {"name": "a", "points": 3},
        {"name": "a", "start": 1},
        {"name": "a", "points": [1]},
        {"name": "a", "options": {"n": 3}},
        {"name": "a", "options": 3},
        {"name": "a", "began": 3},
    ],
)
def test_what_is_no_such_object_is_a_type_error(facts: object) -> None:
    """So that no reader goes on with half of one."""
    with pytest.raises(TypeError):
        decode(Trip, facts)


def test_a_time_that_can_not_be_read_is_a_value_error() -> None:
    """It is text, but no ISO 8601."""
    with pytest.raises(ValueError, match="Invalid isoformat"):
        decode(Trip, {"name": "a", "began": "noon"})
