"""The view of crossovers draws the few that matter most, lists all, and says what to run where there is none."""

from __future__ import annotations

from bench.report.html.run_page.crossover import COMMANDS, NO_SIZE, ONE_DEVICE, crossover_view
from bench.report.html.view import anchor
from tests.fakes.crossover import both, copies, cpu_s, curve, gpu_s
from tests.fakes.rows import example, record


def test_a_run_of_one_device_says_what_to_run() -> None:
    """People look for the view, and an empty one would not help them."""
    for rows in (example(), []):
        view = crossover_view(rows)
        assert view.values.why == ONE_DEVICE
        assert view.payloads == ()
    assert crossover_view([record(), record("mul", "x", device="cuda")]).values.why == NO_SIZE
    assert all(command.startswith("bench ") for command in COMMANDS)


def test_a_crossover_is_a_sentence_a_figure_and_a_table() -> None:
    """The table has a row per size, so that it fits a phone."""
    view = crossover_view(both())
    (one,) = view.values.shown
    assert one.title == "matmul/square float32"
    assert one.said.startswith("cuda wins from n ≈ 105 on (104 to 106 on a straight line")
    assert one.said in one.drawing.label
    assert one.copied == ""
    assert view.values.copies is False
    assert view.values.level == "Intervals: 95 %."
    twin = one.drawing.twin
    assert (twin.row_head, twin.head) == ("n", ("cpu", "cuda", "cpu / cuda", "faster"))
    assert twin.rows[0] == ("16", ("256 ns ± 1.0 %", "10.0 µs ± 1.0 %", "0.0256×", "cpu"))
    assert [cells[-1] for _, cells in twin.rows] == ["cpu", "cpu", "cuda", "cuda"]


def test_copies_have_a_sentence_and_a_column_where_they_were_measured() -> None:
    """And the view has buttons for them."""
    view = crossover_view([*both(), *copies()])
    (one,) = view.values.shown
    assert view.values.copies is True
    assert one.copied.startswith("cuda wins from n ≈ 375 on")
    assert one.drawing.twin.head[2] == "cuda with copies"
    assert one.drawing.twin.rows[-1][1][2] == "427 µs ± 1.0 %"
    (entry,) = view.values.listing.entries
    assert entry.cells[-1] == one.copied


def test_a_size_that_one_side_lacks_is_in_the_table_all_the_same() -> None:
    """It has a time, and no winner."""
    rows = both()
    view = crossover_view(rows[:-1])
    assert view.values.shown[0].drawing.twin.rows[-1][1] == ("1.05 ms ± 1.0 %", "·", "–", "–")


def test_few_are_drawn_and_all_are_listed() -> None:
    """Those first for which it matters most; each row leads to a case."""
    rows = [row for k in range(20) for row in both(f"s/op{k}")]
    rows += [*curve("cpu", lambda n: 9 * cpu_s(n), "s/heavy")]
    rows += [*curve("cuda", lambda n: 9 * gpu_s(n), "s/heavy")]
    view = crossover_view(rows)
    figures, listing = view.payloads
    assert [one.title for one in view.values.shown][:2] == ["s/heavy float32", "s/op0 float32"]
    assert len(view.values.shown) == len(figures.value) == 12
    assert view.values.undrawn == 9
    assert len(view.values.listing.entries) == listing.value["count"] == 21
    anchors = {anchor(row) for row in rows if row.device == "cuda"}
    assert {entry.id for entry in view.values.listing.entries} <= anchors


def test_threads_and_machines_are_sides_too() -> None:
    """As where a page has rows of several runs."""
    rows = [
        *curve("cpu", cpu_s, threads=1),
        *curve("cpu", gpu_s, threads=2),
        *curve("cpu", gpu_s, threads=2, machine_id="m-2", machine="Another"),
    ]
    sides = {entry.of["sides"] for entry in crossover_view(rows).values.listing.entries}
    assert sides == {"1 thread, 2 threads", "Test machine, Another"}


def test_what_cannot_be_told_is_said_as_a_sentence() -> None:
    """The verdict can be chosen in the table."""
    rows = [*curve("cpu", cpu_s), *curve("cuda", cpu_s), *both("mul/x")]
    view = crossover_view(rows)
    assert view.values.shown[1].said.startswith("Unsure where the winner changes")
    (verdicts,) = (f for f in view.values.listing.filters if f.name == "verdict")
    assert verdicts.options == ("at", "cant-tell")
