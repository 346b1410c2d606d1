"""The checks of a GPU session: each holds on a GPU as it should be, and is seen to fail on one that is not."""

from __future__ import annotations

import dataclasses
import importlib
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.gpu import Gpu
from tests.fakes.workers import Clock, entry, finished_run, info
from tests.gpu import checks
from tests.gpu.check import Check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUN_IDS = [f"2026010{day}T030405Z-abcdef" for day in range(1, 5)]
NAMES = [
    "spin",
    "matmul-float32",
    "matmul-bfloat16",
    "profiler",
    "graph",
    "repeats",
    "caches-small",
    "caches-large",
]
MATMUL_NS = 5e6
AGREED = dict.fromkeys(checks.WITNESSES, 1.0)


class Torch:
    """Stands for `torch`: products keep a GPU busy, and it is noted what they were made of."""

    float32, bfloat16 = "float32", "bfloat16"

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self.products: list[tuple[Any, Any]] = []

    def manual_seed(self, seed: int) -> None:
        """The same numbers each time."""

    def randn(self, *shape: int, device: str, dtype: str) -> Any:
        """Random numbers, by name."""
        return ("randn", shape, device, dtype)

    def matmul(self, a: Any, b: Any) -> None:
        """A product."""
        self.products.append((a, b))
        self._gpu.launch(MATMUL_NS)


class SpinningGpu(Gpu):
    """Its spins take what they are told to."""

    spin_ns: Callable[[int], float]

    def spin(self, cycles: int) -> None:
        """Submit a wait of so many cycles."""
        self.launch(self.spin_ns(cycles))


def here(gpu: Gpu | None = None, **witnesses: float | str) -> checks.Here:
    """A GPU, and timers of triton's that each say so many times what a call takes, or are not there."""
    device = gpu or Gpu(clock=Clock())

    def saying(factor: float) -> checks.Witness:
        def ask(call: Callable[[], object]) -> float:
            device.synchronize()
            begun_ns = device.clock()
            call()
            device.synchronize()
            return factor * 1e-9 * (device.clock() - begun_ns)

        return ask

    told = witnesses or dict.fromkeys(checks.WITNESSES, 1.0)
    return checks.Here(
        torch=Torch(device),
        device=device,
        clock=device.clock,
        witnesses={one: w if isinstance(w, str) else saying(w) for one, w in told.items()},
    )


def spinning(spin_ns: Callable[[int], float]) -> checks.Here:
    """A GPU whose spins take that long."""
    gpu = SpinningGpu(clock=Clock())
    gpu.spin_ns = spin_ns
    return here(gpu)


def stored(store: Path, *runs: list[dict[str, Any]], l2_bytes: int | None = None) -> None:
    """A finished run for each list of rows of a GPU."""
    for run_id, rows in zip(RUN_IDS, runs, strict=False):
        entries = [entry(n, **{"device": "cuda", **facts}) for n, facts in enumerate(rows)]
        torch = {"cuda_devices": [{"l2_bytes": l2_bytes}]}
        finished_run(store, info(run_id, torch=torch), *entries)


def whole_session(out: Path) -> None:
    """Runs of all steps, in which everybody agrees."""
    both = {"device_time_s": 1e-3, "graph_time_s": 1e-3, "profiled_time_s": 1e-3, "cache": "hot"}
    stored(out / "quick", [both], [both])
    small = {**both, "bytes": 1e6, "input_bytes": 5e5, "device_time_cold_s": 2e-3}
    large = {**both, "bytes": 1e9, "device_time_cold_s": 1e-3}
    stored(out / "caches", [small, large], l2_bytes=50 * 2**20)


def test_a_clock_that_stands_still_is_steady() -> None:
    """A few microseconds more for each kernel do not matter."""
    found = checks.spin_is_steady(spinning(lambda cycles: 5e3 + cycles / 1.5))
    assert found.ok is True
    assert "1500 MHz" in found.seen


def test_a_clock_that_slows_down_is_not() -> None:
    """One percent more per cycle in the longest spin."""
    longest = checks.SPIN_CYCLES[-1]
    slowing = spinning(lambda cycles: cycles / 1.5 * (1.01 if cycles == longest else 1))
    found = checks.spin_is_steady(slowing)
    assert found.ok is False
    assert found.seen.startswith("1.0 % apart")


def test_a_gpu_that_wakes_up_is_waited_for() -> None:
    """Half the clock for the first half of a second and a bit is nobody's fault."""
    woken = here(Gpu(clock=Clock(), hertz=lambda now_ns: 0.75e9 if now_ns < 6e8 else 1.5e9))
    assert checks.spin_is_steady(woken).ok is True


@pytest.mark.parametrize(
    ("dtype", "factor", "ok"),
    [
        ("float32", 1.0, True),
        ("float32", 1.02, True),
        ("float32", 1.05, False),
        ("float32", 0.9, False),
        ("bfloat16", 1.05, True),
        ("bfloat16", 1.2, True),
        ("bfloat16", 1.4, False),
        ("bfloat16", 0.9, False),
    ],
)
def test_timers_must_agree(dtype: str, factor: float, ok: bool) -> None:  # noqa: FBT001
    """Within 3 %, either way, but for what is held to the power limit under a timer without pauses."""
    for one in checks.WITNESSES:
        found = checks.matmul_agrees(here(None, **{**AGREED, one: factor}), dtype)
        assert found.ok is ok, found
        assert found.seen.startswith("5.000 ms; do_bench ")
        assert (found.name, found.note) == (f"matmul-{dtype}", "")


def test_what_is_multiplied_is_never_zeros() -> None:
    """Both factors are random numbers, of the size and dtype that were asked for, on the GPU."""
    place = here()
    checks.matmul_agrees(place, "bfloat16")
    factor = ("randn", (8192, 8192), "cuda", "bfloat16")
    assert set(place.torch.products) == {(factor, factor)}


def test_our_time_is_that_of_a_warm_gpu_and_of_long_enough() -> None:
    """As triton's is: what is measured in the first 200 ms does not count, and then there are 500."""
    gpu = Gpu(clock=Clock(), hertz=lambda now_ns: 3e9 if now_ns < 1.5e8 else 1.5e9)
    assert checks.measured_s(here(gpu), lambda: gpu.launch(1e6)) == pytest.approx(1e-3, rel=0.005)
    assert gpu.clock() >= 7e8


def test_samples_with_gaps_are_no_measurement() -> None:
    """A call that waits for the device itself; it is said, not hidden."""
    gpu = Gpu(clock=Clock())

    def call() -> None:
        gpu.launch(3_000)
        gpu.synchronize()

    with pytest.raises(RuntimeError, match="samples is proven to be without a launch gap"):
        checks.measured_s(here(gpu), call)


def test_without_triton_there_is_a_reason() -> None:
    """It is no failure, and it does not pass for a success."""
    place = here(do_bench="not installed", do_bench_proton="nor this")
    found = checks.matmul_agrees(place, "float32")
    assert (found.ok, found.note) == (None, "do_bench: not installed; do_bench_proton: nor this")
    assert not place.torch.products


@pytest.mark.parametrize(("factor", "ok"), [(1.0, True), (1.2, False)])
def test_a_timer_that_is_missing_leaves_it_to_the_others(factor: float, ok: bool) -> None:  # noqa: FBT001
    """It is said which, and why: an older triton is no failure of the GPU's."""
    place = here(do_bench=factor, do_bench_proton="triton 3.6.0 has no do_bench_proton")
    found = checks.matmul_agrees(place, "float32")
    assert (found.ok, found.note) == (ok, "do_bench_proton: triton 3.6.0 has no do_bench_proton")
    assert "do_bench_proton" not in found.seen


def test_a_timer_that_breaks_is_no_witness() -> None:
    """As a profiler that finds no CUPTI; nor does what it said before count."""
    place = here()
    asked = []

    def breaks(_: Callable[[], object]) -> float:
        asked.append(1)
        if len(asked) == 2:
            message = "Proton profiler session could not be created.\nMake sure …"
            raise RuntimeError(message)
        return 1.0

    broken = dataclasses.replace(place, witnesses={**place.witnesses, "do_bench_proton": breaks})
    found = checks.matmul_agrees(broken, "float32")
    why = "do_bench_proton: RuntimeError: Proton profiler session could not be created."
    assert (found.ok, found.note) == (True, why)


def triton(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[tuple[Any, ...]]:
    """A triton that has these timers, each saying 2 ms; what they are asked comes into the list."""
    asked: list[tuple[Any, ...]] = []

    def made(name: str) -> Callable[..., float]:
        def timer(call: Any, **options: Any) -> float:
            asked.append((name, call, options))
            return 2.0

        return timer

    modules = {
        "triton": SimpleNamespace(__version__="3.7.0"),
        "triton.testing": SimpleNamespace(**{name: made(name) for name in names}),
    }
    monkeypatch.setattr(importlib, "import_module", modules.__getitem__)
    return asked


def test_triton_is_asked_for_the_median_of_as_long_as_we_measure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A graph is replayed ten times, so that it has a tenth of that; it has no time to warm up."""
    asked = triton(monkeypatch, *checks.WITNESSES)
    for name in checks.WITNESSES:
        witness = checks.triton_witness(name)
        assert not isinstance(witness, str)
        assert witness(print) == pytest.approx(2e-3)
    both = {"warmup": checks.WARM_UP_MS, "rep": checks.REPEAT_MS}
    assert asked == [
        ("do_bench", print, {**both, "return_mode": "median"}),
        ("do_bench_cudagraph", print, {"rep": 50, "return_mode": "median"}),
        ("do_bench_proton", print, {**both, "return_mode": "median"}),
    ]


def test_an_older_triton_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And which has it."""
    triton(monkeypatch, "do_bench")
    assert checks.triton_witness("do_bench_proton") == (
        "triton 3.7.0 has no do_bench_proton; 3.8 is the first that has it"
    )
    assert checks.triton_witness("do_bench_cudagraph") == "triton 3.7.0 has no do_bench_cudagraph"


def test_triton_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what could not be imported."""

    def missing(name: str) -> Any:
        message = f"No module named {name!r}"
        raise ImportError(message)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert checks.triton_witness("do_bench") == (
        "triton is not installed: No module named 'triton.testing'"
    )


def test_rows_are_those_of_finished_runs_wherever_there_are_any(tmp_path: Path) -> None:
    """A folder that nobody made holds none."""
    stored(tmp_path / "one", [{}], [{}, {}])
    stored(tmp_path / "other", [{}])
    found = checks.rows_in(tmp_path / "one", tmp_path / "nowhere", tmp_path / "other")
    assert len(found) == 4
    assert checks.rows_in(tmp_path / "nowhere").empty


def test_the_l2_is_what_the_newest_run_that_knows_it_says(tmp_path: Path) -> None:
    """A run without a GPU says nothing, and one of an older torch does not know."""

    def of(l2_bytes: int | None) -> dict[str, Any]:
        return {"cuda_devices": [{"l2_bytes": l2_bytes}]}

    assert checks.l2_bytes(tmp_path / "nowhere") is None
    for run_id, torch in zip(
        RUN_IDS,
        (of(5), of(7), of(None), {}),
        strict=True,
    ):
        finished_run(tmp_path, info(run_id, torch=torch))
    assert checks.l2_bytes(tmp_path) == 7


def test_a_check_that_breaks_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    """A GPU that can't be reached breaks what needs it, each with what was said."""
    whole_session(tmp_path)
    broken = dataclasses.replace(here(), device=None)  # type: ignore[arg-type]  # what is broken
    found = {check.name: check for check in checks.all_checks(broken, tmp_path)}
    assert list(found) == NAMES
    for name in NAMES[:3]:
        assert found[name].ok is False
        assert found[name].note.startswith("AttributeError: 'NoneType'")
    assert found["repeats"].ok is True


def test_without_runs_what_needs_them_is_not_looked_at(tmp_path: Path) -> None:
    """It is no failure of the GPU's."""
    found = {check.name: check.ok for check in checks.all_checks(here(), tmp_path / "nowhere")}
    assert [name for name, ok in found.items() if ok is None] == NAMES[3:]


def test_a_whole_gpu_passes_every_check(tmp_path: Path) -> None:
    """All hold, each under the name that it has in checks.json."""
    whole_session(tmp_path)
    found = {check.name: check.ok for check in checks.all_checks(here(), tmp_path)}
    assert found == dict.fromkeys(NAMES, True)


@pytest.mark.parametrize("folder", [".", "quick", "caches"])
def test_rows_of_every_step_are_held_against_a_graph(folder: str, tmp_path: Path) -> None:
    """What is off is found in whichever folder it lies, and its numbers are written."""
    off = {"device_time_s": 2e-3, "graph_time_s": 1e-3, "cache": "hot"}
    stored(tmp_path / folder, [off])
    found = {check.name: check for check in checks.all_checks(here(), tmp_path)}["graph"]
    assert found.ok is False
    checks.write(tmp_path, [found], {})
    written = json.loads((tmp_path / "checks.json").read_text(encoding="utf-8"))
    (one,) = written["checks"][0]["cases"]
    assert (one["case"], one["device_time_s"], one["graph_time_s"]) == ("s/op[n=0]", 2e-3, 1e-3)


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (None, 0), (False, 1)])
def test_what_was_found_is_written_and_decides_the_exit_code(
    ok: bool | None,  # noqa: FBT001 - one of three answers
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only what does not hold is a failure."""
    one = Check(name="one", wanted="this", seen="that", ok=ok, note="why")
    monkeypatch.setattr(checks, "all_checks", lambda *_: [one])
    assert checks.main(["--out", str(tmp_path / "new")]) == code
    written = json.loads((tmp_path / "new" / "checks.json").read_text(encoding="utf-8"))
    assert written["checks"] == [{**dataclasses.asdict(one), "cases": []}]
    assert {"torch", "device"} <= set(written)
    assert "wanted: this; seen: that; why" in capsys.readouterr().out
