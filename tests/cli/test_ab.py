"""`bench ab` measures two sides in turn, says which is slower, and keeps both as runs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from bench import cli
from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.store.load import load_rows
from bench.worker import devices
from tests.fakes.machine import set_compute_mode
from tests.fakes.workers import HELLO, Stage, settle, visited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
SUITE = """
from bench import Axis, Call, Skip, Suite

suite = Suite("mine", axes=[Axis("n", [1, 64, 4096], quick=[16, 64])])


@suite.op
def op(case):
    return Call(sum, range(case["n"]))


@suite.op
def twin(case):
    return Call(sum, range(case["n"]))


@suite.op(axes=[Axis("way", ["a", "b"])])
def never(case):
    raise Skip("not here")
"""


@pytest.fixture(name="bench")
def _bench(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line on a machine without a GPU, in a folder with a suite."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(devices, "why_missing", lambda name: "" if name == "cpu" else "no CUDA")
    monkeypatch.setattr(devices, "present", lambda: ("cpu",))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("SLOW", raising=False)
    (tmp_path / "mine.py").write_text(SUITE)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["ab", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


Bench = Any
"""The fixture above."""


class Sides:
    """Fakes for both sides, in the order in which they start: SLOW=1 makes calls half as long again, NOISY=1 any."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.pythons: list[str | None] = []
        self.fails = ""
        self.wrong = False

    def pool(
        self,
        count: int,
        threads: int,
        base: Mapping[str, str],
        _cores: object,
        python: str | None,
        memory: str,
    ) -> WorkerPool:
        """A side's pool, whose workers do as they are told of memory."""
        assert memory == "reuse"
        slow = base.get("SLOW") == "1"
        noise_ns = random.Random(count)  # noqa: S311 - not a secret

        def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
            if isinstance(request, protocol.Check) and request.case.id == self.fails:
                return protocol.Refused(status="failed", reason="no good")
            if isinstance(request, protocol.Check) and slow and self.wrong:
                return protocol.Checked(correct=False, max_error=0.5, note="", input_bytes=8)
            if not isinstance(request, protocol.VisitRequest):
                return settle(request)
            if base.get("NOISY"):
                return visited(noise_ns.randrange(400_000, 1_600_000))
            longer = slow or request.case.op == "twin" or threads == 1
            return visited(1_500_000 if longer else 1_000_000)

        self.pythons.append(python)
        self.stages.append(Stage(answer))
        made = self.stages[-1].pool(count)
        for process in self.stages[-1].processes:
            process.hello = protocol.Hello(
                torch={**HELLO.torch, "threads": threads}, device_names={}
            )
        return made


@pytest.fixture(name="sides")
def _sides(monkeypatch: pytest.MonkeyPatch) -> Sides:
    sides = Sides()
    monkeypatch.setattr(WorkerPool, "of_processes", sides.pool)
    return sides


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("mine.py --threshold 0", "--threshold: '0' is not a share; write 5% or 0.05"),
        ("mine.py --confidence 99", "--confidence: '99' is not a share; write 5% or 0.05"),
        ("mine.py --budget soon", "--budget 'soon' is not a stretch of time"),
        ("mine.py --a nowhere", "--a nowhere: there is no such program"),
        ("mine.py --b-env x", "--b-env 'x' can't be read; write NAME=VALUE"),
        ("mine.py --a-threads 1 --a-env OMP_NUM_THREADS=2", "--a-threads 1 and OMP_NUM_THREADS=2"),
        ("mine.py mine/pop", "there is no op 'mine/pop' among what was chosen; did you mean mine/op"),
        ("mine.py mine/op mine/twin mine/never", "3 ops (mine/op, mine/twin, mine/never) are more"),
        ("mine.py mine/op mine/never", "mine/op and mine/never have no case with equal axes"),
        ("mine.py -k never", "every chosen case is skipped here"),
        ("mine.py --preset slow", "there is no preset 'slow'"),
        ("absent.py", "there is no file absent.py"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_2(
    bench: Bench, sides: Sides, words: str, said: str
) -> None:
    """Before anything is measured, with workers ended."""
    code, out, err = bench(*words.split())
    line = err.splitlines()[-1]
    assert (code, out) == (2, "")
    assert line.startswith("bench: ")
    assert said in line
    assert all(process.closed for stage in sides.stages for process in stage.processes)


def test_a_gpu_for_one_process_is_refused_before_workers_start(
    bench: Bench, sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides have theirs at the same time, and two at least."""
    set_compute_mode(monkeypatch, "exclusive-process")
    code, out, err = bench("mine.py", "--device", "cuda", "--workers", "2")
    assert (code, out, sides.stages) == (2, "", [])
    assert err == (
        "bench: --device cuda: compute mode exclusive-process lets one process use cuda, and 4 workers would: "
        "have it changed (sudo nvidia-smi -c 0) or start MPS (nvidia-cuda-mps-control -d)\n"
    )


def test_an_environment_that_makes_it_slower_is_told(
    bench: Bench, tmp_path: Path, sides: Sides
) -> None:
    """In a table; both sides are kept as runs that say which they were."""
    code, out, err = bench("mine.py", "-k", "op", "--b-env", "SLOW=1", "--b-env", "MKL_X=2")
    assert code == 0, err
    assert "a is without MKL_X, without SLOW" in out
    assert "b is MKL_X=2, SLOW=1" in out
    assert "2 cases: 2 slower." in out
    assert "mine/op n=16: slower, b takes 1.500 to 1.500 times as long" in err
    rows = load_rows(tmp_path / "results")
    assert len(rows) == 4
    found = [json.loads(path.read_text()) for path in (tmp_path / "results").glob("*/run.json")]
    variables = {run["tags"]["ab"]: run["environment"]["variables"] for run in found}
    assert set(variables) == {"a", "b"}
    assert "MKL_X" not in variables["a"]
    assert variables["b"]["MKL_X"] == "2"
    assert sides.pythons == [None, None]
    assert all(process.closed for stage in sides.stages for process in stage.processes)


@pytest.mark.usefixtures("sides")
def test_two_ops_are_compared_with_each_other_in_json(bench: Bench) -> None:
    """One document, and nothing else."""
    code, out, err = bench("mine.py", "mine/op", "mine/twin", "--set", "n=64", "--json")
    assert code == 0, err
    told = json.loads(out)
    (one,) = told["cases"]
    assert (told["a"], told["b"]) == ("mine/op", "mine/twin")
    assert (one["case"], one["other_case"]) == ("mine/op[n=64]", "mine/twin[n=64]")
    assert (one["verdict"], one["ended"]) == ("slower", "decided")
    assert one["ratio"] == pytest.approx(1.5)
    assert (told["threshold"], told["confidence"]) == (0.02, 0.99)
    assert len(told["runs"]) == 2


@pytest.mark.usefixtures("sides")
def test_thread_counts_are_sides_too(bench: Bench, tmp_path: Path) -> None:
    """By their option or by the variable."""
    for words in (("--b-threads", "1"), ("--b-env", "OMP_NUM_THREADS=1")):
        _, out, _ = bench("mine.py", "mine/op", "--set", "n=64", *words, "--json")
        told = json.loads(out)
        assert (told["a"], told["b"]) == ("2 threads", "1 thread")
        assert told["summary"]["slower"] == 1
    assert set(load_rows(tmp_path / "results")["threads"]) == {1, 2}


def test_nothing_that_differs_is_the_same(bench: Bench, sides: Sides) -> None:
    """And is said to be a test of the machine; ten workers of each side are the rule."""
    code, out, _ = bench("mine.py", "mine/op")
    assert code == 0
    assert "a and b are the same" in out
    assert "2 cases: 2 same." in out
    assert [len(stage.processes) for stage in sides.stages] == [10, 10]


def test_another_interpreter_is_where_workers_start(
    bench: Bench, tmp_path: Path, sides: Sides
) -> None:
    """And what it is stands in the run."""
    code, out, err = bench("mine.py", "mine/op", "--b", sys.executable, "--json")
    assert code == 0, err
    assert json.loads(out)["b"] == sys.executable
    assert sides.pythons == [None, os.path.abspath(sys.executable)]  # noqa: PTH100 - not resolved
    run = json.loads(out)["runs"][1]["path"]
    assert (
        "torch" in json.loads((tmp_path / run / "run.json").read_text())["environment"]["packages"]
    )


def test_a_case_that_fails_ends_with_6(bench: Bench, sides: Sides) -> None:
    """The others are decided; a skip is said."""
    sides.fails = "mine/op[n=16]"
    code, out, err = bench("mine.py")
    assert code == 6
    assert "a failed: no good" in out
    assert "4 cases: 1 unsure, 3 same." in out
    assert "skipping 4: not here" in err


def test_a_wrong_result_ends_with_6_and_has_no_verdict(bench: Bench, sides: Sides) -> None:
    """In the line, in the table, and in JSON."""
    sides.wrong = True
    code, out, err = bench("mine.py", "mine/op", "--set", "n=64", "--b-env", "SLOW=1")
    assert code == 6
    assert "mine/op n=64: unsure, b wrong result" in err
    assert "mine/op n=64: b wrong result" in out
    assert "1 case: 1 unsure." in out
    code, out, _ = bench("mine.py", "mine/op", "--set", "n=64", "--b-env", "SLOW=1", "--json")
    (one,) = json.loads(out)["cases"]
    assert code == 6
    assert (one["verdict"], one["reason"]) == ("unsure", "b wrong result")
    assert (one["ratio"], one["new_s"]) == (None, None)
    assert one["base_s"] > 0


@pytest.mark.usefixtures("sides")
@pytest.mark.parametrize(
    ("words", "code", "said", "tags"),
    [
        (["--b-env", "SLOW=1"], 3, "Gate failed: 1 of 1 case slower than allowed", {"failure"}),
        (["--a-env", "SLOW=1"], 0, "Gate passed", set()),
        ([], 0, "Gate passed", set()),
        (["--b-env", "SLOW=1", "--threshold", "90%"], 0, "Gate passed", set()),
        (["--b-env", "NOISY=1"], 4, "Gate undecided", {"skipped"}),
    ],
)
def test_a_gate_has_the_exit_codes_of_compare(
    bench: Bench, tmp_path: Path, words: list[str], code: int, said: str, tags: set[str]
) -> None:
    """Its sentence on stderr, JUnit in the file; without a gate JUnit is the same and the code 0."""
    asked = ("mine.py", "mine/op", "--set", "n=64", "--junit", "ab.xml", *words)
    found, out, err = bench(*asked, "--gate", "--json")
    assert found == code, err
    assert json.loads(out)["cases"]
    assert err.splitlines()[-1].startswith(f"bench: {said}")
    (test,) = ET.parse(tmp_path / "ab.xml").iter("testcase")  # noqa: S314 - our own
    assert test.get("name") == "mine/op[n=64] on cpu"
    assert {child.tag for child in test} == tags
    assert bench(*asked)[0] == 0


@pytest.mark.parametrize("side", ["--a-env", "--b-env"])
def test_a_gate_ends_with_6_where_either_side_is_wrong(
    bench: Bench, sides: Sides, tmp_path: Path, side: str
) -> None:
    """Both were measured now; the case is an error."""
    sides.wrong = True
    words = ("mine.py", "mine/op", "--set", "n=64", side, "SLOW=1", "--gate", "--junit", "ab.xml")
    code, _, err = bench(*words)
    assert code == 6
    assert f"Gate failed: 1 wrong result: mine/op[n=64] on cpu (new: {side[2]} wrong result)" in err
    (error,) = ET.parse(tmp_path / "ab.xml").iter("error")  # noqa: S314 - our own
    assert error.attrib == {"message": f"new: {side[2]} wrong result", "type": "wrong"}


@pytest.mark.usefixtures("sides")
def test_a_label_is_on_both_runs_and_the_sides_are_told_apart(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their tags in the store, by what differs in what CI shows."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    words = ("mine.py", "mine/op", "--set", "n=64", "--b-env", "SLOW=1", "--label", "pr 7")
    assert bench(*words, "--gate", "--junit", "ab.xml")[0] == 3
    found = [json.loads(path.read_text()) for path in (tmp_path / "results").glob("*/run.json")]
    assert sorted((run["label"], run["tags"]["ab"]) for run in found) == [
        ("pr 7", "a"),
        ("pr 7", "b"),
    ]
    name = "mine: pr 7 a: without SLOW → pr 7 b: SLOW=1"
    assert f'name="{name}"' in (tmp_path / "ab.xml").read_text(encoding="utf-8")
    assert "### 1 slower" in (tmp_path / "summary.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("sides")
def test_two_ops_are_one_case_of_the_gate(bench: Bench) -> None:
    """Under both names."""
    code, _, err = bench("mine.py", "mine/op", "mine/twin", "--set", "n=64", "--gate")
    assert code == 3
    assert "mine/op[n=64] → mine/twin[n=64] on cpu 1.500 times (allowed 1.020)" in err


def test_help_names_the_command(bench: Bench) -> None:
    """With its options."""
    code, out, _ = bench("-h")
    assert code == 0
    assert all(option in out for option in ("--a-env", "--b-threads", "--threshold", "--budget"))


CHECKOUT_SUITE = """
import torch
from bench import Call, Suite
from pkg import double

suite = Suite("checkout")


@suite.op
def doubled(case):
    return Call(double, case.randn(64))


@doubled.reference
def doubled_reference(x):
    return 2 * x.numpy()
"""


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("x * 3", "checkout/doubled: b wrong result"),
        ("sum([x + x] * 9) / 9", "checkout/doubled"),
    ],
)
def test_two_checkouts_are_compared_through_pythonpath(tmp_path: Path, new: str, says: str) -> None:
    """As the guide has it, in the folder of the change: each side imports its own checkout, however both lie."""
    for name, body in (("base", "x + x"), ("new", new)):
        package = tmp_path / name / "pkg"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"def double(x):\n    return {body}\n")
    (tmp_path / "new/suite.py").write_text(CHECKOUT_SUITE)
    words = ["suite.py", "--a-env", "PYTHONPATH=../base", "--b-env", "PYTHONPATH=."]
    quickly = ["--workers", "2", "--budget", "1", "--device", "cpu", "--json", "--gate"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "ab", *words, *quickly],
        cwd=tmp_path / "new",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([".", str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (told["a"], told["b"]) == ("PYTHONPATH=../base", "PYTHONPATH=.")
    (one,) = told["cases"]
    assert says in f"{one['case']}: {one['reason']}"
    if "wrong" in says:
        assert done.returncode == 6
        assert one["base_s"] > 0
    else:
        assert one["verdict"] != "same"
        assert one["ratio"] > 2


@pytest.mark.slow
def test_a_real_comparison_of_two_interpreters(bench: Bench, tmp_path: Path) -> None:
    """With processes, in a few seconds: whatever the answer, it is one, and the rows are there."""
    words = ("--set", "n=64", "--b", sys.executable, "--workers", "2", "--budget", "2", "--json")
    code, out, err = bench("mul/matrices", *words)
    assert code == 0, err
    (one,) = json.loads(out)["cases"]
    assert one["verdict"] in {"faster", "slower", "same", "unsure"}
    assert one["ratio_lo"] <= one["ratio"] <= one["ratio_hi"]
    assert one["rounds"] >= 5
    rows = load_rows(tmp_path / "results")
    assert len(rows) == 2
    assert rows["correct"].all()
    assert (rows["workers"] == 2).all()
