"""Guests' code in a worker: what one case sets, warns of or compiles is its row's, and no other case's."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.pool import protocol
from bench.pool.protocol import Checked, Prepared, Visited
from bench.worker.worker import Worker
from tests.fakes.workers import case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.plan.plan import PlannedCase

SUITE = """
import warnings

import torch

from bench import Axis, Call, Suite

torch.set_default_dtype(torch.float64)
suite = Suite("guest", axes=[Axis("way", ["calm", "built", "called", "warns", "rings", "size", "breaks", "often", "modules"]), Axis("n", [4])])
seen = []


def note(*_):
    seen.append((torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()))


def less(x):
    note()
    torch.set_grad_enabled(False)


def warn(x):
    warnings.warn("take care")
    warnings.warn("take care")
    return x


def ring(x):
    kept = [x + 1]
    kept.append(kept)


def double(x):
    return x * 2 + 1


def printed(x):
    y = x * 2
    print("between")
    return y + 1


def scaled(x, by):
    return x * by.n


class By:
    def __init__(self, n):
        self.n = n


compiled = torch.compile(double, backend="eager")
printing = torch.compile(printed, backend="eager")
scaling = torch.compile(scaled, backend="eager", dynamic=False)


def often(x):
    for n in range(12):
        scaling(x, By(f"{n}" and float(n)))


@suite.op
def op(case):
    way = case["way"]
    if way == "built":
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.manual_seed(1)
        return Call(note)
    if way == "size":
        return Call(compiled, case.randn(int(case["n"])))
    if way == "modules":
        return Call(torch.compile(torch.nn.Linear(3, 3, dtype=torch.float32), backend="eager"), case.randn(int(case["n"]), 3))
    if way == "deprecated":
        warnings.warn("old", DeprecationWarning)
    call = {"called": less, "warns": warn, "rings": ring, "breaks": printing, "often": often}.get(way, note)
    return Call(call, case.randn(4))
"""


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "guest.py"
    path.write_text(SUITE.replace('"often", "modules"', '"often", "modules", "deprecated"'))
    return path


@pytest.fixture(name="worker")
def _worker() -> Worker:
    return Worker(time.perf_counter_ns)


@pytest.fixture(autouse=True)
def _nothing_compiled() -> Iterator[None]:
    """Nor left for other tests."""
    yield
    torch.compiler.reset()


def planned(way: str, path: Path, **labels: str) -> PlannedCase:
    """The case of this way."""
    all_labels = {"way": way, "n": "4", **labels}
    identity = f"guest/op[{','.join(f'{name}={text}' for name, text in all_labels.items())}]"
    return case(id=identity, suite="guest", op="op", suite_path=str(path), labels=all_labels)


def check(worker: Worker, case_: PlannedCase) -> Checked:
    """The answer to a check."""
    reply = worker.answer(protocol.Check(case=case_))
    assert isinstance(reply, Checked), reply
    return reply


def prepare(worker: Worker, case_: PlannedCase) -> Prepared:
    """The answer to a preparation."""
    reply = worker.answer(protocol.Prepare(case=case_, sample_s=1e-4))
    assert isinstance(reply, Prepared), reply
    return reply


def visit(worker: Worker, case_: PlannedCase) -> Visited:
    """The answer to a visit."""
    reply = worker.answer(protocol.VisitRequest(case=case_, seconds=1e-3))
    assert isinstance(reply, Visited), reply
    return reply


def seen(worker: Worker, path: Path) -> list[Any]:
    """What the guest's calls saw: threads, grad mode, inference mode."""
    found: list[Any] = worker._suites[str(path)].suite.ops["op"].build.__globals__["seen"]
    return found


OF_FILE = "default_dtype: float32 → float64"


def test_what_a_file_or_a_build_sets_is_undone_before_the_call(worker: Worker, path: Path) -> None:
    """The file's is every row's, so that rows don't differ by their order."""
    threads = torch.get_num_threads()
    effects = check(worker, planned("built", path)).effects
    assert seen(worker, path)[0][0] == threads == torch.get_num_threads()
    assert effects.state_changed == (
        OF_FILE,
        f"num_threads: {threads} → {threads + 1}",
        "seed: set to 1",
    )
    assert torch.get_default_dtype() == torch.float32
    assert check(worker, planned("calm", path)).effects.state_changed == (OF_FILE,)


def test_what_a_call_sets_is_undone_after_each_request(worker: Worker, path: Path) -> None:
    """It is set anew by each call of it, also in visits."""
    less = planned("called", path)
    for reply in (check(worker, less), prepare(worker, less), visit(worker, less)):
        assert "grad_mode: True → False" in reply.effects.state_changed
        assert torch.is_grad_enabled()


def test_what_is_set_between_two_requests_is_undone_by_the_next(worker: Worker, path: Path) -> None:
    """By a thread that a guest left running, say: it would hold for all later cases."""
    prepare(worker, planned("calm", path))
    torch.set_grad_enabled(False)
    assert "grad_mode: True → False" in visit(worker, planned("calm", path)).effects.state_changed
    assert torch.is_grad_enabled()
    assert {*visit(worker, planned("calm", path)).effects.state_changed} <= {OF_FILE}


def test_settings_of_one_case_are_no_changes_of_those_beside_it(worker: Worker, path: Path) -> None:
    """Whichever is visited after which, also where one changes what it has set."""
    threads = str(torch.get_num_threads() + 1)
    calm, forced = planned("calm", path), planned("calm", path, threads=threads)
    less = planned("called", path, threads=threads)
    for one in (calm, forced, less):
        prepare(worker, one)
    for first in (calm, forced, less):
        for second in (calm, forced, less):
            for one in (first, second):
                wanted = {"grad_mode: True → False"} if one is less else set()
                assert {*visit(worker, one).effects.state_changed} - {OF_FILE} == wanted
                assert torch.is_grad_enabled()
                assert torch.get_num_threads() == int(threads) - 1


@pytest.mark.parametrize(
    ("axis", "label", "wanted"),
    [
        ("threads", "1", (1, True, False)),
        ("threads", "3", (3, True, False)),
        *(("grad_mode", text, (2, True, False)) for text in ("on", "grad", "enable_grad", "True")),
        *(("grad_mode", text, (2, False, False)) for text in ("off", "no_grad", "False")),
        *(("grad_mode", text, (2, False, True)) for text in ("inference", "inference_mode")),
    ],
)
def test_threads_and_grad_mode_hold_for_builds_and_calls_of_their_case(
    worker: Worker, path: Path, axis: str, label: str, wanted: tuple[int, bool, bool]
) -> None:
    """And no longer; that is no change of the state."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        one = planned("calm", path, **{axis: label})
        replies: list[Checked | Prepared | Visited] = [
            check(worker, one),
            prepare(worker, one),
            visit(worker, one),
        ]
        assert set(seen(worker, path)) == {wanted}
        assert {reply.effects.state_changed for reply in replies} <= {(), (OF_FILE,)}
        assert torch.get_num_threads() == 2
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("axis", "label"), [("threads", "0"), ("threads", "two"), ("threads", "-1"), ("threads", "1.5"), ("grad_mode", "maybe")])  # fmt: skip
def test_what_they_can_not_be_is_said(worker: Worker, path: Path, axis: str, label: str) -> None:
    """With what they can."""
    reply = worker.answer(protocol.Check(case=planned("calm", path, **{axis: label})))
    assert isinstance(reply, protocol.Refused)
    assert (reply.status, f"{axis!r} sets torch, which can't be {label!r}" in reply.reason) == ("failed", True)  # fmt: skip
    assert ("a whole number from 1" in reply.reason) == (axis == "threads")


def test_warnings_are_the_rows_each_once_and_every_time(worker: Worker, path: Path) -> None:
    """Python itself would show the first only, and a second case of the same code none."""
    for _ in range(2):
        warned = check(worker, planned("warns", path)).effects.python_warnings
        assert warned == ("UserWarning: take care",)
    old = planned("deprecated", path)
    assert check(worker, old).effects.python_warnings == ("DeprecationWarning: old",)
    assert check(worker, planned("calm", path)).effects.python_warnings == ()


def test_no_warning_is_recorded_in_timed_calls(worker: Worker, path: Path) -> None:
    """A list that each call appends to would be timed with it, and grow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        noisy = planned("warns", path)
        assert prepare(worker, noisy).effects.python_warnings == ()
        assert visit(worker, noisy).effects.python_warnings == ()


def test_cycles_are_told(worker: Worker, path: Path) -> None:
    """Of the case that makes them."""
    assert check(worker, planned("rings", path)).effects.reference_cycles
    assert not check(worker, planned("calm", path)).effects.reference_cycles


@pytest.mark.parametrize("way", ["size", "modules"])
def test_twelve_variants_of_a_compiled_function_are_each_compiled_for_themselves(
    worker: Worker, path: Path, way: str
) -> None:
    """Not for any size once a second one was seen, and none falls back when others have used up a limit."""
    for n in range(2, 14):
        variant = planned(way, path, n=str(n))
        for reply in (check(worker, variant), prepare(worker, variant)):
            assert (reply.effects.graph_breaks, reply.effects.recompiles) == (0, 0)
            assert reply.effects.codes[1:] == ()
        assert reply.effects.python_warnings == ()
        assert visit(worker, variant).effects.graph_breaks is None  # compiled before


def test_a_case_that_was_not_compiled_has_no_counts(worker: Worker, path: Path) -> None:
    """Whatever was compiled before it."""
    check(worker, planned("size", path, n="4"))
    effects = check(worker, planned("calm", path)).effects
    assert (effects.graph_breaks, effects.recompiles, effects.compiled) == (None, None, False)


def test_graph_breaks_are_counted(worker: Worker, path: Path) -> None:
    """A print between two ops."""
    effects = check(worker, planned("breaks", path)).effects
    assert (effects.graph_breaks, effects.recompiles) == (1, 0)
    assert "graph-break" in effects.codes


def test_a_function_that_hits_the_limit_by_itself_is_not_silent(worker: Worker, path: Path) -> None:
    """Eight are compiled, and the rest runs as Python does."""
    for reply in (check(worker, planned("often", path)), prepare(worker, planned("often", path))):
        assert reply.effects.recompiles == 7
        assert "recompile-limit" in reply.effects.codes
        assert any("hit config.recompile_limit (8)" in one for one in reply.effects.python_warnings)
    assert "recompile-limit" not in check(worker, planned("size", path, n="3")).effects.codes


def test_caches_are_emptied_for_all_threads_whichever_case_is_first(path: Path) -> None:
    """Also for a case of one thread, and in no mode of its."""
    asked: list[tuple[int, bool]] = []

    def new_evictor(_: str) -> Any:
        asked.append((torch.get_num_threads(), torch.is_inference_mode_enabled()))
        return lambda: None

    threads = torch.get_num_threads()
    worker = Worker(time.perf_counter_ns, new_evictor)
    labels = {"threads": str(threads + 1), "grad_mode": "inference"}
    worker.answer(
        protocol.Prepare(case=planned("calm", path, **labels), sample_s=1e-4, cache="cold")
    )
    assert asked == [(threads, False)]
