"""The command line: what is printed where, which exit code it ends with, and what it never loads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench import cli
from bench.cli import run as cli_run
from bench.run import peak_survey
from bench.store import find
from bench.store.load import load_rows
from bench.store.runs import list_runs
from bench.worker import devices
from tests.fakes.workers import begun_run, entry, finished_run, info

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
OLD, NEW = "20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"
QUICKLY = (
    "--workers",
    "1",
    "--rounds",
    "1",
    "--budget",
    "1ms",
    "--threads",
    "1",
    "--patience",
    "0",
    "--no-roofs",
)
EXAMPLE = '''
"""Matrix multiplication. Run it: bench run matmul"""
import torch
from bench import Axis, Call, Case, Suite, Work

suite = Suite(
    "matmul",
    axes=[
        Axis("n", [1, 16, 64, 256, 1024, 4096], quick=[16, 256, 1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16"], quick=["float32"]),
    ],
)

@suite.op
def square(case: Case) -> Call:
    """n×n times n×n into a new tensor."""
    n = case["n"]
    return Call(torch.matmul, case.randn(n, n), case.randn(n, n))

@square.work
def square_work(case: Case) -> Work:
    """2n³ FLOP; two matrices read, one written."""
    n, size = case["n"], case.itemsize
    return Work(flop=2 * n**3, read_bytes=2 * n * n * size, written_bytes=n * n * size)

@square.reference
def square_reference(a, b):
    """The same product in float64 on the CPU, by NumPy."""
    return a.numpy() @ b.numpy()
'''
MIXED = """
from bench import Call, Suite

suite = Suite("mixed")


@suite.op
def fine(case):
    return Call(abs, -1)


@suite.op
def broken(case):
    raise ValueError("no good")
"""


VERSIONS = """
import os
import torch
from bench import Axis, Call, Suite

suite = Suite("versions", axes=[Axis("n", [8])])


def rows(x):
    return x.relu() if os.environ["ROWS_VERSION"] == "1" else x


@suite.op
def kept(case):
    return Call(rows, case.randn(case["n"], case["n"]))


@kept.reference
def kept_reference(x):
    return x.numpy().clip(min=0)


@suite.op
def beside(case):
    return Call(torch.relu, case.randn(case["n"], case["n"]))
"""
UNLIKE = """
import torch
from bench import Call, Suite

suite = Suite("results")


@suite.op
def wrong(case):
    return Call(torch.neg, case.randn(8))


@wrong.reference
def wrong_reference(x):
    return x.numpy()


@suite.op
def unchecked(case):
    return Call(torch.neg, case.randn(8))


@suite.op
def vacuous(case):
    return Call(torch.neg, case.zeros(8))


@vacuous.reference
def vacuous_reference(x):
    return -x.numpy()
"""


@pytest.fixture(name="bench")
def _bench(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(devices, "why_missing", lambda name: "" if name == "cpu" else "no CUDA")
    monkeypatch.setattr(devices, "present", lambda: ("cpu",))

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Path:
    """The store that is looked into by default, with two runs."""
    store = tmp_path / "results"
    finished_run(store, info(OLD, label="twice"), entry(0), entry(1))
    finished_run(store, info(NEW, label="twice", torch={"version": "2.9.0"}), entry(0))
    return store


Bench = Any
"""The fixture above."""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run matmull", "there is no suite 'matmull'; did you mean matmul or mul?"),
        ("run view --set m=3", "--set m=…: no selected op has such an axis; known: "),
        ("run view --set n=many", "--set n=many: no selected op can take it;"),
        ("run view --set n", "--set 'n' can't be read; write axis=value,value (n=64,256)"),
        ("run notes.txt", "notes.txt is not a Python file; a suite is a .py file"),
        ("run nothing.py", "nothing.py declares no suite; write exactly one: suite = Suite("),
        (
            "run syntax.py",
            "syntax.py can't be loaded: SyntaxError: invalid syntax (syntax.py, line 3)",
        ),
        ("run raises.py", "raises.py can't be loaded (line 2): ZeroDivisionError: "),
        ("run absent.py", "there is no file absent.py"),
        ("run .", ". is a folder; name its suite files"),
        ("run view --store notes.txt/store", "the store notes.txt/store can't be written: "),
        ("run view -k and", "-k 'and': "),
        ("run view -k zebra", "-k 'zebra' matches none of the cases; ops: view/view"),
        ("run view --preset quik", "there is no preset 'quik'; did you mean quick?"),
        (
            "run view --device gpu",
            "--device 'gpu' is no device; write cpu, cuda, cuda:1, xpu, mps or all",
        ),
        ("run view --cache cool", "--cache 'cool' is neither hot nor cold; did you mean cold?"),
        ("run view --memory frsh", "--memory 'frsh' is none of reuse, fresh, system; did you mean"),
        ("ab view --memory frsh", "--memory 'frsh' is none of reuse, fresh, system; did you mean"),
        ("crossover view/t --memory x", "--memory 'x' is none of reuse, fresh, system; known: "),
        ("selftest --memory frsh", "--memory 'frsh' is none of reuse, fresh, system; did you mean"),
        ("run view --budget soon", "--budget 'soon' is not a stretch of time"),
        ("run view --timeout 0", "--timeout '0' is not a stretch of time"),
        ("run view --tag main", "--tag 'main' can't be read; write key=value"),
        ("run view --workers 0", "Invalid value for '--workers'"),
        ("run view --workers many", "Invalid value for '--workers'"),
        ("run view --bogus", "No such option: --bogus"),
        ("run --resume never", "'never' means no unfinished runs in results"),
        (f"run --resume {OLD}", f"run {OLD} is finished, and a finished run never changes"),
        ("list matmull", "there is no suite 'matmull'"),
        ("list view --set m=3", "--set m=…: no selected op has such an axis"),
        ("runs --store nowhere", "there is no store nowhere"),
        ("show never", "'never' means no run in results; the newest are"),
        ("show 2026010", f"'2026010' means 2 runs (the newest: {OLD}, {NEW})"),
        ("show @-3", "'@-3' means no run in results"),
        ("show @latest --store nowhere", "there is no store nowhere"),
        ("show @latest --format xml", "there is no export form 'xml'"),
        ("export never", "'never' means no run"),
        ("export @latest --format xml", "--format 'xml' is no form; known: csv"),
        ("report never", "'never' means no run"),
        ("report @latest --out notes.txt/pages", "notes.txt/pages"),
        ("explain nosy", "there is no warning 'nosy'; did you mean noisy?"),
        ("profile zebra", "'zebra' matches none of "),
        ("profile square --suite matmul", "name one of them, or add: and AXIS=VALUE"),
        ("profile view/t[n=64] --device all", "a profile is of one device; write cpu, cuda or"),
        ("profile view/t[n=64] --device gpu", "--device 'gpu' is no device"),
        ("profile view/t[n=64] --device cuda", "view/t[n=64] on cuda is skipped: no CUDA"),
        ("profile view/t[n=64] --out notes.txt/pages", "notes.txt/pages can't be written: "),
        ("profile view/t[n=64] --calls 0", "Invalid value for '--calls'"),
        ("profile view/t[n=64] --timeout soon", "--timeout 'soon' is not a stretch of time"),
        ("rnu", "No such command 'rnu'"),
        ("--bogus", "No such option: --bogus"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_mistake_is_one_line_and_exit_code_2(
    bench: Bench, tmp_path: Path, words: str, said: str
) -> None:
    """What was wrong, on stderr; nothing on stdout, and never a traceback."""
    (tmp_path / "notes.txt").write_text("no suite")
    (tmp_path / "nothing.py").write_text("x = 1\n")
    (tmp_path / "syntax.py").write_text("x = 1\n\ndef (:\n")
    (tmp_path / "raises.py").write_text("x = 1\ny = x / 0\n")
    code, out, err = bench(*words.split())
    *before, last = err.splitlines()
    assert (code, out) == (2, "")
    assert last.startswith("bench: ")
    assert said in last
    announced = ("no GPU here", "measuring")
    assert [line for line in before if not line.startswith(announced)] == []


def test_help_is_there_for_every_command(bench: Bench) -> None:
    """And no words at all are a question too."""
    code, out, err = bench("--help")
    assert (code, err) == (0, "")
    assert bench() == (code, out, err)
    listed = re.findall(r"^  (\w+)  ", out.partition("Commands:")[2], re.MULTILINE)
    assert listed == [
        *("run", "list", "runs", "show", "report", "publish", "export", "import"),
        *("compare", "table", "trend", "ab", "crossover", "claims", "fleet", "gate"),
        *("profile", "machine", "doctor", "selftest", "explain"),
    ]
    for command in listed:
        assert bench(command, "-h")[0] == 0
    for command in ("plan", "run", "status", "retry", "report", "gate", "reference", "emit"):
        assert bench("fleet", command, "-h")[0] == 0


def test_the_suite_of_the_documents_runs_unchanged(bench: Bench, tmp_path: Path) -> None:
    """From a file of the user's, with work and reference; the one JSON document says where."""
    (tmp_path / "file.py").write_text(EXAMPLE, encoding="utf-8")
    code, out, err = bench("run", "file.py", *QUICKLY, "--set", "n=16,64", "--json")
    assert code == 0, err
    told = json.loads(out)
    counts = {"ok": 2, "failed": 0, "timeout": 0, "oom": 0, "skipped": 0}
    assert told == {
        "run": told["run"],
        "path": str(Path("results") / told["run"]),
        "cases": counts,
        "report": None,
        "wrong": 0,
    }
    rows = load_rows(tmp_path / "results")
    assert sorted(rows["case"]) == [f"matmul/square[n={n},dtype=float32]" for n in (16, 64)]
    assert rows["correct"].all()
    assert rows["flop"].tolist() == [2.0 * int(params["n"]) ** 3 for params in rows["params"]]
    assert (rows["flop_per_s"] * rows["time_s"] - rows["flop"]).abs().max() < 1
    assert err.splitlines()[:2] == [
        "no GPU here (no CUDA): the CPU alone",
        "measuring 2 cases, about 5 s",
    ]


def test_a_case_that_fails_makes_exit_code_6_and_spoils_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    """The others are saved; an op without axes has an id without brackets."""
    (tmp_path / "mixed.py").write_text(MIXED)
    code, out, err = bench("run", "mixed.py", *QUICKLY, "--device", "cpu", "--label", "x")
    assert code == 6
    assert "failed: mixed/broken on cpu: ValueError: no good" in err
    assert "Traceback" not in err
    rows = load_rows(tmp_path / "results").set_index("case")
    assert rows["status"].to_dict() == {"mixed/fine": "ok", "mixed/broken": "failed"}
    assert rows["reason"]["mixed/broken"] == "ValueError: no good"
    assert f"run {rows['run_id'].iloc[0]} is in results" in out
    assert bench("show", "label:x")[0] == 0


def test_a_wrong_result_makes_exit_code_6_and_what_shows_nothing_does_not(
    bench: Bench, tmp_path: Path
) -> None:
    """It has a row with its time as any other; neither a result that was not looked at nor a vacuous one is wrong."""
    (tmp_path / "results.py").write_text(UNLIKE)
    code, out, err = bench("run", "results.py", *QUICKLY, "--device", "cpu", "--json")
    assert code == 6
    told = json.loads(out)
    assert (told["cases"]["ok"], told["wrong"]) == (3, 1)
    assert "wrong result: results/wrong on cpu: error" in err
    assert bench("run", "results.py", "-k", "not wrong", *QUICKLY, "--device", "cpu")[0] == 0


def test_a_version_that_is_wrong_passes_neither_run_nor_gate_nor_badge(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast it is; the way back is no loss."""
    (tmp_path / "versions.py").write_text(VERSIONS)
    for version, code in (("1", 0), ("2", 6)):
        monkeypatch.setenv("ROWS_VERSION", version)
        words = ("versions.py", *QUICKLY, "--device", "cpu", "--label", f"v{version}")
        assert bench("run", *words)[0] == code
    code, out, err = bench("compare", "label:v1", "label:v2", "--gate", "--junit", "j.xml")
    assert code == 6
    assert out.startswith("1 wrong result:\n  versions/kept[n=8] on cpu (new: wrong result, error ")
    assert "Gate failed: 1 wrong result: versions/kept[n=8] on cpu" in err
    document = (tmp_path / "j.xml").read_text(encoding="utf-8")
    assert re.search(r'name="versions/kept\[n=8\] on cpu">\s+<error .*type="wrong"', document)
    assert document.count("<testcase ") == 2
    assert bench("publish", "--to", "site")[0] == 0
    picture = (tmp_path / "site/badge.svg").read_text(encoding="utf-8")
    assert "tensorbench: 1 wrong · " in picture
    assert "#b3261e" in picture
    code, _, err = bench("compare", "label:v2", "label:v1", "--gate")
    assert (code in {0, 3, 4}, "wrong" in err) == (True, False)


@pytest.mark.parametrize(("waited_s", "said"), [(0.75, ""), (68.25, "1 min 8 s")])
def test_a_run_that_waited_says_so_in_the_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    waited_s: float,
    said: str,
) -> None:
    """It took longer than was announced; what is less than a second is not worth the words."""
    run = find.find(tmp_path, str(finished_run(tmp_path, info(waited_s=waited_s))))
    monkeypatch.setattr(cli_run, "_measured", lambda *_: run)
    assert cli.main(["run", "view"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    why = f"; it waited {said} for the machine to be as fast as usual" if said else ""
    assert last == f"run {run.info.run_id} is in {run.folder}{why}"


def test_a_device_that_is_not_here_is_skipped_with_the_reason(bench: Bench) -> None:
    """That is no failure; no worker is started for it."""
    code, out, err = bench("run", "view", "--device", "cuda", "--json")
    told = json.loads(out)["cases"]
    assert code == 0
    assert (told["ok"], told["skipped"] > 0) == (0, True)
    skipping, nothing = err.splitlines()
    assert skipping == f"skipping {told['skipped']} cases: no CUDA"
    assert nothing.startswith("nothing was measured: every case was skipped, so this run is not @")
    assert f"bench show {json.loads(out)['path']}" in nothing


@pytest.mark.slow
def test_a_call_is_measured_with_cold_caches(bench: Bench, tmp_path: Path) -> None:
    """One call to a sample, in the rows and in what is printed."""
    (tmp_path / "mixed.py").write_text(MIXED)
    words = ("-k", "fine", "--device", "cpu", "--cache", "cold")
    code, out, _ = bench("run", "mixed.py", *QUICKLY, *words)
    (row,) = load_rows(tmp_path / "results").to_dict("records")
    assert (code, row["cache"], row["loops"], row["samples"] > 0) == (0, "cold", 1, True)
    assert "cold time" in out


@pytest.mark.slow
@pytest.mark.parametrize("memory", ["fresh", "system"])
def test_a_call_is_measured_with_the_memory_asked_for(
    bench: Bench, tmp_path: Path, memory: str
) -> None:
    """In the rows and in the run; where it can't be had, a line says so."""
    (tmp_path / "mixed.py").write_text(MIXED)
    words = ("-k", "fine", "--device", "cpu", "--memory", memory)
    code, _, err = bench("run", "mixed.py", *QUICKLY, *words)
    (row,) = load_rows(tmp_path / "results").to_dict("records")
    (run,) = list_runs(tmp_path / "results")
    held = "system" if run.info.memory_note else memory
    assert (code, row["memory"], run.info.options["memory"]) == (0, held, memory)
    assert run.info.memory == {"cpu": held}
    assert ("not as asked for" in err) == bool(run.info.memory_note)


def test_a_machine_without_a_gpu_is_told_so_once(bench: Bench) -> None:
    """Only where it was left open which devices to measure on."""
    assert bench("list", "view")[2] == "no GPU here (no CUDA): the CPU alone\n"
    assert bench("list", "view", "--device", "cpu")[2] == ""


def test_several_devices_are_named_by_commas_or_several_times(bench: Bench, tmp_path: Path) -> None:
    """Both together too."""
    (tmp_path / "mixed.py").write_text(MIXED)
    words = ("list", "mixed.py", "-k", "fine", "--json")
    code, out, _ = bench(*words, "--device", "cpu,cuda", "--device", "cuda:1")
    told = json.loads(out)
    assert code == 0
    assert [one["device"] for one in told["cases"]] == ["cpu"]
    assert [one["device"] for one in told["skips"]] == ["cuda", "cuda:1"]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("list view --json", "cases"),
        ("runs --json", "runs"),
        ("show @latest --format json", "rows"),
        ("export @latest --format json", "rows"),
        ("report @latest --json", "report"),
        ("report --single-file --json", "report"),
    ],
)
def test_json_is_one_document_and_nothing_else(bench: Bench, words: str, key: str) -> None:
    """On stdout; with no name that stands for a number."""
    code, out, err = bench(*words.split())
    assert code == 0, err

    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert key in json.loads(out, parse_constant=refuse)


@pytest.mark.slow
def test_a_machine_is_measured_when_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, keeps what it found for this number of threads, and a run uses that."""
    monkeypatch.setattr(peak_survey, "SURVEY_S", 0.2)
    code, out, err = bench("machine", "--measure", "--threads", "1", "--json")
    assert code == 0
    assert "measuring roofs of cpu, about 0 s" in err
    assert json.loads(out)["roofs"]["cpu"]["threads"] == 1

    _, out, _ = bench("machine", "--threads", "1")
    assert "float32 matmul" in out
    roofs = [word for word in QUICKLY if word != "--no-roofs"]
    code, out, err = bench("run", "matmul", "-k", "square and n=64", "--device", "cpu", *roofs)
    assert code == 0
    assert "measuring roofs" not in err
    (row,) = load_rows("results").to_dict("records")
    assert row["roof"] == "float32 matmul"
    assert row["roof_share"] > 0


def test_the_machine_is_one_document_too(bench: Bench) -> None:
    """Identity, environment, torch as a worker sees it, state."""
    code, out, err = bench("machine", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert list(told) == ["machine", "environment", "torch", "state", "roofs"]
    assert told["roofs"] == {}
    assert told["machine"]["machine_id"].startswith("m-")


def test_runs_are_listed_with_who_made_them(bench: Bench, store: Path) -> None:
    """Finished or not."""
    begun_run(store, info("20260103T000000Z-cccccc"))
    told = json.loads(bench("runs", "--json")[1])
    assert told["store"] == "results"
    assert [(one["run"], one["finished"], one["label"]) for one in told["runs"]] == [
        (OLD, True, "twice"),
        (NEW, True, "twice"),
        ("20260103T000000Z-cccccc", False, None),
    ]
    assert told["runs"][1]["torch_version"] == "2.9.0"
    assert OLD in bench("runs")[1]


@pytest.mark.usefixtures("store")
def test_a_page_is_written_where_it_is_asked_for(bench: Bench, tmp_path: Path) -> None:
    """And its path is said."""
    code, out, _ = bench("report", NEW, "--out", "pages")
    page = Path(out.removeprefix("page: ").strip())
    assert code == 0
    assert (tmp_path / page).is_file()
    assert page.parent == Path("pages")


def test_every_warning_can_be_explained(bench: Bench) -> None:
    """One, or all of them."""
    code, out, _ = bench("explain", "noisy")
    assert code == 0
    assert out.splitlines()[0] == "noisy"
    assert out in bench("explain")[1]


def in_a_process(*words: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that runs a line of Python with words behind it."""
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


LOADED_BY = """
import json, sys
from bench.cli import main
for command in sys.argv[1:]:
    code = main(command.split())
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps([command, code, loaded]), file=sys.stderr)
"""
HEAVY = {"torch", "numpy", "pandas", "pyarrow", "scipy", "plotly", "rich", "jinja2", "psutil"}


@pytest.mark.parametrize(
    "not_loaded",
    [
        {
            "--help": HEAVY,
            "run --help": HEAVY,
            "explain noisy": HEAVY,
            "runs --json": {"torch", "pandas", "plotly", "scipy"},
            "doctor": {"torch", "pandas", "plotly"},
            "runs": {"torch", "plotly"},
            "show @latest": {"torch", "plotly"},
            "export @latest --format pytest-benchmark": {"torch", "plotly"},
            "report @latest": {"torch"},
        },
        {"list view --device cpu": {"pandas", "plotly"}},
    ],
    ids=["reading", "planning"],
)
def test_a_command_loads_what_it_needs(
    store: Path, tmp_path: Path, not_loaded: dict[str, set[str]]
) -> None:
    """Help is there at once, and results are read without torch.

    One process runs them all, so that what must not be loaded after a command was not loaded before either.
    """
    assert store.is_dir()
    done = in_a_process(*not_loaded, code=LOADED_BY, folder=tmp_path)
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [(command, code) for command, code, _ in told] == [(one, 0) for one in not_loaded]
    for command, _, loaded in told:
        assert "typer" in loaded
        assert not_loaded[command].intersection(loaded) == set(), command


@pytest.mark.parametrize("words", ["export @latest --format json", "runs", "runs --json"])
def test_the_reader_may_have_seen_enough(store: Path, tmp_path: Path, words: str) -> None:
    """A pipe that is closed early (head, less) is no error."""
    assert store.is_dir()
    code = (
        "import os, sys\nfrom bench.cli import main\nread, write = os.pipe()\nos.close(read)\n"
        "os.dup2(write, 1)\nsys.exit(main(sys.argv[1:]))"
    )
    done = in_a_process(*words.split(), code=code, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_can_be_run_as_a_module(tmp_path: Path) -> None:
    """`python -m bench` is `bench`, exit code and all."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "show", "--store", "nowhere"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bench: there is no store nowhere")
