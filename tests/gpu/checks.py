"""What must hold on a GPU before its numbers are believed: each check says what it wanted and what it saw.

    python tests/gpu/checks.py --out gpu-results

Writes `checks.json` into that folder. The checks need torch alone and are handed it, so that a fake can
stand in; triton's own timer is used where there is one. Nothing here goes through the engine.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch as real_torch

from bench.analyse import repeats
from bench.store.load import load_rows
from bench.store.runs import list_runs
from bench.units import share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Call = Callable[[], Any]
    Timer = Callable[..., float]
    """Milliseconds that a call takes: `triton.testing.do_bench`."""

CLOCK_TOLERANCE = 0.005
TIME_TOLERANCE = 0.03
SPREAD_MIDDLE, SPREAD_WORST = 0.02, 0.05
COVER_CYCLES = 2_000_000
"""A millisecond or so, in which the host queues what is timed: launching it then takes none of the time."""
SPIN_CYCLES = (20_000_000, 40_000_000, 80_000_000)
"""Tens of milliseconds, so that what beginning and ending a kernel takes is less than a tenth of 0.5 %."""
WARM_SPINS = 10
REPEATS, CALLS, TURNS = 5, 5, 3
LARGE_N, GRAPH_N = 8192, 4096
REPEATS_STORE = "repeats"
"""The folder of runs, beside `checks.json`, that are held against each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise: `ok` is None where it could not be looked at, and `note` says why."""

    name: str
    wanted: str
    seen: str = ""
    ok: bool | None
    note: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Make all checks, print and write them; 1 where one of them does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder of checks.json")
    out = parser.parse_args(argv).out
    found = all_checks(real_torch, triton_timer(), out / REPEATS_STORE)
    write(out, found, {"torch": real_torch.__version__, "device": name_of_device(real_torch)})
    for check in found:
        print(line(check), flush=True)
    return 1 if any(check.ok is False for check in found) else 0


def all_checks(torch: Any, timer: Timer | str, store: Path) -> list[Check]:
    """Every check; one that breaks is one that does not hold, and the others go on."""
    made: dict[str, Callable[[], Check]] = {
        "spin": partial(spin_is_steady, torch),
        "matmul-float32": partial(matmul_agrees, torch, "float32", timer),
        "matmul-bfloat16": partial(matmul_agrees, torch, "bfloat16", timer),
        "graph": partial(graph_agrees, torch),
        "repeats": partial(runs_agree, store),
    }
    return [_attempted(name, make) for name, make in made.items()]


def _attempted(name: str, make: Callable[[], Check]) -> Check:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever broke is what this check has seen
        note = f"{type(error).__name__}: {error}".partition("\n")[0]
        return Check(name=name, wanted="to be looked at", ok=False, note=note)


def spin_is_steady(torch: Any) -> Check:
    """Whether a spin of twice the cycles takes twice the time: the GPU's clock stands still meanwhile."""
    for _ in range(WARM_SPINS):
        torch.cuda._sleep(SPIN_CYCLES[-1])
    rates = {
        cycles: median(spin_s(torch, cycles) for _ in range(REPEATS)) / cycles
        for cycles in SPIN_CYCLES
    }
    off = max(rates.values()) / min(rates.values()) - 1
    return Check(
        name="spin",
        wanted=f"time in proportion to cycles within {share(CLOCK_TOLERANCE)}",
        seen=f"{share(off)} apart, {1e-6 / median(rates.values()):.0f} MHz",
        ok=off <= CLOCK_TOLERANCE,
    )


def spin_s(torch: Any, cycles: int) -> float:
    """Seconds that a spin of so many of the GPU's cycles takes, by events."""
    return event_s(torch, partial(torch.cuda._sleep, cycles), calls=1)


def event_s(torch: Any, call: Call, calls: int = CALLS) -> float:
    """Seconds per call, by two events around calls back to back that were queued behind a spin."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda._sleep(COVER_CYCLES)
    start.record()
    for _ in range(calls):
        call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) * 1e-3 / calls


def matmul_agrees(torch: Any, dtype: str, timer: Timer | str) -> Check:
    """Whether events say of a large product what triton's timer says, of the same inputs, in turns."""
    name = f"matmul-{dtype}"
    wanted = f"events within {share(TIME_TOLERANCE)} of triton.testing.do_bench, n={LARGE_N}"
    if isinstance(timer, str):
        return Check(name=name, wanted=wanted, ok=None, note=timer)
    call = partial(torch.matmul, *_random_pair(torch, LARGE_N, dtype))
    call()  # the first one loads libraries
    ours, theirs = [], []
    for _ in range(TURNS):
        ours.append(event_s(torch, call))
        theirs.append(timer(call, warmup=200, rep=500, return_mode="median") * 1e-3)
    return _agreement(name, wanted, median(ours), median(theirs))


def graph_agrees(torch: Any) -> Check:
    """Whether a captured product takes as long as one that is launched."""
    a, b = _random_pair(torch, GRAPH_N, "float32")
    call = partial(torch.matmul, a, b, out=torch.empty_like(a))
    graph = captured(torch, call)
    launched, replayed = [], []
    for _ in range(TURNS):
        launched.append(event_s(torch, call))
        replayed.append(event_s(torch, graph.replay))
    wanted = f"replay of a graph within {share(TIME_TOLERANCE)} of events, n={GRAPH_N}"
    return _agreement("graph", wanted, median(replayed), median(launched))


def captured(torch: Any, call: Call) -> Any:
    """A CUDA graph of the call, warmed up on a stream of its own as capturing requires."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    graph.replay()
    return graph


def runs_agree(store: Path) -> Check:
    """Whether the newest two runs, each of fresh processes, have the same times on the GPU."""
    wanted = (
        f"spread of two runs at most {share(SPREAD_MIDDLE)} in the middle, "
        f"{share(SPREAD_WORST)} at worst"
    )
    runs = [run for run in list_runs(store) if run.finished][-2:] if store.is_dir() else []
    if len(runs) < 2:
        note = "there are no two finished runs: the step `repeat` makes them"
        return Check(name="repeats", wanted=wanted, ok=None, note=note)
    rows = load_rows(*(run.folder for run in runs))
    found = repeats.agreement(rows[rows["device"].str.startswith("cuda")])
    if found is None:
        note = "no case was measured on the GPU in both runs"
        return Check(name="repeats", wanted=wanted, ok=False, note=note)
    return Check(
        name="repeats",
        wanted=wanted,
        seen=f"{share(found.spread_middle)}, {share(found.spread_worst)} ({found.cases} cases)",
        ok=found.spread_middle <= SPREAD_MIDDLE and found.spread_worst <= SPREAD_WORST,
        note=f"the worst is {found.worst_case}",
    )


def triton_timer() -> Timer | str:
    """`triton.testing.do_bench`, or why there is none."""
    try:
        found: Timer = importlib.import_module("triton.testing").do_bench
    except ImportError as error:
        return f"triton is not installed: {error}"
    return found


def name_of_device(torch: Any) -> str | None:
    """The GPU's model, where there is one."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def write(out: Path, checks: Sequence[Check], facts: Mapping[str, Any]) -> None:
    """`checks.json`: these facts, and every check."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**facts, "checks": [asdict(check) for check in checks]}, indent=1)
    (out / "checks.json").write_text(text + "\n", encoding="utf-8")


def line(check: Check) -> str:
    """A check in a line."""
    verdict = {True: "holds", False: "DOES NOT HOLD", None: "not looked at"}[check.ok]
    parts = [f"wanted: {check.wanted}", f"seen: {check.seen}" if check.seen else "", check.note]
    return f"{check.name}: {verdict}; " + "; ".join(part for part in parts if part)


def _random_pair(torch: Any, n: int, dtype: str) -> list[Any]:
    """Two matrices of normal random numbers: products of zeros take less power, and less time."""
    torch.manual_seed(0)
    return [torch.randn(n, n, device="cuda", dtype=getattr(torch, dtype)) for _ in range(2)]


def _agreement(name: str, wanted: str, one_s: float, other_s: float) -> Check:
    off = one_s / other_s - 1
    seen = f"{1e3 * one_s:.4g} ms and {1e3 * other_s:.4g} ms, {100 * off:+.2g} %"
    return Check(name=name, wanted=wanted, seen=seen, ok=abs(off) <= TIME_TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
