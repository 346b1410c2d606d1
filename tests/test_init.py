"""What `import bench` gives: the words of a suite file, and results, without torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.errors import StoreError
from tests.fakes.workers import entry, finished_run, info

ROOT = Path(__file__).parent.parent
BLOCKED = (
    "import sys\n"
    "sys.modules['torch'] = None\n"  # importing it then fails, as where it isn't installed
    "import bench\n"
)


def fresh(code: str, *words: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.check_output(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )


def test_the_names_of_a_suite_file_are_here() -> None:
    """These, and no others; each is documented."""
    assert bench.__all__ == [
        "Axis",
        "Call",
        "Case",
        "Like",
        "Skip",
        "Suite",
        "Work",
        "load",
        "load_samples",
    ]
    assert all(getattr(bench, name).__doc__ for name in bench.__all__)


def test_importing_loads_nothing_heavy() -> None:
    """A suite file is read at every start."""
    loaded = set(fresh("import bench, sys\nprint(*sys.modules)").split())
    assert "bench.plan.suite" in loaded
    assert loaded & {"torch", "numpy", "pandas", "pyarrow", "plotly", "rich", "typer"} == set()


@pytest.mark.parametrize(("read", "rows"), [("load", 1), ("load_samples", 2)])
def test_results_can_be_read_where_there_is_no_torch(tmp_path: Path, read: str, rows: int) -> None:
    """From a store, as a path or as text."""
    finished_run(tmp_path, info(), entry())
    code = f"{BLOCKED}print(len(bench.{read}(sys.argv[1])))"
    assert fresh(code, str(tmp_path)) == f"{rows}\n"
    assert len(getattr(bench, read)(tmp_path)) == rows


def test_results_are_read_from_the_usual_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`results` in the folder where one is; more places may be named."""
    monkeypatch.chdir(tmp_path)
    finished_run(tmp_path / "results", info(), entry())
    finished_run(tmp_path / "more", info("20260103T000000Z-bbbbbb"), entry())
    assert len(bench.load()) == 1
    assert len(bench.load("results", "more")) == 2


def test_runs_are_read_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the command line names them, in the usual store or another; rows say what their run is called."""
    monkeypatch.chdir(tmp_path)
    finished_run(tmp_path / "results", info(label="nb"), entry(label="nb"))
    finished_run(tmp_path / "more", info("20260103T000000Z-bbbbbb", label="x", tags={"a": "b"}))
    assert set(bench.load("label:nb").label) == {"nb"}
    assert len(bench.load("@latest", "20260103T", store="more")) == 2
    assert len(bench.load(store="more")) == 1
    assert len(bench.load_samples("tag:a=b", store=tmp_path / "more")) == 2
    finished_run(tmp_path / "results", info("20260104T000000Z-bbbbbb"))
    with pytest.warns(UserWarning, match="machine:machine means 2 runs") as told:
        bench.load("machine:machine")
    assert told[0].filename == __file__


def test_an_error_is_told_where_it_was_asked(tmp_path: Path) -> None:
    """One line, in words that hold in Python, and not at the end of our own functions."""
    finished_run(tmp_path, info(), entry())
    with pytest.raises(StoreError, match="'label:no' means no run in") as caught:
        bench.load("label:no", store=tmp_path)
    assert len(caught.traceback) <= 3
    with pytest.raises(StoreError, match=r"there is no store nowhere; .*in Python store="):
        bench.load("@latest", store="nowhere")
