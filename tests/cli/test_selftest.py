"""`bench selftest` measures, judges and tidies up; its panel is a sound suite that comes with the package."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import cli
from bench.cli.selftest import PANEL
from bench.plan import discover
from bench.run import session
from bench.store.find import find
from bench.store.load import load_rows
from bench.store.runs import list_runs
from tests.fakes.workers import entry, finished_run, info

if TYPE_CHECKING:
    from bench.store.runs import StoredRun

ROOT = Path(__file__).parents[2]
QUICKLY = ("selftest", "--runs", "2", "--budget", "1ms", "--patience", "0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--runs", "1"], "Invalid value for '--runs'"),
        (["--runs", "some"], "Invalid value for '--runs'"),
        (["--budget", "0"], "--budget '0' is not a stretch of time"),
        (["--patience", "soon"], "--patience 'soon' is not a stretch of time"),
        (["--store", "notes.txt/store"], "the store notes.txt/store can't be written: "),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    """Before anything is measured."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("no store")
    code = cli.main(["selftest", *words])
    out, err = capsys.readouterr()
    *before, last = err.splitlines()
    assert (code, out) == (2, "")
    assert last.startswith("bench: ")
    assert said in last
    assert [line for line in before if not line.startswith(("measuring", "run 1"))] == []


def test_the_panel_comes_with_the_package() -> None:
    """Inside it, so that the wheel has it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "bench" in wheel["only-include"]
    assert "exclude" not in wheel
    assert PANEL.is_relative_to(ROOT / "bench")
    assert len(discover.load(PANEL).suite.ops) >= 8


def test_help_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """In the list of commands, and with its own options."""
    assert cli.main(["--help"]) == cli.main(["selftest", "-h"]) == 0
    out = capsys.readouterr().out
    assert "selftest" in out
    assert all(
        option in out for option in ("--runs", "--budget", "--patience", "--store", "--json")
    )


@pytest.mark.slow
def test_two_short_runs_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON document on stdout; the runs are kept where it was asked for."""
    store = tmp_path / "store"
    code = cli.main([*QUICKLY, "--store", str(store), "--json"])
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert code == 0, err
    assert told["verdict"].startswith("On this machine, ")
    assert told["runs"] == len(told["run_ids"]) == 2
    rows = load_rows(store)
    assert set(rows["run_id"]) == set(told["run_ids"])
    assert told["headline"]["pairs"] == told["headline"]["cases"] == len(rows) / 2
    assert [one["pairs"] for one in told["compared"]] == [len(rows) / 2] * 3
    assert rows["correct"].all()
    assert told["store"] == str(store)
    assert {run.info.options["patience_s"] for run in list_runs(store)} == {0}


def test_runs_that_nobody_asked_to_keep_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence comes first; nothing is left in the folder for temporary files, nor here."""
    made: list[StoredRun] = []

    def run(_plan: object, _options: object, store: Path, _listener: object) -> StoredRun:
        number = len(made)
        facts = info(f"2026010{number + 1}T000000Z-aaaaaa")
        made.append(find(store, str(finished_run(store, facts, entry(0), entry(1)))))
        return made[-1]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(session, "run", run)
    code = cli.main(list(QUICKLY))
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out.startswith("On this machine, two runs of the same code differ by at most ")
    assert [run.folder.is_relative_to(tmp_path) for run in made] == [True, True]
    assert list(tmp_path.iterdir()) == []
