"""Another Python interpreter for workers: its facts, and how it runs our code. Torch-free.

Workers of every interpreter run this package and no other version of it, so that both ends of a
conversation speak the same protocol, and two sides differ in what is beneath it alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANSWER_TIMEOUT_S = 60.0
"""Python starts in a tenth of a second, from a cold network drive in some."""
_OLDEST_PYTHON = (3, 11)
_NEEDED_MODULES = {"torch": "torch", "numpy": "numpy", "psutil": "psutil", "pynvml": "nvidia-ml-py"}
"""Module that a worker imports → package that it is installed as."""
_PACKAGE = Path(__file__).resolve().parents[1]
_FACTS_SCRIPT = """
import importlib.util, json, platform, sys
from importlib import metadata
packages = {}
for name in ("torch", "numpy", "triton", "intel-openmp", "mkl"):
    try:
        packages[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
lacks = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
python = f"{platform.python_implementation()} {platform.python_version()}"
print(json.dumps([list(sys.version_info[:2]), python, packages, lacks]))
"""
_WORKER_SCRIPT = """
import importlib.util, runpy, sys
folder = sys.argv.pop(1)
places = [folder]
spec = importlib.util.spec_from_file_location(
    "bench", folder + "/__init__.py", submodule_search_locations=places
)
sys.modules["bench"] = bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)
runpy.run_module("bench.worker", run_name="__main__")
"""
"""Our package by its path: its folder on the search path would bring what else is installed there, ahead of the
checkout that `PYTHONPATH` names, and both sides of an A/B would run the installed code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """An interpreter's own facts."""

    path: str
    python: str
    packages: Mapping[str, str]
    """Package → version, of those that can change a number."""


def command(path: str | None) -> list[str]:
    """The command that starts a worker in an interpreter, by default ours, with our package."""
    return [path or sys.executable, "-P", "-c", _WORKER_SCRIPT, str(_PACKAGE)]


def find(word: str, option: str, base: Mapping[str, str]) -> Interpreter:
    """The interpreter that a word means: a path, or a name on the search path.

    Its path is not resolved, since that of a virtual environment is a link to the one beneath.

    Raises:
        WorkerError: it is not there, does not run, is too old, or lacks what a worker imports.
    """
    path = shutil.which(word, path=base.get("PATH"))
    if path is None:
        message = f"{option} {word}: there is no such program; name an interpreter (bin/python)"
        raise WorkerError(message)
    path = os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow the link
    version, python, packages, lacks = _asked(path, option, base)
    if tuple(version) < _OLDEST_PYTHON:
        oldest = ".".join(map(str, _OLDEST_PYTHON))
        message = f"{option} {word} is {python}; workers need Python {oldest} or newer"
        raise WorkerError(message)
    if lacks:
        missing = ", ".join(lacks)
        wanted = " ".join(_NEEDED_MODULES[name] for name in lacks)
        message = f"{option} {word} lacks {missing}; install with: {word} -m pip install {wanted}"
        raise WorkerError(message)
    return Interpreter(path=path, python=python, packages=packages)


def _asked(
    path: str, option: str, base: Mapping[str, str]
) -> tuple[list[int], str, dict[str, str], list[str]]:
    """Version, name, packages, and which of the needed modules are missing."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own choice of program, no shell
            [path, "-c", _FACTS_SCRIPT, *_NEEDED_MODULES],
            env=dict(base),
            capture_output=True,
            text=True,
            check=True,
            timeout=_ANSWER_TIMEOUT_S,
        )
        version, python, packages, lacks = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        message = f"{option} {path} does not run as a Python; name an interpreter (bin/python)"
        raise WorkerError(message) from error
    return version, python, packages, lacks
