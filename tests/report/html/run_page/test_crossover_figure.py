"""A crossover's figure shades only where someone is seen to win, and names where that changes."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.crossover.crossovers import crossovers
from bench.analysis.crossover.with_copies import moved, ways
from bench.report.html.run_page.crossover_figure import (
    ON_DEVICE,
    WITH_COPIES,
    crossing_figure,
    spans,
)
from bench.stats.crossing import Point, crossover
from bench.stats.ratio import Timed
from tests.fakes.crossover import both, copies, cpu_s, curve, gpu_s
from tests.fakes.rows import HOSTILE, valid

if TYPE_CHECKING:
    from bench.analysis.crossover.crossovers import Crossing
    from bench.records.record import Record


def one_of(rows: list[Record]) -> Crossing:
    """The only crossing."""
    (found,) = crossovers(rows)
    return found


def traces(rows: list[Record], **wanted: Any) -> list[dict[str, Any]]:
    """The traces of the rows' figure that have these values."""
    found = crossing_figure(one_of(rows), None)["data"]
    return [t for t in found if all(t.get(k) == v for k, v in wanted.items())]


def timed(value: float, off: float) -> Timed:
    """A time that may be off by this share, from many workers."""
    ends = value * (1 - off), value * (1 + off)
    return Timed.between(value, *ends, confidence=0.95, least_freedom=1e6)


def of_ratios(*ratios: tuple[float, float]) -> Any:
    """A crossover of these ratios and their shares of uncertainty, at sizes 1, 2, 4 and so on."""
    one = [Point(2.0**k, timed(value, off)) for k, (value, off) in enumerate(ratios)]
    other = [Point(2.0**k, timed(1.0, 0.0)) for k in range(len(ratios))]
    return crossover(one, other)


def test_regions_end_where_the_change_may_begin() -> None:
    """Between its two ends nobody is claimed to win."""
    found = of_ratios((0.25, 0.1), (0.5, 0.1), (2, 0.1), (4, 0.1))
    assert spans(found) == [("one", 1.0, found.low), ("other", found.high, 8.0)]
    assert 2 < found.low < found.high < 4


def test_a_size_that_can_be_told_alone_is_no_region() -> None:
    """It has no neighbour of its own kind."""
    assert spans(of_ratios((0.5, 0.1), (1, 0.1), (1, 0.1))) == []


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([(2, 0.1), (3, 0.1)], [("other", 1.0, 2.0)]),
        ([(0.5, 0.1), (0.4, 0.1)], [("one", 1.0, 2.0)]),
        ([(1, 0.1), (2, 0.1), (3, 0.1)], [("other", 2.0, 4.0)]),
        ([(1, 0.1), (1, 0.1)], []),
    ],
)
def test_without_a_change_the_winner_has_what_it_was_seen_to_win(
    ratios: list[tuple[float, float]], expected: list[tuple[str, float, float]]
) -> None:
    """And not a size more."""
    assert spans(of_ratios(*ratios)) == expected


def test_both_sides_have_a_curve_and_a_band() -> None:
    """In the colours that devices have on every page; on hovering, all of the row."""
    cpu, gpu = traces(both(), mode="lines+markers")
    assert [cpu["name"], gpu["name"]] == ["cpu", "cuda"]
    assert [cpu["meta"]["colour"], gpu["meta"]["colour"]] == [0, 1]
    assert cpu["y"] == pytest.approx([cpu_s(n) for n in (16, 64, 256, 1024)])
    assert "on cuda: Test CUDA" in gpu["hovertext"][0]
    bands = [t for t in traces(both(), fill="toself") if len(t["x"]) == 8]
    assert bands[1]["y"][:4] == pytest.approx([gpu_s(n) * 0.99 for n in (16, 64, 256, 1024)])


def test_the_change_is_named_with_its_interval() -> None:
    """And the winners by name, where one fits."""
    words = [t["text"][0] for t in traces(both(), mode="text")]
    assert words == ["cpu faster", "cuda faster", " n ≈ 105 (104 to 106) "]


def test_where_nobody_is_seen_to_win_nothing_is_shaded() -> None:
    """There is no change to name either."""
    rows = [*curve("cpu", cpu_s), *curve("cuda", cpu_s)]
    assert traces(rows, mode="text") == []
    assert [t for t in traces(rows, fill="toself") if len(t["x"]) == 4] == []


def test_a_time_without_an_interval_stays_in_the_figure() -> None:
    """Its band is cut, since JSON has no infinity."""
    bare: dict[str, Any] = {"time_lo_s": None, "time_hi_s": None}
    figure = crossing_figure(one_of([*curve("cpu", cpu_s, **bare), *curve("cuda", gpu_s)]), None)
    assert json.dumps(figure, allow_nan=False)


def test_what_copies_change_is_a_group_of_its_own() -> None:
    """The page hides either; the CPU copies nothing and stays."""
    rows = both()
    one = one_of(rows)
    copied = moved(one, ways(copies()))
    assert copied is not None
    figure = crossing_figure(one, copied)
    curves = {t["name"]: t for t in figure["data"] if t["mode"] == "lines+markers"}
    groups = {name: t["meta"].get("op") for name, t in curves.items()}
    assert groups == {"cpu": None, "cuda": ON_DEVICE, "cuda, with copies": WITH_COPIES}
    assert curves["cuda, with copies"]["y"] == [p.timed.time_s for p in copied.points]
    shaded = {t["meta"]["op"] for t in figure["data"] if t.get("fill") and len(t["x"]) == 4}
    assert shaded == {ON_DEVICE, WITH_COPIES}
    assert valid(figure)


def test_names_from_data_are_escaped() -> None:
    """In the legend, on the axis, and on hovering."""
    params = {HOSTILE: "16", "dtype": "float32"}
    rows = [
        dataclasses.replace(r, op=HOSTILE, params={**params, HOSTILE: r.params["n"]})
        for r in both()
    ]
    machines = [
        *curve("cpu", cpu_s, machine=HOSTILE),
        *curve("cpu", gpu_s, machine=HOSTILE, machine_id="m-2"),
    ]
    for figure in (crossing_figure(one_of(found), None) for found in (rows, machines)):
        assert "<b onmouseover" not in json.dumps(figure)
