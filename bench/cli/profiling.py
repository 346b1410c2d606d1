"""`bench profile`: what one case does inside, by torch's profiler; a pass of its own, never the headline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.cli.app import OK, SOME_FAILED, app
from bench.cli.options import (
    OUT,
    Calls,
    CaseWord,
    Json,
    OneDevice,
    Out,
    ProfileSuite,
    ProfileTimeout,
    Threads,
)
from bench.cli.output import print_json, say, show, width

if TYPE_CHECKING:
    from bench.plan.choose import Settings
    from bench.plan.plan import Plan


@app.command("profile")
def profile_command(
    *,
    case: CaseWord,
    suite: ProfileSuite = None,
    device: OneDevice = None,
    calls: Calls = 20,
    threads: Threads = None,
    timeout: ProfileTimeout = "60",
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
    asked = Request(
        suites=tuple(suite or ()),
        devices=(device,) if device else (),
        preset="full",
        workers=1,
        threads=threads,
    )
    with asked.start() as started:
        where = _one_device(device)

        def planned(settings: Settings) -> Plan:
            return replace(asked, devices=(where,), settings=settings).plan()

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
