"""The kernels view: what runs on a GPU, or how to see what one case consists of. All rows are made up."""

from __future__ import annotations

from markupsafe import escape

from bench.report.html.run_page import kernels as module
from bench.report.html.run_page import page
from bench.report.html.run_page.kernels import kernels_view
from bench.report.html.view import anchor
from tests.fakes.launches import LONG, launched
from tests.fakes.roofs import noted
from tests.fakes.rows import HOSTILE, info, lost, on, record, valid


def test_kernels_are_listed_with_their_cases_and_times() -> None:
    """The time is known where a kernel runs alone."""
    rows = [
        launched(kernels=(LONG,)),
        launched("mul", kernels=(LONG,), profiled_time_s=4e-6),
        launched("layer", kernels=("gemm", LONG), profiled_time_s=1.0, kernels_per_call=2.0),
    ]
    view = kernels_view(rows, info())
    assert view is not None
    (device,) = view.values.devices
    first, second = device.lines
    assert (first.name, first.cases, first.alone, first.longest) == (LONG, 3, 2, 2)
    assert first.short != first.name
    assert first.time == "2.00 µs to 4.00 µs"
    assert first.ops == "s/add, s/mul, s/layer"
    assert (second.short, second.time) == ("gemm", "")


def test_launch_bound_cases_are_drawn_the_worst_first_and_not_all() -> None:
    """The others are in the table case by case."""
    rows = [launched(params={"n": n}, device_time_s=n * 1e-7) for n in range(1, 60)]
    view = kernels_view(rows, info())
    assert view is not None
    ((drawing,),) = [device.drawings for device in view.values.devices]
    assert valid(drawing.figure)
    assert len(drawing.twin.rows) == 40
    assert drawing.twin.rows[0][0] == "s/add n=1"
    assert drawing.caption.endswith("The 40 of 59 that wait for the largest share.")
    assert drawing.payload == view.payloads[0].id


def test_every_case_is_listed_with_what_it_waits_for() -> None:
    """Searched by its kernels' full names; a device is a column where there are several."""
    one = launched(kernels=(LONG,))
    view = kernels_view([one, launched("mul", bound_by="device", device="cuda:1")], info())
    assert view is not None
    first, second = view.values.listing.entries
    assert first.id == anchor(one)
    assert first.words == LONG
    assert "launch" in first.cells
    assert second.of["bound"] == "device"
    for several, made in ((True, view), (False, kernels_view([one], info()))):
        assert made is not None
        columns = made.values.listing.columns
        assert ("device" in [c.key for c in columns]) is several
        for entry in made.values.listing.entries:
            assert len(entry.cells) == len(entry.sort) == len(columns)


def test_the_ways_of_telling_a_time_stand_side_by_side() -> None:
    """Hot, cold, in a graph, by the profiler; of many kernels only the first are named."""
    names = tuple(f"k{i}" for i in range(6))
    times = {"device_time_s": 2e-6, "device_time_cold_s": 3e-6}
    row = launched(kernels=names, graph_time_s=4e-6, profiled_time_s=5e-6, **times)
    view = kernels_view([row], info())
    assert view is not None
    (entry,) = view.values.listing.entries
    shown = dict(zip([c.key for c in view.values.listing.columns], entry.cells, strict=True))
    ways = [shown[key] for key in ("hot", "cold", "graph", "profiled")]
    assert ways == ["2.00 µs", "3.00 µs", "4.00 µs", "5.00 µs"]
    assert shown["names"] == "k0, k1, k2 and 3 more"
    assert entry.words == "k0 k1 k2 k3 k4 k5"


def test_a_sweep_of_many_kernels_says_how_many_are_left_out() -> None:
    """A page is no profile."""
    rows = [launched(f"op{i}", kernels=(f"k{i}",)) for i in range(103)]
    view = kernels_view(rows, info())
    assert view is not None
    (device,) = view.values.devices
    assert len(device.lines) == module._MOST_LINES
    assert device.left_out == "3 kernels of fewer cases are left out."


def test_without_kernels_there_is_a_command_that_shows_them() -> None:
    """For a case of this run, with the file it came from."""
    view = kernels_view([record()], info(options={"suites": ["my suites/a.py"]}))
    assert view is not None
    assert view.payloads == ()
    assert view.values.empty.startswith("Rows name kernels on CUDA only")
    assert view.values.example == (
        'bench profile "matmul/square[n=16,dtype=float32]" --suite "my suites/a.py" --device cpu'
    )


def test_a_gpu_run_without_kernels_says_why() -> None:
    """They may not have been wanted."""
    bare = on("cuda", [record()])
    wanted, unwanted = info(), info(options={"kernels": False})
    first, second = kernels_view(bare, wanted), kernels_view(bare, unwanted)
    assert first is not None
    assert second is not None
    assert first.values.empty.startswith("The profiler saw no kernels in this run.")
    assert second.values.empty.startswith("This run was made with --no-kernels.")


def test_names_of_kernels_are_escaped() -> None:
    """They come from a trace; and so are roofs, which come from a file."""
    roofs = noted("cuda")
    odd = {**roofs["cuda"]["roofs"][0], "how": HOSTILE, "level": HOSTILE}
    roofs["cuda"]["roofs"] = [odd, *roofs["cuda"]["roofs"]]
    rows = [launched(kernels=(HOSTILE, LONG + HOSTILE), bytes=8.0)]
    html = page.run_page(rows, info(roofs=roofs, state={"governor": HOSTILE}), single_file=False)
    assert str(escape(HOSTILE)) in html
    assert "<b onmouseover" not in html


def test_nothing_measured_is_no_view() -> None:
    """The cases' table has the reasons."""
    assert kernels_view([lost("failed", "x")], info()) is None
