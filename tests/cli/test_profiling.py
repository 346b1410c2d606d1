"""`bench profile` shows what a case consists of and leaves its trace where it is asked for."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.worker import devices
from tests.fakes.machine import set_compute_mode
from tests.fakes.workers import Stage

if TYPE_CHECKING:
    from pathlib import Path

CASE = "matmul/square[n=48,dtype=float32]"
"""Of a size that is on no axis."""
BROKEN = """
from bench import Suite

suite = Suite("broken")


@suite.op
def op(case):
    raise ValueError("no good")
"""


@pytest.fixture(autouse=True)
def only_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder on a machine without a GPU."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(devices, "present", lambda: ("cpu",))


@pytest.mark.slow
def test_a_product_is_one_mm_per_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one JSON document, with the path of a trace that other programs can read."""
    code = cli.main(["profile", CASE, "--calls", "5", "--threads", "1", "--json"])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    told = json.loads(out)
    counts = {line["name"]: line["count_per_call"] for line in told["lines"]}
    assert counts["aten::matmul"] == counts["aten::mm"] == 1
    assert (told["case"], told["device"], told["calls"], told["threads"]) == (CASE, "cpu", 5, 1)
    assert (told["codes"], told["headline"]) == ([], False)
    trace = tmp_path / told["trace"]
    assert trace.parent == tmp_path / "reports"
    names = [
        one.get("name") for one in json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    ]
    assert names.count("aten::mm") >= 5


@pytest.mark.slow
def test_people_get_a_table_and_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By an expression, in a suite of one's choice."""
    words = ["--suite", "view", "--device", "cpu", "--calls", "3", "--out", "traces"]
    code = cli.main(["profile", "transpose and n=64", *words])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert out.startswith("view/transpose[n=64] on cpu (")
    assert "aten::transpose " in out
    assert "Profiled times are not the headline" in out
    (trace,) = (tmp_path / "traces").iterdir()
    assert f"trace: traces/{trace.name} (" in out


@pytest.mark.slow
def test_a_case_that_fails_is_one_line_and_exit_code_6(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason; a suite's own file will do."""
    (tmp_path / "broken.py").write_text(BROKEN)
    code = cli.main(["profile", "broken/op", "--suite", "broken.py"])
    out, err = capsys.readouterr()
    assert (code, out) == (6, "")
    assert err == "bench: broken/op on cpu failed: ValueError: no good\n"


@pytest.mark.parametrize(
    ("present", "device"),
    [(("cpu",), "cpu"), (("cpu", "cuda"), "cuda"), (("cpu", "cuda:0", "cuda:1"), "cuda:0")],
)
def test_a_gpu_is_preferred_where_no_device_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    present: tuple[str, ...],
    device: str,
) -> None:
    """The first of several; here every device is out of order, so the error names it."""
    monkeypatch.setattr(devices, "present", lambda: present)
    monkeypatch.setattr(devices, "why_missing", lambda name: f"{name} is out of order")
    assert cli.main(["profile", CASE]) == 2
    assert f"on {device} is skipped: {device} is out of order" in capsys.readouterr().err


def test_a_gpu_that_lets_nobody_in_is_refused_before_a_worker_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line."""
    set_compute_mode(monkeypatch, "prohibited")
    monkeypatch.setattr(WorkerPool, "of_processes", lambda *_: pytest.fail("a worker was started"))
    assert cli.main(["profile", CASE, "--device", "cuda"]) == 2
    said = "--device cuda: compute mode prohibited lets no process use cuda: have it changed (sudo nvidia-smi -c 0)"
    assert capsys.readouterr().err == f"bench: {said}\n"


def test_a_profile_is_made_by_one_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is what exclusive mode lets in."""
    set_compute_mode(monkeypatch, "exclusive-process")
    monkeypatch.setattr(devices, "why_missing", lambda _: "")
    stage = Stage()
    monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_: stage.pool(count))
    assert cli.main(["profile", CASE, "--device", "cuda"]) == 6
    assert "there is no profiler here" in capsys.readouterr().err
    assert len(stage.asked(protocol.Check)) == 0
