"""`bench doctor`: a table for people, one document for programs, exit code 0 whatever it finds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.doctor import checkup as doctor_checkup
from bench.doctor.rules import checkup
from bench.machine import activity
from tests.fakes.machine import KNOWN
from tests.fakes.rows import info

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="asked")
def _asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int]]:
    """A machine that is busy, and what its doctor was asked for."""
    asked: list[tuple[Path, int]] = []

    def examine(store: Path, threads: int) -> doctor_checkup.Checkup:
        asked.append((store, threads))
        busy = info(state={"cpu_busy_share": 0.9})
        return doctor_checkup.Checkup(findings=tuple(checkup(busy, KNOWN)), info=busy, known=KNOWN)

    monkeypatch.setattr(doctor_checkup, "examine", examine)
    return asked


def test_findings_are_no_failure(
    asked: list[tuple[Path, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are shown, the worst first."""
    code = cli.main(["doctor", "--store", "runs", "--threads", "3"])
    out = capsys.readouterr().out
    assert (code, out.splitlines()[0].split()[:2]) == (0, ["will", "90"])
    assert [(store.name, threads) for store, threads in asked] == [("runs", 3)]


@pytest.mark.usefixtures("asked")
def test_programs_get_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else."""
    assert cli.main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["findings"][0]["code"] == "busy"


def test_this_machine_can_be_examined(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Smoke: the real machine, looked at for a blink."""
    monkeypatch.setattr(activity, "SNAPSHOT_S", 0.01)
    assert cli.main(["doctor", "--json", "--store", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["findings"]
    assert told["facts"]["known"]["earlier_runs"] == 0
