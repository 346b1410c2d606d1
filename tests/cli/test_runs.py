"""`bench import` and `bench export`: runs come and go, once, and in one line where they can't."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench import cli
from tests.fakes.launches import launched
from tests.fakes.pytest_benchmark import benchmark, document
from tests.fakes.rows import record, stored
from tests.fakes.workers import begun_run, entry, finished_run, info

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]


@pytest.fixture(name="file")
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of pytest-benchmark in an empty folder, where we are."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document()))
    return path


def test_a_file_is_brought_once(file: Path, capsys: Capture) -> None:
    """The second time that is said, and nothing is added."""
    assert cli.main(["import", file.name]) == 0
    assert " (1 case) is now in results/" in capsys.readouterr().out
    assert cli.main(["import", file.name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["new"] for one in told["runs"]] == [False]
    assert cli.main(["import", file.name]) == 0
    assert "was already, and nothing was added" in capsys.readouterr().out
    assert len(list((file.parent / "results").iterdir())) == 1


def test_what_can_not_be_brought_is_one_line(file: Path, capsys: Capture) -> None:
    """And exit code 2."""
    file.write_text("{}")
    assert cli.main(["import", file.name]) == 2
    err = capsys.readouterr().err
    assert err.startswith("bench: a.json is neither of pytest-benchmark nor")
    assert err.count("\n") == 1


def test_imported_runs_can_be_compared_and_nothing_is_claimed(file: Path, capsys: Capture) -> None:
    """Without an interval twice the time is not slower for sure."""
    slower = document(benchmark(times=(6e-6,)), datetime="2026-03-05T00:00:00+00:00")
    (file.parent / "b.json").write_text(json.dumps(slower))
    for name, label in (("a.json", "before"), ("b.json", "after")):
        assert cli.main(["import", name, "--label", label]) == 0
    capsys.readouterr()
    assert cli.main(["compare", "label:before", "label:after", "--format", "json"]) == 0
    (case,) = json.loads(capsys.readouterr().out)["cases"]
    assert (case["verdict"], case["reason"]) == ("unsure", "no interval in base and new")
    assert case["ratio"] == pytest.approx(2.0)


def test_a_run_is_exported_for_pytest_benchmark(file: Path, capsys: Capture) -> None:
    """What that format has no place for is counted on stderr."""
    finished_run(file.parent / "results", info(), entry(0), entry(1, samples=0))
    assert cli.main(["export", "--format", "pytest-benchmark"]) == 0
    out, err = capsys.readouterr()
    (told,) = json.loads(out)["benchmarks"]
    assert told["extra_info"]["case"] == "s/op[n=0]"
    assert err == "left out: 1 case without samples\n"


def test_a_form_that_is_not_there_is_told_from_those_that_are(file: Path, capsys: Capture) -> None:
    """Also from the one that is made of samples."""
    finished_run(file.parent / "results", info())
    assert cli.main(["export", "--format", "pytest_benchmark"]) == 2
    assert capsys.readouterr().err == (
        "bench: --format 'pytest_benchmark' is no form; did you mean pytest-benchmark?\n"
    )


def test_times_on_a_device_are_shown_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Side by side, with what each is; a run without a GPU says that it has none."""
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "results", [launched(device_time_cold_s=3e-6)])
    assert cli.main(["show", "--device-times"]) == 0
    out = capsys.readouterr().out
    assert "hot" in out
    assert "3.00 µs" in out
    assert "after the device's caches were emptied" in out
    stored(tmp_path / "bare", [record()])
    assert cli.main(["show", "--device-times", "--store", "bare"]) == 0
    assert capsys.readouterr().out.startswith("No case here has a time on a GPU.")


def test_what_is_suggested_names_the_store(tmp_path: Path, capsys: Capture) -> None:
    """So that it can be copied as it is: a run to go on with, a first run, what a note says."""
    store = tmp_path / "my store"
    begun_run(store, info("20260101T000000Z-aaaaaa"))
    assert cli.main(["runs", "--store", str(store)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f'bench run --resume 20260101T000000Z-aaaaaa --store "{store}"' in text
    wrong = entry(0, correct=False, warnings=("wrong-result",))
    finished_run(store, info("20260102T000000Z-bbbbbb"), wrong)
    assert cli.main(["show", "--store", str(store)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f'see max_error in bench show --store "{store}"' in text
    assert cli.main(["claims", "--store", str(store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["missing"].endswith(f' --store "{store}"')
    unfinished = store / "20260101T000000Z-aaaaaa"
    assert cli.main(["report", str(unfinished), "--store", str(store)]) == 2
    assert f'--resume {unfinished.name} --store "{store}"' in capsys.readouterr().err
