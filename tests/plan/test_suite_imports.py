"""A suite imports what lies beside it, and no other suite or program does."""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from bench.plan import discover
from bench.plan.plan import expand
from bench.plan.selection import Selection
from bench.plan.suite_imports import imports_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SUITE = """
from bench import Axis, Call, Skip, Suite
from widths import WIDTHS
{more}
suite = Suite("{name}", axes=[Axis("n", WIDTHS)])

@suite.op
def nothing(case):
    from widths.later import LIMIT
    if case["n"] > LIMIT:
        raise Skip(f"more than {{LIMIT}}")
    return Call(abs, 1)
"""


def folder(place: Path, name: str, widths: list[int], limit: int, more: str = "") -> Path:
    """A suite in a folder of its own, with a package `widths` beside it; the suite's path."""
    package = place / name / "widths"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"WIDTHS = {widths}\n")
    (package / "later.py").write_text(f"from . import WIDTHS\nLIMIT = {limit}\n")
    path = place / name / f"{name}.py"
    path.write_text(SUITE.format(name=name, more=more))
    return path


def planned(*paths: Path) -> Mapping[str, str]:
    """Id → why it is skipped, of all cases."""
    loaded = [discover.load(path) for path in paths]
    found = expand(loaded, Selection(), {})
    return {**{c.id: "" for c in found.cases}, **{s.case.id: s.reason for s in found.skips}}


def test_each_suite_has_the_modules_of_its_own_folder(tmp_path: Path) -> None:
    """Two of one name, imported while the suites are loaded and later, by their ops."""
    before = (list(sys.path), list(sys.meta_path))
    one, other = folder(tmp_path, "one", [1, 5], 4), folder(tmp_path, "other", [2, 6], 1)
    assert planned(one, other) == {
        "one/nothing[n=1]": "",
        "one/nothing[n=5]": "more than 4",
        "other/nothing[n=2]": "more than 1",
        "other/nothing[n=6]": "more than 1",
    }
    assert (sys.path, sys.meta_path) == before
    assert "widths" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("widths")


def test_a_module_is_executed_once_for_all_suites_of_its_folder(tmp_path: Path) -> None:
    """As for all code of a program, so that what it registers is registered once."""
    first = folder(tmp_path, "one", [1], 4)
    second = first.with_name("second.py")
    second.write_text(SUITE.format(name="second", more=""))
    found: list[Any] = []
    for path in (first, second, first):
        discover.load(path)
        with imports_of(path), imports_of(path):
            found.append(importlib.import_module("widths.later"))
    assert found[0] is found[1] is found[2]
    assert found[0].__name__ == "widths.later"


def _imported(name: str) -> None:
    importlib.import_module(name)


def _put_there(name: str) -> None:
    sys.modules[name] = types.ModuleType(name)


def _imported_anew(name: str) -> None:
    """As many modules as before, and the last is of the same name: only the search for it tells."""
    for one in ("widths.later", "widths"):
        del sys.modules[one]
    for one in ("widths", name, "widths.later"):
        importlib.import_module(one)
    del sys.modules[next(one for one in sys.modules if one.startswith("encodings."))]


@pytest.mark.parametrize("get", [_imported, _put_there, _imported_anew])
@pytest.mark.parametrize("goes_before", ["widths.later", "widths"])
def test_what_comes_by_a_later_call_is_put_away_too(
    tmp_path: Path, get: Callable[[str], None], goes_before: str
) -> None:
    """However it gets among the modules, and whatever its folder had brought before."""
    path = folder(tmp_path, "one", [1], 4)
    (path.parent / "widths/extra.py").write_text("")
    discover.load(path)
    known = dict(sys.modules)
    try:
        with imports_of(path):
            _imported("widths.later")
        with imports_of(path):
            get("widths.extra")
        with imports_of(path):
            assert {"widths", "widths.later", "widths.extra"} <= set(sys.modules)
            sys.modules[goes_before] = sys.modules.pop(goes_before)
        assert [name for name in sys.modules if name.partition(".")[0] == "widths"] == []
    finally:
        sys.modules.update(known)


def test_a_request_that_imports_nothing_does_not_look_through_the_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are thousands, and a visit takes milliseconds."""
    path = folder(tmp_path, "one", [1], 4)
    discover.load(path)

    class Counted(dict[str, Any]):
        """Modules that can't be looked through."""

        def __iter__(self) -> Iterator[str]:
            raise AssertionError

    monkeypatch.setattr(sys, "modules", Counted(sys.modules))
    with imports_of(path):
        assert "widths" in sys.modules
    assert "widths" not in sys.modules


def test_nothing_beside_a_suite_takes_the_place_of_what_is_installed(tmp_path: Path) -> None:
    """Neither for the suite nor for the program."""
    more = "import colorsys, pytest, numpy, torch\nNAMES = colorsys.ONE_THIRD, pytest.mark"
    path = folder(tmp_path, "one", [1], 4, more)
    for name in ("colorsys", "pytest", "numpy", "torch", "random"):
        (path.parent / f"{name}.py").write_text("raise RuntimeError")
    assert planned(path) == {"one/nothing[n=1]": ""}


def test_the_current_folder_comes_after_the_suites_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where `python -m` has put it on the search path."""
    path = folder(tmp_path, "one", [1], 4, "from mine.deep import TEXT")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/deep.py").write_text("TEXT = 'here'\n")
    (tmp_path / "widths.py").write_text("WIDTHS = [99]\n")
    monkeypatch.chdir(tmp_path)
    assert planned(path) == {"one/nothing[n=1]": ""}
    monkeypatch.syspath_prepend(str(tmp_path))
    assert planned(path) == {"one/nothing[n=1]": ""}
    other = tmp_path / "other.py"
    other.write_text(path.read_text().replace('"one"', '"other"').replace("widths.later", "limits"))
    (tmp_path / "limits.py").write_text("LIMIT = 100\n")
    assert list(planned(other)) == ["other/nothing[n=99]"]
