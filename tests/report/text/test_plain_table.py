"""The plain table of every report shows text as it is, and never breaks what must stay whole."""

from __future__ import annotations

import io

from rich.console import Console

from bench.report.text.plain_table import PlainTable, below_each_other, folded, right, whole


def shown(*parts: object, width: int) -> str:
    """What a terminal shows."""
    text = io.StringIO()
    Console(file=text, width=200, highlight=False).print(below_each_other(*parts, width=width))  # type: ignore[arg-type]
    return text.getvalue()


def test_markup_in_data_is_text() -> None:
    """Names of columns, cells and lines come from data, too."""
    table = PlainTable(folded("[b]case[/]"), right("[red]"))
    table.add("[i]mul[/]", "[1]")
    text = shown("[u]above[/]", "", table, width=80)
    assert text.splitlines()[:2] == ["[u]above[/]", ""]
    assert all(part in text for part in ("[b]case[/]", "[red]", "[i]mul[/]", "[1]"))


def test_long_texts_fold_and_short_ones_stay_whole() -> None:
    """The width is kept."""
    table = PlainTable(whole(), folded(), heads=False)
    table.add("verdict", "x" * 30)
    lines = shown(table, width=20).splitlines()
    assert lines[0].startswith("verdict  x")
    assert max(len(line.rstrip()) for line in lines) <= 20
