"""The words that several commands understand, declared once with their help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

Suites = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SUITE | FILE.py]...", help="Suites by name or file; all if none is named."
    ),
]
Keyword = Annotated[
    str,
    typer.Option("-k", metavar="EXPR", help="Only cases whose id matches, e.g. 'square and n=64'."),
]
Device = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="cpu, cuda, cuda:1, xpu, mps or all; commas or several times. Default: all there are.",
    ),
]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="AXIS=VALUE,...", help="Values of an axis, also ones a suite lacks."
    ),
]
PresetName = Annotated[
    str,
    typer.Option(
        "--preset",
        help="quick: a look in two minutes. full: every size. "
        "colab: every size, more briefly, on a small rented GPU.",
    ),
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="SECONDS", help="Sampling time per case (0.5, 200ms)."),
]
Patience = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS",
        help="Wait up to so long, in all, while the machine is slower than usual, "
        "a third of it in one go (0: never).",
    ),
]
Store = Annotated[Path, typer.Option("--store", help="Folder of runs.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for pages and traces.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
RUN_WORDS = "A path, a page, an id's beginning, @latest, @-2, label:X, machine:X or git:COMMIT."
RunWord = Annotated[str, typer.Argument(metavar="[RUN]", help=RUN_WORDS)]
STORE, OUT = Path("results"), Path("reports")


def split_words(lists: Sequence[str] | None) -> tuple[str, ...]:
    """`["cpu,cuda", "cuda:1"]` → one word each."""
    return tuple(w.strip() for text in lists or () for w in text.split(",") if w.strip())
