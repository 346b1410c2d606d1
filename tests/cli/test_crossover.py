"""`bench crossover` answers from stored rows, or measures until it knows, and says which."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench import cli
from bench.pool import protocol
from bench.pool.pool import WorkerPool
from bench.run import manifest
from bench.store.load import load_rows
from bench.worker import devices
from tests.fakes.machine import set_compute_mode
from tests.fakes.workers import HELLO, Stage, entry, finished_run, info, settle, visited

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BETWEEN = ("--between", "threads=1,2")
CHANGED = "have it changed (sudo nvidia-smi -c 0) or start MPS (nvidia-cuda-mps-control -d)"
SUITE = """
from bench import Axis, Call, Suite

suite = Suite("mine", axes=[Axis("n", [1, 64, 4096], quick=[16, 4096])])


@suite.op
def op(case):
    return Call(sum, range(case["n"]))


@op.reference
def op_reference(numbers):
    return sum(numbers)


@suite.op(axes=[Axis("way", ["a", "b"])])
def ways(case):
    return Call(sum, range(case["n"]))
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
    (tmp_path / "mine.py").write_text(SUITE)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["crossover", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


Bench = Any
"""The fixture above."""


@pytest.fixture(name="pools")
def _pools(monkeypatch: pytest.MonkeyPatch) -> dict[int, Stage]:
    """Fakes for any number of threads: calls take n ns on one, half of it and 100 ns more on two."""
    stages: dict[int, Stage] = {}

    def pool(count: int, threads: int, *_: object) -> WorkerPool:
        def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
            if not isinstance(request, protocol.VisitRequest):
                return settle(request)
            n = int(request.case.labels["n"])
            each_ns = 1000 * n if threads == 1 else 500 * n + 100_000
            return visited(each_ns, loops=1000)

        stages[threads] = Stage(answer)
        made = stages[threads].pool(count)
        for process in stages[threads].processes:
            process.hello = protocol.Hello(
                torch={**HELLO.torch, "threads": threads}, device_names={}
            )
        return made

    monkeypatch.setattr(WorkerPool, "of_processes", pool)
    return stages


@pytest.mark.parametrize(
    ("mode", "words", "said"),
    [
        (
            "exclusive-process",
            (),
            f"one process use cuda, and 4 workers would: write threads=1,all instead, {CHANGED}",
        ),
        (
            "prohibited",
            ("--workers", "1"),
            "no process use cuda: have it changed (sudo nvidia-smi -c 0)",
        ),
    ],
)
def test_a_gpu_that_keeps_workers_out_is_refused_before_they_start(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    pools: dict[int, Stage],
    mode: str,
    words: tuple[str, ...],
    said: str,
) -> None:
    """A single worker is no remedy: without intervals nothing can be said of where the winner changes."""
    monkeypatch.setattr(devices, "why_missing", lambda _: "")
    monkeypatch.setattr(devices, "present", lambda: ("cpu", "cuda"))
    set_compute_mode(monkeypatch, mode)
    code, out, err = bench("mine/op", "--suite", "mine.py", *words)
    assert (code, out, pools) == (2, "", {})
    assert err == f"bench: --between 'cpu,cuda': compute mode {mode} lets {said}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("mine/op --tolerance 1", "--tolerance 1 is no factor above 1; write 1.25"),
        ("mine/op --sizes 64", "--sizes '64' can't be read; write the smaller and the larger"),
        ("mine/op --budget soon", "--budget 'soon' is not a stretch of time"),
        ("mine/op --step 0", "--step '0' is not a stretch of time"),
        ("mine/op --between cpu", "--between 'cpu' can't be read; write two devices"),
        ("mine/op --between threads=1,x", "'x' is no number of threads"),
        ("mine/op --between cpu,cuda", "--between 'cpu,cuda': no CUDA; write threads=1,all"),
        ("mine/op --between cpu,gpu", "'gpu' is no device; write cpu, cuda or cuda:1"),
        ("mine/op --between cpu,all", "'all' is no device"),
        ("mine/op", "'mine/op' matches none of"),
        ("mine/pop --suite mine.py", "'mine/pop' matches none of 2 ops; near: mine/op"),
        ("n --suite mine.py", "'n' matches 2 ops: mine/op, mine/ways; name one of them"),
        ("mine/ways --suite mine.py", "leaves way open (a, b); fix it with --set way=a"),
        ("mine/op --suite mine.py --set n=4", "leaves one size (n=4); write --sizes LOW,HIGH"),
        ("mine/op --suite absent.py", "there is no file absent.py"),
        ("--store nowhere", "there is no store nowhere"),
        ("--from never", "'never' means no run in results"),
        ("and --from @latest", "-k 'and': "),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    bench: Bench, tmp_path: Path, pools: dict[int, Stage], words: str, said: str
) -> None:
    """Before anything is measured, with workers ended."""
    finished_run(tmp_path / "results", info())
    code, out, err = bench(*words.split())
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert line.startswith("bench: ")
    assert said in line
    assert all(process.closed for stage in pools.values() for process in stage.processes)


def test_a_crossover_is_found_between_thread_counts(
    bench: Bench, tmp_path: Path, pools: dict[int, Stage]
) -> None:
    """Where there is no GPU they are what is compared: equal at n = 200."""
    code, out, err = bench("mine/op", "--suite", "mine.py")
    assert code == 0, err
    first, *_ = out.splitlines()
    assert first.startswith("mine/op, 1 thread against 2 threads: 2 threads win from n ≈ ")
    measured = [line for line in err.splitlines() if line.startswith("n=")]
    assert measured[0].startswith("n=16: 1 thread 16.0")
    rows = load_rows(tmp_path / "results")
    assert set(rows["threads"]) == {1, 2}
    assert len(rows) == 2 * len(measured)
    assert all(process.closed for stage in pools.values() for process in stage.processes)


@pytest.mark.usefixtures("pools")
def test_json_is_one_document_with_the_truth_in_it(bench: Bench) -> None:
    """And the same is found again in the rows it left."""
    code, out, err = bench(
        "mine/op", "--suite", "mine.py", *BETWEEN, "--tolerance", "1.1", "--json"
    )
    assert code == 0, err
    told = json.loads(out)
    assert (told["kind"], told["winner_beyond"], told["ended"]) == ("at", "2 threads", "tight")
    low, high = told["between_sizes"]
    assert low < 200 < high <= 1.1**2 * low  # no one wins at 200 itself
    assert told["size"] == pytest.approx(200, rel=0.02)
    assert len(told["runs"]) == 2
    words = [word for run in told["runs"] for word in ("--from", run["run"])]
    _, out, _ = bench(*words, "--json")
    (again,) = json.loads(out)["crossovers"]
    assert (again["answer"], again["between"]) == (told["answer"], "threads")
    assert again["ratios"] == told["ratios"]


@pytest.mark.usefixtures("pools")
def test_sizes_and_time_are_as_asked_for(bench: Bench) -> None:
    """No further than the ends; two sizes at least, however little time there is."""
    _, out, _ = bench("mine/op", "--suite", "mine.py", "--sizes", "300,5000", "--json")
    told = json.loads(out)
    assert [step["size"] for step in told["steps"]] == [300, 1216, 5000]
    assert (told["kind"], told["ended"]) == ("always", "settled")
    _, out, _ = bench("mine/op", "--suite", "mine.py", "--budget", "1ns", "--json")
    assert [step["size"] for step in json.loads(out)["steps"]] == [16, 4096]


@pytest.mark.usefixtures("pools")
def test_the_two_sides_share_the_memory(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four workers of each hold inputs of 8 bytes at once: 64 are needed, and not a byte less."""
    for usable, expected in ((64.0, "ok"), (63.0, "skipped")):
        monkeypatch.setattr(manifest, "usable_memory_bytes", lambda there=usable: there)
        _, out, _ = bench("mine/op", "--suite", "mine.py", "--budget", "1ns", "--json")
        rows = [step[side] for step in json.loads(out)["steps"] for side in ("one", "other")]
        assert {row["status"] for row in rows} == {expected}


def test_a_size_that_fails_is_said_and_ends_with_6(bench: Bench, pools: dict[int, Stage]) -> None:
    """The others still give the answer."""
    works = WorkerPool.of_processes

    def pool(count: int, threads: int, *rest: object) -> WorkerPool:
        made = works(count, threads, *rest)  # type: ignore[arg-type]
        answer = pools[threads].answer
        pools[threads].answer = lambda request: (
            protocol.Refused(status="oom", reason="no memory")
            if isinstance(request, protocol.Check) and request.case.labels["n"] == "4096"
            else answer(request)
        )
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkerPool, "of_processes", pool)
        code, out, _ = bench("mine/op", "--suite", "mine.py", "--sizes", "64,4096")
    assert code == 6
    assert "oom: n=4096, 2 threads: no memory" in out


def test_stored_rows_are_read_without_measuring(bench: Bench, tmp_path: Path) -> None:
    """All of the store, some runs, or one op of them."""
    for threads, scale in ((1, 1.0), (2, 0.5)):
        rows = [
            entry(n, op=op, case=f"s/{op}[n={n}]", threads=threads, time_s=scale * n * 1e-6, time_lo_s=scale * n * 0.99e-6, time_hi_s=scale * n * 1.01e-6, confidence=0.95)
            for op in ("op", "opera")
            for n in (16, 64)
        ]  # fmt: skip
        finished_run(tmp_path / "results", info(f"2026010{threads}T000000Z-aaaaaa"), *rows)
    code, out, err = bench()
    assert (code, err) == (0, "")
    assert out.count("2 threads win at every size measured, n = 16 to 64: 2.00 times") == 2
    _, out, _ = bench("s/op", "--from", "@latest", "--from", "@-2", "--json")
    assert [one["op"] for one in json.loads(out)["crossovers"]] == ["op"]
    _, out, _ = bench("--from", "@latest")
    assert out.startswith("No op was measured on two sides at a common size.")


def test_help_names_the_command(bench: Bench) -> None:
    """With its options."""
    code, out, _ = bench("-h")
    assert code == 0
    assert all(option in out for option in ("--between", "--sizes", "--tolerance", "--from"))


@pytest.mark.slow
def test_a_real_search_between_one_thread_and_two(bench: Bench, tmp_path: Path) -> None:
    """With processes, in a few seconds: whatever the answer, it is one, and the rows are there."""
    words = ("--budget", "1", "--step", "20ms", "--workers", "2", "--sizes", "16,256", "--json")
    code, out, err = bench("mul/matrices", *BETWEEN, *words)
    assert code == 0, err
    told = json.loads(out)
    assert told["kind"] in {"at", "always", "never", "cant-tell"}
    assert len(told["steps"]) >= 2
    rows = load_rows(tmp_path / "results")
    assert sorted(set(rows["threads"])) == [1, 2]
    assert rows["correct"].all()
    assert (rows["workers"] == 2).all()
