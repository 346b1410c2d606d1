"""The steps of a GPU session, the most telling first: their commands, estimates and limits."""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.gpu.session_commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Command = tuple[str, ...]

FACTS = "facts"
PYTEST_SETTINGS = "pytest.ini"
NEEDS_A_GPU = re.compile(r"^@pytest\.mark\.gpu$", re.MULTILINE)
SMOKE = ("mul", "matmul")
WAITS = ("gradient", "interop", "transfer", "-k", "not n=100000")
BOTH_SIDES_OF_THE_L2 = "n=256,512,1024,2048,8192"
"""Sides of float32 matrices: below a quarter of an L2 of 4 to 50 MB, and above four times that."""
CACHES: Command = (
    *("mul", "-k", "matrices or scalar", "--set", BOTH_SIDES_OF_THE_L2),
    *("--set", "dtype=float32", "--budget", "300ms"),
)
QUICK: Command = ("--preset", "quick", "--patience", "10s")
"""On the GPU and on its host's CPU, in one run: what is compared was measured in the same minutes. A GPU
machine is rented by the minute, so a run may wait for its reference state for some seconds only."""
MANY_CORES = 8
"""From so many cores on, six workers are started at once in the time of one; with two, the run would take twice as long."""
SWEEPS = {
    "products": (("matmul", "mul", "products", "transfer", "view"), {"cuda": 450, "cpu": 330}),
    "backward": (("backward", "cat", "gradient"), {"cuda": 475, "cpu": 330}),
    "creation": (("creation", "like"), {"cuda": 445, "cpu": 330}),
    "arithmetic": (("activation", "broadcast", "elementwise"), {"cuda": 510, "cpu": 380}),
    "parts": (
        ("gathering", "indexing", "metadata", "reduction", "spread"),
        {"cuda": 425, "cpu": 320},
    ),
    "layers": (
        ("autograd", "graph", "interop", "loop", "nn", "training"),
        {"cuda": 400, "cpu": 300},
    ),
    "algebra": (("linalg", "einsum", "fourier"), {"cuda": 480, "cpu": 420}),
    "networks": (
        ("attention", "normalisation", "recurrent", "loss", "embedding"),
        {"cuda": 520, "cpu": 460},
    ),
    "images": (("convolution", "pooling"), {"cuda": 260, "cpu": 220}),
    "positions": (("searching", "scanning", "scattering", "random"), {"cuda": 350, "cpu": 310}),
    "steps": (("optimizer", "sparse", "low_precision", "fusion"), {"cuda": 300, "cpu": 260}),
}
"""Every suite, the most telling first, in parts: what is cut off in one of them leaves the others whole.
With each about how many seconds it takes on a device."""


class Seconds(NamedTuple):
    """How long a step takes."""

    estimate: float
    """All its commands, on an H200: where that was measured, a quarter more than it took there."""
    least: float
    """With less time than that left, a command is not worth starting."""
    limit: float
    """When a command is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: a name, what it is in words, and its commands."""

    name: str
    what: str
    commands: tuple[Command, ...]
    seconds: Seconds
    each_time: bool = False
    """Whether it is made again in a session that goes on: what it finds depends on what is there."""

    def described(self) -> str:
        """Its name, what it is, and how long it takes."""
        takes = f"about {self.seconds.estimate:.0f} s, each command cut off after {self.seconds.limit:.0f} s"
        if len(self.commands) == 1:
            takes = takes.replace("each command ", "")
        return f"{self.name}: {self.what} ({takes})"

    def pasteable(self) -> list[str]:
        """Its commands, as a shell takes them."""
        return [f"  {shlex.join(command)}" for command in self.commands]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A step in what is planned for a session: what it may take, or why it is not made."""

    step: Step
    left_s: float
    why_not: str = ""

    @property
    def limit_s(self) -> float:
        """Of its first command."""
        return min(self.step.seconds.limit, self.left_s)


def planned(steps: Iterable[Step], left_s: float, there: Iterable[str] = ()) -> Iterator[Turn]:
    """What is made in so many seconds, if every step takes what is estimated."""
    done = set(there)
    for step in steps:
        why_not = why_not_made(step, left_s, there=step.name in done)
        yield Turn(step=step, left_s=left_s, why_not=why_not)
        if not why_not:
            left_s -= min(step.seconds.estimate, left_s)


def why_not_made(step: Step, left_s: float, *, there: bool) -> str:
    """Why a step is not made with so many seconds left; empty if it is."""
    if there:
        return f"was there; --only {step.name} makes it again"
    if left_s < step.seconds.least:
        return f"does not fit: {max(left_s, 0):.0f} s left, it needs {step.seconds.least:.0f} s"
    return ""


def store_of(command: Command) -> Path | None:
    """The folder that a command leaves its run in, if it makes one."""
    if "--store" not in command:
        return None
    return Path(command[command.index("--store") + 1])


def all_steps(work: Path) -> tuple[Step, ...]:
    """Every step; what they find is in this folder."""
    return (
        *_first(work),
        *_second(work),
        *_sweep(work, "cuda"),
        _checks(work, "recheck", "what must hold, of all that was measured"),
        *_sweep(work, "cpu"),
    )


def _first(work: Path) -> tuple[Step, ...]:
    """What this GPU does, and whether anything of ours breaks: four minutes."""
    return (
        Step(
            name=FACTS,
            what="the machine, its packages, and how long torch takes to start",
            commands=(_script("facts.py"),),
            seconds=Seconds(10, 8, 90),
            each_time=True,
        ),
        Step(
            name="probe-launch",
            what="what a launch costs: the end of a sample, events, gaps",
            commands=(_probe(work, "drain", "events", "gaps"),),
            seconds=Seconds(6, 5, 45),
        ),
        Step(
            name="probe-capture",
            what="which calls can be recorded as a graph; the profiler",
            commands=(_probe(work, "captures", "profiler"),),
            seconds=Seconds(16, 13, 75),
        ),
        Step(
            name="smoke",
            what="products, from end to end",
            commands=(_short(work / "smoke", *SMOKE, "--budget", "200ms"),),
            seconds=Seconds(27, 22, 90),
        ),
        Step(
            name="waits",
            what="calls that wait for the GPU or can't be recorded",
            commands=(_short(work / "waits", *WAITS, "--budget", "100ms"),),
            seconds=Seconds(27, 22, 100),
        ),
        Step(
            name="tests",
            what="the tests that need a GPU",
            commands=(_tests(work),),
            seconds=Seconds(9, 7, 90),
        ),
        Step(
            name="commands",
            what="profile, ab, crossover, energy and cold caches, briefly",
            commands=_commands(work),
            seconds=Seconds(85, 12, 60),
        ),
        Step(
            name="probe-clock",
            what="the clock after idling, the queue, the driver's answers, threads on one core",
            commands=(_probe(work, "spins", "depth", "nvml", "affinity"),),
            seconds=Seconds(20, 16, 90),
        ),
        Step(
            name="probe-memory",
            what="how much empties the caches, products, bandwidth",
            commands=(_probe(work, "flush", "matmul", "bandwidth"),),
            seconds=Seconds(15, 12, 120),
        ),
    )


def _second(work: Path) -> tuple[Step, ...]:
    """Whether the numbers can be believed: a quarter of an hour."""
    caches = str(work / "caches")
    quick = _run(*QUICK, *how_often(os.cpu_count() or 1), "--store", str(work / "quick"))
    return (
        Step(
            name="quick",
            what="the quick cases on the GPU and on the CPU, with roofs",
            commands=(quick,),
            seconds=Seconds(390, 300, 600),
        ),
        Step(
            name="caches",
            what="a few cases of many sizes, with hot and with cold caches",
            commands=(_short(caches, *CACHES),),
            seconds=Seconds(24, 19, 60),
        ),
        _checks(work, "checks", "what must hold, into checks.json"),
        Step(
            name="peers",
            what="what other timers say of the same calls",
            commands=(_script("peers.py", "--out", str(work / "peers")),),
            seconds=Seconds(80, 60, 150),
        ),
        Step(
            name="again",
            what="the quick cases once more, to be compared with the first time",
            commands=(quick,),
            seconds=Seconds(360, 300, 600),
        ),
    )


def how_often(cores: int) -> Command:
    """How often the quick cases are measured on a host of so many cores, for them to fit into ten minutes."""
    if cores >= MANY_CORES:
        return ("--budget", "250ms")
    return ("--workers", "3", "--rounds", "4", "--budget", "150ms")


def _commands(work: Path) -> tuple[Command, ...]:
    """Every command that measures, but `run` as other steps make it."""
    on_gpu, one, brief = ("--device", "cuda"), ("-k", "in_place and n=1024"), ("--budget", "15")
    profile = ("profile", "matmul/square and n=64 and float32", *on_gpu)
    ab = ("ab", "mul", *one, *on_gpu, "--b-env", "TENSORBENCH_SIDE=b")
    crossover = ("crossover", "mul/matrices", "--between", "cpu,cuda")
    return (
        _bench(*profile, "--out", str(work / "traces")),
        _bench(*ab, *brief, "--store", str(work / "ab")),
        _bench(*crossover, *brief, "--store", str(work / "crossover")),
        _short(work / "energy", "mul", *one, "--energy", "--budget", "100ms"),
        _short(work / "cold", "mul", "--cache", "cold", "--budget", "100ms"),
    )


def _checks(work: Path, name: str, what: str) -> Step:
    return Step(
        name=name,
        what=what,
        commands=(_script("checks.py", "--out", str(work)),),
        seconds=Seconds(28, 24, 90),  # 13 s there; a graph and proton are asked for 10 more since
        each_time=True,
    )


def _sweep(work: Path, device: str) -> list[Step]:
    """All cases on a device."""
    how = ("--preset", "colab", "--device", device, "--store", str(work))
    return [
        Step(
            name=f"sweep-{device}-{part}",
            what=f"all cases of {', '.join(suites)} on {device}",
            commands=(_run(*suites, *how),),
            seconds=Seconds(takes_s[device], takes_s[device], 3 * takes_s[device]),
        )
        for part, (suites, takes_s) in SWEEPS.items()
    ]


def _probe(work: Path, *sections: str) -> Command:
    return _script("probe.py", "--out", str(work), *sections)


def _short(store: str | Path, *words: str) -> Command:
    """A run of two workers on the GPU that waits for nothing and measures no roofs."""
    how = ("--device", "cuda", "--workers", "2", "--rounds", "4", "--patience", "0", "--no-roofs")
    return _run(*words, *how, "--store", str(store))


def _run(*words: str) -> Command:
    return _bench("run", *words)


def _bench(*words: str) -> Command:
    return (sys.executable, "-m", "bench", *words)


def _script(name: str, *words: str) -> Command:
    return (sys.executable, str(ROOT / "tests" / "gpu" / name), *words)


def _tests(work: Path) -> Command:
    """Pytest with settings of its own: those of the project want a new pytest, and no warnings.

    `tests/conftest.py` is left out, since it needs what only developers have.
    """
    settings = ("-c", str(work / PYTEST_SETTINGS), "--rootdir", str(ROOT), "--noconftest")
    how = ("--import-mode=importlib", "-p", "no:cacheprovider", "-W", "default", "-ra")
    return (sys.executable, "-m", "pytest", *settings, *how, "-m", "gpu", *map(str, gpu_tests()))


@functools.cache
def gpu_tests() -> tuple[Path, ...]:
    """The files that hold tests for a GPU: others may need packages that only developers have."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return tuple(path for path in files if NEEDS_A_GPU.search(path.read_text(encoding="utf-8")))


def pytest_settings() -> str:
    """What these tests need of a configuration, in the words of every pytest since 8."""
    return (
        "[pytest]\n"
        f"pythonpath = {shlex.quote(str(ROOT))}\n"
        "markers =\n"
        "    gpu: needs a CUDA device\n"
        "    slow: takes more than a few seconds\n"
    )
