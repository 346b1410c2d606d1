"""A run from plan to finished folder; with fakes where it is about order, with processes where it ends."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import StoreError
from bench.machine import hardware
from bench.plan.plan import Plan, PlannedSkip
from bench.plan.schedule import Schedule
from bench.pool import protocol
from bench.pool.pool import WorkerPool, start
from bench.run import manifest, session
from bench.run.listener import Listener
from bench.run.manifest import Options
from bench.run.request import Request
from bench.run.stopping import LEAST_ROUNDS
from bench.store import journal, runs
from bench.store.load import load_rows, load_samples
from tests.fakes.workers import HELLO, Stage, begun_run, case, entry, eventually, info, lost, settle
from tests.records.test_roofs import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.records.record import Record
    from bench.store.runs import RunInfo

ROOT = Path(__file__).parents[2]
QUICKLY = (
    "--workers",
    "1",
    "--rounds",
    "1",
    "--budget",
    "1ms",
    "--device",
    "cpu",
    "--threads",
    "1",
    "--no-roofs",
    "--patience",
    "0",
)
GATED = '''
"""64 cases fill a batch; the one after it waits for a file to appear."""

import time
from pathlib import Path

from bench import Axis, Call, Suite

suite = Suite("gated", axes=[Axis("n", range(1, 66))])


@suite.op
def op(case):
    if case["n"] == 65:
        while not Path(__file__).with_name("gate").exists():
            time.sleep(0.01)
    return Call(sum, range(1000))


@op.reference
def op_reference(numbers):
    return 999 * 500
'''


class Heard(Listener):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.announced: tuple[int, int] | None = None
        self.steps = 0
        self.rows: list[Record] = []
        self.surveyed: list[str] = []

    def started(self, run_id: str, cases: int, steps: int) -> None:
        """The run begins."""
        assert run_id
        self.announced = cases, steps

    def advanced(self, case: str, steps: int) -> None:
        """Steps were taken."""
        assert case
        self.steps += steps

    def surveying(self, device: str, seconds: float) -> None:
        """Roofs are measured."""
        assert seconds > 0
        self.surveyed.append(device)

    def finished(self, record: Record) -> None:
        """A case is done."""
        self.rows.append(record)


def options(**changes: Any) -> Options:
    """Two workers, two rounds."""
    schedule = Schedule(workers=2, rounds=2, case_budget_s=0.4, timeout_s=60, memory_bytes=1e9)
    known = {"schedule": schedule, "threads": 1, "seed": 7, "preset": "quick", "selection": {}}
    return Options(**{**known, **changes})


def plan(cases: int, skips: int = 0) -> Plan:
    """Cases 0, 1, … and skips on a device that is not here."""
    return Plan(
        cases=tuple(case(number) for number in range(cases)),
        skips=tuple(
            PlannedSkip(case=case(number, device="cuda"), reason="no such device")
            for number in range(skips)
        ),
    )


@pytest.fixture(name="stage")
def _stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Fakes where the session would start processes."""
    stage = Stage()
    monkeypatch.setattr(WorkerPool, "of_processes", lambda count, *_: stage.pool(count))
    return stage


def mine(**changes: Any) -> RunInfo:
    """A run of this machine."""
    here = hardware.read_machine()
    facts = {"machine_id": here.machine_id, "name": here.name, "cpu_model": here.cpu_model}
    return info(**{"machine": facts, **changes})


@pytest.mark.usefixtures("stage")
def test_a_run_is_a_folder_with_a_row_per_case(tmp_path: Path) -> None:
    """Cases and skips, samples, the manifest, and no journal."""
    run = session.run(plan(3, skips=2), options(label="mine"), tmp_path, Listener())
    assert run.folder == tmp_path / run.info.run_id
    assert sorted(p.name for p in run.folder.iterdir()) == [
        "cases.parquet",
        "run.json",
        "samples.parquet",
    ]
    frame = load_rows(tmp_path)
    assert Counter(frame["status"]) == {"ok": 3, "skipped": 2}
    assert (frame["run_id"] == run.info.run_id).all()
    assert (frame["label"] == "mine").all()
    assert set(frame["git_commit"]) == {run.info.environment["git_commit"]}
    assert (
        len(load_samples(tmp_path)) == 3 * 2 * LEAST_ROUNDS
    )  # they are all alike, so precise as soon as may be
    assert (run.info.label, run.info.torch, run.info.finished_at is None) == (
        "mine",
        HELLO.torch,
        False,
    )
    assert run.info.counts == {"ok": 3, "failed": 0, "timeout": 0, "oom": 0, "skipped": 2}


@pytest.mark.usefixtures("stage")
def test_a_store_learns_how_far_runs_lie_apart(tmp_path: Path) -> None:
    """From the fourth run on the rows say it; another code of the op begins anew, another file does not."""
    known = []
    for code, file in [("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"), ("b", "5")]:
        plan = Plan(cases=(case(0, fingerprint=code, suite_hash=file),), skips=())
        run = session.run(plan, options(), tmp_path / "store", Listener())
        (floor,) = load_rows(run.folder)["noise_floor_share"]
        known.append(math.isfinite(floor))
    assert known == [False, False, False, True, False]


@pytest.mark.usefixtures("stage")
def test_a_listener_hears_everything(tmp_path: Path) -> None:
    """As many steps as were announced, and each row when it is on disk."""
    heard = Heard()
    session.run(plan(3, skips=2), options(), tmp_path, heard)
    assert heard.announced == (3, heard.steps)
    assert [(row.case, row.device) for row in heard.rows] == [
        *((case(number).id, "cuda") for number in range(2)),
        *((case(number).id, "cpu") for number in range(3)),
    ]


def test_rows_say_what_the_worker_said(stage: Stage, tmp_path: Path) -> None:
    """Torch may have other threads than it was asked for, and the row keeps the truth."""
    told = {"version": "2.9.0", "threads": 2}
    hello = protocol.Hello(
        torch=told,
        device_names={"cuda": "a GPU"},
    )
    start = stage.start

    def start_greeting() -> Any:
        process = start()
        process.hello = hello
        return process

    stage.start = start_greeting  # type: ignore[method-assign]  # the pool asks for it by name
    session.run(plan(1), options(threads=16), tmp_path, Listener())
    row = load_rows(tmp_path).iloc[0]
    assert (row["threads"], row["torch_version"]) == (2, "2.9.0")
    assert row["device_name"] == hardware.read_machine().cpu_model


@pytest.mark.usefixtures("stage")
def test_rows_are_compared_with_roofs_that_are_measured_once(stage: Stage, tmp_path: Path) -> None:
    """The first run says that it measures them; rows and manifests of both have them."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        asked = isinstance(request, protocol.Survey)
        return protocol.Surveyed(roofs=HERE.roofs) if asked else settle(request)

    stage.answer = answer
    heard = Heard()
    working = Plan(cases=(case(0, flop=10e6),), skips=())
    found = [session.run(working, options(roofs=True), tmp_path, heard) for _ in range(2)]
    assert heard.surveyed == ["cpu"]
    assert [row.roof_share for row in heard.rows] == pytest.approx([0.5, 0.5])
    assert [row.roof for row in heard.rows] == ["float32 matmul"] * 2
    for run in found:
        assert run.info.options["roofs"] is True
        assert len(run.info.roofs["cpu"]["roofs"]) == len(HERE.roofs)


def test_roofs_that_nobody_wants_are_not_measured(stage: Stage, tmp_path: Path) -> None:
    """Nor are rows compared with those that are kept."""
    run = session.run(plan(1), options(), tmp_path, Listener())
    assert not any(isinstance(one, protocol.Survey) for _, one in stage.log)
    assert run.info.roofs == {}
    assert run.info.options["roofs"] is False


def test_rows_and_manifest_say_that_caches_were_cold(tmp_path: Path) -> None:
    """Also of cases that were skipped; a resumed run goes on with what the manifest says."""
    schedule = dataclasses.replace(options().schedule, cache="cold")
    run = session.run(plan(1, skips=1), options(schedule=schedule), tmp_path, Listener())
    assert list(load_rows(tmp_path)["cache"]) == ["cold", "cold"]
    assert run.info.options["cache"] == "cold"


def test_workers_that_were_started_before_are_used(stage: Stage, tmp_path: Path) -> None:
    """No others are started, the state is that from before them, and they are not ours to end."""
    with start(2, 1) as started:
        run = session.run(plan(1), options(), tmp_path, Listener(), started)
        assert run.info.state == dataclasses.asdict(started.state)
        assert [process.closed for process in stage.processes] == [False, False]
    assert [process.closed for process in stage.processes] == [True, True]


def test_a_run_without_a_case_starts_no_worker(stage: Stage, tmp_path: Path) -> None:
    """On a machine without the device there is nothing to wait for."""
    run = session.run(plan(0, skips=2), options(), tmp_path, Listener())
    assert run.info.counts["skipped"] == 2
    assert stage.processes == []


def test_a_store_that_can_not_be_written_fails_before_a_worker_starts(
    stage: Stage, tmp_path: Path
) -> None:
    """Nobody waits for minutes to learn that."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be written"):
        session.run(plan(1), options(), tmp_path / "file" / "store", Listener())
    assert stage.processes == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("ours")])
def test_workers_are_ended_whatever_happens(
    stage: Stage, tmp_path: Path, error: BaseException
) -> None:
    """And the run stays unfinished."""

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.VisitRequest):
            raise error
        return settle(request)

    stage.answer = answer
    with pytest.raises(type(error)):
        session.run(plan(1), options(), tmp_path, Listener())
    assert [process.closed for process in stage.processes] == [True, True]
    assert [run.finished for run in runs.list_runs(tmp_path)] == [False]


def test_a_case_that_loses_its_worker_is_a_row_with_its_samples(
    stage: Stage, tmp_path: Path
) -> None:
    """Its other samples are kept, and the other case has all of its own."""
    seen = Counter[str]()

    def answer(request: protocol.WorkerRequest) -> protocol.WorkerReply:
        if isinstance(request, protocol.VisitRequest):
            seen[request.case.id] += 1
            if request.case == case(0) and seen[request.case.id] == 3:
                raise lost(status="oom", reason="killed")
        return settle(request)

    stage.answer = answer
    session.run(plan(2), options(), tmp_path, Listener())
    rows = load_rows(tmp_path).set_index("case")
    assert rows["status"].to_dict() == {case(0).id: "oom", case(1).id: "ok"}
    assert Counter(load_samples(tmp_path)["case"]) == {case(0).id: 2, case(1).id: 2 * LEAST_ROUNDS}


def test_a_resumed_run_measures_what_is_missing(stage: Stage, tmp_path: Path) -> None:
    """Nothing twice, and the folder is then finished."""
    begun_run(tmp_path, mine(), entry(0), entry(0, device="cuda", status="skipped", time_s=None))
    (unfinished,) = runs.list_runs(tmp_path)
    heard = Heard()
    run = session.resume(unfinished, plan(3, skips=1), options(), heard)
    assert {identity for _, identity in stage.asked(protocol.Check)} == {case(1).id, case(2).id}
    assert heard.announced == (2, heard.steps)
    assert run.info.run_id == unfinished.info.run_id
    assert sorted(load_rows(tmp_path)["case"]) == [case(0).id, *(case(n).id for n in range(3))]
    assert not (run.folder / journal.NAME).exists()


def test_a_resumed_run_with_nothing_missing_is_finished(stage: Stage, tmp_path: Path) -> None:
    """It was killed between its last case and its manifest."""
    begun_run(tmp_path, mine(), entry(0))
    (unfinished,) = runs.list_runs(tmp_path)
    run = session.resume(unfinished, plan(1), options(), Listener())
    assert run.info.counts["ok"] == 1
    assert stage.processes == []


def test_a_resumed_run_measures_edited_ops_anew(stage: Stage, tmp_path: Path) -> None:
    """What is there of another code goes; a failed row, too, which the edit may have mended."""
    begun_run(
        tmp_path,
        mine(suites={"s": "before"}),
        entry(0, fingerprint="aa"),
        entry(1, fingerprint="bb"),
        entry(2, fingerprint="bb", status="failed", time_s=None),
    )
    (unfinished,) = runs.list_runs(tmp_path)
    codes = {0: "aa", 1: "cc", 2: "cc", 3: "cc"}
    edited = Plan(
        cases=tuple(case(n, fingerprint=code, suite_hash="after") for n, code in codes.items()),
        skips=(),
    )
    again = session.outdated(unfinished, edited)
    assert [one.id for one in again] == [case(1).id, case(2).id]
    run = session.resume(unfinished, edited, options(), Listener())
    asked = {identity for _, identity in stage.asked(protocol.Check)}
    assert asked == {case(n).id for n in (1, 2, 3)}
    rows = load_rows(tmp_path).set_index("case")
    assert rows["fingerprint"].to_dict() == {case(n).id: code for n, code in codes.items()}
    assert set(rows["status"]) == {"ok"}
    assert run.info.suites == {"s": "after"}
    assert set(load_samples(tmp_path)["case"]) == set(rows.index)


def test_a_resumed_run_of_before_fingerprints_goes_by_the_suite_s_file(
    stage: Stage, tmp_path: Path
) -> None:
    """Another file may be another code, so all of it is measured anew."""
    begun_run(tmp_path, mine(suites={"s": "before"}), entry(0), entry(1))
    (unfinished,) = runs.list_runs(tmp_path)
    same, other = (
        Plan(cases=(case(0, fingerprint="aa", suite_hash=file),), skips=())
        for file in ("before", "after")
    )
    assert session.lacking(unfinished, same).cases == ()
    assert session.lacking(unfinished, other).cases == other.cases
    assert stage.processes == []


def test_a_run_is_not_resumed_with_other_files_of_the_user_s_own_package(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which ops they change can't be told."""
    monkeypatch.syspath_prepend(str(tmp_path))
    package, suite, store = tmp_path / "of_mine.py", tmp_path / "s.py", tmp_path / "store"
    suite.write_text("import of_mine\n", encoding="utf-8")
    package.write_text("x = 1\n", encoding="utf-8")
    mixed = Plan(cases=(case(0, suite_path=str(suite)),), skips=())
    begun_run(store, mine(**manifest.code_of(mixed)))
    (unfinished,) = runs.list_runs(store)
    package.write_text("x = 2\n", encoding="utf-8")
    with pytest.raises(StoreError, match="with other files of the package of_mine, which"):
        session.resume(unfinished, mixed, options(), Listener())
    assert stage.processes == []


def test_a_run_of_another_machine_is_not_resumed(stage: Stage, tmp_path: Path) -> None:
    """Half a table from each would be no table."""
    other = {"machine_id": "m-other", "name": "the other one"}
    begun_run(tmp_path, info(machine=other), entry(0))
    (unfinished,) = runs.list_runs(tmp_path)
    with pytest.raises(StoreError, match="began on the other one, and this is"):
        session.resume(unfinished, plan(2), options(), Listener())
    assert stage.processes == []


@pytest.mark.usefixtures("stage")
def test_a_run_of_another_torch_is_not_resumed(tmp_path: Path) -> None:
    """As for the machine."""
    begun_run(tmp_path, mine(torch={"version": "1.0"}), entry(0))
    (unfinished,) = runs.list_runs(tmp_path)
    with pytest.raises(StoreError, match=r"began with torch 1\.0, and this is 2\.9\.0\+fake"):
        session.resume(unfinished, plan(2), options(), Listener())


def bench(*words: str, **more: Any) -> subprocess.Popen[str]:
    """The command line, as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def rows_on_disk(store: Path) -> int:
    """How many cases the journal of the only run has."""
    return sum(
        line.startswith('{"row"')
        for path in store.glob(f"*/{journal.NAME}")
        for line in path.read_text(encoding="utf-8").splitlines()
    )


@pytest.fixture(name="stopped", params=[signal.SIGKILL, signal.SIGINT], ids=["kill", "ctrl-c"])
def _stopped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, int, str]]:
    """The store of a run that was stopped in its second batch, its exit code and what it said."""
    suite, store = tmp_path / "gated.py", tmp_path / "store"
    suite.write_text(GATED)
    # What a shell starts in the background ignores Ctrl-C, and so does all that it starts in turn.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = bench("run", str(suite), *QUICKLY, "--store", str(store))
    signal.signal(signal.SIGINT, before)
    try:
        assert eventually(lambda: rows_on_disk(store) == 64 or process.poll() is not None)
        process.send_signal(request.param)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    (tmp_path / "gate").touch()  # a worker that was orphaned goes on and sees that it is alone
    yield store, process.returncode, said
    shutil.rmtree(store)


@pytest.mark.slow
def test_a_run_that_was_stopped_can_be_resumed(stopped: tuple[Path, int, str]) -> None:
    """By kill -9 or by Ctrl-C: what was finished is not measured again, and no case is twice."""
    store, code, said = stopped
    (unfinished,) = runs.list_runs(store)
    how = f"bench run --resume {unfinished.info.run_id} --store {store}"
    assert (code, how in said) in {(-signal.SIGKILL, False), (130, True)}
    assert "Traceback" not in said
    before = {one.record.case: one.record.time_s for one in journal.read(unfinished.folder)[1]}
    assert len(before) == 64
    with (unfinished.folder / journal.NAME).open("ab") as file:
        file.write('{"row": {"case": "µ'.encode()[:-1])

    resumed = bench("run", "--resume", unfinished.info.run_id, "--store", str(store), "--json")
    out, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, out + err
    assert "measuring 1 case," in err  # what is left, not all there are
    rows = load_rows(store).set_index("case")
    assert sorted(rows.index) == sorted(f"gated/op[n={n}]" for n in range(1, 66))
    assert {name: rows["time_s"][name] for name in before} == before
    assert not (unfinished.folder / journal.NAME).exists()


@pytest.mark.slow
def test_an_edited_suite_is_resumed_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the words of the run, which named its file from where it was begun; one case is edited, one is there."""
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    monkeypatch.chdir(home)
    text = GATED.replace("range(1, 66)", "range(1, 3)")
    (home / "gated.py").write_text(text, encoding="utf-8")
    asked = Request(suites=("gated.py",), devices=("cpu",), workers=1, rounds=1, budget_s=1e-3)
    asked = dataclasses.replace(asked, threads=1, roofs=False, patience_s=0.0)
    planned = asked.plan()
    about = manifest.new(planned, asked.options(2, label=None, tags={}, argv=()))
    known = [
        entry(n, suite="gated", case=c.id, fingerprint=c.fingerprint, params=c.labels)
        for n, c in enumerate(planned.cases)
    ]
    begun_run(tmp_path / "store", about, known[0])
    (home / "gated.py").write_text(f"# a word\n{text}", encoding="utf-8")
    words = ("run", "--resume", about.run_id, "--store", str(tmp_path / "store"))
    out, err = bench(*words, cwd=away).communicate(timeout=60)
    assert "measuring 1 case," in err, out + err
    assert "anew" not in err

    shutil.rmtree(tmp_path / "store")
    begun_run(tmp_path / "store", about, *known)
    edited = text.replace("range(1000)", "range(500)").replace("999 * 500", "499 * 250")
    (home / "gated.py").write_text(edited, encoding="utf-8")
    out, err = bench(*words, cwd=away).communicate(timeout=60)
    assert "measuring anew 2 cases of gated/op, edited since the run began" in err, out + err
    rows = load_rows(tmp_path / "store")
    assert list(rows["correct"]) == [True, True]
    assert known[0].record.fingerprint not in set(rows["fingerprint"])
