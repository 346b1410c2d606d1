"""A campaign's tables are readable in a usual terminal; its JSON has the same facts, and only finite numbers."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench.records.campaign import STATES
from bench.report.text.fleet import facts, status_table, summary_lines
from tests.fakes.rows import assert_golden
from tests.report.fleet.made_up import (
    acceptance,
    campaign,
    hostile,
    large,
    names,
    not_begun,
    single,
    state,
    visit,
)

if TYPE_CHECKING:
    from rich.console import RenderableType


def shown(table: RenderableType, width: int) -> list[str]:
    """The lines on a terminal of so many columns."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return [line.rstrip() for line in file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 120])
def test_the_status_is_readable_in_a_usual_terminal(width: int) -> None:
    """Pools by state, then what needs attention, the gravest first."""
    found, _ = acceptance()
    lines = shown(status_table(found, width=width), width)
    assert max(map(len, lines)) <= width
    assert_golden("\n".join(lines) + "\n", f"report_fleet_{width}.txt")


def test_a_single_pool_has_no_sum() -> None:
    """It would say the same again; nor is there anything to attend to where all simply waits."""
    found, _ = not_begun()
    assert shown(status_table(found), 80) == [
        "acceptance: 0 of 124 visits done; 96 cases each, torch 2.13.0",
        "",
        "pool  nodes  measured  waiting",
        "h100     62         0      124",
    ]


def test_of_much_trouble_the_first_lines_are_shown() -> None:
    """And how much more there is."""
    plan = campaign({"h100": names(40)})
    failed = [visit(node, 1, "failed", reason="no CUDA") for node in names(40)]
    lines = shown(status_table(state(plan, *failed)), 80)
    assert lines[-1] == "and 20 more"
    assert sum("no CUDA" in line for line in lines) == 20


@pytest.mark.parametrize("width", [80, 120])
def test_what_machines_say_is_text(width: int) -> None:
    """No markup, no control character, no line that is too long."""
    found, summary = hostile()
    lines = shown(status_table(found, width=width), width)
    text = "\n".join([*lines, *summary_lines(found, summary)])
    assert max(map(len, lines)) <= width
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text


def test_facts_are_json() -> None:
    """The sentences first; nothing that is not finite; only what stands out of many devices."""
    for made in (acceptance, hostile, not_begun, single):
        found = facts(*made())
        json.dumps(found, allow_nan=False)
        assert found["sentences"] == list(summary_lines(*made()))
    found = facts(*acceptance())
    assert found["visits"] == {
        **dict.fromkeys(STATES, 0),
        "done": 123,
        "waiting": 1,
        "failed": 1,
        "lost": 1,
        "excluded": 2,
        "unreached": 2,
    }
    assert found["pools"]["h100"]["measured"] == 60
    assert [(one["node"], one["state"]) for one in found["attention"]] == [
        ("n031", "excluded"),
        ("n051", "lost"),
        ("n050", "failed"),
        ("n044", "unreached"),
        ("n044", "unreached"),
    ]
    stand = {(one["node"], one["device"]): one["standing"] for one in found["standing_out"]}
    assert stand["n041", "cuda:0"] == "slow"
    assert len(stand) == 5


def test_facts_without_a_summary_are_those_of_the_visits() -> None:
    """As while a campaign is under way."""
    found = facts(large(nodes=10)[0])
    assert found["sentences"] == []
    assert "standing_out" not in found
