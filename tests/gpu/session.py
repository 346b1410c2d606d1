"""All that is to be done on a machine with a GPU, in one command, without a network or an installation.

    python tests/gpu/session.py --out gpu-results

`--list` shows the steps, `--only NAME` makes one of them (several times for several). Steps are programs
of their own, meant to take less than ten minutes each: one that fails is reported, and the others are
made all the same. A session that was cut off goes on in the same folder: what was measured whole is kept
and not measured again, unless its step is named.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Do = Callable[[Sequence[str]], int]
    """Runs a command to its end and gives its exit code."""

ROOT = Path(__file__).resolve().parents[2]
OUT = Path("gpu-results")
THERE = "steps.json"
"""In that folder: the names of the steps whose runs are there."""
NEEDS_A_GPU = re.compile(r"^@pytest\.mark\.gpu$", re.MULTILINE)
CUDA_CHECK = (
    sys.executable,
    "-c",
    "import sys, torch; sys.exit(not torch.cuda.is_available())",
)
SWEEPS = {
    "products": ("matmul", "mul", "products", "transfer", "view"),
    "backward": ("backward", "cat", "gradient"),
    "creation": ("creation", "like"),
    "arithmetic": ("activation", "broadcast", "elementwise"),
    "parts": ("gathering", "indexing", "metadata", "reduction", "spread"),
    "layers": ("autograd", "graph", "interop", "loop", "nn", "training"),
}
"""Every suite, the most telling first, in parts of four to six minutes on each device: a command may be
cut off after ten."""
BOTH_SIDES_OF_THE_L2 = "n=256,512,1024,2048,8192"
"""Sides of float32 matrices: below a quarter of an L2 of 4 to 50 MB, and above four times that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: a name, what it is in words, and the commands, each of which must succeed."""

    name: str
    what: str
    commands: tuple[tuple[str, ...], ...]
    measures: bool = False
    """Whether it leaves runs, which need not be made again."""


def steps(out: Path) -> tuple[Step, ...]:
    """Every step, the most telling first, so that a session that is cut off has most of them."""
    python = sys.executable
    checks = (python, str(ROOT / "tests" / "gpu" / "checks.py"), "--out", str(out))
    tests = (python, "-m", "pytest", "-m", "gpu", *map(str, gpu_tests()))
    return (
        Step(name="tests", what="the tests that need a GPU", commands=(tests,)),
        _repeat(out / "repeats"),
        _caches(out / "caches"),
        Step(name="checks", what="what must hold, into checks.json", commands=(checks,)),
        *_sweep(out, "cuda"),
        Step(name="recheck", what="what must hold, of all that was measured", commands=(checks,)),
        *_sweep(out, "cpu"),
    )


def _repeat(store: Path) -> Step:
    again = _run("--preset", "quick", "--device", "cuda", "--store", str(store))
    what = "the quick cases, measured twice"
    return Step(name="repeat", what=what, commands=(again, again), measures=True)


def _caches(store: Path) -> Step:
    cases = ("mul", "-k", "matrices or scalar", "--set", BOTH_SIDES_OF_THE_L2)
    how = ("--set", "dtype=float32", "--preset", "colab", "--budget", "1s", "--device", "cuda")
    one, other = (
        _run(*cases, *how, "--cache", cache, "--store", str(store)) for cache in ("hot", "cold")
    )
    what = "a few cases with hot and with cold caches"
    return Step(name="caches", what=what, commands=(one, other), measures=True)


def _sweep(store: Path, device: str) -> list[Step]:
    """All cases on a device."""
    how = ("--preset", "colab", "--device", device, "--store", str(store))
    return [
        Step(
            name=f"sweep-{device}-{part}",
            what=f"all cases of {', '.join(suites)} on {device}",
            commands=(_run(*suites, *how),),
            measures=True,
        )
        for part, suites in SWEEPS.items()
    ]


def _run(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "bench", "run", *words)


def gpu_tests() -> list[Path]:
    """The files that hold tests for a GPU: others may need packages that only developers have."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [path for path in files if NEEDS_A_GPU.search(path.read_text(encoding="utf-8"))]


def main(argv: Sequence[str] | None = None, do: Do | None = None) -> int:
    """Make the steps; 1 where one of them failed, or where there is no GPU to make them on."""
    asked = _arguments(argv)
    out = asked.out.resolve()
    chosen = [step for step in steps(out) if step.name in (asked.only or [step.name])]
    if asked.list:
        print("\n".join(described(step) for step in chosen))
        return 0
    run = do or run_here
    if run(CUDA_CHECK):
        print("torch finds no CUDA device here, so nothing was tested", file=sys.stderr)
        return 1
    there = [] if asked.only else _there(out)
    failures = made([step for step in chosen if step.name not in there], run, out)
    for step in chosen:
        print(f"{step.name}: {_became(step, failures)}", flush=True)
    return 1 if any(failures.values()) else 0


def _became(step: Step, failures: Mapping[str, list[str]]) -> str:
    if step.name not in failures:
        return f"was there; --only {step.name} makes it again"
    return "; ".join(failures[step.name]) or "ok"


def made(chosen: Sequence[Step], run: Do, out: Path) -> Mapping[str, list[str]]:
    """Step → what failed in it; every command is run, whatever became of the others."""
    failures: dict[str, list[str]] = {}
    for step in chosen:
        print(f"== {step.name}: {step.what}", flush=True)
        ended = [(command, run(command)) for command in step.commands]
        failures[step.name] = [
            f"FAILED with exit code {code}: {shlex.join(command)}"
            for command, code in ended
            if code
        ]
        if step.measures and not failures[step.name]:
            _keep(out, step)
    return failures


def _there(out: Path) -> list[str]:
    """The steps whose runs are all in this folder."""
    path = out / THERE
    found: list[str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return found


def _keep(out: Path, step: Step) -> None:
    """Note that a step's runs are there, as soon as they are."""
    out.mkdir(parents=True, exist_ok=True)
    names = sorted({*_there(out), step.name})
    (out / THERE).write_text(json.dumps(names) + "\n", encoding="utf-8")


def described(step: Step) -> str:
    """A step and its commands, to be read or pasted."""
    return "\n".join([f"{step.name}: {step.what}", *(f"  {shlex.join(c)}" for c in step.commands)])


def run_here(command: Sequence[str]) -> int:
    """Run a command in the checkout, which needs no installation for that."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, help="a folder for all that is found")
    parser.add_argument("--list", action="store_true", help="show the steps and do nothing")
    names = [step.name for step in steps(OUT)]
    parser.add_argument("--only", action="append", choices=names, help="make this step")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
