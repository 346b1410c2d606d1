"""`bench machine`, `bench doctor` and `bench explain`: about this machine, and about a warning."""

from __future__ import annotations

from bench.cli.app import OK, app
from bench.cli.options import STORE, Json, MeasureRoofs, RunThreads, Store, Threads, WarningCode
from bench.cli.output import print_json, say, show, width


@app.command("machine")
def machine_command(
    *,
    measure: MeasureRoofs = False,
    threads: Threads = None,
    as_json: Json = False,
) -> int:
    """Show this machine: what it is, how it is set up, how it is now, what it can do at most."""
    from bench.report.text.machine import machine_table
    from bench.run.manifest import look_around
    from bench.run.request import threads_by_default

    facts = look_around(threads or threads_by_default(), _tell if measure else None)
    if as_json:
        print_json(facts)
    else:
        show(machine_table(facts))
    return OK


def _tell(device: str, seconds: float) -> None:
    say(f"measuring roofs of {device}, about {seconds:.0f} s", err=True)


@app.command("doctor")
def doctor_command(
    *,
    store: Store = STORE,
    threads: RunThreads = None,
    as_json: Json = False,
) -> int:
    """Say what on this machine will make numbers noisy, and what to do about it; exit code 0 either way."""
    from bench.doctor.checkup import examine
    from bench.report.text.doctor import doctor_facts, doctor_text
    from bench.run.request import threads_by_default

    found = examine(store, threads or threads_by_default())
    if as_json:
        print_json(doctor_facts(found))
    else:
        show(doctor_text(found.findings, width=width()))
    return OK


@app.command("explain")
def explain_command(
    *,
    code: WarningCode = None,
) -> int:
    """Say what a warning means and what to do about it."""
    from bench.records.warning_codes import CODES, explain

    chosen = [explain(code)] if code else list(CODES.values())
    for one in chosen:
        say(f"{one.code}\n  seen:  {one.seen}\n  cause: {one.cause}\n  try:   {one.remedy}")
    return OK
