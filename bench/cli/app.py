"""The `bench` program before it has commands; the modules beside it add theirs."""

from __future__ import annotations

import typer

OK, INTERNAL, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 6, 130
"""Exit codes. 3, 4 and 5 are kept for gates; 130 is what shells use for Ctrl-C."""

app = typer.Typer(
    name="bench",
    help="Time tensor ops on CPU and GPU, compare the numbers, publish the pages.",
    epilog="Start with: bench run --preset quick --report",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
