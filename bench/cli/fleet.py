"""`bench fleet`: one plan measured by many machines: planned, run, followed, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.cli.app import OK, SOME_FAILED, fleet
from bench.cli.fleet_options import (
    CampaignName,
    Confirm,
    Deadline,
    NewName,
    Poll,
    PoolDevice,
    Pools,
    StorePlace,
    Visits,
    Words,
)
from bench.cli.options import (
    Budget,
    Json,
    Keyword,
    Label,
    Mode,
    Patience,
    PresetName,
    Roofs,
    Seed,
    Setting,
    Suites,
    Tags,
    Workers,
)
from bench.cli.output import print_json, say, show, width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.records.campaign import Campaign, CampaignState
    from bench.run.request import Request
    from bench.store.objects import Objects

PLACE, VISITS = "results", 2
"""Where campaigns are kept, and how often a node is visited: with one visit it can't be told from its hour."""


@fleet.command("plan")
def plan_command(
    *,
    suites: Suites = None,
    pool: Pools = None,
    name: NewName = None,
    visits: Visits = VISITS,
    keyword: Keyword = None,
    device: PoolDevice = None,
    setting: Setting = None,
    mode: Mode = None,
    preset: PresetName = "quick",
    budget: Budget = None,
    workers: Workers = None,
    patience: Patience = None,
    roofs: Roofs = True,
    seed: Seed = None,
    label: Label = None,
    tag: Tags = None,
    store: StorePlace = PLACE,
    as_json: Json = False,
) -> int:
    """Write a plan and say what it takes; submits nothing.

    It never changes, so that every node measures the same, whenever it comes.
    """
    from bench.report.text.fleet_plan import plan_facts, plan_lines
    from bench.store.objects import Objects

    asked = _asked(
        suites=suites,
        keyword=keyword,
        device=device,
        setting=setting,
        mode=mode,
        preset=preset,
        budget=budget,
        workers=workers,
        patience=patience,
        roofs=roofs,
        seed=seed,
    )
    campaign = _planned(asked, pool, name, visits, store, {"label": label, "tag": tag})
    states = _states(campaign, Objects(store))
    if as_json:
        print_json(plan_facts(campaign, states))
    else:
        say("\n".join(plan_lines(campaign, states)))
        say(
            f"Nothing was submitted. Go on with: {_on_place(f'bench fleet run {campaign.name}', store)}"
        )
    return OK


@fleet.command("run")
def run_command(
    *,
    words: Words = None,
    pool: Pools = None,
    name: NewName = None,
    visits: Visits = VISITS,
    keyword: Keyword = None,
    device: PoolDevice = None,
    setting: Setting = None,
    mode: Mode = None,
    preset: PresetName = "quick",
    budget: Budget = None,
    workers: Workers = None,
    patience: Patience = None,
    roofs: Roofs = True,
    seed: Seed = None,
    label: Label = None,
    tag: Tags = None,
    deadline: Deadline = "12h",
    poll: Poll = None,
    confirm: Confirm = True,
    store: StorePlace = PLACE,
    as_json: Json = False,
) -> int:
    """Submit visits and follow them.

    Can be stopped with Ctrl-C, and gone on with from any machine by the same line. Exit codes as of status.
    """
    from bench.report.text.fleet_plan import plan_lines
    from bench.store import campaigns
    from bench.store.objects import Objects

    times_s = _times_s(deadline, poll)
    called: dict[str, Any] = {"label": label, "tag": tag}
    asked: dict[str, Any] = {"keyword": keyword, "device": device, "setting": setting, "mode": mode}
    asked |= {"budget": budget, "workers": workers, "patience": patience, "seed": seed}
    if pool:
        request = _asked(suites=words, preset=preset, roofs=roofs, **asked)
        campaign = _planned(request, pool, name, visits, store, called)
        say("\n".join(plan_lines(campaign, _states(campaign, Objects(store)))), err=True)
    else:
        known = _one(words)
        _check_unchanged(known, {**asked, **called, "name": name, "visits": visits != VISITS})
        campaign = campaigns.load(Objects(store), known)
    return _follow(campaign, Objects(store), times_s, wanted=confirm, as_json=as_json)


@fleet.command("status")
def status_command(
    *, campaign: CampaignName, store: StorePlace = PLACE, as_json: Json = False
) -> int:
    """What has become of each visit.

    Exit code 0: all are done. 4: some are under way or wait. 6: some are missing, with their reasons.
    """
    from bench.store import campaigns
    from bench.store.campaign_progress import progress
    from bench.store.objects import Objects

    objects = Objects(store)
    state = progress(objects, campaigns.load(objects, campaign))
    _show(state, as_json=as_json)
    return state_code(state)


@fleet.command("retry")
def retry_command(
    *,
    campaign: CampaignName,
    deadline: Deadline = "12h",
    poll: Poll = None,
    confirm: Confirm = True,
    store: StorePlace = PLACE,
    as_json: Json = False,
) -> int:
    """Go on with what is missing, excluded nodes too."""
    from bench.store import campaigns, claims
    from bench.store.objects import Objects

    objects = Objects(store)
    found = campaigns.load(objects, campaign)
    times_s = _times_s(deadline, poll)
    claims.forgive(objects, campaign)
    return _follow(found, objects, times_s, wanted=confirm, as_json=as_json)


def state_code(state: CampaignState) -> int:
    """0 where every visit is done, 4 where some can still be, 6 where some are missing."""
    from bench.analysis.compare.gate import UNDECIDED

    if state.complete:
        return OK
    gone = {"failed", "lost", "excluded", "unreached"}
    return SOME_FAILED if any(visit.state in gone for visit in state.visits) else UNDECIDED


def _asked(*, patience: str | None, **words: Any) -> Request:
    from bench.cli.planning import parsed_request
    from bench.run.request import parse_patience

    return parsed_request(**words, patience_s=parse_patience(patience))


def _times_s(deadline: str, poll: str | None) -> dict[str, float]:
    """What the options of time say, in seconds; what is not said is left to the follower."""
    from bench.run.request import parse_budget

    told = {
        "deadline_s": parse_budget(deadline, "--deadline"),
        "poll_s": parse_budget(poll, "--poll"),
    }
    return {name: value for name, value in told.items() if value is not None}


def _check_unchanged(campaign: str, of_plan: Mapping[str, object]) -> None:
    """See that nothing is asked for which a plan that is there would have to have."""
    from bench.errors import SelectionError

    if given := [name for name, value in of_plan.items() if value]:
        option = {"keyword": "-k", "setting": "--set"}.get(given[0], f"--{given[0]}")
        message = f"{option} is of a new campaign, and the plan of {campaign} never changes; leave it out, or add --pool"
        raise SelectionError(message)


def _one(words: Sequence[str] | None) -> str:
    from bench.errors import SelectionError

    if not words or len(words) != 1:
        message = (
            "name a campaign, or with --pool where to run a new one: bench fleet run --pool local"
        )
        raise SelectionError(message)
    return words[0]


def _planned(
    asked: Request,
    pool: Sequence[str] | None,
    name: str | None,
    visits: int,
    store: str,
    called: dict[str, Any],
) -> Campaign:
    """The frozen plan, in the store."""
    from datetime import UTC, datetime
    from pathlib import Path

    from bench.cli.options import split_words
    from bench.errors import SelectionError
    from bench.fleet import plan_campaign, settings
    from bench.fleet.engines import engines
    from bench.run.request import parse_tags
    from bench.store import campaigns
    from bench.store.objects import Objects

    known = settings.pools(Path.cwd())
    if not pool:
        message = f"--pool says where: {', '.join(known)}"
        raise SelectionError(message)
    chosen = settings.choose(known, split_words(pool))
    name = name or f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    objects = Objects(store, make=True)
    with engines(chosen, name, objects) as of_pool:
        nodes = {pool: [node.name for node in one.nodes()] for pool, one in of_pool.items()}
    campaign = plan_campaign.frozen(
        asked,
        chosen,
        nodes,
        name=name,
        visits=visits,
        label=called["label"],
        tags=parse_tags(called["tag"] or ()),
    )
    campaigns.create(objects, campaign)
    return campaign


def _states(campaign: Campaign, objects: Objects) -> dict[str, dict[str, int]]:
    """Pool → state → how many of its nodes are in it now."""
    from collections import Counter

    from bench.fleet.engines import engines

    with engines(campaign.pools, campaign.name, objects) as of_pool:
        nodes = {pool: one.nodes() for pool, one in of_pool.items()}
    return {pool: dict(Counter(node.state for node in found)) for pool, found in nodes.items()}


def _follow(
    campaign: Campaign, objects: Objects, times_s: dict[str, float], *, wanted: bool, as_json: bool
) -> int:
    """Submit and follow; a stopped follower says how to go on."""
    import time
    from datetime import UTC, datetime

    from bench.cli.fleet_progress import LineWatcher
    from bench.fleet.confirmation import asked
    from bench.fleet.engines import engines
    from bench.fleet.follow import Clock, Follower
    from bench.units import counted

    _check_followed(campaign)

    def confirm(state: CampaignState) -> bool:
        nodes = asked(objects, state) if wanted else ()
        if nodes:
            say(
                f"visiting {counted(len(nodes), 'node')} once more: some stand out, some are controls",
                err=True,
            )
        return bool(nodes)

    clock = Clock(now=lambda: datetime.now(UTC), sleep=time.sleep)
    with engines(campaign.pools, campaign.name, objects, identity=campaign.identity) as of_pool:
        follower = Follower(
            objects, campaign, of_pool, watcher=LineWatcher(), clock=clock, **times_s
        )
        try:
            state = follower.follow(confirm)
        except KeyboardInterrupt:
            how = _on_place(f"bench fleet run {campaign.name}", objects.place)
            say(
                f"\nstopped; jobs that a scheduler has go on. Follow them again with: {how}",
                err=True,
            )
            raise
    _show(state, as_json=as_json)
    return state_code(state)


def _check_followed(campaign: Campaign) -> None:
    """See that all visits can be started from here.

    Raises:
        SettingsError: those of a pool are started elsewhere.
    """
    from bench.errors import SettingsError

    for pool in campaign.pools:
        if pool.engine == "elsewhere":
            message = (
                f"visits of pool {pool.name} are started elsewhere: bench fleet emit kubernetes {campaign.name}; "
                f"look at them with: bench fleet status {campaign.name}"
            )
            raise SettingsError(message)


def _show(state: CampaignState, *, as_json: bool) -> None:
    from bench.report.text.fleet import facts, status_table

    if as_json:
        print_json(facts(state))
    else:
        show(status_table(state, width=width()))


def _on_place(command: str, place: str) -> str:
    """A suggested command, on the store that was named."""
    import shlex

    return command if place == PLACE else f"{command} --store {shlex.quote(place)}"
