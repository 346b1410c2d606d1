"""One command on a machine with a GPU: its steps, what becomes of those that fail, and its exit codes."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import discover
from bench.plan import PRESETS
from bench.request import Request, parse_budget, parse_settings
from tests.gpu import checks, rows, session

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = [
    "tests",
    "repeat",
    "caches",
    "checks",
    "sweep-cuda-products",
    "sweep-cuda-backward",
    "sweep-cuda-creation",
    "sweep-cuda-arithmetic",
    "sweep-cuda-parts",
    "sweep-cuda-layers",
    "recheck",
    "sweep-cpu-products",
    "sweep-cpu-backward",
    "sweep-cpu-creation",
    "sweep-cpu-arithmetic",
    "sweep-cpu-parts",
    "sweep-cpu-layers",
]
MOST_S = 7 * 60
"""Of an estimate, so that what it leaves out fits into ten minutes with it."""
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
    assert sum(line.startswith("  ") for line in lines) == len(NAMES) + 2
    assert machine.asked == []


def test_every_step_is_made_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a look for a GPU; each is reported."""
    machine = Machine()
    assert session.main(["--out", str(tmp_path)], machine) == 0
    wanted = [command for step in session.steps(tmp_path) for command in step.commands]
    assert machine.asked == [session.CUDA_CHECK, *wanted]
    assert capsys.readouterr().out.splitlines()[-len(NAMES) :] == [f"{name}: ok" for name in NAMES]


@pytest.mark.parametrize(
    ("word", "name"),
    [("pytest", "tests"), ("quick", "repeat"), ("cold", "caches"), ("cat", "sweep-cuda-backward")],
)
def test_a_step_that_fails_is_reported_and_the_others_are_made(
    word: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code at the end says that something failed, the report what."""
    machine = Machine(word)
    assert session.main(["--out", str(tmp_path)], machine) == 1
    assert len(machine.asked) == len(NAMES) + 3
    lines = capsys.readouterr().out.splitlines()[-len(NAMES) :]
    reported = dict(line.split(": ", 1) for line in lines)
    assert [step for step, said in reported.items() if said != "ok"][:1] == [name]
    assert "FAILED with exit code 3" in reported[name]
    assert word in reported[name]


def test_a_session_goes_on_where_it_was_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was measured whole is kept; what failed, and what measures nothing, is made again."""
    assert session.main(["--out", str(tmp_path)], Machine("cold", "cpu")) == 1
    capsys.readouterr()
    machine = Machine()
    assert session.main(["--out", str(tmp_path)], machine) == 0
    lines = capsys.readouterr().out.splitlines()[-len(NAMES) :]
    reported = dict(line.split(": ", 1) for line in lines)
    kept = [name for name, said in reported.items() if said != "ok"]
    assert kept == ["repeat", *(name for name in NAMES if name.startswith("sweep-cuda"))]
    assert reported["repeat"] == "was there; --only repeat makes it again"
    commands = {s.name: s.commands for s in session.steps(tmp_path)}
    made = [command for name in NAMES if name not in kept for command in commands[name]]
    assert machine.asked == [session.CUDA_CHECK, *made]


def test_a_step_that_is_named_is_made_again(tmp_path: Path) -> None:
    """Beside the runs that are there: a store keeps them all."""
    session.main(["--out", str(tmp_path)], Machine())
    machine = Machine()
    assert session.main(["--out", str(tmp_path), "--only", "repeat"], machine) == 0
    assert len(machine.asked) == 3


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
            option = "--store" if step.measures else "--out"
            assert Path(command[command.index(option) + 1]).is_relative_to(tmp_path)


def test_the_checks_look_where_the_steps_measure(tmp_path: Path) -> None:
    """Runs held against each other and caches have folders of their own; the sweep has the whole."""
    stores = {
        step.name: {Path(c[c.index("--store") + 1]) for c in step.commands}
        for step in session.steps(tmp_path)
        if step.measures
    }
    assert stores.pop("repeat") == {tmp_path / checks.REPEATS_STORE}
    assert stores.pop("caches") == {tmp_path / checks.CACHES_STORE}
    assert all(found == {tmp_path} for found in stores.values())


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_the_sweep_leaves_no_suite_out(device: str, tmp_path: Path) -> None:
    """Each is in one part, on each device."""
    named = [
        word
        for step in session.steps(tmp_path)
        if step.name.startswith(f"sweep-{device}")
        for command in step.commands
        for word in command[4 : command.index("--preset")]
    ]
    assert sorted(named) == sorted(one.suite.name for one in discover.load_all(()))


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith(("sweep", "repeat", "caches"))])
def test_every_step_is_done_well_within_ten_minutes(name: str, tmp_path: Path) -> None:
    """By the estimate of `bench list`; without a GPU its cases are skips, and count as well."""
    (step,) = (s for s in session.steps(tmp_path) if s.name == name)
    asked = [request(command) for command in step.commands]
    cases = [one.plan() for one in asked]
    estimates_s = [
        one.estimate_s(len(plan.cases) + len(plan.skips))
        for one, plan in zip(asked, cases, strict=True)
    ]
    assert 10 < sum(estimates_s) < MOST_S


def request(command: Sequence[str]) -> Request:
    """What a command asks for."""
    words = command[command.index("run") + 1 :]
    first = next(place for place, word in enumerate(words) if word.startswith("-"))
    options = list(zip(words[first::2], words[first + 1 :: 2], strict=True))
    known = dict(options)
    return Request(
        suites=tuple(words[:first]),
        keyword=known.get("-k", ""),
        devices=(known["--device"],),
        settings=parse_settings([value for option, value in options if option == "--set"]),
        preset=known["--preset"],
        budget_s=parse_budget(known.get("--budget"), "--budget"),
        cache=known.get("--cache", "hot"),
    )


def test_cases_lie_on_both_sides_of_the_l2_of_usual_gpus(tmp_path: Path) -> None:
    """From 4 MB (T4) to 50 MB (H100), by what the cases declare that they move."""
    (step,) = (s for s in session.steps(tmp_path) if s.name == "caches")
    plan = dataclasses.replace(request(step.commands[0]), devices=("cpu",)).plan()
    moved = [case.bytes or 0.0 for case in plan.cases]
    for l2_bytes in (4 * 2**20, 40 * 2**20, 50 * 2**20):
        assert sum(0 < one <= rows.SMALL * l2_bytes for one in moved) >= 2
        assert sum(one >= rows.LARGE * l2_bytes for one in moved) >= 2


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


def test_our_modules_are_found_beside_others_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some packages install a `tests` of their own, and the checks are made of several files."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert session.run_here([sys.executable, "-c", "import tests.gpu.rows"]) == 0


def test_the_checks_run_as_a_program() -> None:
    """As the session starts them."""
    script = str(session.ROOT / "tests" / "gpu" / "checks.py")
    assert session.run_here([sys.executable, script, "--help"]) == 0
