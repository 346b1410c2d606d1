"""A campaign → one page: what it is called, what an index says of it, which views it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.fleet.node_coverage import covered_nodes, pools
from bench.analysis.fleet.sentences import LONGEST_NAME, count_of, models
from bench.report.html import render
from bench.report.html.fleet_page.views import views
from bench.report.text import wording
from bench.units import MISSING, one_line

if TYPE_CHECKING:
    from bench.analysis.fleet.fleet_summary import FleetSummary
    from bench.records.campaign import Campaign, CampaignState


def name(campaign: Campaign) -> str:
    """A file's name without its ending."""
    return f"fleet-{campaign.name}"


def page(state: CampaignState, summary: FleetSummary, *, single_file: bool = False) -> str:
    """The page.

    Args:
        state: what has become of the campaign's visits.
        summary: what they say.
        single_file: whether Plotly is inside the page, so that it can be sent on alone.
    """
    made = views(state, summary)
    first: tuple[str, ...] = made[0].values.sentences
    campaign = state.campaign
    return render.render(
        "fleet.html",
        facts={**facts(state, summary), "found": " ".join(first[:1])},
        alone=single_file,
        title=title(campaign),
        campaign=campaign,
        planned=_planned(state),
        views=made,
    )


def title(campaign: Campaign) -> str:
    """Its name, and its label where it has one."""
    label = one_line(campaign.label or "", LONGEST_NAME)
    return f"Fleet {one_line(campaign.name, LONGEST_NAME)}{f': {label}' if label else ''}"


def facts(state: CampaignState, summary: FleetSummary) -> dict[str, str]:
    """What an index says of the page."""
    campaign = state.campaign
    return {
        "kind": "fleet",
        "run_id": name(campaign),
        "when": wording.when(campaign.created_at),
        "label": title(campaign),
        "machine": ", ".join(
            f"{one_line(pool.name, LONGEST_NAME)}: {count_of(pool.nodes, 'node')}"
            for pool in pools(covered_nodes(state))
        )
        or MISSING,
        "devices": ", ".join(one_line(m, LONGEST_NAME) for m in models(summary)) or MISSING,
        "torch": one_line(campaign.torch, LONGEST_NAME),
        "cases": f"{count_of(len(campaign.cases), 'case')} on every node",
    }


def _planned(state: CampaignState) -> str:
    """What was to be measured, in a line."""
    campaign = state.campaign
    return (
        f"planned {wording.when(campaign.created_at)}: {count_of(len(campaign.cases), 'case')}, "
        f"{count_of(campaign.visits, 'visit')} of each node, torch {one_line(campaign.torch, LONGEST_NAME)}"
    )
