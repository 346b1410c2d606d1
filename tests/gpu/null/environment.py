"""An environment for the null GPU: a CUDA build of torch in a folder of its own, and the stub built for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
NOT_INSTALLED = re.compile(r"^torch\b")
FOR_TESTS = ("pytest>=8", "hypothesis>=6.150")


class NoEnvironmentError(Exception):
    """What is wrong with it, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter with a CUDA build of torch, and the folder of the stub that was built for it."""

    python: Path
    stub: Path
    torch: str

    def variables(self, settings: Mapping[str, str], work: Path) -> dict[str, str]:
        """The variables of a process on the null GPU: everything around, the stub, and these settings of it."""
        around = {k: v for k, v in os.environ.items() if not k.startswith("NULLGPU_")}
        return {
            **around,
            "LD_LIBRARY_PATH": str(self.stub),
            "LD_PRELOAD": str(self.stub / "libcuda.so.1"),
            "PYTHONPATH": str(ROOT),
            "TENSORBENCH_CACHE": str(work / "cache"),
            **{f"NULLGPU_{name}": value for name, value in settings.items()},
        }


def prepared(torch: str, python: Path | None, folder: Path) -> Environment:
    """The environment, made where it is not there yet, with the stub built anew.

    Args:
        torch: the release to install.
        python: an interpreter that has a CUDA build already; None makes an environment.
        folder: for what is made.

    Raises:
        NoEnvironmentError: it can't be had.
    """
    interpreter = python or _installed(torch, folder / f"torch-{torch}")
    version, cuda, packages = _facts(interpreter)
    if not cuda.startswith("13."):
        message = (
            f"{interpreter} has torch {version}, {f'for CUDA {cuda}' if cuda else 'without CUDA'}; the null GPU "
            "stands for CUDA 13: install torch==2.11.0 or later from PyPI and name it with --python"
        )
        raise NoEnvironmentError(message)
    stub = folder / f"stub-{version}"
    _run("sh", str(HERE / "build.sh"), packages, str(stub), doing="building the stub")
    return Environment(python=interpreter, stub=stub, torch=version)


def _installed(torch: str, folder: Path) -> Path:
    """An environment with this torch and what else the project needs."""
    interpreter = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        print(f"making {folder}: some 5 GB, several minutes", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder), doing="making an environment")
        wanted = [f"torch=={torch}", *_dependencies(), *FOR_TESTS]
        _run(
            str(interpreter),
            "-m",
            "pip",
            "install",
            "--quiet",
            *wanted,
            doing=f"installing torch {torch}",
        )
        (folder / "complete").touch()
    return interpreter


def _dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [one for one in project["dependencies"] if not NOT_INSTALLED.match(one)]


def _facts(python: Path) -> tuple[str, str, str]:
    """The version of torch, that of its CUDA ('' without), and the folder of packages."""
    asked = "import torch, sysconfig; print(torch.__version__, torch.version.cuda or '-', sysconfig.get_path('purelib'))"
    version, cuda, packages = _run(str(python), "-c", asked, doing=f"asking {python}").split(
        maxsplit=2
    )
    return version, "" if cuda == "-" else cuda, packages.strip()


def _run(*command: str, doing: str) -> str:
    """What a command prints.

    The machine's own settings of pip are left out: a constraint made for another environment may name a build
    without CUDA.
    """
    around = {k: v for k, v in os.environ.items() if k not in {"PIP_CONSTRAINT", "PIP_FIND_LINKS"}}
    try:
        done = subprocess.run(
            command,
            env={**around, "PIP_CONFIG_FILE": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        message = f"{doing} failed: {error}"
        raise NoEnvironmentError(message) from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        message = f"{doing} failed with exit code {done.returncode}: {' '.join(last)}"
        raise NoEnvironmentError(message)
    return done.stdout
