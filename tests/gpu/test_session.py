"""One command on a machine with a GPU: what fits into its minutes, what is kept, and what is left behind."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import typer

from bench.cli.app import app
from bench.plan import discover
from bench.plan.plan import PRESETS
from bench.run.request import Request, parse_budget, parse_settings
from tests.gpu import (
    checks,
    facts,
    probe,
    rows,
    session,
    session_archive,
    session_commands,
    session_steps,
)
from tests.gpu.session_commands import Ended
from tests.gpu.session_steps import Seconds, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST = ["facts", "probe-launch", "probe-capture", "smoke", "waits", "tests"]
FIRST += ["commands", "probe-clock", "probe-memory"]
SECOND = ["quick", "caches", "checks", "peers", "again"]
PARTS = [
    *("products", "backward", "creation", "arithmetic", "parts", "layers"),
    *("algebra", "networks", "images", "positions", "steps"),
]
NAMES = [
    *FIRST,
    *SECOND,
    *(f"sweep-cuda-{part}" for part in PARTS),
    "recheck",
    *(f"sweep-cpu-{part}" for part in PARTS),
]
MEASURING = [
    n for n in NAMES if n.startswith(("smoke", "waits", "quick", "caches", "again", "sweep"))
]
ONLY_CACHES_HAVE = "matrices or scalar"
"""A word of that step's command, and of no other."""
ONLY_DEVELOPERS_HAVE = re.compile(
    r"^\s*(?:import|from) (?:hypothesis|coverage|nox|plotly)", re.MULTILINE
)
DRY_RUN = """\
look: a look (about 10 s, cut off after 30 s)
  python look.py 'with a space'
there: was there; --only there makes it again
pair: two of a kind (about 60 s, each command cut off after 100 s); cut off after the 90 s that are left
  python one.py
  python other.py
long: does not fit: 30 s left, it needs 200 s
short: a short one (about 25 s, cut off after 40 s); cut off after the 30 s that are left
  python short.py
about 95 s of 100 s, 8 s aside for the archive"""


class Machine:
    """Runs nothing: a command takes what is estimated, and leaves what such a command would leave.

    Args:
        codes: word → exit code of the commands that hold it, None for one that is cut off.
    """

    def __init__(self, codes: Mapping[str, int | None] | None = None) -> None:
        self.codes = codes or {}
        self.asked: list[tuple[str, ...]] = []
        self.limits_s: list[float] = []
        self.archives: list[bool] = []
        self.now_s = 1000.0

    def clock(self) -> float:
        """Seconds."""
        return self.now_s

    def __call__(self, command: Sequence[str], log: Path, limit_s: float) -> Ended:
        """How a command ended."""
        self.asked.append(tuple(command))
        self.limits_s.append(limit_s)
        self.archives.append((log.parents[1] / session.ARCHIVE).is_file())
        log.write_text("first line\n" + 20 * "x\n" + 400 * "y" + "\n", encoding="utf-8")
        code = next((code for word, code in self.codes.items() if word in command), 0)
        store = session_steps.store_of(tuple(command))
        if store and code in {0, 1, 6}:
            run = store / f"run-{len(self.asked)}-{os.urandom(4).hex()}"
            run.mkdir(parents=True)
            (run / "run.json").touch()
        seconds = limit_s if code is None else min(limit_s, self.takes_s(command, log))
        self.now_s += seconds
        return Ended(code=code, seconds=seconds)

    def takes_s(self, command: Sequence[str], log: Path) -> float:
        """What is estimated of it."""
        (step,) = (s for s in session_steps.all_steps(log.parent) if s.name == log.stem)
        assert tuple(command) in step.commands
        return step.seconds.estimate / len(step.commands)


def made(out: Path, machine: Machine, *words: str) -> int:
    """The exit code of a session on that machine."""
    return session.main(["--out", str(out), *words], machine, machine.clock)


def names_of(machine: Machine, out: Path) -> list[str]:
    """The steps whose commands were run, each once; the same command can be in two: the first counts."""
    names = []
    left = [(c, s.name) for s in session_steps.all_steps(out / "work") for c in s.commands]
    for command in machine.asked:
        place = next(i for i, (one, _) in enumerate(left) if one == command)
        names.append(left.pop(place)[1])
    return list(dict.fromkeys(names))


def kept(out: Path, name: str) -> Any:
    """One of the files of JSON in the folder `work`."""
    return json.loads((out / "work" / name).read_text(encoding="utf-8"))


def step(name: str, what: str, seconds: tuple[float, float, float], *commands: str) -> Step:
    """A made-up step."""
    words = tuple(("python", *command.split("|")) for command in commands)
    return Step(name=name, what=what, commands=words, seconds=Seconds(*seconds))


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """`caches` has two commands, of 21 and of 22 rounds."""
    single = session_steps.all_steps

    def steps(work: Path) -> tuple[Step, ...]:
        return tuple(in_two(each) if each.name == "caches" else each for each in single(work))

    monkeypatch.setattr(session_steps, "all_steps", steps)


def in_two(one: Step) -> Step:
    """The step's command twice, for 22 seconds each."""
    (command,) = one.commands
    commands = tuple((*command, "--rounds", rounds) for rounds in ("21", "22"))
    return dataclasses.replace(one, commands=commands, seconds=Seconds(44, 18, 60))


def test_the_steps_can_be_read_without_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each; nothing is run."""
    machine = Machine()
    assert session.main(["--list"], machine) == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == NAMES
    assert machine.asked == []


def test_what_fits_is_said_beforehand() -> None:
    """With commands, seconds and limits; a step that does not fit leaves its time to shorter ones."""
    chosen = [
        step("look", "a look", (10, 5, 30), "look.py|with a space"),
        step("there", "what was made", (10, 5, 30), "there.py"),
        step("pair", "two of a kind", (60, 20, 100), "one.py", "other.py"),
        step("long", "a long one", (300, 200, 500), "long.py"),
        step("short", "a short one", (25, 20, 40), "short.py"),
    ]
    assert session.plan_in_words(chosen, 100, ["there"]) == DRY_RUN


def test_a_dry_run_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even a folder; it says what the session then does."""
    machine = Machine()
    out = tmp_path / "out"
    assert made(out, machine, "--dry-run", "--minutes", "5") == 0
    assert machine.asked == []
    assert not out.exists()
    said = capsys.readouterr().out
    fitting = [line.partition(":")[0] for line in said.splitlines() if "(about" in line]
    assert made(out, machine, "--minutes", "5") == 0
    assert names_of(machine, out) == fitting


def test_every_step_is_made_in_order(tmp_path: Path) -> None:
    """Without a limit in minutes: all, each within its own."""
    machine = Machine()
    assert made(tmp_path, machine) == 0
    steps = session_steps.all_steps(tmp_path / "work")
    assert [s.name for s in steps] == NAMES
    assert machine.asked == [command for s in steps for command in s.commands]
    assert machine.limits_s == [s.seconds.limit for s in steps for _ in s.commands]


@pytest.mark.parametrize("minutes", [0.1, 2, 5, 7, 10, 15])
def test_a_session_keeps_to_its_minutes(minutes: float, tmp_path: Path) -> None:
    """Some seconds are left for the archive; what comes first is not given up for what comes later."""
    machine = Machine()
    assert made(tmp_path, machine, "--minutes", str(minutes)) == 0
    assert machine.now_s - 1000 <= 60 * minutes - session.RESERVE_S or not machine.asked
    assert names_of(machine, tmp_path)[:9] == FIRST[: len(names_of(machine, tmp_path))]


def test_the_quick_cases_are_measured_less_often_on_a_host_of_few_cores() -> None:
    """By fewer workers, for less time: six of them take two cores twelve minutes. `bench run` takes what is asked for."""
    run: Any = typer.main.get_command(app)
    few, many = (
        run.commands["run"].make_context("run", list(session_steps.how_often(cores))).params
        for cores in (2, 16)
    )
    assert few["workers"] < (many["workers"] or PRESETS["quick"].workers)
    least_s, most_s = (parse_budget(one["budget"], "--budget") or 0.0 for one in (few, many))
    assert least_s < most_s


def test_a_limit_is_cut_to_what_is_left(tmp_path: Path) -> None:
    """A command that hangs takes nothing from the archive."""
    machine = Machine({"profile": None})
    minutes = (10 + 6 + 16 + 27 + 27 + 9 + 17 + session.RESERVE_S) / 60
    assert made(tmp_path, machine, "--minutes", str(minutes)) == 1
    assert names_of(machine, tmp_path) == FIRST[:7]
    assert machine.limits_s[-1] == pytest.approx(17)
    assert kept(tmp_path, "times.json")[-1]["code"] is None


def test_four_minutes_say_what_this_gpu_does_and_nineteen_whether_to_believe_us(
    tmp_path: Path,
) -> None:
    """By the estimates; so much is what a short loan of such a machine allows."""
    for minutes, wanted in ((4, FIRST), (19, [*FIRST, *SECOND])):
        machine = Machine()
        made(tmp_path / str(minutes), machine, "--minutes", str(minutes))
        found = names_of(machine, tmp_path / str(minutes))
        assert found[: len(wanted)] == wanted


@pytest.mark.parametrize(
    ("word", "name"),
    [("pytest", "tests"), (ONLY_CACHES_HAVE, "caches"), ("cat", "sweep-cuda-backward")],
)
def test_a_step_that_fails_is_reported_and_the_others_are_made(
    word: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code at the end says that something failed, the report what."""
    machine = Machine({word: 3})
    assert made(tmp_path, machine) == 1
    assert names_of(machine, tmp_path) == NAMES
    said = capsys.readouterr().out
    assert f"{name}: FAILED, exit code 3, " in said
    assert said.splitlines()[-1].startswith(f"failed: {name}")


def test_the_end_of_what_was_printed_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve lines of 300 characters; the file has all."""
    made(tmp_path, Machine(), "--only", "facts")
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert shown == 11 * ["  x"] + ["  " + 300 * "y"]
    assert (tmp_path / "work" / "facts.txt").read_text(encoding="utf-8").startswith("first line\n")


@pytest.mark.usefixtures("pair")
def test_times_are_kept_after_each_command(tmp_path: Path) -> None:
    """Also those of the sessions before."""
    made(tmp_path, Machine({"22": 6}), "--only", "caches")
    made(tmp_path, Machine(), "--only", "facts")
    times = kept(tmp_path, "times.json")
    assert [(t["step"], t["code"], t["seconds"]) for t in times] == [
        ("caches", 0, 22),
        ("caches", 6, 22),
        ("facts", 0, 10),
    ]
    assert [t["limit_s"] for t in times] == [60, 60, 90]


@pytest.mark.usefixtures("pair")
def test_a_session_goes_on_where_it_was_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs that finished are kept though cases of them failed; of a pair, the one that is there."""
    codes = {"smoke": 0, "waits": 0, "21": 6, "22": None, "gathering": 1, "pytest": 1}
    assert made(tmp_path, Machine(codes), "--minutes", "60") == 1
    capsys.readouterr()
    machine = Machine()
    assert made(tmp_path, machine) == 0
    said = capsys.readouterr().out.splitlines()
    there = [line.partition(":")[0] for line in said if "was there; --only" in line]
    again = names_of(machine, tmp_path)
    assert sorted([*there, *again]) == sorted(NAMES)
    assert [name for name in again if name in {*FIRST, *SECOND}] == [
        "facts",
        "tests",
        "caches",
        "checks",
    ]
    assert "sweep-cuda-products" in there
    assert [c for c in machine.asked if "21" in c] == []
    assert len([c for c in machine.asked if "22" in c]) == 1


def test_a_run_counts_when_it_finished_not_by_its_exit_code(tmp_path: Path) -> None:
    """One that ended with 0 but left no run is made again."""

    class Forgetful(Machine):
        """Leaves no runs."""

        def __call__(self, command: Sequence[str], log: Path, limit_s: float) -> Ended:
            """It went well, it says."""
            super().__call__(command, log, limit_s)
            for path in log.parent.rglob("run.json"):
                path.unlink()
            return Ended(code=0, seconds=1)

    assert made(tmp_path, Forgetful(), "--only", "smoke") == 1
    assert not (tmp_path / "work" / "steps.json").exists()
    assert made(tmp_path, Machine({"mul": 6}), "--only", "smoke") == 0
    (found,) = kept(tmp_path, "steps.json")["smoke"].values()
    assert found["code"] == 6
    assert len(found["runs"]) == 1


@pytest.mark.usefixtures("pair")
def test_a_step_that_is_named_is_made_again(tmp_path: Path) -> None:
    """Beside the runs that are there: a store keeps them all."""
    for _ in range(2):
        machine = Machine()
        assert made(tmp_path, machine, "--only", "caches", "--only", "smoke") == 0
        assert names_of(machine, tmp_path) == ["smoke", "caches"]
    assert len(list((tmp_path / "work" / "caches").iterdir())) == 4
    with pytest.raises(SystemExit) as ended:
        session.main(["--only", "chekcs"], Machine())
    assert ended.value.code == 2


def test_without_a_gpu_nothing_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first step sees that; no other is made."""
    script = str(session_commands.ROOT / "tests" / "gpu" / "facts.py")
    machine = Machine({script: facts.NO_GPU})
    assert made(tmp_path, machine) == 1
    assert names_of(machine, tmp_path) == ["facts"]
    said = capsys.readouterr()
    assert said.err == "torch finds no CUDA device here, so nothing was tested\n"


def test_the_archive_is_there_after_each_step(tmp_path: Path) -> None:
    """The folder has it, the folder `work`, and nothing else."""
    machine = Machine({ONLY_CACHES_HAVE: 3})
    made(tmp_path, machine, "--minutes", "19")
    assert machine.archives == [False, *(len(machine.archives) - 1) * [True]]
    assert {path.name for path in tmp_path.iterdir()} == {"work", "session.tgz"}
    with tarfile.open(tmp_path / "session.tgz") as archive:
        names = archive.getnames()
    assert {"work/times.json", "work/steps.json", "work/pytest.ini", "work/caches.txt"} <= {*names}
    assert any(re.fullmatch(r"work/quick/run-.*/run\.json", name) for name in names)
    assert not any("partial" in name for name in names)


def test_the_archive_is_written_though_the_session_is_ended(tmp_path: Path) -> None:
    """By Ctrl-C, or a request to end."""

    class Ending(Machine):
        """Is ended within its first command."""

        def __call__(self, command: Sequence[str], log: Path, limit_s: float) -> Ended:
            """It never ends by itself."""
            super().__call__(command, log, limit_s)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, Ending())
    with tarfile.open(tmp_path / "session.tgz") as archive:
        assert "work/facts.txt" in archive.getnames()


def test_an_archive_has_its_limit(tmp_path: Path) -> None:
    """The largest files are left out, and a file in it names them."""
    folder = tmp_path / "work"
    (folder / "inner").mkdir(parents=True)
    sizes = {"inner/huge": 300_000, "large": 60_000, "small": 1000}
    for name, size in sizes.items():
        (folder / name).write_bytes(os.urandom(size))
    target = tmp_path / "session.tgz"
    target.write_text("an older one", encoding="utf-8")
    assert session_archive.pack(folder, target, most_bytes=100_000) == ["inner/huge"]
    assert target.stat().st_size <= 100_000
    with tarfile.open(target) as archive:
        assert archive.getnames() == ["work/large", "work/small", "work/left-out.txt"]
        note = archive.extractfile("work/left-out.txt")
        assert note
        assert note.read() == b"inner/huge: 300000 bytes\n"
    assert session_archive.pack(folder, target, most_bytes=1_000_000) == []


def test_an_archive_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The disk may be full; the older archive is left as it is."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session_archive, "_write", full)
    machine = Machine()
    assert made(tmp_path, machine, "--minutes", "5") == 0
    assert "No space left on device" in capsys.readouterr().err
    assert names_of(machine, tmp_path) == [*FIRST, "caches", "checks", "recheck"]


def test_a_command_is_cut_off_with_all_that_it_started(tmp_path: Path) -> None:
    """Also what ignores the request to end, and a worker with a group of its own; output is kept."""
    child = "import time; time.sleep(600)"
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"own = subprocess.Popen([sys.executable, '-c', '{child}'], start_new_session=True)\n"
        f"other = subprocess.Popen([sys.executable, '-c', '{child}'])\n"
        "print(own.pid, other.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    log = tmp_path / "log.txt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_commands, "GRACE_S", 0.2)
        ended = session_commands.run([sys.executable, "-c", code], log, 2, os.environ)
    assert ended.code is None
    assert 2 <= ended.seconds < 20
    assert ended.words.startswith("CUT OFF, ")
    pids = [int(word) for word in session_commands.tail(log, 1, 300)[0].split()]
    assert len(pids) == 2
    for pid in pids:
        psutil.wait_procs([p for p in psutil.process_iter() if p.pid == pid], timeout=10)
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_commands_run_in_the_checkout(tmp_path: Path) -> None:
    """`bench` is importable though it is not installed; what is printed is added to the file."""
    code = "import os, sys, bench; sys.exit(not os.path.samefile(os.getcwd(), sys.argv[1]))"
    assert run_here(tmp_path, "-c", code, str(session_commands.ROOT)).code == 0
    ended = run_here(tmp_path, "-c", "print('out'); import sys; sys.exit('err')")
    assert ended.code == 1
    assert session_commands.tail(tmp_path / "log.txt", 2, 300) == ["out", "err"]


def run_here(tmp_path: Path, *words: str) -> Ended:
    """Run Python as a session does."""
    environment = session_commands.environment(tmp_path, os.environ)
    return session_commands.run([sys.executable, *words], tmp_path / "log.txt", 60, environment)


def test_our_modules_are_found_beside_others_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some packages install a `tests` of their own."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run_here(tmp_path, "-c", "import tests.gpu.rows").code == 0


@pytest.mark.parametrize("name", ["session.py", "checks.py", "probe.py"])
def test_scripts_run_as_programs(name: str, tmp_path: Path) -> None:
    """As a user or the session starts them."""
    script = session_commands.ROOT / "tests" / "gpu" / name
    assert run_here(tmp_path, str(script), "--help").code == 0


def test_the_session_needs_no_path_to_be_set(tmp_path: Path) -> None:
    """It is started by its file's name, from anywhere."""
    script = str(session_commands.ROOT / "tests" / "gpu" / "session.py")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, script, "--list"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == len(NAMES)


def test_pytest_takes_no_settings_of_the_project(tmp_path: Path) -> None:
    """A warning is no error there, and no version is asked for; the marker is known."""
    (tmp_path / "pytest.ini").write_text(session_steps.pytest_settings(), encoding="utf-8")
    test = tmp_path / "test_made_up.py"
    test.write_text(
        "import warnings\nimport pytest\nimport tests.gpu.check\n\n"
        "@pytest.mark.gpu\ndef test_it():\n    warnings.warn('a warning')\n",
        encoding="utf-8",
    )
    (tests,) = (s for s in session_steps.all_steps(tmp_path) if s.name == "tests")
    command = [word for word in tests.commands[0][1:] if not word.endswith(".py")]
    ended = run_here(tmp_path, *command, "--strict-markers", str(test))
    said = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert ended.code == 0, said
    assert "1 passed, 1 warning" in said
    assert "plugins:" not in said


def test_everything_lands_in_one_folder(tmp_path: Path) -> None:
    """Absolute, since commands run in the checkout."""
    places = {"--store", "--out", "-c"}
    for one in session_steps.all_steps(tmp_path)[1:]:
        for command in one.commands:
            named = [Path(command[i + 1]) for i, word in enumerate(command) if word in places]
            assert named
            assert all(path.is_relative_to(tmp_path) for path in named)


def test_the_checks_look_where_the_steps_measure(tmp_path: Path) -> None:
    """Runs held against each other and caches have folders of their own; the sweep has the whole."""
    steps = {s.name: s for s in session_steps.all_steps(tmp_path)}
    stores = {n: {session_steps.store_of(c) for c in steps[n].commands} for n in MEASURING}
    assert stores["quick"] == stores["again"] == {tmp_path / checks.REPEATS_STORE}
    assert steps["quick"].commands == steps["again"].commands
    assert stores["caches"] == {tmp_path / checks.CACHES_STORE}
    assert all(stores[name] == {tmp_path} for name in MEASURING if name.startswith("sweep"))


def test_the_probe_is_made_in_whole(tmp_path: Path) -> None:
    """Each of its sections in one step."""
    named = [
        word
        for s in session_steps.all_steps(tmp_path)
        if s.name.startswith("probe")
        for word in s.commands[0][4:]
    ]
    assert sorted(named) == sorted(section.__name__ for section in probe.SECTIONS)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_the_sweep_leaves_no_suite_out(device: str, tmp_path: Path) -> None:
    """Each is in one part, on each device."""
    named = [
        word
        for s in session_steps.all_steps(tmp_path)
        if s.name.startswith(f"sweep-{device}")
        for command in s.commands
        for word in command[4 : command.index("--preset")]
    ]
    assert sorted(named) == sorted({one.suite.name for one in discover.load_all(())})


@pytest.mark.parametrize("name", MEASURING)
def test_no_step_is_estimated_shorter_than_bench_says(name: str, tmp_path: Path) -> None:
    """By the estimate of `bench list`; without a GPU its cases are skips, and count as well."""
    (one,) = (s for s in session_steps.all_steps(tmp_path) if s.name == name)
    asked = [request(command) for command in one.commands]
    plans = [each.plan() for each in asked]
    estimates_s = [
        each.estimate_s(len(plan.cases) + len(plan.skips))
        for each, plan in zip(asked, plans, strict=True)
    ]
    assert 5 < sum(estimates_s) < one.seconds.estimate + 5
    assert one.seconds.least <= one.seconds.estimate <= one.seconds.limit


def request(command: Sequence[str]) -> Request:
    """What a command asks for; of a command that names no device, on a machine with one GPU."""
    words = [word for word in command[command.index("run") + 1 :] if word != "--no-roofs"]
    first = next(place for place, word in enumerate(words) if word.startswith("-"))
    options = list(zip(words[first::2], words[first + 1 :: 2], strict=True))
    known = dict(options)
    return Request(
        suites=tuple(words[:first]),
        keyword=known.get("-k", ""),
        devices=(known["--device"],) if "--device" in known else ("cpu", "cuda"),
        settings=parse_settings([value for option, value in options if option == "--set"]),
        preset=known.get("--preset", "quick"),
        budget_s=parse_budget(known.get("--budget"), "--budget"),
        workers=int(known["--workers"]) if "--workers" in known else None,
        rounds=int(known["--rounds"]) if "--rounds" in known else None,
        cache=known.get("--cache", "hot"),
    )


def test_cases_lie_on_both_sides_of_the_l2_of_usual_gpus(tmp_path: Path) -> None:
    """From 4 MB (T4) to 50 MB (H100), by what the cases declare that they move."""
    (one,) = (s for s in session_steps.all_steps(tmp_path) if s.name == "caches")
    plan = dataclasses.replace(request(one.commands[0]), devices=("cpu",)).plan()
    moved = [case.bytes or 0.0 for case in plan.cases]
    for l2_bytes in (4 * 2**20, 40 * 2**20, 50 * 2**20):
        assert sum(0 < each <= rows.SMALL * l2_bytes for each in moved) >= 2
        assert sum(each >= rows.LARGE * l2_bytes for each in moved) >= 2


def test_presets_and_scripts_exist(tmp_path: Path) -> None:
    """What the commands name is there."""
    commands = [command for s in session_steps.all_steps(tmp_path) for command in s.commands]
    named = {c[c.index("--preset") + 1] for c in commands if "--preset" in c}
    assert named <= set(PRESETS)
    assert all(Path(word).is_file() for c in commands for word in c[1:] if word.endswith(".py"))


def test_tests_for_a_gpu_need_nothing_that_only_developers_have() -> None:
    """The machine has what measuring needs, and pytest."""
    files = session_steps.gpu_tests()
    assert files
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert [name for name, text in texts.items() if ONLY_DEVELOPERS_HAVE.search(text)] == []
