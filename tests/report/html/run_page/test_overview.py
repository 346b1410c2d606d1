"""The first screen has one picture: what a GPU wins, else how near the roofs are, else times."""

from __future__ import annotations

import json
from typing import Any

from bench.report.html.run_page.overview import overview_view, picture
from tests.fakes.crossover import both
from tests.fakes.rows import example, info, lost, record

ROOF: dict[str, Any] = {"roof_share": 0.5, "roof": "DRAM bandwidth", "time_s": 1e-3}


def test_the_picture_is_of_what_the_run_can_tell() -> None:
    """Curves on two devices first; a device without a curve to compare is no reason for an empty one."""
    pictures = [
        (both(), "Speedup"),
        ([record(**ROOF)], "How near"),
        ([record(**ROOF), record(device="cuda")], "How near"),
        ([record()], "Time per call"),
    ]
    for rows, start in pictures:
        drawn = picture(rows)
        assert drawn is not None
        assert drawn.label.startswith(start)
    assert picture([lost("failed", "x")]) is picture([]) is None


def test_the_view_has_its_sentences_and_carries_its_picture() -> None:
    """The figure is in a payload, where the page finds it by the drawing's id."""
    view = overview_view(both(), info())
    drawn = view.values["picture"]
    (packed,) = view.payloads
    assert packed.id == drawn.payload
    assert packed.value[drawn.id]["figure"] == drawn.figure
    assert json.dumps(drawn.figure, allow_nan=False)
    assert view.values["findings"][0].startswith("The GPU (cuda) wins")
    assert view.values["command"] == "bench run matmul --preset quick"


def test_a_run_without_times_has_a_first_screen_too() -> None:
    """Nothing is drawn, and the sentences say why."""
    view = overview_view([lost("failed", "x")], info())
    assert view.payloads == ()
    assert view.values["picture"] is None
    assert view.values["findings"] == ["Nothing was measured: of 1 case, 1 failed."]
    assert overview_view(example(), info()).payloads
