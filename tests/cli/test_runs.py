"""`bench import` and `bench export`: runs come and go, once, and in one line where they can't."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from bench import cli
from bench.store.find import find
from bench.store.load import load_records, load_rows
from bench.store.runs import CASES, list_runs
from tests.fakes.launches import launched
from tests.fakes.pytest_benchmark import benchmark, document
from tests.fakes.rows import record, stored
from tests.fakes.workers import begun_run, entry, finished_run, info
from tests.store.test_find import repository, said

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
    assert len(list((file.parent / "results").glob("2*"))) == 1


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


def test_every_unchanged_test_of_two_files_is_compared(file: Path, capsys: Capture) -> None:
    """Whatever addresses and long values their parameters have; dtypes are found by their names."""
    for number, address in enumerate(("0x7f05554cea40", "0x7fd1b00bea40")):
        values = {
            "f32-add": ("torch.float32", f"<built-in method add of type object at {address}>"),
            "f32-own": ("torch.float32", f"<function <lambda> at {address}>"),
            "f64-own": ("torch.float64", f"<function <lambda> at {address}>"),
        }
        tests = [
            benchmark(
                f"tests/test_ops.py::test_binary[{ids}]",
                params={"dtype": f"UNSERIALIZABLE[{dtype}]", "op": f"UNSERIALIZABLE[{op}]"},
            )
            for ids, (dtype, op) in values.items()
        ]
        data = benchmark("tests/test_ops.py::test_sum[list]", params={"x": [*range(3000)]})
        told = document(*tests, data, datetime=f"2026-03-05T00:00:0{number}+00:00")
        (file.parent / f"{number}.json").write_text(json.dumps(told))
        assert cli.main(["import", f"{number}.json", "--label", f"run{number}"]) == 0
    capsys.readouterr()
    assert cli.main(["compare", "label:run0", "label:run1", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["case"].rpartition("::")[2] for one in found["cases"]] == [
        *(f"test_binary[{ids}]" for ids in ("f32-add", "f32-own", "f64-own")),
        "test_sum[list]",
    ]
    assert found["summary"]["missing"] == 0
    words = ["--by", "label", "--where", "dtype=float32", "--format", "json"]
    assert cli.main(["table", *words]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert len(lines) == 2


def test_imported_ids_survive_an_export_and_an_import(file: Path, capsys: Capture) -> None:
    """With commas, brackets and signs in them, in JSON, CSV, a table, and the format they came in."""
    odd = benchmark("a.py::test_x[a=1,b-[c]-☃]", params={"v": ["x=1,y=2\n", 3]})
    file.write_text(json.dumps(document(odd)))
    assert cli.main(["import", file.name]) == 0
    for words in (["show"], ["export"], ["report"], ["table", "--by", "v"], ["trend", "test_x"]):
        assert cli.main(words) == 0
    capsys.readouterr()
    for form in ("pytest-benchmark", "json"):
        assert cli.main(["export", "@latest", "--format", form]) == 0
        (file.parent / f"{form}.json").write_text(capsys.readouterr().out)
        assert cli.main(["import", f"{form}.json", "--store", form]) == 0
        capsys.readouterr()
        (row,) = load_records(form)
        assert (row.case, row.params) == (odd["fullname"], {"v": "x=1,y=2\\n, 3"})


def test_a_second_run_of_a_commit_is_one_of_the_commit(file: Path, capsys: Capture) -> None:
    """The store of the first does not make the tree dirty."""
    folder = file.parent
    file.unlink()
    _, commit = repository(folder)
    (folder / "lib" / "__pycache__").mkdir(parents=True)
    (folder / "lib" / "__pycache__" / "mine.pyc").write_text("what importing a suite leaves")
    for _ in range(2):
        assert cli.main(["run", "view", "--device", "cuda", "--json"]) == 0
    told = [
        json.loads(text)["run"]
        for text in re.findall(r"\{.*?\n\}", capsys.readouterr().out, re.DOTALL)
    ]
    found = [run for run in list_runs(folder / "results") if run.info.run_id in told]
    assert [run.info.environment["git_dirty"] for run in found] == [False, False]
    assert find(folder / "results", "git:HEAD").info.run_id == found[-1].info.run_id
    assert set(load_rows(folder / "results").git_commit) == {commit}
    assert said(folder, "status", "--porcelain") == "?? lib/\n"
    (folder / "lib" / "mine.py").write_text("a change")
    assert cli.main(["run", "view", "--device", "cuda"]) == 0
    assert list_runs(folder / "results")[-1].info.environment["git_dirty"] is True


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


def test_a_test_that_can_not_be_read_is_told_on_stderr(file: Path, capsys: Capture) -> None:
    """By its name, and in the JSON."""
    file.write_text(json.dumps(document(benchmark(), {"fullname": "a.py::torn", "stats": {}})))
    assert cli.main(["import", file.name, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == "left out: a.py::torn: it has no statistics; its test may have failed\n"
    assert json.loads(out)["runs"][0]["left_out"] == [err.strip().removeprefix("left out: ")]


def test_the_list_has_a_line_per_run_for_other_programs(file: Path, capsys: Capture) -> None:
    """Uncut, two blanks between fields, and what tells the sides of `bench ab` apart."""
    for number, side in ((2, "a"), (3, "b")):
        about = info(f"2026010{number}T000000Z-aaaaaa", label="two\nlines " * 9, tags={"ab": side})
        finished_run(file.parent / "results", about)
    begun_run(file.parent / "results", info("20260104T000000Z-aaaaaa"))
    assert cli.main(["runs"]) == 0
    out, err = capsys.readouterr()
    head, *lines = (re.split(r" {2,}", line) for line in out.splitlines())
    assert [one[head.index("tags")] for one in lines] == ["ab=a", "ab=b", "–"]
    assert lines[0][head.index("label")] == " ".join(["two lines"] * 9)
    assert {len(one) for one in lines} == {len(head)}
    assert err == "unfinished: go on with: bench run --resume 20260104T000000Z-aaaaaa\n"


def test_a_shared_name_means_the_newest_and_says_so(file: Path, capsys: Capture) -> None:
    """On stderr, so that what is printed can still be read by programs."""
    for number in (2, 3):
        about = info(f"2026010{number}T000000Z-aaaaaa", label="base", tags={"pr": "7"})
        finished_run(file.parent / "results", about, entry(0, time_s=number * 1e-6))
    said = "means 2 runs; this is the newest: 20260103T000000Z-aaaaaa\n"
    for words in (
        ["show", "label:base", "--format", "json"],
        ["compare", "label:base", "label:base", "--format", "json"],
        ["table", "label:base", "--by", "label", "--format", "json"],
        ["claims", "label:base", "--json"],
    ):
        assert cli.main(words) == 0
        out, err = capsys.readouterr()
        json.loads(out)
        assert set(err.splitlines(keepends=True)) == {f"label:base {said}"}
    assert cli.main(["show", "tag:pr=7"]) == 0
    assert capsys.readouterr().err == f"tag:pr=7 {said}"


def test_rows_are_chosen_by_label_and_commit(file: Path, capsys: Capture) -> None:
    """Of older runs too, whose rows did not say what they are called."""
    store = file.parent / "results"
    finished_run(store, info("20260103T000000Z-aaaaaa"), entry(0, label="new", git_commit="1" * 40))
    about = info("20260102T000000Z-aaaaaa", label="old", environment={"git_commit": "0" * 40})
    without_names(finished_run(store, about, entry(0)))
    assert cli.main(["table", "--by", "label", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["columns"] == ["old", "new"]
    assert cli.main(["table", "--by", "run_id", "--where", f"git_commit={'0' * 40}"]) == 0
    assert "20260103" not in capsys.readouterr().out


def without_names(run: Path) -> None:
    """Take the newer columns out of a run's rows, as an older version wrote them."""
    rows = pq.read_table(run / CASES)
    pq.write_table(rows.drop_columns(["label", "tags", "git_commit"]), run / CASES)


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
    text = " ".join(capsys.readouterr().err.split())
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
