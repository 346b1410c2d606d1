"""All that is to be done on a machine with a GPU, in one command, without a network or an installation.

    python tests/gpu/session.py --out gpu-results

`--list` shows the steps, `--only NAME` makes one of them (several times for several). Steps are programs
of their own: one that fails is reported, and the others are made all the same.
"""

from __future__ import annotations

import argparse
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
NEEDS_A_GPU = re.compile(r"^@pytest\.mark\.gpu$", re.MULTILINE)
CUDA_CHECK = (
    sys.executable,
    "-c",
    "import sys, torch; sys.exit(not torch.cuda.is_available())",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: a name, what it is in words, and the commands, each of which must succeed."""

    name: str
    what: str
    commands: tuple[tuple[str, ...], ...]


def steps(out: Path) -> tuple[Step, ...]:
    """Every step, the shortest first, so that a session that is cut off has most of them."""
    python, bench_run = sys.executable, (sys.executable, "-m", "bench", "run")
    again = (*bench_run, "--preset", "quick", "--device", "cuda", "--store", str(out / "repeats"))
    sweep = (*bench_run, "--preset", "colab", "--device", "all", "--store", str(out))
    checks = (python, str(ROOT / "tests" / "gpu" / "checks.py"), "--out", str(out))
    tests = (python, "-m", "pytest", "-m", "gpu", *map(str, gpu_tests()))
    return (
        Step(name="tests", what="the tests that need a GPU", commands=(tests,)),
        Step(name="repeat", what="the quick cases, measured twice", commands=(again, again)),
        Step(name="checks", what="what must hold, into checks.json", commands=(checks,)),
        Step(name="sweep", what="all cases on all devices", commands=(sweep,)),
    )


def gpu_tests() -> list[Path]:
    """The files that hold tests for a GPU: others may need packages that only developers have."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [path for path in files if NEEDS_A_GPU.search(path.read_text(encoding="utf-8"))]


def main(argv: Sequence[str] | None = None, do: Do | None = None) -> int:
    """Make the steps; 1 where one of them failed, or where there is no GPU to make them on."""
    asked = _arguments(argv)
    chosen = [
        step for step in steps(asked.out.resolve()) if step.name in (asked.only or [step.name])
    ]
    if asked.list:
        print("\n".join(described(step) for step in chosen))
        return 0
    run = do or run_here
    if run(CUDA_CHECK):
        print("torch finds no CUDA device here, so nothing was tested", file=sys.stderr)
        return 1
    codes = made(chosen, run)
    for name, failed in codes.items():
        print(f"{name}: " + ("; ".join(failed) or "ok"), flush=True)
    return 1 if any(codes.values()) else 0


def made(chosen: Sequence[Step], run: Do) -> Mapping[str, list[str]]:
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
    return failures


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
