"""Suites of one's own: what lies beside them, any value on an axis, and each case by its id, from end to end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.store.load import load_records

if TYPE_CHECKING:
    from pathlib import Path

QUICKLY = "--workers 1 --rounds 1 --budget 1ms --threads 1 --patience 0 --no-roofs --device cpu"
PRODUCTS = '''
"""Products of several shapes, and of nothing."""
import torch
from bench import Axis, Call, Case, Suite, Work
from sizes import SHAPES

suite = Suite("products_of", axes=[Axis("shape", SHAPES)])

@suite.op
def mm(case: Case) -> Call:
    """A @ B."""
    m, n, k = case["shape"]
    return Call(torch.mm, case.randn((m, k)), case.randn(k, n, requires_grad=True))

@suite.op(axes=[Axis("n", [0, 1, 8]), Axis("label", ["a,b=c]", "[red]x (y)"])], without=["shape"])
def later(case: Case) -> Call:
    """Nothing, by what is imported when it is called."""
    def call(x):
        from sizes import SCALE
        return x * SCALE
    return Call(call, case.randn(case["n"]))

@later.reference
def later_reference(x):
    from sizes import SCALE
    return x.numpy() * SCALE

@later.work
def later_work(case):
    return Work(flop=case["n"], read_bytes=4 * case["n"])
'''
ID = 'products_of/later[n=8,label="a,b=c]"]'


@pytest.fixture(name="out", scope="module")
def _out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of two suites, each with a file `sizes.py` beside it."""
    place = tmp_path_factory.mktemp("own")
    for name, scale in (("one", 2), ("other", 3)):
        (place / name).mkdir()
        text = PRODUCTS.replace("products_of", f"products_{name}") if name == "other" else PRODUCTS
        (place / name / "suite.py").write_text(text)
        (place / name / "sizes.py").write_text(f"SHAPES, SCALE = [(4, 8, 2), (2, 2, 2)], {scale}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("TENSORBENCH_CACHE", str(place / "cache"))
        words = ["run", "one/suite.py", "other/suite.py", *QUICKLY.split(), "--report"]
        assert cli.main(words) == 0
    return place


@pytest.fixture(autouse=True)
def _here(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out)


def test_all_cases_are_measured_and_right(out: Path) -> None:
    """Shapes, a size of 0, quoted labels, and modules of one name; there is a page."""
    rows = load_records(out / "results")
    assert {row.status for row in rows} == {"ok"}
    assert len(rows) == 16
    checked = [row for row in rows if row.op == "later" and row.params["n"] == "8"]
    assert [row.correct for row in checked] == [True] * 4
    assert {row.case for row in rows} >= {ID, "products_other/mm[shape=4x8x2]"}
    (page,) = (out / "reports").glob("2*.html")
    assert page.stat().st_size > 10_000


@pytest.mark.parametrize(
    "words",
    [
        ["list", "one/suite.py", "--device", "cpu", ID],
        ["list", "one/suite.py", "--device", "cpu", "-k", ID],
        ["list", "one/suite.py", "--device", "cpu", "-k", 'n=8 and label="a,b=c]"'],
        ["list", "one/suite.py", "--device", "cpu", "-k", "later and n=8", "-k", "'a,b=c]'"],
        ["list", "one/suite.py", "--device", "cpu", "--set", "n=8", "--set", 'label="a,b=c]"', "-k", "later"],
        ["table", "--by", "device", "--where", ID, "--format", "csv"],
        ["table", "--by", "device", "--where", f"case={ID}", "--format", "csv"],
        ["table", "--by", "device", "--where", "products_of/later", "--where", 'n=8 params.label="a,b=c]"', "--format", "csv"],
        ["compare", "@latest", "@latest", "--where", ID, "--format", "csv"],
        ["trend", ID, "--format", "csv"],
    ],
)  # fmt: skip
def test_a_case_is_selected_everywhere(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By its id, or by its axes, and nothing else is."""
    as_json = [*words, "--json"] if words[0] == "list" else words
    assert cli.main(as_json) == 0
    out = capsys.readouterr().out
    if words[0] == "list":
        assert [case["case"] for case in json.loads(out)["cases"]] == [ID]
    else:
        assert ID.replace('"', '""') in out or words[0] == "trend"
        assert len(out.splitlines()) == 2


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "products_of/later",
            "and no suite 'products_of'; did you mean products or reduction? Else, of a suite of your own name the file too",
        ),
        (
            "matmul/sqare",
            "there is no op 'matmul/sqare' among what was chosen; did you mean matmul/square",
        ),
        ("matmul/square[m=1]", "matmul/square has no axis 'm'"),
    ],
)
def test_a_name_of_nothing_is_one_line(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2."""
    assert cli.main(["list", word, "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
