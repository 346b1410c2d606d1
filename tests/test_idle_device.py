"""A device that computes nothing: no result of it is called correct, and every surface says so.

From a real worker's check to the row, its warnings and what is printed. On such a device all memory is zero:
inputs that are made there, so what the reference is given, and the result.
"""

from __future__ import annotations

import io
import time
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

import bench
from bench.analysis.findings import findings
from bench.analysis.usable import FOR_INTERVALS, unusable
from bench.plan.discover import load_all
from bench.plan.plan import PlannedCase, expand
from bench.plan.selection import Selection
from bench.pool import protocol
from bench.records.warning_codes import explain
from bench.report.html.run_page import page as run_page
from bench.report.text.export import export
from bench.report.text.run import run_table
from bench.run.outcome import Outcome, RunFacts
from bench.run.visit import Visit
from bench.worker.worker import Worker
from tests.fakes.idle_device import IdleDevice
from tests.fakes.rows import info, stored, values
from tests.fakes.workers import CALM, PREPARED, STARTED_AT, visited

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.record import Record

LARGEST = 64
ZEROS_OR_ANYTHING = {"creation/zeros", "creation/empty"}
"""Ops without inputs whose right result is zero, or memory as it is found."""
FAIL_ON_ZEROS = {
    "training/train_step",
    *("scanning/segment_reduce", "scattering/repeat_interleave"),
    *(
        f"sparse/{op}"
        for op in ("matmul", "vector", "matmul_mean", "to_dense", "from_dense", "add")
    ),
    *(f"sparse/{op}" for op in ("coalesce", "softmax", "sparse_matmul", "sampled_addmm")),
}
"""Adam divides by a number that depends on how many steps it has made, which stays 0 here; lengths and rows of 0 add up
to no tensor."""
SINGULAR = {
    f"linalg/{op}"
    for op in ("cholesky", "solve", "solve_triangular", "cholesky_solve", "lu_factor", "inv")
}
"""Ops whose reference can't be computed of zeros."""
FACTS = RunFacts(
    run_id="20260102T030405Z-abcdef",
    machine_id="m-1",
    machine="a machine",
    device_names={},
    torch_version="2.9.0",
    threads=2,
    confidence=0.95,
    started_at=STARTED_AT,
    started_ns=0,
)


@cache
def a_case_of_each_op() -> tuple[PlannedCase, ...]:
    """The largest case of each shipped op with up to 64 elements a side, in float32."""
    plan = expand(load_all([]), Selection(devices=("cpu",), short_axes=False), {})
    small = [
        case
        for case in plan.cases
        if case.dtype == "float32" and int(case.labels.get("n", "1")) <= LARGEST
    ]
    return tuple({(case.suite, case.op): case for case in small}.values())


@cache
def the_worker(*, idle: bool) -> Worker:  # noqa: ARG001 - of each kind one
    """A worker for all cases of a device, which loads each suite once, and finds its process as it left it."""
    return Worker(time.monotonic_ns)


def checked(case: PlannedCase, *, idle: bool) -> protocol.WorkerReply:
    """A worker's check of a case, on a device that is idle or works."""
    device = IdleDevice() if idle else nullcontext()  # type: ignore[no-untyped-call]
    with pytest.MonkeyPatch.context() as patch, device:
        patch.setattr("bench.worker.worker.call_peak_bytes", lambda *_: (None, ""))  # takes 0.3 s
        return the_worker(idle=idle).answer(protocol.Check(case=case))


def row(case: PlannedCase, *, idle: bool = True) -> Record:
    """The row of a case whose calls take 100 µs, unless its check fails."""
    outcome, reply = Outcome(case=case), checked(case, idle=idle)
    if isinstance(reply, protocol.Checked):
        outcome.checked = reply
    elif isinstance(reply, protocol.Refused):
        outcome.end(reply.status, reply.reason)
    for worker in range(3):
        for number in range(4):
            outcome.add_visit(
                Visit(
                    worker=worker,
                    round=number,
                    prepared=PREPARED,
                    visited=visited(1_000_000, 1_000_000),
                    sensed=CALM,
                )
            )
    return outcome.entry(FACTS).record


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # 0 / 0, by NumPy
@pytest.mark.parametrize("case", a_case_of_each_op(), ids=lambda case: f"{case.suite}/{case.op}")
def test_no_result_of_a_device_that_computes_nothing_is_called_correct(case: PlannedCase) -> None:
    """It is wrong, or equal to its reference without showing anything; some ops fail on zeros."""
    found = row(case)
    name = f"{case.suite}/{case.op}"
    assert (found.correct is True) is (name in ZEROS_OR_ANYTHING)
    assert (found.status == "ok") is (name not in FAIL_ON_ZEROS)
    if name in SINGULAR:
        assert found.warnings == ("unchecked",) or found.correct is False
    elif found.status == "ok" and found.correct is None:
        assert found.warnings == ("vacuous-check",)
        assert found.reason == "every input is 0 throughout, so that a right result shows nothing"


@pytest.fixture(name="rows", scope="module")
def _rows() -> list[Record]:
    """Two products that an idle device was asked for, and one of a device that works."""
    known = {f"{case.suite}/{case.op}": case for case in a_case_of_each_op()}
    idle = [row(known["mul/matrices"]), row(known["matmul/square"])]
    return [*idle, row(known["mul/scalar"], idle=False)]


NOTE = "every input is 0 throughout, so that a right result shows nothing"


def test_a_reader_is_told_in_the_first_sentence(rows: list[Record]) -> None:
    """And no surface counts these results among those that match."""
    said = findings.findings(rows)
    assert said[0] == (
        "2 results equal their references and show nothing "
        f"(mul/matrices n=64 float32: {NOTE}; and 1 more)."
    )
    assert said[-1].endswith("1 of 3 results match their references, 2 show nothing.")
    html = run_page.run_page(rows, info(), single_file=False)
    assert NOTE in html


def test_a_table_has_a_mark_and_its_words(rows: list[Record]) -> None:
    """Those of `bench explain`."""
    file = io.StringIO()
    Console(file=file, width=300, no_color=True).print(run_table(rows, width=300))
    text = file.getvalue()
    assert f"vacuous-check (2 of 3 rows): {explain('vacuous-check').seen}" in text
    marked = [line for line in text.splitlines() if line.rstrip().endswith("¹")]
    assert len(marked) == len(rows) - 1


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_program_reads_what_was_seen(rows: list[Record], form: str) -> None:
    """The code, and the reason in words."""
    text = export(values(rows), info(), form)
    assert text.count("vacuous-check") == text.count(NOTE) == 2


def test_a_loaded_row_has_no_verdict_and_may_be_compared(
    rows: list[Record], tmp_path: Path
) -> None:
    """As an unchecked one: a time is not wrong because nobody could check its result."""
    stored(tmp_path, rows)
    found = bench.load(tmp_path).set_index("op")
    assert found["correct"].isna().to_dict() == {"matrices": True, "square": True, "scalar": False}
    assert found.loc["square", "warnings"] == ["vacuous-check"]
    assert found.loc["square", "max_error"] == 0
    assert [unusable(one, barred=FOR_INTERVALS) for one in rows] == [None] * 3
