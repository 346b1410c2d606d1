"""The badge says what the newest run says, in words and in a colour that claims no more."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.compare.comparison import Summary
from bench.analysis.compare.latest import Standing
from bench.report.text import badge
from tests.fakes.rows import HOSTILE, assert_golden
from tests.fakes.two_runs import BASE, NEW, run

if TYPE_CHECKING:
    from collections.abc import Mapping

SVG = "{http://www.w3.org/2000/svg}"
GREY, GREEN, AMBER, RED = badge._GREY, badge._GREEN, badge._AMBER, badge._RED


def standing(counts: Mapping[str, int] | None = None, **machine: Any) -> Standing:
    """A run of 196 cases, compared with another if there are counts."""
    none = {"faster": 0, "slower": 0, "same": 0, "unsure": 0, "missing": 0}
    mean: dict[str, Any] = dict.fromkeys(("geomean_ratio", "geomean_lo", "geomean_hi"))
    facts = {"machine": machine} if machine else {}
    return Standing(
        new=run(NEW, **facts),
        measured=196,
        base=None if counts is None else run(BASE),
        summary=None if counts is None else Summary(**{**none, **counts}, **mean, by_suite={}),
    )


def fill(picture: str) -> str:
    """The colour that the verdict has."""
    return ET.fromstring(picture).findall(f"{SVG}rect")[1].get("fill", "")  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("counts", "said", "colour"),
    [
        ({"same": 143, "slower": 2}, "143 same · 2 slower", RED),
        ({"slower": 1, "unsure": 99}, "1 slower · 99 unsure", RED),
        ({"same": 3, "faster": 2}, "3 same · 2 faster", GREEN),
        ({"same": 5, "unsure": 5}, "5 same · 5 unsure", GREEN),
        ({"same": 5, "unsure": 6}, "5 same · 6 unsure", AMBER),
        ({"faster": 9, "unsure": 8, "same": 1}, "1 same · 9 faster · 8 unsure", GREEN),
        ({"wrong": 1, "same": 143}, "1 wrong · 143 same", RED),
        ({"failed": 2, "gone": 1, "faster": 3}, "2 failed · 1 gone · 3 faster", RED),
        ({"gone": 1, "same": 143}, "1 gone · 143 same", AMBER),
        ({"gone": 1, "slower": 1}, "1 gone · 1 slower", RED),
        (None, "196 measured", GREY),
    ],
)
def test_it_says_in_words_what_its_colour_says(
    counts: Mapping[str, int] | None, said: str, colour: str
) -> None:
    """Red for what broke or was shown to be slower, amber where a case is gone or most is open, grey without a base.

    What was lost comes first.
    """
    picture = badge.badge(standing(counts))
    assert fill(picture) == colour
    assert f">{said}</text>" in picture


@pytest.mark.parametrize(
    ("alone", "said", "colour"),
    [
        ({"wrong": 2}, "2 wrong · 196 measured", RED),
        ({"failed": 1}, "1 failed · 196 measured", RED),
        ({}, "196 measured", GREY),
    ],
)
def test_a_run_without_a_base_still_says_what_broke(
    alone: dict[str, Any], said: str, colour: str
) -> None:
    """A first run with a wrong result is none that one shows around."""
    picture = badge.badge(dataclasses.replace(standing(), **alone))
    assert (fill(picture), f">{said}</text>" in picture) == (colour, True)


def test_without_a_run_it_is_still_a_picture() -> None:
    """A link to it must not break."""
    assert ">no runs</text>" in badge.badge(None)
    assert fill(badge.badge(None)) == GREY


def test_it_can_be_heard_and_names_the_runs() -> None:
    """A role, a label, a title with both runs and the machine, or that there is no base."""
    root = ET.fromstring(badge.badge(standing({"same": 1})))  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert root.get("aria-label") == "tensorbench: 1 same"
    assert root.findtext(f"{SVG}title") == (
        f"tensorbench: 1 same; run {NEW} on Test machine against {BASE}"
    )
    assert "no earlier run of this machine can be compared" in badge.badge(standing())


def test_names_from_data_are_escaped() -> None:
    """A machine may be called anything; the picture stays one, with nothing more in it."""
    root = ET.fromstring(badge.badge(standing(name=HOSTILE)))  # noqa: S314 - our own
    assert HOSTILE in (root.findtext(f"{SVG}title") or "")
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "rect", "g", "text"}


def test_it_needs_nothing_from_elsewhere() -> None:
    """No reference, no font file, no style; the only address in it is the name of the format."""
    picture = badge.badge(standing({"same": 1}))
    assert re.findall(r"\w+://[^\"]+", picture) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|url\(|@import|<style|<script", picture)


WORDS = ("wrong", "failed", "gone", "same", "faster", "slower", "unsure")


@given(counts=st.fixed_dictionaries({word: st.integers(0, 10_000) for word in WORDS}))
def test_the_text_fits_into_its_box(counts: dict[str, int]) -> None:
    """Whatever the numbers are; each text is set to a width that leaves a margin."""
    root = ET.fromstring(badge.badge(standing(counts)))  # noqa: S314 - our own
    boxes, texts = root.findall(f"{SVG}rect"), root.findall(f".//{SVG}text")
    right = 0
    for box, text in zip(boxes, texts, strict=True):
        left, right = int(box.get("x", 0)), int(box.get("x", 0)) + int(box.get("width", 0))
        start = int(text.get("x", 0))
        assert left < start
        assert start + int(text.get("textLength", 0)) < right
    assert right == int(root.get("width", 0))


def luminance(colour: str) -> float:
    """As WCAG 2.2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [badge._DARK, GREY, GREEN, AMBER, RED])
def test_white_letters_can_be_read_on_every_colour(colour: str) -> None:
    """With a contrast of 5 to 1, as the module says."""
    assert 1.05 / (luminance(colour) + 0.05) >= 5


def test_the_picture_is_the_golden_one() -> None:
    """The same standing makes the same bytes."""
    assert_golden(badge.badge(standing({"same": 143, "slower": 2})), "badge.svg")
