"""The table of the course is true: its ops, files and tests exist, and every text has its part."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from bench.analysis.claims.known import TEXTS
from tests.suites.course import suites

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/course.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(\w+/\w+)`", PAGE)))
WRONG = "\n## Where the texts are wrong\n"
KINDS = ("The video", "The transcript", "The slide deck", "CS224N", "The notebook")
"""The words with which a test's docstring names each of the texts that have lines of code."""
WITH_LINES = list(TEXTS)[: len(KINDS)]
"""The others give advice, which is judged as claims."""


def section(text: str) -> str:
    """What the page says of a text's lines."""
    _, _, after = PAGE.partition(f"\n## {text}\n")
    return after.partition("\n## ")[0]


def rows(part: str) -> list[list[str]]:
    """The cells of a part's table rows, without their heads."""
    lines = re.findall(r"^\| (.+)\|$", part, re.MULTILINE)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [row for row in cells if row[0] not in {"line", "the text"}]


def docstrings_of_tests() -> dict[str, str]:
    """Every test of the course by name, with its docstring."""
    found = {}
    for path in sorted((ROOT / "tests/suites").glob("test_course_*.py")):
        if path.stem in {"test_course_table", "test_course_ops"}:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = ast.get_docstring(node) or ""
    return found


@pytest.mark.parametrize("name", NAMED)
def test_an_op_that_is_named_is_shipped(name: str) -> None:
    """A reader can run what the table names."""
    suite, _, op = name.partition("/")
    assert suite in suites()
    assert op in suites()[suite].ops


def test_ops_are_named() -> None:
    """The table has not been emptied, nor written in another way than is read here."""
    assert len(NAMED) >= 60


@pytest.mark.parametrize("text", WITH_LINES)
def test_a_text_has_its_part(text: str) -> None:
    """With lines and their ops, and a word on what it claims."""
    assert len(rows(section(text))) >= 5
    assert "`bench claims`" in section(text)
    assert f"### {text}\n" in PAGE.partition(WRONG)[2]


@pytest.mark.parametrize("text", WITH_LINES)
def test_a_row_has_an_op_of_the_suite_it_links(text: str) -> None:
    """Or it says that the line is none of torch's."""
    for row in rows(section(text)):
        ops = re.findall(r"`(\w+)/\w+`", row[2])
        if ops:
            (suite,) = set(ops)
            assert row[3] == f"[{suite}](../suites/{suite}.py)", row
        else:
            assert row[2:] == ["–", ""], row


@pytest.mark.parametrize("text", WITH_LINES)
def test_what_is_wrong_has_a_test_that_names_the_text(text: str) -> None:
    """Each row of what is wrong is a test of that text."""
    docstrings = docstrings_of_tests()
    part = PAGE.partition(WRONG)[2].partition(f"### {text}\n")[2].partition("\n### ")[0]
    named = [row[2].strip("`") for row in rows(part)]
    assert len(named) >= 3
    kind = KINDS[list(TEXTS).index(text)]
    assert [name for name in named if not docstrings.get(name, "").startswith(kind)] == []


def test_every_known_answer_names_its_text() -> None:
    """In the first words of the test's docstring."""
    docstrings = docstrings_of_tests()
    assert len(docstrings) >= 50
    assert [name for name, says in docstrings.items() if not says.startswith(KINDS)] == []


@pytest.mark.parametrize("text", TEXTS)
def test_the_texts_are_named_by_title_and_origin(text: str) -> None:
    """As `bench claims` names them; no document says a file name that a reader has no file of."""
    claims = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
    assert f"| {text} |" in claims
    assert not [page for page in (PAGE, claims) if TEXTS[text].file in page]
