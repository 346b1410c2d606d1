"""One command on a machine with a GPU: its steps, what becomes of those that fail, and its exit codes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.plan import PRESETS
from tests.gpu import session

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ["tests", "repeat", "checks", "sweep"]
ONLY_DEVELOPERS_HAVE = re.compile(
    r"^\s*(?:import|from) (?:hypothesis|coverage|nox|plotly)", re.MULTILINE
)


class Machine:
    """Runs nothing, notes what it was asked, and fails where a command holds one of these words."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.asked: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> int:
        """The exit code of a command."""
        self.asked.append(command)
        return 3 if any(word in command for word in self.failing) else 0


def test_the_steps_can_be_read_without_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each step and one for each of its commands; nothing is run."""
    machine = Machine()
    assert session.main(["--list"], machine) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines if not line.startswith(" ")] == NAMES
    assert sum(line.startswith("  ") for line in lines) == 5
    assert machine.asked == []


def test_every_step_is_made_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a look for a GPU; each is reported."""
    machine = Machine()
    assert session.main(["--out", str(tmp_path)], machine) == 0
    wanted = [command for step in session.steps(tmp_path) for command in step.commands]
    assert machine.asked == [session.CUDA_CHECK, *wanted]
    assert capsys.readouterr().out.splitlines()[-4:] == [f"{name}: ok" for name in NAMES]


@pytest.mark.parametrize(
    ("word", "name"), [("pytest", "tests"), ("quick", "repeat"), ("colab", "sweep")]
)
def test_a_step_that_fails_is_reported_and_the_others_are_made(
    word: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code at the end says that something failed, the report what."""
    machine = Machine(word)
    assert session.main(["--out", str(tmp_path)], machine) == 1
    assert len(machine.asked) == 6
    reported = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines()[-4:])
    assert [step for step, said in reported.items() if said != "ok"] == [name]
    assert "FAILED with exit code 3" in reported[name]
    assert word in reported[name]


def test_without_a_gpu_nothing_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why, and no step is made."""
    machine = Machine("-c")
    assert session.main([], machine) == 1
    assert machine.asked == [session.CUDA_CHECK]
    said = capsys.readouterr()
    assert said.err == "torch finds no CUDA device here, so nothing was tested\n"
    assert said.out == ""


def test_a_step_can_be_made_alone(tmp_path: Path) -> None:
    """Or two of them; a wrong name is refused."""
    machine = Machine()
    words = ["--out", str(tmp_path), "--only", "checks", "--only", "tests"]
    assert session.main(words, machine) == 0
    assert len(machine.asked) == 3
    with pytest.raises(SystemExit) as ended:
        session.main(["--only", "chekcs"], machine)
    assert ended.value.code == 2


def test_everything_lands_in_one_folder(tmp_path: Path) -> None:
    """Absolute, since commands run in the checkout."""
    for step in session.steps(tmp_path)[1:]:
        for command in step.commands:
            option = "--out" if step.name == "checks" else "--store"
            assert Path(command[command.index(option) + 1]).is_relative_to(tmp_path)


def test_presets_and_scripts_exist(tmp_path: Path) -> None:
    """What the commands name is there."""
    commands = [command for step in session.steps(tmp_path) for command in step.commands]
    named = {c[c.index("--preset") + 1] for c in commands if "--preset" in c}
    assert named <= set(PRESETS)
    assert all(Path(word).is_file() for c in commands for word in c[1:] if word.endswith(".py"))


def test_tests_for_a_gpu_need_nothing_that_only_developers_have() -> None:
    """The machine has what measuring needs, and pytest."""
    files = session.gpu_tests()
    assert files
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert [name for name, text in texts.items() if ONLY_DEVELOPERS_HAVE.search(text)] == []


def test_commands_run_in_the_checkout() -> None:
    """`bench` is importable though it is not installed."""
    code = "import os, sys, bench; sys.exit(not os.path.samefile(os.getcwd(), sys.argv[1]))"
    assert session.run_here([sys.executable, "-c", code, str(session.ROOT)]) == 0
    assert session.run_here([sys.executable, "-c", "raise SystemExit(5)"]) == 5
