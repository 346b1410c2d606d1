"""`bench compare` finds runs by any word, passes over what it can't read, and needs no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from bench import cli
from bench.report.text.compare_terminal import ITSELF
from bench.store.journal import Entry
from tests.fakes.rows import lost
from tests.fakes.two_runs import BASE, NEW, run, timed
from tests.fakes.workers import finished_run

if TYPE_CHECKING:
    from bench.records.record import Record

ROOT = Path(__file__).parents[2]
SCHEMA_V1 = ROOT / "tests" / "golden" / "schema_v1" / "20260102T030405Z-abcdef"
OTHER = "20261123T070201Z-cccccc"
SMALL, LARGE = ({"n": n, "dtype": "float32"} for n in (16, 64))


def stored(store: Path, run_id: str, *rows: Record) -> Path:
    """A finished run with these rows."""
    entries = [Entry(record=one, samples=()) for one in rows]
    return finished_run(store, run(run_id, label=run_id[-6:]), *entries)


@pytest.fixture(name="store")
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store that is looked into by default, with two runs."""
    monkeypatch.chdir(tmp_path)
    small, large = ({"n": n, "dtype": "float32"} for n in (16, 64))
    stored(tmp_path / "results", BASE, timed(params=small), timed(params=large))
    stored(tmp_path / "results", NEW, timed(params=small), timed(2e-5, params=large))
    return tmp_path / "results"


def test_a_table_is_printed_and_the_exit_code_is_0(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A regression is only an exit code where a gate is asked for."""
    assert store.is_dir()
    assert cli.main(["compare", "label:aaaaaa", "@latest"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "slower  matmul/square[n=64,dtype=float32]  10.0 µs  20.0 µs  +100 %" in out
    assert "2 cases: 1 slower, 0 faster, 0 unsure, 1 same" in out


def test_json_is_one_document(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the contract has it; several NEW are a list."""
    stored(store, OTHER, timed())
    assert cli.main(["compare", BASE, NEW, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["slower"] == 1
    assert cli.main(["compare", BASE, NEW, OTHER, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["comparisons"]
    assert [one["new"] for one in found] == [NEW, OTHER]
    assert [one["summary"]["missing"] for one in found] == [0, 1]


def test_thresholds_and_filters_are_heeded(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer rows, a wider band, a narrower interval."""
    assert store.is_dir()
    assert cli.main(["compare", BASE, NEW, "--where", "n=16", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["same"] == 1
    assert cli.main(["compare", BASE, NEW, "--threshold", "99%", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cases"][0]["smallest_visible"] == pytest.approx(0.99)
    assert cli.main(["compare", BASE, NEW, "--confidence", "80%", "--format", "json"]) == 0
    narrow = json.loads(capsys.readouterr().out)
    assert narrow["cases"][0]["ratio_hi"] < found["cases"][0]["ratio_hi"]


def test_failed_cases_belong_to_their_comparison(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gate names those of the run that failed, and the worst of the runs is the exit code."""
    small, large = ({"n": n, "dtype": "float32"} for n in (16, 64))
    stored(store, OTHER, timed(params=small), lost("oom", "too large", params=large))
    assert cli.main(["compare", BASE, BASE, OTHER, "--gate"]) == 6
    passed, failed = capsys.readouterr().err.splitlines()
    assert "Gate passed" in passed
    assert "1 case failed: matmul/square[n=64,dtype=float32] on cpu (new: oom, too large)" in failed


@pytest.mark.parametrize(
    ("rows", "what", "where"),
    [
        ([timed(params=SMALL), timed(params=LARGE, correct=False)], "1 wrong result", "n=16"),
        ([timed(params=SMALL)], "1 case gone from the new run", "n=16"),
        ([lost("timeout", "slow", params=n) for n in (SMALL, LARGE)], "2 cases failed", ""),
    ],
)
def test_what_the_new_run_lost_is_said_first_everywhere_and_ends_with_6(
    store: Path, capsys: pytest.CaptureFixture[str], rows: list[Record], what: str, where: str
) -> None:
    """Terminal, Markdown, JSON, JUnit, page; what both have can be chosen, and passes."""
    stored(store, OTHER, *rows)
    words = [BASE, OTHER, "--gate", "--junit", str(store / "junit.xml")]
    assert cli.main(["compare", *words, "--report"]) == 6
    out, err = capsys.readouterr()
    assert out.startswith(f"{what}:\n  matmul/square[n=")
    assert err.startswith(f"bench: Gate failed: {what}: matmul/square")
    assert (store / "junit.xml").read_text(encoding="utf-8").count("<error ") == int(what[0])
    (page,) = Path("reports").glob("compare-*.html")
    assert f'"findings">\n<li>{what}: matmul/square' in page.read_text(encoding="utf-8")
    assert cli.main(["compare", *words, "--format", "markdown"]) == 6
    assert capsys.readouterr().out.startswith(f"**{what}**\n")
    assert cli.main(["compare", BASE, OTHER, "--format", "json"]) == 0
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert len([one for one in left_out if one["loss"]]) == int(what[0])
    if where:
        assert cli.main(["compare", *words, "--where", where]) == 0


def test_a_torn_run_outweighs_a_regression(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may hold anything: 6 before 3."""
    (stored(store, OTHER, timed()) / "cases.parquet").unlink()
    assert cli.main(["compare", BASE, NEW, OTHER, "--gate"]) == 6
    assert "Gate failed: 1 of 2 cases slower" in capsys.readouterr().err


def test_columns_side_by_side_are_no_gate(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gate that judges nothing would pass everything."""
    assert store.is_dir()
    assert cli.main(["compare", BASE, NEW, "--by", "run_id", "--gate"]) == 2
    assert "--by judges nothing; leave it out" in capsys.readouterr().err


def test_thresholds_of_the_folder_count_with_and_without_a_gate(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict and the gate are reached at the same one; a pattern that matches nothing is told."""
    toml = '[thresholds]\n"*n=64,*" = "150%"\n"matmull/*" = "1%"\n'
    (store.parent / "bench.toml").write_text(toml)
    idle = "bench: the threshold of 'matmull/*' matches no case\n"
    assert cli.main(["compare", BASE, NEW, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert [one["threshold"] for one in json.loads(out)["cases"]] == [0.05, 1.5]
    assert (json.loads(out)["summary"]["same"], err) == (2, idle)
    assert cli.main(["compare", BASE, NEW, "--gate", "--where", "n=16"]) == 0
    out, err = capsys.readouterr()
    assert err.count("matches no case") == 1
    assert cli.main(["compare", BASE, NEW, "--gate"]) == 0
    assert "with a threshold of their own, 1 case: 150 %" in capsys.readouterr().out


def test_a_mistake_in_the_thresholds_is_told(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is judged, also without a gate."""
    (store.parent / "bench.toml").write_text("threshold = 1")
    assert cli.main(["compare", BASE, NEW]) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("bench: bench.toml: ")) == ("", True)


def test_a_run_with_itself_says_so(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is an answer."""
    assert store.is_dir()
    assert cli.main(["compare", BASE, BASE]) == 0
    assert ITSELF in capsys.readouterr().out


def test_a_run_alone_is_compared_by_a_column(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And with nothing else."""
    assert store.is_dir()
    assert cli.main(["compare", BASE, "--by", "device", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert cli.main(["compare", BASE]) == 2
    assert "is compared with nothing; name another run" in capsys.readouterr().err


def test_a_gate_gives_the_exit_code_and_the_files(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slower case fails it; Markdown goes to stdout and to the job's summary, XML into a file."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(store / "summary.md"))
    words = ["--gate", "--junit", str(store / "junit.xml"), "--format", "markdown"]
    assert cli.main(["compare", BASE, NEW, *words]) == 3
    out, err = capsys.readouterr()
    assert err.startswith("bench: ")
    assert out.strip() in (store / "summary.md").read_text(encoding="utf-8")
    assert "<failure" in (store / "junit.xml").read_text(encoding="utf-8")
    assert cli.main(["compare", BASE, NEW, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("base_run,new_run,case")


@pytest.mark.parametrize("torn", [True, False])
def test_a_missing_or_torn_file_is_named_and_passed_over(
    store: Path, capsys: pytest.CaptureFixture[str], *, torn: bool
) -> None:
    """What can be compared is; the exit code says that something was not."""
    path = stored(store, OTHER, timed()) / "cases.parquet"
    if torn:
        path.write_bytes(path.read_bytes()[:50])
    else:
        path.unlink()
    assert cli.main(["compare", BASE, OTHER, NEW, "--format", "json"]) == 6
    out, err = capsys.readouterr()
    assert json.loads(out)["summary"]["slower"] == 1
    assert err.startswith("passed over: ")
    assert f"{OTHER}/cases.parquet" in err
    assert cli.main(["compare", OTHER, NEW]) == 6
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("by_path", [True, False])
def test_a_torn_manifest_is_named_and_passed_over(
    store: Path, capsys: pytest.CaptureFixture[str], *, by_path: bool
) -> None:
    """By its path, or by its full id; a word that means nothing at all is a mistake."""
    folder = stored(store, OTHER, timed())
    (folder / "run.json").write_text('{"run_id": ', encoding="utf-8")
    word = str(folder) if by_path else OTHER
    assert cli.main(["compare", BASE, word, NEW, "--format", "json"]) == 6
    out, err = capsys.readouterr()
    assert json.loads(out)["summary"]["slower"] == 1
    assert err.endswith(f"{OTHER}/run.json can't be read\n")
    assert cli.main(["compare", BASE, "label:none"]) == 2


def test_runs_of_other_schema_versions_work(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that lacks columns, and one that has more."""
    assert cli.main(["compare", str(SCHEMA_V1), str(SCHEMA_V1), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["cases"]
    path = store / NEW / "cases.parquet"
    table = pq.read_table(path)
    older = table.drop_columns(["noise_floor_share", "state_times_s", "time_at_reference_lo_s"])
    newer = older.append_column("colour", [["red"] * len(older)])
    pq.write_table(newer, path)
    assert cli.main(["compare", BASE, NEW, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["slower"] == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--format", "xml"],
            "bench: --format 'xml' is no form; known: csv, json, markdown, table",
        ),
        (["--threshold", "5"], "bench: --threshold: '5' is not a share; write 5% or 0.05"),
        (["--confidence", "40%"], "bench: --confidence 40% is not above 50% and below 100%; write"),
        (["--where", "op"], "bench: --where 'op' can't be read; write COLUMN=VALUE"),
        (["--where", "no=1"], "bench: --where: 'no' is no column and no axis of these rows;"),
    ],
)
def test_mistakes_are_one_line(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    """The value, the rule, the fix; exit code 2."""
    assert store.is_dir()
    assert cli.main(["compare", BASE, NEW, *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_neither_torch_nor_scipy_stats_is_loaded_without_need(store: Path) -> None:
    """Unchanged runs are compared without what takes half a second to import."""
    code = (
        "import sys; from bench import cli\n"
        f"cli.main(['compare', {BASE!r}, {BASE!r}, '--store', {str(store)!r}])\n"
        "print([m for m in ('torch', 'plotly', 'scipy.stats') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr == "[]\n"


def test_a_report_is_written_and_named(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It judges as the table does: at the same thresholds, over the same rows."""
    (store.parent / "bench.toml").write_text(
        '[thresholds]\n"matmul/*" = "200%"\n', encoding="utf-8"
    )
    words = ["--where", "n=64", "--report", "--out", "pages"]
    assert cli.main(["compare", BASE, NEW, *words]) == 0
    out, err = capsys.readouterr()
    (page,) = Path("pages").glob("compare-*.html")
    assert out.splitlines()[-1] == f"page: {page}"
    assert err == ""
    html = page.read_text(encoding="utf-8")
    assert "Of 1 case 0 are slower, 0 faster, 1 within the threshold; 0 unsure." in html
    assert f'href="{BASE}.html"' not in html


def test_a_report_is_named_out_of_the_way_of_programs(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed stays one document."""
    assert store.is_dir()
    assert cli.main(["compare", BASE, NEW, "--report", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["summary"]["slower"] == 1
    assert err.startswith("page: reports/compare-")
