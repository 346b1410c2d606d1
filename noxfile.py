"""Every check of this project: `nox` runs all that need no GPU, `nox -l` lists them, `nox -s NAME` runs one.

Sessions share the environment that nox itself runs in, because torch is too large to install for each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent
SCRIPTS = Path(sys.executable).parent


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's rules, its format, and the hooks that run before a commit."""
    session.run(sys.executable, "-m", "ruff", "check", ".")
    session.run(sys.executable, "-m", "ruff", "format", "--check", ".")
    if not (ROOT / ".git").exists():
        session.warn("this is no git checkout, so the hooks have no list of files to look at")
        return
    # Without the two hooks that are ruff again: before a commit they rewrite files, a check should not.
    others = ("--skip", "ruff-check", "--skip", "ruff-format")
    session.run(sys.executable, "-m", "prek", "run", "--all-files", *others)


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy, strict, over the package, the suites, the tests and this file."""
    session.run(sys.executable, "-m", "mypy", *session.posargs)


@nox.session
def layers(session: nox.Session) -> None:
    """Imports go down only, and what must not import torch, pandas or a suite does not (import-linter)."""
    session.run(str(SCRIPTS / "lint-imports"), "--no-cache", *session.posargs, external=True)


PYTEST = ("pytest", "-m", "not gpu", "-n", "2", "--dist", "worksteal", "--benchmark-disable")
"""All tests but those that need a GPU, two at a time. pytest-benchmark would warn that it measures nothing beside other tests: none of ours does."""


@nox.session
def tests(session: nox.Session) -> None:
    """Behaviour: all tests but those that need a GPU, two at a time."""
    session.run(sys.executable, "-m", *PYTEST, *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """The same tests, and how much of the code they reach; tracing makes them take 60 % longer."""
    session.run(sys.executable, "-m", "coverage", "erase")
    session.run(sys.executable, "-m", "coverage", "run", "-m", *PYTEST, *session.posargs)
    session.run(sys.executable, "-m", "coverage", "combine", "--quiet")
    session.run(sys.executable, "-m", "coverage", "report")


@nox.session
def smoke(session: nox.Session) -> None:
    """The wheel, as a user has it: built, installed, and used from an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        wheels, installed, empty = (Path(name) / part for part in ("wheels", "installed", "empty"))
        empty.mkdir()
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
        build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels))
        session.run(*pip, *build, str(ROOT))
        (wheel,) = wheels.glob("tensorbench-*.whl")
        session.run(*pip, "install", "--no-deps", "--target", str(installed), str(wheel))
        _first_use(session, empty, installed)


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """Pages as their readers have them: Debian's Chromium, Playwright and axe-core; four minutes."""
    pair = ("-n", "2", "--dist", "worksteal")
    session.run(sys.executable, "-m", "pytest", "tests/browser", *pair, *session.posargs)


@nox.session(name="fleet", default=False)
def fleet_faults(session: nox.Session) -> None:
    """Campaigns through a real Slurm of four nodes and a real ssh server, with their faults: as root; five minutes."""
    programs = {"slurmctld": "slurm-wlm", "munged": "munge", "sshd": "openssh-server"}
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    missing = [package for name, package in programs.items() if not shutil.which(name, path=path)]
    if missing and os.getuid() == 0:
        session.run("apt-get", "update", "-qq", external=True)
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)
        session.run(*install, external=True, env={"DEBIAN_FRONTEND": "noninteractive"})
    with tempfile.TemporaryDirectory() as name:  # of its own: what ReFrame needs is none of ours
        session.run(sys.executable, "-m", "venv", name, silent=True)
        session.run(f"{name}/bin/pip", "install", "-q", "reframe-hpc==4.10.4", external=True)
        paths = os.pathsep.join((os.environ.get("PATH", ""), f"{name}/bin"))
        places = ("tests/fleet/real", "tests/fleet/reframe")
        # One after the other: four nodes share this machine's cores already.
        how = (sys.executable, "-m", "pytest", *places, *session.posargs)
        session.run(*how, env={"PATH": paths})


@nox.session(name="fleet-errors", default=False)
def fleet_errors(session: nox.Session) -> None:
    """How often devices of simulated fleets are wrongly called slow, and slow ones found: `-- --repeats 10`; two minutes."""
    session.run(sys.executable, str(ROOT / "tests" / "lab" / "fleet.py"), *session.posargs)


@nox.session(default=False)
def gpu(session: nox.Session) -> None:
    """All that needs a CUDA device: `-- --minutes 10 --out DIR --only STEP`; without one this fails."""
    session.run(sys.executable, str(ROOT / "tests" / "gpu" / "session.py"), *session.posargs)


@nox.session(name="null-gpu", default=False)
def null_gpu(session: nox.Session) -> None:
    """Torch's real CUDA build on a device that is not there: `-- --torch 2.13.0 --only quick`; 5 GB, half an hour."""
    script = str(ROOT / "tests" / "gpu" / "null" / "session.py")
    session.run(sys.executable, script, *session.posargs)


@nox.session(default=False)
def repeatability(session: nox.Session) -> None:
    """How well unchanged code repeats, here and in other tools: `-- --runs 6 --budget 0.5`; minutes."""
    script = str(ROOT / "tests" / "lab" / "repeatability.py")
    session.run(sys.executable, script, *session.posargs)


@nox.session(default=False)
def cost(session: nox.Session) -> None:
    """What measuring costs beside sampling: `-- --budget 0.5 --runs 1`; a minute and a half."""
    session.run(sys.executable, str(ROOT / "tests" / "lab" / "cost.py"), *session.posargs)


@nox.session(default=False)
def pages(session: nox.Session) -> None:
    """How long pages take to build and to open, beside plain Plotly: `-- --only 1000x5`; minutes."""
    session.run(sys.executable, "-m", "tests.lab.pages", *session.posargs)


@nox.session(default=False)
def trueness(session: nox.Session) -> None:
    """Calls of known length, measured: how far off the number is: `-- --budget 1`; ten seconds."""
    session.run(sys.executable, str(ROOT / "tests" / "lab" / "trueness.py"), *session.posargs)


@nox.session(default=False)
def ab(session: nox.Session) -> None:
    """Is unchanged code called changed, and are +5 % found: `-- --repeats 10 --budget 30`; minutes."""
    session.run(sys.executable, str(ROOT / "tests" / "lab" / "ab.py"), *session.posargs)


@nox.session(default=False)
def roofs(session: nox.Session) -> None:
    """Our copies beside NumPy's and loops in C, of the same sizes: `-- --threads 2`; half a minute."""
    session.run(sys.executable, str(ROOT / "tests" / "lab" / "roofs.py"), *session.posargs)


def _first_use(session: nox.Session, empty: Path, installed: Path) -> None:
    """What a new user does: list the suites, measure a case, look at the result."""

    def python(*arguments: str) -> str:
        session.log("python " + " ".join(arguments))
        done = subprocess.run(  # noqa: S603 - this project's own program
            [sys.executable, *arguments],
            cwd=empty,
            env={**os.environ, "PYTHONPATH": str(installed)},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        expect(done.returncode == 0, f"exit code {done.returncode}")
        return done.stdout

    def expect(truth: bool, otherwise: str) -> None:  # noqa: FBT001 - the only thing it takes
        if not truth:
            session.error(otherwise)

    origin = Path(python("-c", "import bench; print(bench.__file__)").strip())
    expect(origin.is_relative_to(installed), f"{origin} is not the wheel's")
    expect("matmul/square" in python("-m", "bench", "list"), "list lacks matmul/square")

    narrow = ("matmul", "-k", "square and n=16", "--budget", "0.05", "--store", "S")
    result = json.loads(
        python("-m", "bench", "run", *narrow, "--patience", "0", "--no-roofs", "--report", "--json")
    )
    expect(result["cases"]["ok"] > 0, f"run measured nothing: {result}")
    expect((empty / result["report"]).is_file(), f"run wrote no page: {result}")

    runs = python("-m", "bench", "runs", "--store", "S", "--json")
    expect(result["run"] in json.dumps(json.loads(runs)), "runs lacks the run")
    rows = python("-m", "bench", "show", "@latest", "--store", "S", "--format", "json")
    expect("matmul/square[n=16" in json.dumps(json.loads(rows)), "show lacks the case")
