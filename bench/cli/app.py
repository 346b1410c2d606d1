"""The `bench` application and its exit codes; the modules beside this one add the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.records.record import Record

OK, USAGE, SOME_FAILED, INTERRUPTED = 0, 2, 6, 130
"""Exit codes. 3, 4 and 5 are the gate's (`analysis/compare/gate.py`); shells use 130 for Ctrl-C, and Python
ends with 1 after a traceback."""
_ORDER: Sequence[str] = (
    *("run", "list", "runs", "show", "report", "publish", "export", "import"),
    *("compare", "table", "trend", "ab", "crossover", "claims"),
    *("fleet", "gate"),
    *("profile", "machine", "doctor", "selftest", "explain"),
)


class _InOrder(TyperGroup):
    """Commands in the order in which one meets them, in the help."""

    def list_commands(self, ctx: object) -> list[str]:
        """The commands named in `_ORDER` first, then any others."""
        names = super().list_commands(ctx)  # type: ignore[arg-type]  # click's context, named differently by typer
        return sorted(names, key=lambda name: (*_ORDER, name).index(name))


def exit_code(rows: Iterable[Record]) -> int:
    """The exit code of a command that measured these rows: `SOME_FAILED` if one failed, or its result is wrong."""
    from bench.analysis.usable import failure

    return SOME_FAILED if any(map(failure, rows)) else OK


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

fleet = typer.Typer(
    help="One plan measured by many machines: on Slurm, over ssh, or here.",
    epilog="Start with: bench fleet run matmul --pool local",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(fleet, name="fleet")
