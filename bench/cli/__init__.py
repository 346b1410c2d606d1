"""Command-line interface: argv → one call → printed output and an exit code. No other package prints.

Everything heavy is imported by the command that needs it, so that `bench --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from bench.cli import (  # noqa: F401 - each adds its commands to the app
    ab,
    claims,
    compare,
    crossover,
    fleet,
    fleet_results,
    fleet_visit,
    machine,
    planning,
    profiling,
    publish,
    run,
    runs,
    selftest,
    table,
    trend,
)
from bench.cli.app import INTERRUPTED, OK, USAGE, app
from bench.cli.output import make_printable, say
from bench.cli.termination import Termination
from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Typer brings click along under changing names; the base of its own exception is always UsageError.
_Misused: type[Exception] = typer.BadParameter.__mro__[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code, prints errors as one line each."""
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    make_printable(sys.stdout, sys.stderr)
    with Termination() as termination:
        return termination.code(otherwise=_run(words))


def _run(words: list[str]) -> int:
    try:
        code = app(words, prog_name="bench", standalone_mode=False)
    except BenchError as error:
        return _refuse(str(error))
    except _Misused as error:
        return _refuse(_usage(error))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as error:
        # Click and rich answer a closed pipe with it: the reader (head, less) has seen enough.
        if isinstance(error.__context__, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        raise
    return code if isinstance(code, int) else OK


def _usage(error: Exception) -> str:
    """The line for a usage error: what was wrong, and which help lists the right words."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "bench"
    said: str = error.format_message()  # type: ignore[attr-defined]  # every UsageError has it
    return f"{' '.join(said.split()).rstrip('.')}; see {command} --help"


def _refuse(message: str) -> int:
    say(f"bench: {message}", err=True)
    return USAGE
