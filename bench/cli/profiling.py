"""`bench profile`: what one case does inside, by torch's profiler; a pass of its own, never the headline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.app import OK, SOME_FAILED, app
from bench.cli.options import OUT, Json, Out
from bench.cli.output import print_json, say, show, width

if TYPE_CHECKING:
    from bench.plan.choose import Settings
    from bench.plan.plan import Plan

CaseWord = Annotated[
    str,
    typer.Argument(
        metavar="CASE",
        help="A case's id (see bench list --json), or an expression as of -k that matches one alone.",
    ),
]


@app.command("profile")
def profile_command(
    *,
    case: CaseWord,
    suite: Annotated[
        list[str] | None,
        typer.Option("--suite", metavar="SUITE | FILE.py", help="Look there only."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|cuda|cuda:1", help="One device. Default: CUDA where there is any."
        ),
    ] = None,
    calls: Annotated[int, typer.Option(min=1, max=10_000, help="Calls to look at.")] = 20,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads. Default: the physical cores.")
    ] = None,
    timeout: Annotated[str, typer.Option(metavar="SECONDS", help="Time allowed.")] = "60",
    out: Out = OUT,
    as_json: Json = False,
) -> int:
    """Show which ops or kernels a case consists of, and write their trace."""
    from bench.plan import choose
    from bench.pool.protocol import Refused
    from bench.report.text.profile_table import profile_facts, profile_table
    from bench.run import extra_passes
    from bench.run.request import DEFAULT_TIMEOUT_S, Request, parse_budget

    timeout_s = parse_budget(timeout, "--timeout") or DEFAULT_TIMEOUT_S
    with Request(workers=1, threads=threads).start() as started:
        where = _one_device(device)

        def planned(settings: Settings) -> Plan:
            suites = tuple(suite or ())
            return Request(suites=suites, devices=(where,), settings=settings, preset="full").plan()

        chosen = choose.choose(case, planned)
        found = extra_passes.profile(started.pool, chosen, calls, out, timeout_s)
    if isinstance(found, Refused):
        say(f"bench: {chosen.id} on {where} {found.status}: {found.reason}", err=True)
        return SOME_FAILED
    if as_json:
        print_json(profile_facts(found))
    else:
        show(profile_table(found, width=width()))
        say(f"trace: {found.trace} (open it in ui.perfetto.dev or chrome://tracing)")
    return OK


def _one_device(word: str | None) -> str:
    """The device asked for, or the first CUDA device, or the CPU.

    Raises:
        SelectionError: the word names no device, or several.
    """
    from bench.errors import SelectionError
    from bench.worker import devices

    if word is None:
        return devices.present()[:2][-1]
    if word == "all":
        message = "--device 'all': a profile is of one device; write cpu, cuda or cuda:1"
        raise SelectionError(message)
    return devices.chosen((word,))[0]
