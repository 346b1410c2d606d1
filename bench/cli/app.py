"""The `bench` program before it has commands; the modules beside it add theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, INTERNAL, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 6, 130
"""Exit codes. 3, 4 and 5 are a gate's (`analyse/gate.py`); 130 is what shells use for Ctrl-C."""
_ORDER: Sequence[str] = (
    *("run", "list", "runs", "show", "report", "publish", "export", "import"),
    *("compare", "table", "trend", "ab", "crossover", "claims"),
    *("profile", "machine", "doctor", "selftest", "explain"),
)


class _InOrder(TyperGroup):
    """Commands in the order in which one meets them, in the help."""

    def list_commands(self, ctx: object) -> list[str]:
        """Those of the order first, others after them."""
        names = super().list_commands(ctx)  # type: ignore[arg-type]  # click's context, named differently by typer
        return sorted(names, key=lambda name: (*_ORDER, name).index(name))


app = typer.Typer(
    name="bench",
    cls=_InOrder,
    help="Time tensor ops on CPU and GPU, compare the numbers, publish the pages.",
    epilog="Start with: bench run --preset quick --report",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
