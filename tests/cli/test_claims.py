"""`bench claims` answers by the runs of one machine, says what to run, and needs no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cli
from bench.store.journal import Entry
from tests.fakes.rows import record
from tests.fakes.workers import finished_run, info

ROOT = Path(__file__).parents[2]
HERE = "20260101T000000Z-aaaaaa"
MACHINE = {"machine_id": "m-1", "name": "a machine", "gpus": []}


def run_of(store: Path, run_id: str, slowest_s: float, **about: object) -> None:
    """A run that measured views, the larger of which took this long."""
    views = [
        record("view", "view", params={"n": n}, time_s=t)
        for n, t in ((16, 1e-6), (1024, slowest_s))
    ]
    entries = [Entry(record=one, samples=()) for one in views]
    finished_run(store, info(run_id, **{"machine": MACHINE, **about}), *entries)


@pytest.fixture(name="store")
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store that is looked into by default, with one run."""
    monkeypatch.chdir(tmp_path)
    run_of(tmp_path / "results", HERE, 1e-6)
    return tmp_path / "results"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, object]]:
    """The claims of the one JSON document, by id."""
    assert cli.main(["claims", "--json", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return {one["id"]: one for one in json.loads(out)["claims"]}


def test_claims_are_answered_and_what_is_missing_is_said(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table, then one command for what is missing here and one for what needs a GPU."""
    assert cli.main(["claims", "--store", str(store)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[1].startswith("holds ")
    steps = [line for line in out.splitlines() if line.startswith("to ")]
    assert len(steps) == 2
    assert steps[0].startswith("to measure what is missing: bench run -k ")
    assert "on a machine with a GPU: bench run -k " in steps[1]
    assert "--set dtype=float32,float64,bfloat16,float16" in steps[0]


@pytest.mark.usefixtures("store")
def test_a_gpu_that_is_here_is_not_asked_for_elsewhere(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its claims are among those that one command measures."""
    run_of(store, "20260102T000000Z-bbbbbb", 1e-6, machine={**MACHINE, "gpus": [{"name": "G"}]})
    assert cli.main(["claims"]) == 0
    steps = [line for line in capsys.readouterr().out.splitlines() if line.startswith("to ")]
    assert len(steps) == 1
    assert "transfer/to_device" in steps[0]


def test_the_newest_run_of_the_latest_machine_answers(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs of other machines and with cold caches do not, unless they are named."""
    assert told(capsys)["view-is-free"]["run"] == HERE
    cold, other = "20260102T000000Z-bbbbbb", "20260103T000000Z-cccccc"
    run_of(store, cold, 1e-3, options={"cache": "cold"})
    found = told(capsys)["view-is-free"]
    assert (found["verdict"], found["run"]) == ("holds", HERE)
    assert told(capsys, cold)["view-is-free"]["verdict"] == "does-not-hold"
    run_of(store, other, 1e-3, machine={**MACHINE, "machine_id": "m-2"})
    found = told(capsys)["view-is-free"]
    assert (found["verdict"], found["run"]) == ("does-not-hold", other)
    assert told(capsys, HERE, cold)["view-is-free"]["run"] == cold
    third = {**MACHINE, "machine_id": "m-3"}
    finished_run(store, info("20260104T000000Z-dddddd", machine=third))
    assert told(capsys)["view-is-free"]["verdict"] == "not-measured"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--store", "nowhere"], "there is no store nowhere"),
        (["--store", "empty"], "the store empty holds no finished run; make one with: bench run"),
        (["never"], "'never' means no run in results"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """As of every command that looks into a store."""
    (store.parent / "empty").mkdir()
    assert cli.main(["claims", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"bench: {said}")


def test_a_machine_that_has_only_cold_runs_is_told_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing answers, and nothing fails."""
    run_of(tmp_path, HERE, 1e-6, options={"cache": "cold"})
    found = told(capsys, "--store", str(tmp_path))
    assert {one["verdict"] for one in found.values()} == {"not-measured"}


def test_claims_are_read_without_torch(store: Path) -> None:
    """Where it is not installed, too."""
    code = (
        "import sys\nfrom bench.cli import main\ncode = main(['claims'])\n"
        "sys.exit(code or 'torch' in sys.modules or 'plotly' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=store.parent,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_help_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """In the list of commands, and what it does with a claim."""
    assert cli.main(["--help"]) == 0
    assert "claims" in capsys.readouterr().out
    assert cli.main(["claims", "--help"]) == 0
    assert "does not hold here" in " ".join(capsys.readouterr().out.split())
