"""A campaign's page escapes its data, gives every figure its numbers, and stays small for thousands of devices."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import StoreError
from bench.report.html import render
from bench.report.html.build import build_fleet, pages_in
from bench.report.html.fleet_page.device_map import natural
from bench.report.html.fleet_page.page import page
from tests.report.fleet import made_up
from tests.report.html.run_page.test_page import Page, payloads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.analysis.fleet.fleet_summary import FleetSummary
    from bench.records.campaign import CampaignState

    Made = Callable[[], tuple[CampaignState, FleetSummary]]

CAMPAIGNS = {
    made.__name__: made
    for made in (made_up.acceptance, made_up.not_begun, made_up.single, made_up.hostile)
}


def carried(html: str) -> Any:
    """The data of a page."""
    return payloads(html)


@pytest.mark.parametrize("made", CAMPAIGNS.values(), ids=CAMPAIGNS.keys())
def test_every_campaign_has_a_page(made: Made) -> None:
    """Its tags match, its ids are there once, every figure and table finds its data, every link leads somewhere."""
    found = Page(page(*made()))
    ids = [attrs["id"] for _, attrs in found.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = [attrs["data-payload"] for _, attrs in found.elements if "data-payload" in attrs]
    assert set(wanted) <= set(ids)
    plots = found.all("div", **{"class": "plot"})
    assert len(plots) == len(found.all("figure"))
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    links = [a.get("href", "") for a in found.all("a")]
    assert {name[1:] for name in links if name.startswith("#")} <= set(ids)


def test_nothing_from_data_is_read_as_markup() -> None:
    """Nodes, models, cases and reasons are hostile here; the only scripts are ours; Plotly gets escaped text."""
    html = page(*made_up.hostile())
    found = Page(html)
    assert "<script>alert" not in html
    assert not [attrs for _, attrs in found.elements if any(k.startswith("on") for k in attrs)]
    plain = [a for a in found.all("script") if not a.get("type")]
    assert [a.get("src") for a in plain] == list(render.shared())[1:2]
    figures = json.dumps([one["figure"] for one in carried(html)["devices-figures"].values()])
    assert "<script" not in figures
    assert "&lt;script" in figures


def test_views_are_those_that_have_something_to_show() -> None:
    """One device has no standing and no map; a campaign that has not begun has coverage only."""
    names = {
        name: re.findall(r'<section id="(\w+)" class="view"', page(*made()))
        for name, made in CAMPAIGNS.items()
    }
    assert names["acceptance"] == [
        *("summary", "devices", "percentiles", "models", "coverage", "method"),
    ]
    assert names["single"] == ["summary", "percentiles", "coverage", "method"]
    assert names["not_begun"] == ["summary", "coverage", "method"]


def test_a_map_has_every_planned_device_and_marks_what_stands_out() -> None:
    """A row per node, a block per group; grey for what was not measured; a table of those that take longest."""
    figures = carried(page(*made_up.acceptance()))["devices-figures"]
    heat, *marks = figures["map-0"]["figure"]["data"]
    assert len(heat["z"]) == 62
    assert {len(row) for row in heat["z"]} == {4 * 8 + 3}
    assert sum(z is not None for row in heat["z"] for z in row) == 62 * 8 * 4
    said = heat["hovertext"][30][0]
    assert said.startswith("n031 cuda:0, compute: not measured, excluded: preflight failed twice")
    assert {z for z in heat["z"][30] if z is not None} == {heat["zmin"]}
    assert heat["hovertext"][16][9 + 3] == "n017 cuda:3, memory: slow<br>+6.2 % (+5.1 % to +7.3 %)"
    where = {
        mark["marker"]["symbol"]: list(zip(mark["x"], mark["y"], strict=True)) for mark in marks
    }
    assert where["triangle-right"] == [(12, 16), (0, 40)]
    twin = figures["map-0"]["twin"]["rows"]
    assert len(twin) == 50
    assert twin[0][0] == "n041 cuda:0"


def test_many_nodes_share_rows_and_the_page_stays_small(tmp_path: Path) -> None:
    """8,000 devices of 100 cases: all of them in the maps, and what the table leaves out is said."""
    path = build_fleet(*made_up.large(), tmp_path)
    assert path.stat().st_size < 1_000_000
    html = path.read_text(encoding="utf-8")
    figures = carried(html)["devices-figures"]
    heats = [
        one["figure"]["data"][0]
        for one in figures.values()
        if one["figure"]["data"][0]["type"] == "heatmap"
    ]
    cells = sum(z is not None for heat in heats for row in heat["z"] for z in row)
    assert cells == 8_000 * 4
    assert max(len(heat["z"]) for heat in heats) <= 160
    assert "The table has the 50 of 6,360 devices that take longest." in html
    rows = carried(html)["percentiles-data"]["count"]
    assert rows == 200


def test_the_table_of_devices_has_the_urgent_first() -> None:
    """Slow ones, suspects, fast ones, unsure ones, those that were cleared."""
    data = carried(page(*made_up.acceptance()))["devices-data"]
    columns = {
        column["key"]: cells for column, cells in zip(data["columns"], data["cells"], strict=True)
    }
    order = list(dict.fromkeys(columns["standing"]))
    assert order == ["slow", "suspect", "fast", "unsure", "cleared"]
    assert columns["device"][0] == "n041 cuda:0"
    assert columns["confirmed"][0] == "yes"
    assert columns["why"][0].startswith("power limit 600 W")


def test_percentiles_of_few_devices_are_not_shown() -> None:
    """Three devices have a median, and no fifth percentile."""
    data = carried(page(*made_up.acceptance()))["percentiles-data"]
    columns = {
        column["key"]: cells for column, cells in zip(data["columns"], data["cells"], strict=True)
    }
    last = {key: cells[-1] for key, cells in columns.items()}
    assert (last["units"], last["p5"], last["p50"], last["p99"]) == ("3", "–", "3.600 ms", "–")
    assert columns["p1"][0] == "9.700 µs"


def test_models_are_held_against_the_one_with_most_devices() -> None:
    """Case by case, as medians with their ratio."""
    data = carried(page(*made_up.acceptance()))["models-data"]
    assert [column["name"] for column in data["columns"]] == [
        *("case", "dtype", made_up.H100, made_up.CPU),
    ]
    assert data["cells"][3][0] == "90.00 µs · ×9.000"
    assert data["count"] == 40


def test_the_index_lists_it(tmp_path: Path) -> None:
    """By its name, with the worst news."""
    path = build_fleet(*made_up.acceptance(), tmp_path)
    assert path.name == "fleet-acceptance.html"
    (facts,) = pages_in(tmp_path)
    assert facts["machine"] == "h100: 62 nodes, cpus: 3 nodes"
    assert facts["found"].startswith("2 GPUs are slow")
    assert 'href="fleet-acceptance.html"' in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_single_file_needs_nothing_beside(tmp_path: Path) -> None:
    """Plotly is inside."""
    path = build_fleet(*made_up.single(), tmp_path, single_file=True)
    assert list(tmp_path.iterdir()) == [path]
    assert 'src="plotly' not in path.read_text(encoding="utf-8")


def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    """It comes from a file that anyone may have written."""
    found, summary = made_up.single()
    evil = dataclasses.replace(found.campaign, name="../../x")
    with pytest.raises(StoreError, match="can't name a campaign's page"):
        build_fleet(dataclasses.replace(found, campaign=evil), summary, tmp_path)


def test_names_sort_as_people_count() -> None:
    """By their numbers."""
    assert sorted(["n10", "n9", "a2", "n9x", "10", "9"], key=natural) == [
        *("9", "10", "a2", "n9", "n9x", "n10"),
    ]
