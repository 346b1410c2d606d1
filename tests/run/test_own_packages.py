"""The user's own packages are told by their files, whatever imports them; those of others are left out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bench.machine import git
from bench.run.own_packages import imported

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="here")
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is imported from, with a package that imports a module beside it, and a suite."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("own_")]:
        monkeypatch.delitem(sys.modules, name)
    write(tmp_path / "own_package" / "__init__.py", "from own_module import f\n")
    write(tmp_path / "own_package" / "deep" / "part.py", "x = 1\n")
    write(tmp_path / "own_module.py", "def f():\n    return 1\n")
    write(tmp_path / "suite.py", "import math, numpy, bench, torch\nimport own_package.deep\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    """A file, with the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def files(here: Path) -> dict[str, str | None]:
    """Own package → the hash of its files."""
    return {name: one["files"] for name, one in imported([here / "suite.py"]).items()}


def test_what_others_made_is_left_out(here: Path) -> None:
    """The standard library, what is installed, and this program."""
    assert set(imported([here / "suite.py"])) == {"own_package"}
    assert imported([here / "gone.py"]) == {}
    write(here / "suite.py", "import nothing_of_the_kind\nfrom . import own_module\n")
    assert imported([here / "suite.py"]) == {}


def test_a_package_that_is_loaded_brings_those_that_it_imports(here: Path) -> None:
    """Also where a suite imports them only when it is called."""
    __import__("own_package")
    write(here / "suite.py", "def op(case):\n    from own_package.deep import part\n")
    assert set(files(here)) == {"own_package", "own_module"}


def test_the_hash_follows_the_code_in_the_files(here: Path) -> None:
    """Whatever lies deeper; not data, hidden folders, nor the suites that are in the package."""
    before = files(here)
    write(here / "own_package" / "results" / "rows.parquet", "data")
    write(here / "own_package" / ".hidden" / "x.py", "x = 1\n")
    write(here / "own_package" / "__pycache__" / "x.py", "x = 1\n")
    assert files(here) == before
    write(here / "own_package" / "deep" / "part.py", "x = 2\n")
    assert files(here) != before
    inside = here / "own_package" / "suite.py"
    write(inside, "import own_package\n")
    once = imported([inside])
    write(inside, "import own_package  # a word\n")
    assert imported([inside]) == once


def test_the_commit_is_told_where_nothing_was_changed_since(here: Path) -> None:
    """Another commit that leaves the package alone is none of it."""

    def commit(*words: str) -> None:
        git.run(*words, folder=here)

    assert imported([here / "suite.py"])["own_package"]["commit"] is None
    commit("init", "-q")
    commit("config", "user.email", "a@b")
    commit("config", "user.name", "a")
    commit("add", ".")
    commit("commit", "-qm", "one")
    first = imported([here / "suite.py"])["own_package"]
    assert first["commit"] == git.ask("rev-parse", "HEAD", folder=here)
    write(here / "other.txt", "x")
    commit("add", ".")
    commit("commit", "-qm", "two")
    assert imported([here / "suite.py"])["own_package"] == first
    write(here / "own_package" / "deep" / "part.py", "x = 2\n")
    assert imported([here / "suite.py"])["own_package"]["commit"] is None
