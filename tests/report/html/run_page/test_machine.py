"""The machine view: state, roofs, noise floor and identity of whatever a run noted."""

from __future__ import annotations

from typing import Any

from bench.report.html.run_page.machine import machine_view
from bench.report.text.machine import NO_ROOFS
from tests.fakes.roofs import noted
from tests.fakes.rows import info, record, valid
from tests.fakes.sentinels import samples

LEVELS: dict[str, Any] = {
    "sentinels": {"cpu": {"compute_s": 1.1e-4, "barrier_s": 2e-6}},
    "reference": {"cpu": {"compute_s": 1e-4, "barrier_s": None}},
}


def test_sentinels_stand_beside_the_reference() -> None:
    """A dash where one of them is not known."""
    found = machine_view([], info(**LEVELS), None).values.levels
    assert [(one.sentinel, one.here, one.reference, one.ratio) for one in found] == [
        ("compute", "110 µs", "100 µs", "1.10×"),
        ("barrier", "2.00 µs", "–", "–"),
    ]


def test_the_course_of_the_run_is_drawn_from_its_samples() -> None:
    """With a legend for the sentinels that were timed; without samples there is none."""
    view = machine_view([record()], info(**LEVELS), samples())
    (drawing,) = view.values.states
    assert valid(drawing.figure)
    assert [key.name for key in view.values.keys] == ["compute", "barrier"]
    assert list(view.payloads[0].value) == [drawing.id]
    bare = machine_view([record()], info(**LEVELS), None)
    assert bare.values.states == ()
    assert bare.values.keys == ()
    assert bare.payloads == ()


def test_the_noise_floor_is_said_and_drawn_and_its_worst_cases_named() -> None:
    """The worst first."""
    rows = [record(params={"n": n}, noise_floor_share=n / 100) for n in range(1, 9)]
    values = machine_view([*rows, record()], info(), None).values
    assert values.floor_said == (
        "Known of 8 of 9 cases, from three to twenty earlier runs each: "
        "headlines lay 5.0 % apart in the middle, 8.0 % at worst."
    )
    assert [one.floor for one in values.unsteady] == ["8.0 %", "7.0 %", "6.0 %", "5.0 %", "4.0 %"]
    assert values.unsteady[0].title == "matmul/square n=8 on cpu"
    (drawing,) = values.floor
    assert valid(drawing.figure)


def test_a_store_without_earlier_runs_says_what_a_floor_takes() -> None:
    """And draws nothing."""
    values = machine_view([record()], info(), None).values
    assert values.floor_said.startswith("No noise floor is known: it takes three earlier runs")
    assert (values.floor, values.unsteady) == ((), ())


def test_roofs_are_a_table_or_a_way_to_get_them() -> None:
    """Each level with all ways of moving bytes."""
    (one,) = machine_view([], info(roofs=noted()), None).values.ceilings
    assert one.lines[0] == ("L1 from 32.0 KiB", "copy 100 GB/s")
    (gpu,) = machine_view([], info(roofs=noted("cuda")), None).values.ceilings
    assert (one.measured.split(",")[0], gpu.measured.split(",")[0]) == ("2 threads", "torch 2.13.0")
    assert machine_view([], info(), None).values.no_roofs == NO_ROOFS


def test_identity_is_complete_and_cuda_has_its_own_section() -> None:
    """Nothing of the manifest is lost."""
    values = machine_view([], info(torch={"version": "2", "cuda_devices": []}), None).values
    assert [name for name, _ in values.groups] == [
        "Run",
        "Machine",
        "Environment",
        "Torch",
        "State at the start",
        "Options",
    ]
    assert dict(values.groups)["Torch"] == [("version", "2")]
    assert values.gpus == ()


def test_a_manifest_of_another_version_is_shown_as_far_as_it_is_known() -> None:
    """It is a file, and may hold anything."""
    odd: dict[str, Any] = {"sentinels": {"cpu": 3}, "reference": {"cpu": None}, "roofs": {"cpu": 1}}
    values = machine_view([record()], info(**odd), samples()).values
    assert values.levels == ()
    assert values.ceilings == ()
