"""`bench trend` follows a case of the store, or says in one line why it can't."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bench import cli
from tests.fakes.workers import STARTED_AT, entry, finished_run, info

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="store")
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight runs, the last four of which are slower; the smaller case has two devices."""
    monkeypatch.chdir(tmp_path)
    for day in range(8):
        time_s = (1.0 if day < 4 else 1.5) * (1 + 0.001 * (day % 3))
        about: dict[str, Any] = {"memory": "reuse", "started_at": STARTED_AT + timedelta(days=day), "time_s": time_s, "time_lo_s": 0.99 * time_s, "time_hi_s": 1.01 * time_s, "confidence": 0.95}  # fmt: skip
        rows = [entry(16, **about), entry(64, **about), entry(16, **about, device="cuda")]
        commit = {"git_commit": f"{day}234567890"}
        finished_run(tmp_path / "results", info(f"2026010{day + 1}T000000Z-aaaaaa", environment=commit), *rows)  # fmt: skip
    return tmp_path / "results"


@pytest.mark.usefixtures("store")
def test_a_step_is_named_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    """With commits out of `run.json`."""
    assert cli.main(["trend", "n=64"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("s/op[n=64] on cpu of a machine\n")
    assert "Step between 20260104T000000Z-aaaaaa (commit 3234567)" in " ".join(out.split())
    assert cli.main(["trend", "s/op[n=64]", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [step["after"] for step in told["steps"]] == ["20260105T000000Z-aaaaaa"]
    assert cli.main(["trend", "n=16", "--device", "cuda", "--format", "csv"]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [line["device"] for line in lines] == ["cuda"] * 8


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("n=64 --format jsn", "--format 'jsn' is no form; did you mean json?"),
        ("n=17", "'n=17' matches none of 2 cases"),
        ("op", "'op' matches 2 cases: s/op[n=16], s/op[n=64]; name one"),
        ("n=16", "was measured on cpu, cuda; choose with --device cpu"),
        ("n=64 --machine lathe", "--machine 'lathe' did not measure it; known: a machine"),
        ("n=64 --store nowhere", "there is no store nowhere"),
        ("", "Missing argument"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], words: str, said: str
) -> None:
    """Nothing on stdout."""
    assert cli.main(["trend", *words.split()]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert said in line
