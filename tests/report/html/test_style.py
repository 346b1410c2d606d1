"""Axes have human ticks, and colours can be seen on their paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.html import style as html_style

STYLE = Path(html_style.__file__).parent / "templates" / "page.css"


def luminance(colour: str) -> float:
    """Relative luminance, after WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, after WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("colours", "paper"), [(html_style.LIGHT, "#ffffff"), (html_style.DARK, "#11161c")]
)
def test_lines_can_be_seen_on_their_paper(colours: tuple[str, ...], paper: str) -> None:
    """3:1, what WCAG asks of graphics."""
    assert min(contrast(colour, paper) for colour in colours) >= 3


def test_text_can_be_read_on_every_cell_of_the_heat_map() -> None:
    """4.5:1, what WCAG asks of text; and lighter is always faster."""
    assert min(contrast(colour, html_style.HEAT_INK) for colour in html_style.HEAT) >= 4.5
    lights = [luminance(colour) for colour in html_style.HEAT]
    assert lights == sorted(lights, reverse=True)


def test_the_style_sheet_has_the_same_colours() -> None:
    """The page's script takes them from there; two lists may not drift apart."""
    found = re.findall(r"--c\d: (#\w+);", STYLE.read_text(encoding="utf-8"))
    assert tuple(found) == html_style.LIGHT + html_style.DARK + html_style.DARK


@given(
    st.lists(st.floats(min_value=1e-9, max_value=1e4), min_size=1, max_size=50),
    st.integers(min_value=3, max_value=8),
)
def test_value_axes_show_all_values_with_few_ticks(values: list[float], most: int) -> None:
    """A point outside the axis would be lost, and one tick alone is no scale."""
    axis = html_style.value_axis(values, "s", most)
    low, high = axis["range"]
    assert 10**low < min(values)
    assert max(values) < 10**high
    assert len([t for t in axis["tickvals"] if 10**low <= t <= 10**high]) >= 2
    assert len(axis["tickvals"]) <= most
    assert len(set(axis["ticktext"])) == len(axis["ticktext"])


@pytest.mark.parametrize(
    ("values", "unit", "texts"),
    [
        ([2e-6, 3e-2], "s", ["10 µs", "100 µs", "1 ms", "10 ms"]),
        ([2e9, 3e10], "FLOP/s", ["2 GFLOP/s", "5 GFLOP/s", "10 GFLOP/s", "20 GFLOP/s"]),
        ([2.1e-6, 2.2e-6], "s", ["1.6 µs", "2 µs", "2.5 µs"]),
    ],
)
def test_ticks_are_in_units_people_use(values: list[float], unit: str, texts: list[str]) -> None:
    """Never 1e-06."""
    assert html_style.value_axis(values, unit)["ticktext"] == texts


def test_sizes_are_short_unless_that_makes_two_alike() -> None:
    """16.8M twice would be a lie."""
    assert html_style.size_labels([16, 16777216, 0.5]) == ["16", "16.8M", "0.5"]
    assert html_style.size_labels([16777216, 16777217]) == ["16777216", "16777217"]


def test_many_sizes_get_some_of_the_ticks_and_the_largest_always() -> None:
    """Ticks that overlap can't be read."""
    axis = html_style.size_axis("n", [2**k for k in range(24)])
    assert len(axis["tickvals"]) <= 8
    assert axis["tickvals"][-1] == 2**23


def test_a_long_name_keeps_both_its_ends() -> None:
    """The op is at the beginning, the setting in question at the end."""
    short = html_style.shortened("precision float32_matmul_precision=highest")
    assert short == "precisio…ision=highest"
    assert html_style.shortened("x" * 22) == "x" * 22
    assert len(html_style.shortened("x" * 23)) == 22


def test_what_swatches_are_made_of_is_styled_without_an_ancestor() -> None:
    """A selector that names one does not reach the copies that `use` makes."""
    style = STYLE.read_text(encoding="utf-8")
    parts = (STYLE.parent / "parts.html").read_text(encoding="utf-8")
    (made_of,) = re.findall(r"<defs>.*?</defs>", parts, re.DOTALL)
    for name in set(re.findall(r'class="([^"]+)"', made_of)):
        assert re.search(rf"^\.{name} {{", style, re.MULTILINE), name
