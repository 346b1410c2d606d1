"""The checks of a GPU session: each holds on a GPU as it should be, and is seen to fail on one that is not."""

from __future__ import annotations

import dataclasses
import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import entry, finished_run, info
from tests.fakes_cuda import FakeTorch
from tests.gpu import checks

if TYPE_CHECKING:
    from pathlib import Path

RUN_IDS = ("20260102T030405Z-aaaaaa", "20260103T030405Z-bbbbbb", "20260104T030405Z-cccccc")


def timer(torch: FakeTorch, factor: float = 1.0) -> Any:
    """A do_bench that says so many times what a call takes."""

    def do_bench(call: Any, *, warmup: float, rep: float, return_mode: str) -> float:
        assert (warmup > 0, rep > 0, return_mode) == (True, True, "median")
        before = torch.cuda.now_ms
        call()
        return factor * (torch.cuda.now_ms - before)

    return do_bench


def stored(store: Path, *times_s: float, device: str = "cuda") -> Path:
    """A run for each of these times: one case takes as long as that, another always the same."""
    for run_id, time_s in zip(RUN_IDS, times_s, strict=False):
        rows = [
            entry(0, run_id=run_id, device=device, time_s=time_s),
            *(entry(n, run_id=run_id, device=device, time_s=1.0) for n in (1, 2)),
        ]
        finished_run(store, info(run_id), *rows)
    return store


def test_a_clock_that_stands_still_is_steady() -> None:
    """A few microseconds more for each kernel do not matter."""
    found = checks.spin_is_steady(FakeTorch(cycle_ms=lambda cycles: 5e-3 + cycles / 1.5e6))
    assert found.ok is True
    assert "1500 MHz" in found.seen


def test_a_clock_that_slows_down_is_not() -> None:
    """One percent more per cycle in the longest spin."""
    found = checks.spin_is_steady(
        FakeTorch(cycle_ms=lambda c: c / 1.5e6 * (1.01 if c == checks.SPIN_CYCLES[-1] else 1))
    )
    assert found.ok is False
    assert found.seen.startswith("1.0 % apart")


@pytest.mark.parametrize(("factor", "ok"), [(1.0, True), (1.02, True), (1.05, False), (0.9, False)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_two_timers_must_agree(dtype: str, factor: float, ok: bool) -> None:  # noqa: FBT001
    """Within 3 %, either way."""
    torch = FakeTorch()
    found = checks.matmul_agrees(torch, dtype, timer(torch, factor))
    assert found.ok is ok, found


def test_what_is_multiplied_is_never_zeros() -> None:
    """Both factors are random numbers, of the size and dtype that were asked for, on the GPU."""
    torch = FakeTorch()
    checks.matmul_agrees(torch, "bfloat16", timer(torch))
    factor = ("randn", (8192, 8192), "cuda", "bfloat16")
    assert set(torch.products) == {(factor, factor)}
    torch = FakeTorch()
    checks.graph_agrees(torch)
    assert {made[0] for pair in torch.products for made in pair} == {"randn"}


def test_without_triton_there_is_a_reason() -> None:
    """It is no failure, and it does not pass for a success."""
    torch = FakeTorch()
    found = checks.matmul_agrees(torch, "float32", "triton is not installed")
    assert (found.ok, found.note) == (None, "triton is not installed")
    assert "not looked at" in checks.line(found)
    assert not torch.products


def test_triton_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what could not be imported."""

    def missing(name: str) -> Any:
        message = f"No module named {name!r}"
        raise ImportError(message)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert checks.triton_timer() == "triton is not installed: No module named 'triton.testing'"


def test_a_graph_takes_what_its_calls_take() -> None:
    """A replay is timed like a call; nothing runs while it is captured."""
    found = checks.graph_agrees(FakeTorch(matmul_ms=3.0))
    assert found.ok is True
    assert found.seen == "3 ms and 3 ms, +0 %"


def test_a_graph_that_is_slower_is_seen() -> None:
    """Launches that hide something, say."""
    torch = FakeTorch()
    plain = torch.cuda.work

    def work(ms: float) -> None:
        plain(ms * (1.1 if torch.cuda._recording else 1))

    torch.cuda.work = work  # type: ignore[method-assign]  # the slower GPU
    assert checks.graph_agrees(torch).ok is False


@pytest.mark.parametrize(("again_s", "ok"), [(1.0, True), (1.04, True), (1.06, False)])
def test_two_runs_must_agree(tmp_path: Path, again_s: float, ok: bool) -> None:  # noqa: FBT001
    """To 2 % in the middle case, to 5 % in the worst, which is named."""
    found = checks.runs_agree(stored(tmp_path, 1.0, again_s))
    assert found.ok is ok, found
    assert "(3 cases)" in found.seen


def test_most_cases_may_not_move_either(tmp_path: Path) -> None:
    """A middle of 3 % is too much, though none is 5 % apart."""
    for run_id, time_s in zip(RUN_IDS, (1.0, 1.03), strict=False):
        rows = [entry(n, run_id=run_id, device="cuda", time_s=time_s) for n in range(3)]
        finished_run(tmp_path, info(run_id), *rows)
    assert checks.runs_agree(tmp_path).ok is False


def test_the_newest_two_runs_count(tmp_path: Path) -> None:
    """What an earlier session left in the folder does not."""
    assert checks.runs_agree(stored(tmp_path, 2.0, 1.0, 1.01)).ok is True


def test_one_run_has_nothing_to_agree_with(tmp_path: Path) -> None:
    """Nor has none."""
    for store in (tmp_path / "nowhere", stored(tmp_path, 1.0)):
        found = checks.runs_agree(store)
        assert found.ok is None
        assert "`repeat`" in found.note


def test_runs_that_never_reached_the_gpu_do_not_agree(tmp_path: Path) -> None:
    """The CPU's times say nothing of it."""
    assert checks.runs_agree(stored(tmp_path, 1.0, 1.0, device="cpu")).ok is False


def test_a_check_that_breaks_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    """A torch without CUDA breaks nearly all, each with what was said."""
    torch = FakeTorch()
    torch.cuda = None  # type: ignore[assignment]  # what is broken
    found = {check.name: check for check in checks.all_checks(torch, timer(torch), tmp_path)}
    assert list(found) == ["spin", "matmul-float32", "matmul-bfloat16", "graph", "repeats"]
    assert found["spin"].ok is False
    assert found["spin"].note.startswith("AttributeError: 'NoneType'")
    assert found["repeats"].ok is None


def test_a_whole_gpu_passes_every_check(tmp_path: Path) -> None:
    """All hold, each under the name that it has in checks.json."""
    torch = FakeTorch()
    store = stored(tmp_path, 1.0, 1.01)
    assert all(check.ok for check in checks.all_checks(torch, timer(torch), store))


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (None, 0), (False, 1)])
def test_what_was_found_is_written_and_decides_the_exit_code(
    ok: bool | None,  # noqa: FBT001 - one of three answers
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only what does not hold is a failure."""
    one = checks.Check(name="one", wanted="this", seen="that", ok=ok, note="why")
    monkeypatch.setattr(checks, "all_checks", lambda *_: [one])
    assert checks.main(["--out", str(tmp_path / "new")]) == code
    written = json.loads((tmp_path / "new" / "checks.json").read_text(encoding="utf-8"))
    assert written["checks"] == [dataclasses.asdict(one)]
    assert {"torch", "device"} <= set(written)
    assert "wanted: this; seen: that; why" in capsys.readouterr().out
