"""The shell escapes what it is given, and holds every part of the script."""

from __future__ import annotations

import json
from pathlib import Path

from plotly.offline import get_plotlyjs

from bench.report.html import render
from tests.fakes.rows import HOSTILE


def test_json_in_a_page_can_not_end_its_element() -> None:
    """And is still the same JSON."""
    text = render.safe_json({"x": HOSTILE + "\u2028<!--"})
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"x": HOSTILE + "\u2028<!--"}


def test_an_option_in_a_text_is_set_as_code() -> None:
    """And the text around it is escaped."""
    assert render.flags("<b> try --budget 5, not a--b") == (
        "&lt;b&gt; try <code>--budget 5</code>, not a--b"
    )


def test_the_script_closes_no_element() -> None:
    """It stands in the page as it is."""
    folder = Path(render.__file__).parent / "templates"
    assert "</script" not in render.script_text().lower()
    assert "</style" not in (folder / "page.css").read_text(encoding="utf-8").lower()
    assert "</script" not in get_plotlyjs().lower()


def test_every_part_of_the_script_is_in_it() -> None:
    """A file that is not named would be shipped and never run."""
    folder = Path(render.__file__).parent / "templates" / "scripts"
    assert {path.stem for path in folder.glob("*.js")} == set(render.SCRIPTS)
