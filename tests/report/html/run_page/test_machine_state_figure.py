"""The machine's state in the course of a run: lines, points, and the levels that mean something."""

from __future__ import annotations

import dataclasses

import pytest

from bench.analysis.findings.sentinel_series import SentinelReading, SentinelSeries
from bench.records.machine_state import SAME_LEVEL
from bench.report.html.run_page import machine_state_figure
from tests.fakes.rows import valid


def course(name: str, shares: list[float], *, apart_s: float = 1.0) -> SentinelSeries:
    """A sentinel whose reference is 1 ms."""
    found = [
        SentinelReading(at_s=i * apart_s, round=i, worker=0, time_s=s * 1e-3)
        for i, s in enumerate(shares)
    ]
    return SentinelSeries(
        device="cpu", sentinel=name, reference_s=1e-3, is_reference=True, looks=tuple(found)
    )


def test_each_sentinel_is_points_and_a_line_of_its_own_look() -> None:
    """Told apart by colour, marker and dash; their numbers are those of the legend."""
    figure = machine_state_figure.state_figure(
        [course("compute", [1, 2]), course("barrier", [1, 1])]
    )
    assert valid(figure)
    assert figure is not None
    drawn = [
        (t["name"], t["mode"], t["meta"]["op"]) for t in figure["data"] if t["hoverinfo"] == "text"
    ]
    assert drawn == [
        ("compute", "markers", 0),
        ("compute", "lines", 0),
        ("barrier", "markers", 1),
        ("barrier", "lines", 1),
    ]


def test_the_reference_and_what_counts_as_at_it_are_drawn() -> None:
    """The rule is that of the states of a machine."""
    figure = machine_state_figure.state_figure([course("compute", [1.0, 1.0])])
    assert figure is not None
    assert [t["y"][0] for t in figure["data"][:3]] == [1 / SAME_LEVEL, 1.0, SAME_LEVEL]


def test_a_long_run_has_no_more_points_than_can_be_read() -> None:
    """Over all sentinels; the slowest is among them."""
    long = [1.0 + (i == 5000) for i in range(10_000)]
    figure = machine_state_figure.state_figure([course("compute", long), course("barrier", long)])
    assert figure is not None
    assert sum(len(t["x"]) for t in figure["data"]) <= 400
    assert max(figure["data"][3]["y"]) == 2.0


def test_nothing_is_drawn_across_a_time_without_looks() -> None:
    """While roofs were measured, nobody looked."""
    with_gap = course("compute", [1.0] * 200)
    looks = tuple(look for look in with_gap.looks if not 50 <= look.at_s < 150)
    figure = machine_state_figure.state_figure([dataclasses.replace(with_gap, looks=looks)])
    assert figure is not None
    assert figure["data"][-1]["y"].count(None) == 1
    whole = machine_state_figure.state_figure([with_gap])
    assert whole is not None
    assert None not in whole["data"][-1]["y"]


@pytest.mark.parametrize(
    ("end_s", "last", "unit"),
    [
        (9, "8", "seconds"),
        (150, "2:30", "minutes"),
        (1700, "25", "minutes"),
        (30_000, "8", "hours"),
    ],
)
def test_time_has_ticks_for_people(end_s: int, last: str, unit: str) -> None:
    """In seconds, minutes or hours, which the axis names."""
    figure = machine_state_figure.state_figure([course("compute", [1.0, 1.0], apart_s=end_s)])
    assert figure is not None
    assert figure["layout"]["xaxis"]["ticktext"][-1] == last
    assert figure["layout"]["xaxis"]["title"]["text"] == f"{unit} since the run began"
    assert len(figure["layout"]["xaxis"]["ticktext"]) <= 7


def test_the_table_has_medians_stretch_by_stretch() -> None:
    """With the time itself; a dash where there was none."""
    found = [course("compute", [1.0] * 30), course("barrier", [2.0] * 2)]
    twin = machine_state_figure.twin(found)
    assert twin.head == ("compute", "barrier")
    assert twin.rows[0] == ("0 s", ("1.00 ms (1.00×)", "2.00 ms (2.00×)"))
    assert twin.rows[-1][1] == ("1.00 ms (1.00×)", "–")


def test_no_sentinels_are_no_figure() -> None:
    """An empty frame says less than a sentence."""
    assert machine_state_figure.state_figure([]) is None
