"""`bench list` shows what would be measured, suite by suite or op by op, and finds ops; and the words it shares with `run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.cli.app import OK, app
from bench.cli.options import (
    Budget,
    Device,
    Json,
    Keyword,
    ListBy,
    Mode,
    PresetName,
    Search,
    Setting,
    Suites,
    all_of,
    split_words,
)
from bench.cli.output import print_json, say, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.run.request import Request


@app.command("list")
def list_command(
    *,
    suites: Suites = None,
    keyword: Keyword = None,
    device: Device = None,
    setting: Setting = None,
    mode: Mode = None,
    preset: PresetName = "quick",
    budget: Budget = None,
    by: ListBy = "op",
    search: Search = None,
    as_json: Json = False,
) -> int:
    """Show the plan: cases, skips with their reasons, the time it would take."""
    asked = parsed_request(
        suites=suites,
        keyword=keyword,
        device=device,
        setting=setting,
        mode=mode,
        preset=preset,
        budget=budget,
    )
    _check_by(by)
    if search is not None:
        _list_found(asked, search, as_json=as_json)
    elif by == "suite":
        _list_suites(asked, as_json=as_json)
    else:
        _list_ops(asked, as_json=as_json)
    return OK


def _check_by(by: str) -> None:
    """See that the plan can be listed by this.

    Raises:
        SelectionError: it can't.
    """
    from bench.errors import SelectionError, hint

    if by not in {"op", "suite"}:
        message = f"--by {by!r} is neither op nor suite; {hint(by, ('op', 'suite'))}"
        raise SelectionError(message)


def _list_ops(asked: Request, *, as_json: bool) -> None:
    from bench.report.text.plan import plan_facts, plan_table

    plan = asked.plan(fingerprints=False)
    estimate_s = asked.estimate_s(len(plan.cases), plan.compiled)
    if as_json:
        print_json(plan_facts(plan, estimate_s))
        return
    say_cpu_only(asked)
    show(plan_table(plan, estimate_s))


def _list_suites(asked: Request, *, as_json: bool) -> None:
    from bench.plan.catalogue import catalogue
    from bench.report.text.catalogue import suites_facts, suites_table

    plan, entries = asked.plan(fingerprints=False), catalogue(asked.loaded())
    estimate_s = asked.estimate_s(len(plan.cases), plan.compiled)
    if as_json:
        print_json(suites_facts(entries, plan, estimate_s))
        return
    say_cpu_only(asked)
    show(suites_table(entries, plan, estimate_s))


def _list_found(asked: Request, words: str, *, as_json: bool) -> None:
    from bench.plan import catalogue
    from bench.report.text.catalogue import found_facts, found_table

    found = catalogue.search(catalogue.catalogue(asked.loaded()), words)
    if as_json:
        print_json(found_facts(found))
    else:
        show(found_table(found))


def parsed_request(
    *,
    suites: Sequence[str] | None,
    keyword: Sequence[str] | None,
    device: Sequence[str] | None,
    setting: Sequence[str] | None,
    mode: Sequence[str] | None,
    preset: str,
    budget: str | None,
    **measuring: Any,
) -> Request:
    """The request that the options common to `run` and `list` make, and those of `run` alone.

    Raises:
        BenchError: a word can't be read.
    """
    from bench.plan import mode as modes
    from bench.run import request as requests

    return requests.Request(
        suites=tuple(suites or ()),
        keyword=all_of(keyword),
        devices=split_words(device),
        settings=requests.parse_settings(setting or ()),
        modes=modes.parse(mode or ()),
        preset=preset,
        budget_s=requests.parse_budget(budget, "--budget"),
        **measuring,
    )


def say_cpu_only(asked: Request) -> None:
    """Say that there is no GPU, where none was asked for and none left out."""
    if asked.cpu_only_by_default:
        from bench.worker.devices import why_missing

        say(f"no GPU here ({why_missing('cuda')}): the CPU alone", err=True)
