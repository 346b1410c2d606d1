"""The catalogue: an op is found by what it is called, by what is said of it, and by its axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import SelectionError
from bench.plan import discover
from bench.plan.catalogue import CatalogueEntry, Subject, catalogue, search

if TYPE_CHECKING:
    from pathlib import Path

FILE = '''"""Products of all kinds. Run it: bench run mine

Which product is fastest
on this machine?
The rest is for those who read the file.
"""

from bench import Axis, Call, Suite

suite = Suite("mine", axes=[Axis("n", [1, 64])])


@suite.op
def outer(case):
    """A column times a row: softmaxed by nobody."""
    return Call(pow, 2, 2)


@suite.op(axes=[Axis("backend", ["flash", "math"])], quick=False)
def inner(case):
    """A row times a column."""
    return Call(pow, 2, 2)
'''


@pytest.fixture(name="entries")
def _entries(tmp_path: Path) -> list[CatalogueEntry]:
    path = tmp_path / "mine.py"
    path.write_text(FILE, encoding="utf-8")
    return catalogue([discover.load(path)])


def test_an_op_is_described_by_its_file(entries: list[CatalogueEntry]) -> None:
    """What its suite is about, without the command, and the question in the paragraph below."""
    outer, inner = entries
    subject = Subject(
        suite="mine",
        files=(
            (
                "Products of all kinds",
                "Which product is fastest on this machine? The rest is for those who read the file.",
            ),
        ),
    )
    assert outer.subject == inner.subject == subject
    assert (outer.op_id, outer.quick, outer.axes) == ("mine/outer", True, {"n": ("1", "64")})
    assert (inner.quick, inner.axes["backend"]) == (False, ("flash", "math"))


def test_a_file_without_words_has_an_empty_subject(tmp_path: Path) -> None:
    """And its ops are found by their names all the same."""
    path = tmp_path / "bare.py"
    path.write_text(FILE[FILE.index("from bench") :], encoding="utf-8")
    (first, _) = catalogue([discover.load(path)])
    assert (first.subject.what, first.subject.question) == ("", "")
    assert search([first], "outer") == [first]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("outer", ["outer"]),
        ("SOFTMAX", ["outer"]),
        ("flash", ["inner"]),
        ("fastest", ["outer", "inner"]),
        ("row column", ["outer", "inner"]),
        ("row flash", ["inner"]),
        ("inner", ["inner"]),
    ],
)
def test_every_word_must_be_there(
    entries: list[CatalogueEntry], words: str, found: list[str]
) -> None:
    """In its name, in what is said of it or its suite, or on an axis; in upper or lower case."""
    assert [one.op for one in search(entries, words)] == found


def test_what_is_in_a_name_comes_first(entries: list[CatalogueEntry]) -> None:
    """Before what is only said."""
    words = [one.op for one in search(entries[::-1], "mine/outer")]
    assert words == ["outer"]
    assert search(entries, "inner")[0].op == "inner"


@pytest.mark.parametrize("words", ["nothing like this", "", "  "])
def test_what_is_nowhere_is_refused(entries: list[CatalogueEntry], words: str) -> None:
    """With where to look."""
    with pytest.raises(SelectionError, match="is in no op; see all with: bench list --by suite"):
        search(entries, words)


def test_a_misspelt_name_is_told(entries: list[CatalogueEntry]) -> None:
    """With the nearest one."""
    with pytest.raises(SelectionError, match="did you mean outer"):
        search(entries, "outr")
