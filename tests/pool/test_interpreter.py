"""Another interpreter is asked what it is before a worker is started there, and runs our code, not its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.errors import WorkerError
from bench.pool import interpreter
from bench.pool.pool import WorkerPool
from bench.pool.process import worker_environment
from tests.fakes.workers import case


def script(path: Path, *lines: str) -> Path:
    """A program."""
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


def test_an_interpreter_says_what_it_is() -> None:
    """Its path stays as it is: that of a virtual environment is a link."""
    found = interpreter.find(sys.executable, "--a", os.environ)
    assert found.path == os.path.abspath(sys.executable)  # noqa: PTH100 - not resolved
    assert found.python.endswith(".".join(map(str, sys.version_info[:3])))
    assert "torch" in found.packages


def test_a_name_is_looked_up(tmp_path: Path) -> None:
    """On the search path, which may be the side's own."""
    script(tmp_path / "mypython", f'exec "{sys.executable}" "$@"')
    found = interpreter.find("mypython", "--a", {**os.environ, "PATH": str(tmp_path)})
    assert found.path == str(tmp_path / "mypython")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "there is no such program; name an interpreter (bin/python)"),
        ("exit 3", "does not run as a Python; name an interpreter"),
        ("echo hello", "does not run as a Python; name an interpreter"),
        (
            """echo '[[3, 9], "CPython 3.9.1", {}, []]'""",
            "is CPython 3.9.1; workers need Python 3.11 or newer",
        ),
        (
            """echo '[[3, 12], "CPython 3.12.1", {}, ["torch", "pynvml"]]'""",
            "lacks torch, pynvml; install with: ",
        ),
    ],
)
def test_one_that_is_of_no_use_is_one_sentence(
    tmp_path: Path, answer: str | None, said: str
) -> None:
    """Before any worker is started."""
    path = tmp_path / "python"
    if answer:
        script(path, answer)
    with pytest.raises(WorkerError) as error:
        interpreter.find(str(path), "--b", os.environ)
    assert str(error.value).startswith(f"--b {path}")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("base", [{}, {"PYTHONPATH": "x"}])
def test_our_packages_are_not_sent_along(base: dict[str, str]) -> None:
    """Another interpreter would import our torch, ours what is installed beside us instead of the checkout."""
    assert worker_environment(1, base).get("PYTHONPATH") == base.get("PYTHONPATH")


@pytest.mark.slow
@pytest.mark.parametrize("python", [None, sys.executable])
def test_a_worker_of_any_interpreter_runs_this_package(tmp_path: Path, python: str | None) -> None:
    """Whatever `bench` is installed there or lies on its search path, and suites get it too."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench/__init__.py").write_text("raise ImportError('the wrong one')\n")
    suite = tmp_path / "mine.py"
    suite.write_text(
        "import bench\nfrom bench import Call, Suite\nsuite = Suite('mine')\n"
        "@suite.op\ndef op(case):\n    raise ValueError(bench.__file__)\n"
    )
    planned = case(id="mine/op", suite="mine", op="op", suite_path=str(suite), labels={})
    base = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with WorkerPool.of_processes(1, 1, base, (), python) as pool:
        assert pool.hello(0).torch["version"]
        reply = pool.check(0, planned, 60.0)
    assert str(Path(bench.__file__).resolve()) in str(getattr(reply, "reason", reply))


@pytest.mark.slow
def test_a_worker_needs_no_more_than_is_asked_of_an_interpreter() -> None:
    """What reads and writes files of runs is not there."""
    code = (
        "import sys, bench.worker.worker; print(*{'pyarrow', 'pandas', 'rich'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == ""
