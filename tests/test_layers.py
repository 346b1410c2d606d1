"""Import contracts: layers, and who may not import torch, pandas or a suite; each is also seen broken."""

from __future__ import annotations

import os
import pkgutil
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import bench

ROOT = Path(__file__).parents[1]
LINT_IMPORTS = str(Path(sys.executable).parent / "lint-imports")

BREACHES = {
    "layers": ("errors.py", "import bench.plan.plan"),
    "halves-meet-in-the-file": ("report/__init__.py", "import bench.pool.protocol"),
    "analysis-without-torch": ("analysis/__init__.py", "import torch"),
    "measurement-without-pandas": ("pool/protocol.py", "import pandas"),
    "suites-are-guests": ("run/session.py", "import suites.matmul"),
}
"""For each contract: where one line breaks it, and the line."""

MAY_REACH_TORCH = {"__main__", "cli", "worker"}
"""What measures, and what looks for the devices to measure on."""

TORCH_FREE = (
    "bench",
    "bench.analysis",
    "bench.pool.pool",
    "bench.report",
    "bench.run.session",
    "bench.store",
)
"""Packages and modules that must work, at run time, where torch is not installed."""


def contracts() -> dict[str, dict[str, Any]]:
    """The contracts in pyproject.toml, by their ids."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {one["id"]: one for one in settings["tool"]["importlinter"]["contracts"]}


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the package in a folder."""
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def copied(folder: Path) -> Path:
    """The folder, with a copy of the package and its settings."""
    for name in ("bench", "suites"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is not here")

sys.meta_path.insert(0, Blocker())
"""
NOT_FOR_MEASURING = ("plotly", "hypothesis", "coverage", "nox", "importlinter", "mypy", "ruff")


def bench_without(blocked: tuple[str, ...], folder: Path, *words: str) -> Any:
    """`bench …` where these packages can't be imported, neither by it nor by its workers."""
    (folder / "sitecustomize.py").write_text(BLOCKER.format(blocked=blocked))
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )


def loaded_by(names: tuple[str, ...], folder: Path = ROOT) -> set[str]:
    """All modules that a fresh interpreter has after importing these, with their submodules."""
    code = (
        "import importlib, pkgutil, sys\n"
        "for name in sys.argv[1:]:\n"
        "    module = importlib.import_module(name)\n"
        "    if name != 'bench':\n"
        "        for found in pkgutil.walk_packages(getattr(module, '__path__', []), name + '.'):\n"
        "            importlib.import_module(found.name)\n"
        "print(*sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return set(
        subprocess.check_output(
            [sys.executable, "-c", code, *names], cwd=folder, env=environment, text=True
        ).split()
    )


def test_the_imports_of_this_tree_keep_every_contract() -> None:
    """As they are written in pyproject.toml."""
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(contracts())} kept, 0 broken" in found.stdout


def test_every_contract_has_a_breach() -> None:
    """A contract that was never seen broken may be one that can't be."""
    assert set(BREACHES) == set(contracts())


@pytest.mark.parametrize("contract", BREACHES)
def test_a_contract_breaks_when_it_is_breached(contract: str, tmp_path: Path) -> None:
    """One forbidden line in a copy of the package, and import-linter names the contract."""
    folder = copied(tmp_path)
    name, line = BREACHES[contract]
    assert lint(folder, "--contract", contract).returncode == 0
    with (folder / "bench" / name).open("a") as file:
        file.write(f"\n{line}\n")
    found = lint(folder, "--contract", contract)
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{contracts()[contract]['name']} BROKEN" in found.stdout


def test_an_indirect_import_breaks_a_contract_too(tmp_path: Path) -> None:
    """Torch does not get into the report by way of a module that everyone may import."""
    folder = copied(tmp_path)
    with (folder / "bench" / "units.py").open("a") as file:
        file.write("\nimport torch\n")
    found = lint(folder, "--contract", "analysis-without-torch")
    assert found.returncode == 1
    assert "bench.report" in found.stdout


def test_a_new_module_must_be_given_its_place(tmp_path: Path) -> None:
    """The layers are exhaustive, so that no module is without a place."""
    folder = copied(tmp_path)
    (folder / "bench" / "utils.py").write_text("")
    found = lint(folder, "--contract", "layers")
    assert found.returncode == 1
    assert "bench.utils" in found.stdout


def test_every_other_module_is_in_the_contract_about_torch() -> None:
    """A new module can't be left out of the contract by forgetting it."""
    behind = set(contracts()["analysis-without-torch"]["source_modules"])
    modules = {module.name for module in pkgutil.iter_modules(bench.__path__)}
    assert {f"bench.{name}" for name in modules - MAY_REACH_TORCH} <= behind


@pytest.mark.parametrize("name", TORCH_FREE)
def test_results_can_be_read_without_torch(name: str) -> None:
    """A fresh interpreter that imports the reading half has no torch, by whatever way."""
    assert "torch" not in loaded_by((name,))


def test_the_check_for_torch_can_fail(tmp_path: Path) -> None:
    """With torch imported where everything begins, the same look finds it."""
    folder = copied(tmp_path)
    (folder / "torch.py").write_text("")  # a stand-in spares the test the seconds of the real one
    with (folder / "bench" / "units.py").open("a") as file:
        file.write("\nimport torch\n")
    assert "torch" in loaded_by(("bench.report",), folder)


def test_measuring_needs_neither_plotly_nor_the_tools_of_developers(tmp_path: Path) -> None:
    """A run is measured, stored and shown where there is only what measuring takes; a page is not."""
    narrow = ("view", "-k", "t and n=64", "--device", "cpu", "--budget", "0.01", "--workers", "1")
    done = bench_without(
        NOT_FOR_MEASURING, tmp_path, "run", *narrow, "--patience", "0", "--no-roofs", "--store", "S"
    )
    assert done.returncode == 0, done.stderr
    assert "n=64" in done.stdout
    assert len(list(tmp_path.glob("S/*/run.json"))) == 1
    page = bench_without(NOT_FOR_MEASURING, tmp_path, "report", "--store", "S")
    assert page.returncode != 0
    assert "plotly is not here" in page.stderr  # so the blocker does block


def test_a_machine_in_the_cloud_may_have_an_older_python_and_torch() -> None:
    """Python 3.12 and torch 2.11 are within what the package asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {one.name: one for one in map(Requirement, project["dependencies"])}
    assert asked["torch"].specifier.contains("2.11.0+cu128")
    assert SpecifierSet(project["requires-python"]).contains("3.12.0")
