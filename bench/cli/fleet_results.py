"""`bench fleet report | gate | reference`, `bench gate`: what a campaign says, and runs held against its reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.app import OK, SOME_FAILED, app, fleet
from bench.cli.fleet import PLACE
from bench.cli.fleet_options import (
    Against,
    AgainstToo,
    Band,
    CampaignName,
    ManifestKind,
    PoolToEmit,
    ReferenceOut,
    StorePlace,
)
from bench.cli.options import OUT, STORE, Json, Out, RunWord, Store, check_form
from bench.cli.output import print_json, say, show, width

if TYPE_CHECKING:
    from bench.analysis.fleet.against import Placed
    from bench.analysis.fleet.fleet_summary import FleetSummary
    from bench.records.campaign import CampaignState
    from bench.records.record import Record


@fleet.command("report")
def report_command(
    *,
    campaign: CampaignName,
    band: Band = "3%",
    out: Out = OUT,
    store: StorePlace = PLACE,
    as_json: Json = False,
) -> int:
    """What the visits say of each device, and a page.

    Also of a campaign that is under way, as far as it is.
    """
    from bench.report.html.build import build_fleet
    from bench.report.text.fleet import facts, summary_lines

    state, summary, _ = _summary(campaign, store, band)
    page = build_fleet(state, summary, out)
    if as_json:
        print_json({**facts(state, summary), "report": str(page)})
    else:
        say("\n".join(summary_lines(state, summary)))
        say(f"page: {page}")
    return OK


@fleet.command("gate")
def gate_command(
    *,
    campaign: CampaignName,
    against: AgainstToo = None,
    band: Band = "3%",
    store: StorePlace = PLACE,
    as_json: Json = False,
) -> int:
    """The same in an exit code, for CI.

    0: no device is slow. 3: one is. 4: undecided. 5: nothing to compare. 6: visits are missing, or a row failed.
    """
    from bench.report.text.fleet import facts, summary_lines

    state, summary, records = _summary(campaign, store, band)
    if against:
        found = _placed(records, against, band)
        _show_placed(found, as_json=as_json)
        return _gate_against(state, found)
    if as_json:
        print_json(facts(state, summary))
    else:
        say("\n".join(summary_lines(state, summary)))
    return _gate(state, summary, records)


@fleet.command("reference")
def reference_command(
    *,
    campaign: CampaignName,
    out: ReferenceOut = Path("reference.parquet"),
    store: StorePlace = PLACE,
) -> int:
    """Write a file to hold other machines against.

    Per device model and case the percentiles of its times over all devices.
    """
    from bench.analysis.fleet import reference
    from bench.units import counted

    state, summary, _ = _summary(campaign, store, "3%")
    facts = {"campaign": campaign, "created_at": state.campaign.created_at}
    reference.write(out, summary.percentiles, facts)
    units = max(row.units for row in summary.percentiles)
    rows = counted(len(summary.percentiles), "row")
    say(
        f"{out}: {rows}, up to {counted(units, 'device')} each. Hold a run against it: bench gate --against {out}"
    )
    return OK


@app.command("gate")
def gate_run_command(
    *,
    run: RunWord = "@latest",
    against: Against,
    band: Band = "3%",
    store: Store = STORE,
    as_json: Json = False,
) -> int:
    """Hold a run against the reference of a fleet.

    Exit code 0: as fast as usual. 3: a case is slow. 4: undecided. 5: nothing to compare. 6: a row failed.
    """
    from bench.analysis.fleet.against import code
    from bench.cli.runs import find_run
    from bench.store.load import load_records

    found = _placed(load_records(find_run(store, run).folder), against, band)
    _show_placed(found, as_json=as_json)
    return code(found)


def show_against(folder: Path, against: Path, form: str) -> None:
    """Print where the times of a run lie among those of a reference.

    Raises:
        SelectionError: there is no such form of it.
    """
    from bench.store.load import load_records

    check_form(form, ("table", "json"))
    _show_placed(_placed(load_records(folder), against, "3%"), as_json=form == "json")


def _summary(name: str, store: str, band: str) -> tuple[CampaignState, FleetSummary, list[Record]]:
    """A campaign, what its visits say, and their rows; a run that can't be read is said on stderr."""
    from bench.analysis.fleet.summary import summarise
    from bench.analysis.fleet.visit_rows import visit_rows
    from bench.store import campaigns
    from bench.store.campaign_progress import progress
    from bench.store.objects import Objects
    from bench.units import parse_portion

    share = parse_portion(band, "--band")
    objects = Objects(store)
    state = progress(objects, campaigns.load(objects, name))
    visits, torn = visit_rows(objects, state)
    for line in torn:
        say(f"passed over: {line}", err=True)
    return state, summarise(visits, band=share), [r for visit in visits for r in visit.records]


def _placed(records: list[Record], against: Path, band: str) -> list[Placed]:
    from bench.analysis.fleet import reference
    from bench.analysis.fleet.against import placed
    from bench.units import parse_portion

    return placed(records, reference.read(against), parse_portion(band, "--band"))


def _show_placed(found: list[Placed], *, as_json: bool) -> None:
    from bench.report.text.against import against_facts, against_table

    if as_json:
        print_json(against_facts(found))
    else:
        show(against_table(found, width=width()))


def _gate_against(state: CampaignState, found: list[Placed]) -> int:
    from bench.analysis.fleet.against import code

    return code(found) if state.complete else SOME_FAILED


def _gate(state: CampaignState, summary: FleetSummary, records: list[Record]) -> int:
    """What is missing or wrong weighs more than a slow device, and that more than a suspect."""
    from bench.analysis.compare.gate import NOT_COMPARABLE, REGRESSION, UNDECIDED
    from bench.analysis.usable import failure

    if not state.complete or any(map(failure, records)):
        return SOME_FAILED
    if summary.slow:
        return REGRESSION
    if any(one.suspect for one in summary.deviations):
        return UNDECIDED
    judged = any(one.standing != "unsure" for one in summary.deviations)
    return OK if judged else NOT_COMPARABLE


@fleet.command("emit")
def emit_command(
    *,
    kind: ManifestKind,
    campaign: CampaignName,
    pool: PoolToEmit = None,
    store: StorePlace = PLACE,
) -> int:
    """Print a manifest for Kubernetes or SkyPilot."""
    from bench.errors import SelectionError, hint
    from bench.fleet.manifest import KINDS, manifest
    from bench.store import campaigns
    from bench.store.objects import Objects

    of_kind = next((one for one in KINDS if one == kind), None)
    if of_kind is None:
        message = f"{kind!r} is neither kubernetes nor skypilot; {hint(kind, KINDS)}"
        raise SelectionError(message)
    objects = Objects(store)
    plan = campaigns.load(objects, campaign)
    chosen = plan.pool(pool) if pool else plan.pools[0]
    if chosen is None or (pool is None and len(plan.pools) > 1):
        message = f"--pool says which: {', '.join(one.name for one in plan.pools)}"
        raise SelectionError(message)
    say(manifest(plan, chosen, str(objects.folder or objects), of_kind).rstrip("\n"))
    return OK
