"""The null GPU's documents and settings agree; what rows on it must say is judged by rows of our own."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.gpu.null import environment, rows, session, verdicts
from tests.gpu.null.scenario import LOG, Ended, Made
from tests.gpu.null.scenarios import all_scenarios
from tests.gpu.session import TIMES

if TYPE_CHECKING:
    from tests.gpu.null.scenario import Scenario

HERE = Path(__file__).parent
SOUND: dict[str, Any] = {
    "case": "mul/scalar[n=16]",
    "device": "cuda",
    "status": "ok",
    "reason": None,
    "cache": "hot",
    "time_s": 8e-6,
    "drain_s": 15e-6,
    "device_time_s": 5e-6,
    "graph_time_s": 5e-6,
    "device_time_cold_s": 5.5e-6,
    "profiled_time_s": 5e-6,
    "kernels_per_call": 1.0,
    "bound_by": "launch",
    "warnings": ["noisy"],
    "correct": True,
    "sm_clock_hz": 1980e6,
}


def table(*changed: dict[str, Any]) -> pd.DataFrame:
    """A sound row, and one for each of these changes."""
    return pd.DataFrame([SOUND, *({**SOUND, "case": "the/other", **one} for one in changed)])


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    """Numbers come from the header, texts from `settings.c`."""
    numbers = set(re.findall(r'^  X\(\w+, "(\w+)"', (HERE / "null.h").read_text(), re.MULTILINE))
    texts = set(re.findall(r'^    "([A-Z]+)",', (HERE / "settings.c").read_text(), re.MULTILINE))
    section = (HERE / "README.md").read_text().split("## Settings")[1].split("\n## ")[0]
    named = set(re.findall(r"`([A-Z_]+)(?:=[^`]*)?`", section)) - {"NULLGPU_"}
    assert len(numbers) > 30
    assert named == numbers | texts


@pytest.mark.parametrize("scenario", all_scenarios("python", Path()), ids=lambda one: one.name)
def test_scenarios_use_settings_that_there_are(scenario: Scenario) -> None:
    """A typo would leave the device as it was, and the scenario green."""
    known = (HERE / "null.h").read_text() + (HERE / "settings.c").read_text()
    assert [name for name in scenario.settings if f'"{name}"' not in known] == []


def test_the_readme_names_every_file() -> None:
    """Of the C, the script that builds it and the programs."""
    text = (HERE / "README.md").read_text()
    files = [p.name for p in HERE.iterdir() if p.suffix in {".c", ".h", ".py", ".sh"}]
    assert [name for name in files if name not in text and not name.startswith("test_")] == []


def test_sound_rows_have_no_problem() -> None:
    """Kernel-less rows too, and those on the CPU, which are not judged."""
    idle = {
        "kernels_per_call": 0.0,
        "device_time_s": None,
        "graph_time_s": None,
        "device_time_cold_s": None,
        "profiled_time_s": None,
        "bound_by": None,
    }
    assert (
        rows.problems(table(idle, {"status": "skipped"}, {"device": "cpu", "status": "failed"}))
        == []
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"device_time_s": 5.05e-6}, "device_time_s: 1 rows"),
        ({"graph_time_s": 4.9e-6}, "graph_time_s: 1 rows"),
        ({"device_time_cold_s": 7e-6}, "device_time_cold_s: 1 rows"),
        ({"time_s": 4e-6}, "time_s: 1 rows"),
        ({"drain_s": 9.6e-4}, "drain_s: 1 rows"),
        ({"drain_s": 0.0}, "drain_s: 1 rows"),
        ({"time_s": float("nan")}, "time_s: 1 rows"),
        ({"kernels_per_call": 0.0}, "idle: 1 rows"),
        ({"warnings": ["profile-incomplete"]}, "profile: 1 rows"),
        ({"status": "failed", "reason": "a fault"}, "1 rows failed, 0 expected: a fault"),
    ],
)
def test_a_time_that_a_row_can_not_have_is_named(changed: dict[str, Any], said: str) -> None:
    """With the row, and none beside it."""
    (problem,) = rows.problems(table(changed))
    assert problem.startswith(said)
    assert "status" in changed or "the/other" in problem


def test_failures_that_are_wanted_are_counted() -> None:
    """One more or one less than wanted is a problem."""
    failed = table({"status": "failed", "reason": "a fault"})
    assert rows.problems(failed, {"failed": 1}) == []
    assert rows.problems(failed, {"failed": 2}) == ["1 rows failed, 2 expected: a fault"]
    assert rows.problems(table(), {"failed": 1}) == ["no row failed, 1 expected"]
    assert rows.problems(table({"device": "cpu"}).tail(1)) == ["no row of the GPU"]


def made(tmp_path: Path, log: str = "", *, code: int | None = 0) -> Made:
    """A scenario of one command."""
    (tmp_path / LOG).write_text(log)
    return Made(work=tmp_path, ended=(Ended(code=code, seconds=1.0, out="", err="why\n"),))


def test_failed_captures_and_lost_workers_are_seen_in_the_device_s_log(tmp_path: Path) -> None:
    """Two workers and a batch need three contexts."""
    lines = [
        "1.0 7 start 1",
        *(f"1.0 {pid} context 0" for pid in range(4)),
        "2.0 8 end_capture 901",
    ]
    one = made(tmp_path, "\n".join(lines) + "\n")
    object.__setattr__(one, "rows", table())  # as if it had been read
    assert one.failed_captures() == ["captures ended with errors: {'end_capture 901': 1}"]
    assert one.lost_workers(2) == ["4 processes had a context, 3 are needed"]
    assert one.lost_workers(2, allowed=1) == []


def test_a_command_that_ended_otherwise_is_named_with_its_last_line(tmp_path: Path) -> None:
    """Also one that was cut off."""
    assert made(tmp_path).codes(0) == []
    assert made(tmp_path, code=None).codes(0) == ["command 1: exit code None, 0 expected: why"]


def test_a_session_fits_if_nothing_is_cut_off_up_to_the_step_that_is_to_fit(tmp_path: Path) -> None:
    """What comes after it may be cut off, since a session goes on for as long as it has."""
    times = tmp_path / "out" / "work" / TIMES
    times.parent.mkdir(parents=True)
    (tmp_path / "out" / "session.tgz").write_bytes(b"not empty")
    fits = partial(verdicts.session_fits, made(tmp_path), minutes=5)
    assert fits(last="quick") == ["quick did not fit"]
    steps = ("facts", 0), ("waits", None), ("quick", 0), ("peers", None)
    times.write_text(json.dumps([{"step": name, "code": code} for name, code in steps]))
    assert fits(last="facts") == []
    assert fits(last="quick") == ["waits was cut off"]
    assert fits(last="peers") == ["waits was cut off", "peers was cut off"]


def test_a_python_without_cuda_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of the tests themselves has none, or has torch for another CUDA."""
    monkeypatch.setattr(environment, "_facts", lambda _: ("2.13.0+cpu", "", "nowhere"))
    assert session.main(["--python", "python", "--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "torch 2.13.0+cpu, without CUDA" in line
    assert "--python" in line
