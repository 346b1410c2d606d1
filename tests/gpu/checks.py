"""What must hold on a GPU before its numbers are believed: each check says what it wanted and what it saw.

    python tests/gpu/checks.py --out gpu-results

Writes `checks.json` into that folder, whose finished runs are judged; the device is judged by what times
it in a run. Torch, device, clock and triton's timers are handed in, so that fakes can stand in.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch as real_torch

from bench.store.load import load_rows
from bench.store.runs import list_runs
from bench.units import seconds, share
from bench.worker.device_timing import Sampler
from bench.worker.devices import Cuda
from tests.gpu import rows, triton_timers
from tests.gpu.check import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from bench.store.runs import StoredRun
    from bench.worker.device_timing import QueuedDevice, QueueTiming
    from bench.worker.sampling import Clock

    Witness = Callable[[Callable[[], object]], float]
    """Seconds that a call takes, by a timer of triton's."""

CLOCK_TOLERANCE = 0.005
"""Spins were within 0.03 % on an H200; a step of its clock, 15 MHz of 1980, would be 0.8 %."""
POWER_CAPPED = 0.25
"""How much longer a product may take triton's timers, which leave the GPU hardly a pause: held to its power
limit, an H200 makes bfloat16 products at 1545 MHz that it makes at 1980 for some tens of milliseconds, and ours
are single ones between spins (`docs/gpu.md`). Float32 ones stay below the limit."""
SPIN_CYCLES = (20_000_000, 40_000_000, 80_000_000)
"""Tens of milliseconds, so that what beginning and ending a kernel takes is less than a tenth of 0.5 %."""
WARM_UP_MS, REPEAT_MS = 200, 500
"""What triton's timers are asked for and we do too: a GPU that is busy for longer may lower its clocks."""
TURNS = 3
LARGE_N = 8192
WITNESSES: Mapping[str, Mapping[str, float]] = {
    # Events around a call: a launch of 5 µs in 1.4 ms and more; its L2 is emptied, and holds 128 MiB in no case.
    "do_bench": {"warmup": WARM_UP_MS, "rep": REPEAT_MS},
    # A graph of as many calls, replayed ten times: no launch, and gaps of a microsecond in 1.4 ms and more.
    "do_bench_cudagraph": {"rep": REPEAT_MS / 10},
    # The profiler's time of the kernel alone, its L2 emptied before: a microsecond of gap less than ours.
    "do_bench_proton": {"warmup": WARM_UP_MS, "rep": REPEAT_MS},
}
"""Timer of triton's → how long it is asked to measure. What sets each apart from us is far below the tolerance,
but for the pauses that none of them leaves."""
REPEATS_STORE, CACHES_STORE = "quick", "caches"
"""Folders of runs beside `checks.json`: those held against each other, and those of many sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where checks are made: torch and its GPU, the host's clock, triton's timers or why one is missing."""

    torch: Any
    device: QueuedDevice
    clock: Clock
    witnesses: Mapping[str, Witness | str]


def main(argv: Sequence[str] | None = None) -> int:
    """Make all checks, print and write them; 1 where one of them does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder of checks.json")
    out = parser.parse_args(argv).out
    here = Here(
        torch=real_torch,
        device=Cuda("cuda"),
        clock=time.perf_counter_ns,
        witnesses={name: triton_witness(name) for name in WITNESSES},
    )
    found = all_checks(here, out)
    write(out, found, {"torch": real_torch.__version__, "device": name_of_device(real_torch)})
    for check in found:
        print(check.line, flush=True)
    return 1 if any(check.ok is False for check in found) else 0


def all_checks(here: Here, out: Path) -> list[Check]:
    """Every check; one that breaks is one that does not hold, and the others go on."""
    stores = out / REPEATS_STORE, out / CACHES_STORE
    made: dict[str, Callable[[], Check]] = {
        "spin": lambda: spin_is_steady(here),
        "matmul-float32": lambda: matmul_agrees(here, "float32"),
        "matmul-bfloat16": lambda: matmul_agrees(here, "bfloat16"),
        **{other: partial(_other_agrees, out, other) for other in rows.OTHERS},
        "repeats": lambda: rows.runs_agree(rows_in(out / REPEATS_STORE)),
        "caches-small": lambda: rows.cold_is_slower(rows_in(*stores), l2_bytes(*stores)),
        "caches-large": lambda: rows.cold_is_the_same(rows_in(*stores), l2_bytes(*stores)),
    }
    return [_attempted(name, make) for name, make in made.items()]


def _other_agrees(out: Path, other: str) -> Check:
    stores = out, out / REPEATS_STORE, out / CACHES_STORE
    return rows.other_agrees(rows_in(*stores), other, l2_bytes(*stores))


def _attempted(name: str, make: Callable[[], Check]) -> Check:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever broke is what this check has seen
        note = f"{type(error).__name__}: {error}".partition("\n")[0]
        return Check(name=name, wanted="to be looked at", ok=False, note=note)


def spin_is_steady(here: Here) -> Check:
    """Whether a spin of twice the cycles is measured as twice the time, the GPU's clock standing still."""
    # The first is for nobody: a GPU that was idle takes its time to raise its clock.
    measured_s(here, partial(here.device.spin, SPIN_CYCLES[-1]))
    rates = {c: measured_s(here, partial(here.device.spin, c)) / c for c in SPIN_CYCLES}
    off = max(rates.values()) / min(rates.values()) - 1
    return Check(
        name="spin",
        wanted=f"time in proportion to cycles within {share(CLOCK_TOLERANCE)}",
        seen=f"{share(off)} apart, {1e-6 / median(rates.values()):.0f} MHz",
        ok=off <= CLOCK_TOLERANCE,
    )


def matmul_agrees(here: Here, dtype: str) -> Check:
    """Whether we say of a large product what triton's timers say, of the same inputs, in turns."""
    told: dict[str, list[float | str]] = {one: [] for one in here.witnesses}
    ours: list[float] = []
    if not all(isinstance(witness, str) for witness in here.witnesses.values()):
        call = partial(here.torch.matmul, *_random_pair(here.torch, LARGE_N, dtype))
        call()  # the first one loads libraries
        for _ in range(TURNS):
            ours.append(measured_s(here, call))
            for one, witness in here.witnesses.items():
                told[one].append(_told(witness, call))
    missing = {one: witness for one, witness in here.witnesses.items() if isinstance(witness, str)}
    broken = {one: why for one, words in told.items() for why in words if isinstance(why, str)}
    absent = {**missing, **broken}
    said = {one: median(map(float, told[one])) for one in told if one not in absent}
    return _agreement(dtype, ours, said, absent)


def _told(witness: Witness | str, call: Callable[[], object]) -> float | str:
    """Seconds, or what broke: that is the witness's fault, and says nothing of us."""
    if isinstance(witness, str):
        return witness
    try:
        return witness(call)
    except Exception as error:  # noqa: BLE001 - whatever triton raises
        return f"{type(error).__name__}: {error}".partition("\n")[0]


def _agreement(
    dtype: str, ours: Sequence[float], said: Mapping[str, float], absent: Mapping[str, str]
) -> Check:
    most = rows.TIME_TOLERANCE
    least = -(POWER_CAPPED if dtype == "bfloat16" else rows.TIME_TOLERANCE)
    span = f"{100 * least:+.0f} to {100 * most:+.0f} %"
    found = Check(
        name=f"matmul-{dtype}",
        wanted=f"device time {span} off triton's {', '.join(WITNESSES)}, n={LARGE_N}",
        ok=None,
        note="; ".join(f"{one}: {why}" for one, why in absent.items()),
    )
    if not said:
        return found
    own_s = median(ours)
    off = {one: own_s / other_s - 1 for one, other_s in said.items()}
    shown = (f"{one} {seconds(said[one], 4)} ({100 * off[one]:+.2g} %)" for one in said)
    ok = all(least <= one <= most for one in off.values())
    return replace(found, seen=f"{seconds(own_s, 4)}; {', '.join(shown)}", ok=ok)


def measured_s(here: Here, call: Callable[[], object]) -> float:
    """The device's time of a call as a run measures it: the middle of samples without gaps.

    Raises:
        RuntimeError: there is no such sample.
    """
    sampler = Sampler(call, here.device, here.clock)
    _samples(sampler, here.clock, WARM_UP_MS)
    taken = _samples(sampler, here.clock, REPEAT_MS)
    known = [one.device_s for one in taken if one.gapless]
    if not known:
        message = f"none of {len(taken)} samples is proven to be without a launch gap"
        raise RuntimeError(message)
    return median(known)


def _samples(sampler: Sampler, clock: Clock, for_ms: float) -> list[QueueTiming]:
    """Samples for so long, and one at least."""
    end_ns = clock() + 1e6 * for_ms
    taken = [sampler.sample()]
    while clock() < end_ns:
        taken.append(sampler.sample())
    return taken


def rows_in(*stores: Path) -> pd.DataFrame:
    """The rows of all finished runs in these folders, of which none need be there."""
    return load_rows(*(run.folder for store in stores for run in _finished(store)))


def l2_bytes(*stores: Path) -> int | None:
    """The L2 of the first GPU, by the newest run of the last folder that says it."""
    for run in reversed([run for store in stores for run in _finished(store)]):
        gpus = run.info.torch.get("cuda_devices") or [{}]
        found: int | None = gpus[0].get("l2_bytes")
        if found:
            return found
    return None


def _finished(store: Path) -> list[StoredRun]:
    return [run for run in list_runs(store) if run.finished] if store.is_dir() else []


def triton_witness(name: str) -> Witness | str:
    """A timer of triton's, as long as we measure ourselves, or why there is none."""
    try:
        timer = triton_timers.timer(name)
    except triton_timers.Missing as missing:
        return str(missing)
    return lambda call: timer(call, return_mode="median", **WITNESSES[name]) * 1e-3


def name_of_device(torch: Any) -> str | None:
    """The GPU's model, where there is one."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def write(out: Path, checks: Sequence[Check], facts: Mapping[str, Any]) -> None:
    """`checks.json`: these facts, and every check."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**facts, "checks": [asdict(check) for check in checks]}, indent=1)
    (out / "checks.json").write_text(text + "\n", encoding="utf-8")


def _random_pair(torch: Any, n: int, dtype: str) -> list[Any]:
    """Two matrices of normal random numbers: products of zeros take less power, and less time."""
    torch.manual_seed(0)
    return [torch.randn(n, n, device="cuda", dtype=getattr(torch, dtype)) for _ in range(2)]


if __name__ == "__main__":
    sys.exit(main())
