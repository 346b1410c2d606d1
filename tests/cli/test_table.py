"""`bench table` puts cases of stored runs side by side, or says in one line why it can't."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench import cli
from tests.fakes.workers import entry, finished_run, info

if TYPE_CHECKING:
    from pathlib import Path

RUNS = ("20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb")


@pytest.fixture(name="store", autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs, the second with two threads and twice as fast."""
    monkeypatch.chdir(tmp_path)
    for place, run in enumerate(RUNS):
        rows = [
            entry(
                n,
                threads=place + 1,
                time_s=t,
                time_lo_s=0.99 * t,
                time_hi_s=1.01 * t,
                confidence=0.95,
            )
            for n in (16, 64)
            for t in (n * 1e-6 / (place + 1),)
        ]
        finished_run(tmp_path / "results", info(run), *rows)
    return tmp_path / "results"


def test_runs_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """Named ones in the order in which they are named, else all."""
    assert cli.main(["table", "--by", "threads", "--where", "n=64"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("by threads\n\ncase")
    assert "×0.500 ± 1.4 %" in out
    assert "s/op[n=16]" not in out
    assert cli.main(["table", "@-1", "@-2", "--by", "run_id", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["columns"] == list(RUNS[::-1])
    assert cli.main(["table", "--by", "threads", "--base", "2", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("case,threads,run,status,time_s,")
    assert cli.main(["table", "--by", "threads", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| case | 1 | 2 |\n|:--|--:|--:|\n")


def test_every_filter_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Of several, as if they were one."""
    assert (
        cli.main(
            [
                "table",
                "--by",
                "threads",
                "--where",
                "n=64",
                "--where",
                "threads=2",
                "--format",
                "json",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert (told["columns"], [line["case"] for line in told["lines"]]) == (["2"], ["s/op[n=64]"])
    assert cli.main(["table", "--by", "threads", "--where", "s/op[n=64]", "--format", "csv"]) == 0
    assert "s/op[n=16]" not in capsys.readouterr().out


def test_a_name_with_two_meanings_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, and the table holds both cases."""
    store = tmp_path / "other"
    rows = [
        entry(n, case=f"s/op[threads={n}]", params={"threads": str(n)}, threads=2) for n in (1, 8)
    ]
    finished_run(store, info(RUNS[0]), *rows)
    assert cli.main(["table", "--store", str(store), "--by", "threads", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)["lines"]) == 2
    assert "write params.threads for the axis" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--by thread", "--by: 'thread' is no column and no axis of these rows; did you mean thr"),
        ("--by case", "--by case: the lines are the cases"),
        ("--by threads --base 3", "--base '3': no row has threads=3; known: 1, 2"),
        ("--by threads --where m=1", "--where: 'm' is no column and no axis"),
        ("--by threads --where n", "--where 'n' can't be read"),
        ("--by threads --format yaml", "--format 'yaml' is no form; known: csv, json"),
        ("@-9 --by threads", "'@-9' means no run"),
        ("", "Missing option '--by'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], words: str, said: str
) -> None:
    """Nothing on stdout."""
    assert cli.main(["table", *words.split()]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert said in line
