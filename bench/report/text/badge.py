"""A small picture for a README: what the newest run says against the one before it. SVG, by hand.

Nothing is fetched and no font is needed: every text is set to the width that its letters have here, so
that the same standing makes the same bytes and fits wherever it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from bench.report.text import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.analysis.compare.latest import Standing

_NAME = "tensorbench"
_DARK, _GREY, _GREEN, _AMBER, _RED = "#3b3f45", "#5f6368", "#2e7d32", "#8a5a00", "#b3261e"
"""Each of them has a contrast of at least 5 to 1 with white letters; 4.5 is what WCAG 2.2 AA asks."""
_HEIGHT, _MARGIN, _WIDE, _NARROW = 20, 6, 7, 4
"""Pixels; a letter of the 11 px font below is about as wide as that."""
_THIN = frozenset(" .,:;'|!ijlftI()[]·")


def badge(standing: Standing | None) -> str:
    """The picture; None where there is no run at all."""
    said, colour = text(standing), _colour(standing)
    left, right = _width(_NAME), _width(said)
    width = left + right + 4 * _MARGIN
    split = left + 2 * _MARGIN
    label = quoteattr(f"{_NAME}: {said}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}" role="img" aria-label={label}>\n'
        f"<title>{escape(_title(standing, said))}</title>\n"
        f'<rect width="{split}" height="{_HEIGHT}" fill="{_DARK}"/>\n'
        f'<rect x="{split}" width="{width - split}" height="{_HEIGHT}" fill="{colour}"/>\n'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">\n'
        f"{_set(_NAME, _MARGIN)}\n{_set(said, split + _MARGIN)}\n</g>\n</svg>\n"
    )


def text(standing: Standing | None) -> str:
    """`1 wrong · 143 same · 2 slower`; what was measured, where there is nothing to compare it with."""
    if standing is None:
        return "no runs"
    counts = standing.summary
    if counts is None:
        lost = {"wrong": standing.wrong, "failed": standing.failed}
        return " · ".join([*_parts(lost), f"{standing.measured} measured"])
    parts = {
        "wrong": counts.wrong,
        "failed": counts.failed,
        "gone": counts.gone,
        "same": counts.same,
        "slower": counts.slower,
        "faster": counts.faster,
        "unsure": counts.unsure,
    }
    return " · ".join(_parts(parts))


def _parts(counts: Mapping[str, int]) -> list[str]:
    return [f"{number} {word}" for word, number in counts.items() if number]


def _colour(standing: Standing | None) -> str:
    """Red only for a slowdown that was shown or a case that broke; amber where most is unsure, or a case is gone."""
    if standing is None:
        return _GREY
    counts = standing.summary
    if counts is None:
        return _RED if standing.wrong or standing.failed else _GREY
    if counts.wrong or counts.failed or counts.slower:
        return _RED
    cases = counts.same + counts.faster + counts.unsure
    return _AMBER if counts.gone or 2 * counts.unsure > cases else _GREEN


def _title(standing: Standing | None, said: str) -> str:
    """All of it, for whoever points at the picture or hears it."""
    if standing is None:
        return f"{_NAME}: {said}"
    new = f"run {standing.new.run_id} on {wording.machine_name(standing.new)}"
    if standing.base is None:
        return f"{_NAME}: {said}; {new}; no earlier run of this machine can be compared with it"
    return f"{_NAME}: {said}; {new} against {standing.base.run_id}"


def _set(said: str, left: int) -> str:
    length = f'textLength="{_width(said)}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{left}" y="14" {length}>{escape(said)}</text>'


def _width(said: str) -> int:
    return sum(_NARROW if letter in _THIN else _WIDE for letter in said)
