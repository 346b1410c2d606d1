"""Colours can be seen on their paper, and names fit beside figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
