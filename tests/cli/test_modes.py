"""Modes from end to end: a suite of one's own measured eager, compiled and under autocast, and what the table says."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.analysis.rerun_command import commands
from bench.store.load import load_records

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records.record import Record

pytestmark = pytest.mark.slow
QUICKLY = "--workers 2 --rounds 3 --budget 30ms --threads 1 --patience 0 --no-roofs --device cpu"
SUITE = '''
"""Functions that are worth compiling, and one that is not."""
import torch
from bench import Axis, Call, Suite

suite = Suite("own_functions", axes=[Axis("n", [64, 256], quick=[64])])


def chain(x, y):
    return torch.tanh(x * y + 1) * torch.sigmoid(x - y)


def drawn(x):
    print(end="")
    return x @ x


@suite.op
def pointwise(case):
    """Five ops, element by element."""
    n = case["n"]
    return Call(chain, case.randn(n, n), case.randn(n, n))


@pointwise.reference
def pointwise_reference(x, y):
    x, y = x.numpy(), y.numpy()
    import numpy as np
    return np.tanh(x * y + 1) / (1 + np.exp(y - x))


@suite.op
def unchecked(case):
    """What nobody says the result of."""
    return Call(chain, case.randn(8, 8), case.randn(8, 8))


@suite.op
def broken(case):
    """A product behind what the compiler can't trace."""
    return Call(drawn, case.randn(case["n"], case["n"]))


@broken.reference
def broken_reference(x):
    return x.numpy() @ x.numpy()
'''


@pytest.fixture(name="place", scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in four modes, of which one needs a GPU."""
    place = tmp_path_factory.mktemp("modes")
    (place / "own.py").write_text(SUITE, encoding="utf-8")
    modes = "--mode eager,compile --mode autocast,graph"
    words = f"run {place / 'own.py'} {modes} {QUICKLY} --store {place / 'store'}"
    assert cli.main(words.split()) == 0
    return place


@pytest.fixture(name="rows", scope="module")
def _rows(place: Path) -> dict[tuple[str, str], Record]:
    return {(r.op, r.mode or ""): r for r in load_records(place / "store")}


def test_every_mode_is_a_row_of_its_own(rows: dict[tuple[str, str], Record]) -> None:
    """Right in each, or skipped with the reason."""
    assert len(rows) == 12
    measured = {key: row for key, row in rows.items() if row.status == "ok"}
    assert {mode for _, mode in measured} == {"eager", "compile", "autocast"}
    wrong = [key for key, row in measured.items() if not row.correct]
    assert wrong == [("unchecked", "eager")]
    skipped = rows["pointwise", "graph"]
    assert (skipped.status, skipped.params["mode"]) == ("skipped", "graph")
    assert "CUDA stream" in str(skipped.reason)


def test_what_has_no_reference_is_compared_with_eager(rows: dict[tuple[str, str], Record]) -> None:
    """In any other mode; eager itself stays unchecked."""
    assert "unchecked" in rows["unchecked", "eager"].warnings
    for mode in ("compile", "autocast"):
        assert rows["unchecked", mode].correct
        assert rows["unchecked", mode].max_error is not None


def test_compile_time_is_told_and_in_no_other_time(rows: dict[tuple[str, str], Record]) -> None:
    """Of a compiled case alone; cold by one worker, from the cache by the other."""
    compiled = rows["pointwise", "compile"]
    assert compiled.compile_s
    assert compiled.compile_cached_s
    for mode in ("eager", "autocast"):
        assert rows["pointwise", mode].compile_s is None


def test_what_the_compiler_did_is_in_the_row(rows: dict[tuple[str, str], Record]) -> None:
    """One graph without a break, or breaks where it can't trace."""
    assert (rows["pointwise", "compile"].graph_breaks, rows["pointwise", "compile"].recompiles) == (0, 0)  # fmt: skip
    broken = rows["broken", "compile"]
    assert broken.graph_breaks
    assert "graph-break" in broken.warnings


def test_all_modes_have_the_same_code_and_inputs(rows: dict[tuple[str, str], Record]) -> None:
    """So that nothing but the mode differs between them."""
    mine = [row for (op, _), row in rows.items() if op == "pointwise" and row.status == "ok"]
    assert len({row.fingerprint for row in mine}) == 1
    assert len({row.input_bytes for row in mine}) == 1


def test_the_table_has_modes_side_by_side(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what is earned after how many calls."""
    words = f"table --by mode --store {place / 'store'} --where op=pointwise"
    assert cli.main(words.split()) == 0
    text = capsys.readouterr().out
    assert "eager" in text
    assert "earned: " in text
    assert "with an empty cache" in text
    assert cli.main([*words.split(), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    cell = found["lines"][0]["cells"]["compile"]
    assert cell["break_even"] in {"pays", "never", "cant-tell"}
    assert cell["compile_s"] > 0
    assert cell["compile_cached_s"] > 0


def test_a_run_in_modes_is_resumed_as_it_was_asked_for(place: Path) -> None:
    """Its words are in the manifest."""
    (path,) = (place / "store").glob("*/run.json")
    assert json.loads(path.read_text())["options"]["modes"] == [
        "eager",
        "compile",
        "autocast",
        "graph",
    ]


@pytest.mark.parametrize("mode", ["eager", "compile", "autocast"])
def test_the_command_beside_a_row_plans_it_in_its_mode_and_no_other(
    place: Path,
    rows: dict[tuple[str, str], Record],
    capsys: pytest.CaptureFixture[str],
    mode: str,
) -> None:
    """What the page offers is copied as it is."""
    row = rows["pointwise", mode]
    (command,) = commands([row], {"suites": [str(place / "own.py")]})
    assert cli.main(["list", *shlex.split(command)[2:], "--json"]) == 0
    assert [case["case"] for case in json.loads(capsys.readouterr().out)["cases"]] == [row.case]
