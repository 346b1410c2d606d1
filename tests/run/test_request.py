"""What the user asked for, in the user's words, becomes a plan and options, and can be asked again."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import SelectionError, SuiteError, UnitError
from bench.machine import hardware
from bench.plan.discover import shipped_suites
from bench.plan.plan import PRESETS, Plan
from bench.pool.pool import WorkerPool
from bench.run import manifest
from bench.run.request import (
    COLD_VISIT_S,
    EXTRA_PER_WORKER_S,
    START_S,
    Request,
    parse_budget,
    parse_patience,
    parse_settings,
    parse_tags,
    request_of,
    workers_of_side,
)
from bench.worker import devices
from tests.fakes.machine import set_compute_mode
from tests.fakes.workers import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
CPU: dict[str, Any] = {"devices": ("cpu",)}
MINE = """
from bench import Axis, Call, Suite

suite = Suite("mine", axes=[Axis("n", [1, 64], quick=[1])])


@suite.op
def op(case):
    return Call(abs, case["n"])


@suite.op
def other(case):
    return Call(abs, case["n"])
"""


def options_of(request: Request, **more: Any) -> Any:
    """The options of a request for ten cases."""
    return request.options(10, **{"label": None, "tags": {}, "argv": (), **more})


def test_without_words_everything_quick_is_meant() -> None:
    """All shipped suites, on the short list of their axes; one of them needs a GPU."""
    plan = Request(**CPU).plan()
    planned = [*plan.cases, *(skip.case for skip in plan.skips)]
    assert {one.suite for one in planned} == set(shipped_suites())
    assert len(plan.cases) < len(Request(**CPU, preset="full").plan().cases)


def test_words_narrow_the_plan(tmp_path: Path) -> None:
    """Suite, keyword and setting together."""
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    request = Request(**CPU, suites=(str(path),), keyword="/op[", settings={"n": ("64", "100")})
    assert [one.id for one in request.plan().cases] == ["mine/op[n=64]", "mine/op[n=100]"]


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ({"suites": ("matmull",)}, SuiteError, "did you mean matmul or mul?"),
        ({"preset": "quik"}, SelectionError, "there is no preset 'quik'; did you mean quick?"),
        ({"devices": ("gpu",)}, SelectionError, "--device 'gpu' is no device"),
        ({"keyword": "("}, SelectionError, "-k '('"),
        ({"keyword": "zebra"}, SelectionError, "matches none of the cases"),
        ({"settings": {"zebra": ("1",)}}, SelectionError, "no selected op has such an axis"),
        ({"cache": "cool"}, SelectionError, "--cache 'cool' is neither hot nor cold; did you mean"),
        ({"cache": "warm"}, SelectionError, "neither hot nor cold; known: cold, hot"),
    ],
    ids=["suite", "preset", "device", "expression", "keyword", "axis", "cache", "another cache"],
)
def test_a_word_that_stands_for_nothing_is_an_error(
    words: dict[str, Any], error: type[Exception], said: str
) -> None:
    """It says what would have been possible."""
    with pytest.raises(error) as caught:
        Request(**{**CPU, **words}).plan()
    assert said in str(caught.value)


def test_words_are_read_without_torch() -> None:
    """So that workers begin to import it before we do."""
    code = "import sys, bench.cli.run, bench.run.request; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_the_workers_that_are_started_are_those_of_the_options(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many, with as many threads, whether said or left to the preset."""
    started: list[tuple[int, int]] = []

    def of_processes(count: int, threads: int, *_: object) -> WorkerPool:
        started.append((count, threads))
        return Stage().pool(count)

    monkeypatch.setattr(WorkerPool, "of_processes", of_processes)
    for request in (Request(), Request(workers=2, threads=3)):
        with request.start() as ready:
            options = options_of(request)
            assert started[-1] == (options.schedule.workers, options.threads)
            assert len(ready.pool) == options.schedule.workers


def test_a_device_that_is_not_here_makes_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for, so it is said why it can't be had."""
    monkeypatch.setattr(devices, "why_missing", lambda _: "it is on holiday")
    plan = Request(suites=("view",), devices=("cuda",)).plan()
    assert plan.cases == ()
    assert {skip.reason for skip in plan.skips} == {"it is on holiday"}


@pytest.fixture(name="started")
def _started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many workers were started, each time; torch sees a GPU."""
    counts: list[int] = []

    def of_processes(count: int, *_: object) -> WorkerPool:
        counts.append(count)
        return Stage().pool(count)

    monkeypatch.setattr(WorkerPool, "of_processes", of_processes)
    monkeypatch.setattr(devices, "why_missing", lambda _: "")
    monkeypatch.setattr(devices, "present", lambda: ("cpu", "cuda"))
    return counts


def test_a_gpu_that_lets_one_process_in_is_refused_to_several(
    monkeypatch: pytest.MonkeyPatch, started: list[int]
) -> None:
    """Before a worker is started; with one worker it is measured."""
    set_compute_mode(monkeypatch, "exclusive-process")
    several = Request(devices=("cuda",), suites=("view",))
    with pytest.raises(SelectionError) as caught:
        several.start()
    said = "--device cuda: compute mode exclusive-process lets one process use cuda, and 6 workers"
    assert str(caught.value).startswith(said)
    assert "write --workers 1 (no intervals then), have it changed" in str(caught.value)
    assert started == []

    one = dataclasses.replace(several, workers=1)
    with one.start():
        assert started == [1]
    assert one.plan().skips == ()


@pytest.mark.parametrize("words", [(), ("all",), ("cpu", "cuda")], ids=["default", "all", "both"])
def test_a_gpu_that_keeps_workers_out_does_not_lose_the_cpu(
    monkeypatch: pytest.MonkeyPatch, started: list[int], words: tuple[str, ...]
) -> None:
    """Its cases are skipped, each row with the reason, and those of the CPU are measured."""
    set_compute_mode(monkeypatch, "prohibited")
    both = Request(devices=words, suites=("view",))
    with both.start():
        assert started == [6]
    plan = both.plan()
    assert {case.device for case in plan.cases} == {"cpu"}
    assert {skip.case.device for skip in plan.skips} == {"cuda"}
    (reason,) = {skip.reason for skip in plan.skips}
    assert reason.startswith("compute mode prohibited lets no process use cuda")


def test_two_sides_have_twice_the_workers(
    monkeypatch: pytest.MonkeyPatch, started: list[int]
) -> None:
    """All of them at once, so that one of each is one too many, and fewer are no remedy."""
    set_compute_mode(monkeypatch, "exclusive-process")
    with pytest.raises(SelectionError, match=r"and 2 workers would: have it changed"):
        Request(devices=("cuda",), workers=1, sides=2).check_access()
    assert started == []


def test_evictions_are_in_the_estimate() -> None:
    """Where they take longer than the budget."""
    visits = PRESETS["quick"].workers * PRESETS["quick"].rounds
    short, long = (
        Request(budget_s=budget_s, cache="cold").estimate_s(1)
        - Request(budget_s=budget_s).estimate_s(1)
        for budget_s in (0.1, 60.0)
    )
    assert short == pytest.approx(visits * COLD_VISIT_S - 0.1)
    assert long == 0


@pytest.mark.parametrize(
    ("asked", "present", "alone"),
    [((), ("cpu",), True), ((), ("cpu", "cuda"), False), (("cpu",), ("cpu",), False)],
    ids=["no choice", "a gpu", "chosen"],
)
def test_the_cpu_is_alone_where_nothing_else_was_found(
    monkeypatch: pytest.MonkeyPatch,
    asked: tuple[str, ...],
    present: tuple[str, ...],
    *,
    alone: bool,
) -> None:
    """Not where it was all that was asked for."""
    monkeypatch.setattr(devices, "present", lambda: present)
    assert Request(devices=asked).cpu_only_by_default == alone


@pytest.mark.parametrize(
    ("words", "cases", "budget_s"),
    [
        ({}, 10, 0.5),
        ({}, 225, 0.2),
        ({}, 100_000, 0.05),
        ({}, 0, 0.5),
        ({"preset": "full"}, 100_000, 0.5),
        ({"preset": "colab"}, 10, 0.3),
        ({"preset": "colab"}, 2500, 0.24),
        ({"budget_s": 3.0}, 100_000, 3.0),
    ],
    ids=["few", "many", "too many", "none", "full", "colab", "colab's many", "asked"],
)
def test_the_budget_of_a_case_is_cut_to_what_the_run_may_take(
    words: dict[str, Any], cases: int, budget_s: float
) -> None:
    """A quick look stays quick, but no case is measured for too short a time."""
    assert Request(**words).case_budget_s(cases) == budget_s


def test_the_estimate_is_about_what_it_takes() -> None:
    """Starting, and for each case its budget and getting ready; nothing for nothing."""
    request = Request(budget_s=2.0)
    assert request.estimate_s(3) == pytest.approx(
        START_S + 3 * (2.0 + request.chosen_preset.workers * EXTRA_PER_WORKER_S)
    )
    assert request.estimate_s(0) == 0


@pytest.mark.parametrize(
    ("said", "rounds"),
    [
        ({"budget_s": 0.1}, 5),
        ({"budget_s": 0.5}, 10),
        ({"budget_s": 0.5, "workers": 3}, 20),
        ({"budget_s": 60.0}, 20),
        ({"budget_s": 60.0, "rounds": 7}, 7),
        ({"budget_s": 0.5, "cache": "cold"}, 5),
    ],
    ids=["short", "half a second", "few workers", "long", "as asked", "cold"],
)
def test_more_time_makes_more_visits_and_not_longer_ones(said: dict[str, Any], rounds: int) -> None:
    """Each is another draw of place and state; with cold caches a visit needs time for its evictions."""
    schedule = options_of(Request(**said)).schedule
    assert schedule.rounds == rounds
    assert schedule.visit_s * schedule.rounds * schedule.workers == pytest.approx(said["budget_s"])


def test_what_is_not_said_comes_from_the_preset() -> None:
    """Workers and rounds; what is said wins."""
    preset = PRESETS["full"]
    schedule = options_of(Request(preset="full")).schedule
    assert schedule.workers == preset.workers
    assert schedule.rounds >= preset.rounds
    said = options_of(Request(preset="full", workers=1, rounds=2, timeout_s=9)).schedule
    assert (said.workers, said.rounds, said.timeout_s) == (1, 2, 9)


@pytest.mark.parametrize(
    ("said", "set_to", "threads"),
    [(None, "", 4), (None, "3", 3), (5, "3", 5), (None, "many", 4), (None, "0", 4)],
)
def test_threads_are_as_said_or_as_set_or_one_per_core(
    monkeypatch: pytest.MonkeyPatch, said: int | None, set_to: str, threads: int
) -> None:
    """The option wins over the environment, which wins over the cores."""
    monkeypatch.setattr(hardware, "default_threads", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", set_to)
    assert options_of(Request(threads=said)).threads == threads


def test_a_seed_is_drawn_where_none_is_given() -> None:
    """And kept, so that the order can be had again."""
    assert options_of(Request(seed=0)).seed == 0
    assert len({options_of(Request()).seed for _ in range(5)}) > 1


def test_a_run_can_be_asked_for_again_in_the_words_it_began_with() -> None:
    """All choices are in its manifest, also those that were made by default."""
    request = Request(
        suites=("view",),
        keyword="t and n=64",
        devices=("cpu", "cuda:1"),
        settings={"n": ("64", "100")},
        preset="full",
        budget_s=0.25,
        workers=2,
        rounds=4,
        threads=3,
        timeout_s=12.0,
        patience_s=0.0,
        seed=5,
        cache="cold",
        memory="fresh",
    )
    options = options_of(request)
    assert request_of(manifest.new(Plan(cases=(), skips=()), options)) == request
    default = options_of(Request())
    again = request_of(manifest.new(Plan(cases=(), skips=()), default))
    assert options_of(again).schedule.case_budget_s == default.schedule.case_budget_s
    assert (again.seed, again.threads) == (default.seed, default.threads)
    names = ("budget_s", "workers", "rounds", "threads", "patience_s", "seed")
    unset: Any = dict.fromkeys(names)
    assert dataclasses.replace(again, **unset) == Request()


def test_a_run_of_an_older_version_is_resumed_as_it_began() -> None:
    """It told the C library nothing."""
    began = manifest.new(Plan(cases=(), skips=()), options_of(Request()))
    old = {name: value for name, value in began.options.items() if name != "memory"}
    assert request_of(dataclasses.replace(began, options=old)).memory == "system"


@pytest.mark.parametrize("memory", ["reuse", "fresh", "system"])
def test_workers_are_told_the_memory_policy(monkeypatch: pytest.MonkeyPatch, memory: str) -> None:
    """When they are started."""
    told: list[object] = []

    def of_processes(count: int, *known: object) -> WorkerPool:
        told.append(known[-1])
        return Stage().pool(count)

    monkeypatch.setattr(WorkerPool, "of_processes", of_processes)
    with Request(memory=memory).start():
        assert told == [memory]


@pytest.mark.parametrize("ask", [Request.start, Request.plan, Request.check_access])
@pytest.mark.parametrize(("word", "near"), [("frsh", "did you mean fresh"), ("x", "known: fresh")])
def test_an_unknown_memory_policy_is_an_error_before_workers_start(
    started: list[int], ask: Callable[[Request], object], word: str, near: str
) -> None:
    """The value, the ones there are, and the nearest."""
    with pytest.raises(SelectionError, match=f"--memory '{word}' is none of reuse.*{near}"):
        ask(Request(memory=word))
    assert started == []


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], {}),
        (["n=64"], {"n": ("64",)}),
        (["n=64,256", "dtype=float32"], {"n": ("64", "256"), "dtype": ("float32",)}),
        (["n=64", "n=256"], {"n": ("64", "256")}),
        ([" n = 64 , 256 ,"], {"n": ("64", "256")}),
    ],
)
def test_settings_are_axes_and_their_values(
    words: list[str], settings: dict[str, tuple[str, ...]]
) -> None:
    """Spaces don't matter, and an axis may be set in several places."""
    assert parse_settings(words) == settings


@pytest.mark.parametrize("word", ["", "n", "n=", "=64", "n=,"])
def test_a_setting_without_axis_or_value_is_an_error(word: str) -> None:
    """It shows how one is written."""
    with pytest.raises(SelectionError, match=r"can't be read; write axis=value,value"):
        parse_settings([word])


def test_tags_are_keys_and_values() -> None:
    """A value may be empty or hold an equals sign."""
    assert parse_tags(["branch=main", "flags= -O3=x ", "note="]) == {
        "branch": "main",
        "flags": "-O3=x",
        "note": "",
    }


@pytest.mark.parametrize("word", ["branch", "=main", ""])
def test_a_tag_without_a_key_or_an_equals_sign_is_an_error(word: str) -> None:
    """It shows how one is written."""
    with pytest.raises(SelectionError, match=r"can't be read; write key=value"):
        parse_tags([word])


def test_a_budget_has_a_unit_or_is_in_seconds() -> None:
    """None stays None."""
    assert parse_budget("200ms", "--budget") == pytest.approx(0.2)
    assert parse_budget("3", "--budget") == 3
    assert parse_budget(None, "--budget") is None


def test_patience_may_be_none_at_all() -> None:
    """0 is an answer there; nothing said is the preset's."""
    assert parse_patience("0") == 0
    assert parse_patience("0s") == 0
    assert parse_patience("2min") == 120
    assert parse_patience(None) is None
    with pytest.raises(UnitError, match=r"^--patience 'soon' is not a stretch of time"):
        parse_patience("soon")


def test_a_budget_that_is_no_time_names_its_option() -> None:
    """So that one of several is found."""
    with pytest.raises(UnitError, match=r"^--timeout 'soon' is not a stretch of time"):
        parse_budget("soon", "--timeout")


def test_a_file_is_a_suite_too(tmp_path: Path) -> None:
    """The user's own, by its path."""
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    ids = [one.id for one in Request(**CPU, suites=(str(path),)).plan().cases]
    assert ids == ["mine/op[n=1]", "mine/other[n=1]"]


@pytest.mark.parametrize(
    ("asked", "devices", "gpus", "workers"),
    [
        (None, (), 0, 10),
        (None, (), 1, 6),
        (None, ("cpu",), 1, 10),
        (None, ("cpu", "cuda"), 1, 6),
        (3, (), 1, 3),
    ],
)
def test_a_gpu_is_shared_by_fewer(
    monkeypatch: pytest.MonkeyPatch,
    asked: int | None,
    devices: tuple[str, ...],
    gpus: int,
    workers: int,
) -> None:
    """Each of them has a context in its memory; a GPU that is not asked for does not count."""
    monkeypatch.setattr("bench.machine.hardware.nvidia", lambda: (("a GPU",) * gpus, None))
    assert workers_of_side(asked, devices) == workers


def test_a_look_at_everything_has_a_few_ops_of_each_suite() -> None:
    """All of them where a suite or a keyword is named, or where every op may be meant."""
    few = {case.op_id for case in Request(devices=("cpu",)).plan(fingerprints=False).cases}
    every = Request(devices=("cpu",), few_ops=False).plan(fingerprints=False).cases
    assert "linalg/qr" in few
    assert "linalg/svd" not in few
    assert "linalg/svd" in {case.op_id for case in every}
    for named in ({"suites": ("linalg",)}, {"keyword": "svd"}, {"preset": "full"}):
        found = Request(devices=("cpu",), **named).plan(fingerprints=False).cases
        assert "linalg/svd" in {case.op_id for case in found}


def test_compiling_is_in_the_estimate() -> None:
    """A compiled case takes seconds in each worker, and the compiler's start more."""
    plain, compiled = Request().estimate_s(10), Request().estimate_s(10, compiled=10)
    assert compiled > plain + 10
    assert Request().estimate_s(0, compiled=0) == 0
