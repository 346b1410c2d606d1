"""Suites are found by name or path and loaded as guests."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from bench.errors import SuiteError
from bench.plan import discover
from bench.plan.case_id import parse_id

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
from bench import Call, Suite

suite = Suite("{name}")

@suite.op
def nothing(case):
    return Call(abs, 1)
"""


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with two shipped suites, beside things that are no suites."""
    package = tmp_path / "bench"
    folder = package / "shipped_suites"
    folder.mkdir(parents=True)
    for stem in ("view", "cat", "test_cat", "_common", "conftest"):
        (folder / f"{stem}.py").write_text(SOURCE.format(name=stem))
    monkeypatch.setattr(discover, "_PACKAGE", package)
    return folder


def write(path: Path, text: str) -> Path:
    """The path, with the text in its file."""
    path.write_text(text)
    return path


def test_shipped_suites_are_found_in_alphabetical_order(shipped: Path) -> None:
    """Tests and private helpers beside the suites are none."""
    assert discover.shipped_suites() == {
        "cat": (shipped / "cat.py",),
        "view": (shipped / "view.py",),
    }


def folder_of(shipped: Path, name: str, **files: str) -> Path:
    """A suite in a folder of its name, with an op of its own in each file."""
    place = shipped / name
    place.mkdir()
    for stem, op in files.items():
        (place / f"{stem}.py").write_text(SOURCE.format(name=name).replace("nothing", op))
    return place


def test_a_suite_may_be_several_files_in_a_folder(shipped: Path) -> None:
    """They are one suite by its name; the file of that name comes first, private ones are none."""
    place = folder_of(shipped, "mul", forward="one", mul="two", _sizes="three", backward="four")
    files = tuple(place / f"{stem}.py" for stem in ("mul", "backward", "forward"))
    assert discover.shipped_suites()["mul"] == discover.find("mul") == files
    loaded = discover.load_all(["mul"])
    assert [list(one.suite.ops) for one in loaded] == [["two"], ["four"], ["one"]]
    assert {one.suite.name for one in loaded} == {"mul"}
    assert len(discover.load_all([])) == 5


def test_two_files_of_a_folder_can_t_declare_one_op(shipped: Path) -> None:
    """Their cases would have one id."""
    folder_of(shipped, "mul", mul="one", other="one")
    with pytest.raises(SuiteError, match="both declare the op mul/one; rename one"):
        discover.load_all(["mul"])


def test_a_folder_without_suites_is_none(shipped: Path) -> None:
    """As that of Python's caches."""
    (shipped / "__pycache__").mkdir()
    assert set(discover.shipped_suites()) == {"cat", "view"}


def test_optional_suites_are_found_by_name_alone(shipped: Path) -> None:
    """They are in no run that names none."""
    folder_of(shipped, "optional", rare="one")
    path = shipped / "optional" / "rare.py"
    path.write_text(SOURCE.format(name="rare"))
    assert discover.optional_suites() == {"rare": (path,)}
    assert set(discover.shipped_suites()) == {"cat", "view"}
    assert discover.find("rare") == (path,)
    assert {one.suite.name for one in discover.load_all([])} == {"cat", "view"}


def test_a_checkout_has_its_suites_beside_the_package(shipped: Path) -> None:
    """Without a folder of shipped suites inside, the one of the checkout is taken."""
    shipped.rename(shipped.parent.parent / "suites")
    assert set(discover.shipped_suites()) == {"cat", "view"}


def test_a_word_is_a_shipped_suite_or_a_file(shipped: Path, tmp_path: Path) -> None:
    """A path wins nothing over a name that is shipped; a file is found where it is."""
    mine = write(tmp_path / "mine.py", SOURCE.format(name="mine"))
    assert discover.find("view") == (shipped / "view.py",)
    assert discover.find(str(mine)) == (mine,)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("veiw", r"there is no suite 'veiw'; did you mean view\?"),
        ("mine.py", "there is no file mine.py"),
        ("deep/mine", "there is no file deep/mine"),
        ("long" * 2000, "there is no suite 'long"),
        ("folder", "folder is a folder; name its suite files"),
    ],
)
@pytest.mark.usefixtures("shipped")
def test_what_is_not_there_is_refused(
    word: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what was taken for what."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SuiteError, match=why):
        discover.find(word)


def test_a_suite_is_loaded_from_its_file(tmp_path: Path) -> None:
    """The suite comes with the path from which workers load it again."""
    path = write(tmp_path / "mine.py", SOURCE.format(name="mine"))
    loaded = discover.load(path)
    assert loaded.path == path
    assert loaded.suite.name == "mine"
    assert list(loaded.suite.ops) == ["nothing"]


def test_a_loaded_suite_is_a_guest(tmp_path: Path) -> None:
    """Loading leaves the search path alone and makes nothing importable under the file's name."""
    before = list(sys.path)
    discover.load(write(tmp_path / "json.py", SOURCE.format(name="json")))
    assert sys.path == before
    assert hasattr(importlib.import_module("json"), "loads")


def test_a_suite_may_hold_dataclasses(tmp_path: Path) -> None:
    """Dataclasses look their module up while they are made."""
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Shape:\n    n: int\n"
    )
    loaded = discover.load(write(tmp_path / "mine.py", text + SOURCE.format(name="mine")))
    assert loaded.suite.name == "mine"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def", r"can't be loaded: SyntaxError: "),
        (
            "import json\nimport no_such_module",
            r"can't be loaded \(line 2\): ModuleNotFoundError: No module named",
        ),
        ("raise SystemExit(0)", r"can't be loaded \(line 1\): SystemExit: 0"),
        ("raise GeneratorExit", r"can't be loaded \(line 1\): GeneratorExit"),
        (
            "class Odd(Exception):\n    def __str__(self):\n        raise SystemExit\nraise Odd",
            r"can't be loaded \(line 4\): Odd$",
        ),
        ("raise ValueError('\\x1b\\ud800' + 'x' * 10**6)", r"ValueError: \\x1b\\ud800x+…$"),
        (
            "import no_such_module",
            r"No module named 'no_such_module'; a suite can import what is inst",
        ),
        (
            "from . import sizes",
            r"attempted relative import .*; a suite can import .*what lies beside",
        ),
        ("x = 1", "declares no suite; write exactly one: suite = Suite"),
        ("from bench import Suite\na, b = Suite('a'), Suite('b')", "declares 2 suites"),
        ("from bench import Suite\na = Suite('a')", "suite 'a' has no op; add a function under"),
    ],
)
def test_a_file_that_is_no_suite_is_refused(text: str, why: str, tmp_path: Path) -> None:
    """The error names the file, and a broken file leaves no broken module behind."""
    path = write(tmp_path / "mine.py", text)
    with pytest.raises(SuiteError, match=rf"mine\.py:? .*{why}"):
        discover.load(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A suite is Python."""
    with pytest.raises(SuiteError, match="is not a Python file"):
        discover.load(write(tmp_path / "notes.txt", "hello"))


def test_one_suite_under_two_names_is_one_suite(tmp_path: Path) -> None:
    """An alias of the same object is not a second suite."""
    text = SOURCE.format(name="mine") + "\nalias = suite\n"
    assert discover.load(write(tmp_path / "mine.py", text)).suite.name == "mine"


@pytest.mark.usefixtures("shipped")
def test_no_word_means_every_shipped_suite() -> None:
    """`bench run` alone runs what is shipped."""
    assert [one.suite.name for one in discover.load_all([])] == ["cat", "view"]


def test_ops_and_cases_bring_their_suites(shipped: Path, tmp_path: Path) -> None:
    """Shipped ones by themselves; of a suite in a file that is named, the file's."""
    names = [name for word in ("view/nothing", "mine/op[n=1]") if (name := parse_id(word))]
    mine = write(tmp_path / "mine.py", SOURCE.format(name="mine"))
    found = discover.load_all([str(mine)], names)
    assert [one.path for one in found] == [mine, shipped / "view.py"]
    assert [one.path for one in discover.load_all([], names[:1])] == [shipped / "view.py"]
    said = "no suite 'mine'; of a suite of your own name the file too: FILE.py mine/op"
    with pytest.raises(SuiteError, match=said):
        discover.load_all([], names)


@pytest.mark.usefixtures("shipped")
def test_suites_keep_the_order_of_the_words() -> None:
    """A suite named twice is loaded once."""
    names = [one.suite.name for one in discover.load_all(["view", "cat", "view"])]
    assert names == ["view", "cat"]


@pytest.mark.usefixtures("shipped")
def test_two_suites_of_one_name_are_refused(tmp_path: Path) -> None:
    """Their cases could not be told apart."""
    mine = write(tmp_path / "mine.py", SOURCE.format(name="view"))
    with pytest.raises(SuiteError, match=r"view\.py and .*mine\.py both declare a suite 'view'"):
        discover.load_all(["view", str(mine)])
