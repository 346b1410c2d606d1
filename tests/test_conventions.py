"""Conventions of this repository that no linter checks: sizes of files and functions, layers, and words."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "bench").rglob("*.py"))
MOST_MODULES_AT_THE_TOP = 6
TOP = {"bench", "docs", "reports", "results", "suites", "tests", ".ci", ".gitignore", "prek.toml"}
TOP |= {"README.md", "CHANGELOG.md", "LICENSE", "constraints.txt", "noxfile.py", "pyproject.toml"}
"""Everything that may be at the top of the repository."""
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 40
MOST_LAYERS = 12

METAPHORS = re.compile(
    r"(?<![a-z])(duel|bout|corner|team|contest|entrant|part(?=y|ies)|seat|sitting|book|diar(?=y|ies)|lookout"
    r"|moment|room|crew)(s|y|ies)?(?![a-z])",
    re.IGNORECASE,
)
"""Words that once stood for terms of the field. `Party2` and `a_room` hold them, `notebook` and `bathroom` do not."""
READ = ("bench/**/*.py", "bench/**/*.html", "bench/**/*.js", "bench/**/*.css", "suites/*.py")
READ_TOO = (
    "docs/*.md",
    "docs/workflows/*",
    "README.md",
    "results/README.md",
    "reports/README.md",
    "tests/**/*.py",
)
"""What people read, but for the history of decisions and changes."""
LISTS = ("tests/test_conventions.py", "tests/docs/test_docs.py")
"""The tests that list these words."""


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an archive has no list of its files")
def test_nothing_else_lies_at_the_top() -> None:
    """What a download or a try left there would be committed with all else, and stay in every clone."""
    listed = ("git", "ls-files")
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {name.split("/")[0] for name in found.splitlines()} - TOP == set()


def name_of(path: Path) -> str:
    """The path within the repository."""
    return path.relative_to(ROOT).as_posix()


def words_of(text: str) -> str:
    """Text in which names of classes are words: `StateMonitor` → `State Monitor`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """A function's lines without its docstring; of a command without its options too, which are declarations."""
    first, *rest = function.body
    described = ast.get_docstring(function) is not None
    code = rest if described and rest else function.body
    declared = 0 if function.name.endswith("_command") else first.lineno - function.lineno
    return declared + (function.end_lineno or 0) - code[0].lineno + 1


def long_functions(path: Path) -> list[str]:
    """The functions of a file that are too long, with their lines."""
    return [
        f"{name_of(path)}:{node.name} {length(node)}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and length(node) > MOST_LINES_OF_A_FUNCTION
    ]


def test_few_modules_are_beside_the_packages() -> None:
    """What is in no package belongs to all of them."""
    assert len(list((ROOT / "bench").glob("*.py"))) <= MOST_MODULES_AT_THE_TOP


def test_a_module_is_short_enough_to_be_read_at_once() -> None:
    """One subject rarely needs more lines."""
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in lines.items() if n > MOST_LINES_OF_A_MODULE} == {}


def test_a_function_is_short_enough_to_be_seen_at_once() -> None:
    """The options that a command declares aside."""
    assert [found for path in MODULES for found in long_functions(path)] == []


def test_there_are_few_layers() -> None:
    """They name packages, so that a new module needs no line."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = (
        one["layers"]
        for one in settings["tool"]["importlinter"]["contracts"]
        if one["id"] == "layers"
    )
    assert len(layers) <= MOST_LAYERS


@pytest.mark.parametrize("pattern", [*READ, *READ_TOO])
def test_terms_of_the_field_are_used(pattern: str) -> None:
    """No metaphor stands for one, in a name or in prose."""
    found = [
        f"{name_of(path)}:{number} {match[0]}"
        for path in sorted(ROOT.glob(pattern))
        if name_of(path) not in LISTS
        for number, line in enumerate(words_of(path.read_text(encoding="utf-8")).splitlines(), 1)
        for match in METAPHORS.finditer(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("class Party2:", True),
        ("self._room()", True),
        ("at this moment", True),
        ("two corners", True),
        ("both parties", True),
        ("partly", False),
        ("LookoutTower", True),
        ("a notebook", False),
        ("a steam engine", False),
        ("about", False),
        ("mushroom", False),
    ],
)
def test_a_metaphor_is_found_as_a_word(*, text: str, held: bool) -> None:
    """In names and in prose, and not within other words."""
    assert bool(METAPHORS.search(words_of(text))) is held
