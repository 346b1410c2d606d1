"""Tools that time a call in this process: ours, triton's and torch's own; and profilers, torch's as the witness."""

from __future__ import annotations

import gc
import importlib
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.benchmark import Timer

from bench.plan.plan import PlannedCase
from bench.pool import protocol
from bench.records.kernel_trace import activity, events_of
from bench.run.visit import Visit
from bench.worker.devices import device_of, queue_of
from bench.worker.profiler import ProfiledCall, record_trace, warm
from bench.worker.worker import Worker
from tests.gpu import peer_cases, triton_timers
from tests.gpu.peer_sheet import WITNESS, Cell, Found, failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench import Call
    from tests.gpu.peer_cases import Subject

    Ask = Callable[[Call, "Asked"], float]
    """Seconds that a tool says of a call."""

OURS = ("device_time_s", "time_s")
VISIT_S = 0.6
"""Of sampling for each subject, half of it for each of our two times."""
SAMPLE_S = 0.01
TIMER_S = 0.2
PROFILED_CALLS = 20
_NEEDS_CUDA = "it times CUDA only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be timed where, and for how long: `scale` times what each tool is given by default."""

    subjects: Sequence[Subject]
    device: str
    scale: float
    operator_benchmark: Path | None = None

    @property
    def small(self) -> bool:
        """Whether this is a rehearsal: without a GPU, whole sizes would take hours."""
        return self.device == "cpu"

    @property
    def sized(self) -> list[Subject]:
        """The subjects, as large as the device can bear."""
        return [one.small() if self.small else one for one in self.subjects]


def ours(asked: Asked) -> Iterator[Found]:
    """Our two times of each subject, as a worker of a run takes them."""
    worker = Worker(time.perf_counter_ns)
    for one in asked.subjects:
        try:
            cells = _ours_of(one, asked, worker)
        except Exception as error:  # noqa: BLE001 - it costs this subject, no more
            cells = dict.fromkeys(OURS, failed(error))
        worker.answer(protocol.Forget())
        yield from (Found(one.name, tool, cell) for tool, cell in cells.items())


def _ours_of(subject: Subject, asked: Asked, worker: Worker) -> dict[str, Cell]:
    case = _planned(subject, asked)
    prepared = worker.answer(protocol.Prepare(case=case, sample_s=SAMPLE_S))
    visited = worker.answer(protocol.VisitRequest(case=case, seconds=VISIT_S * asked.scale))
    refused = [one for one in (prepared, visited) if isinstance(one, protocol.Refused)]
    if refused:
        raise RuntimeError(refused[0].reason)
    assert isinstance(prepared, protocol.Prepared)
    assert isinstance(visited, protocol.Visited)
    cell = Visit(worker=0, round=0, prepared=prepared, visited=visited).cell()
    samples = f"{len(visited.elapsed_ns)} samples of {visited.loops} calls"
    proven = f"{sum(visited.gapless)} of {len(visited.gapless)} samples without a gap"
    return {
        "device_time_s": Cell(seconds=cell.device_s, note=_why_none(asked) or proven),
        "time_s": Cell(seconds=cell.time_s, note=samples),
    }


def _why_none(asked: Asked) -> str:
    return "" if queue_of(asked.device) else "the device has no queue"


def _planned(subject: Subject, asked: Asked) -> PlannedCase:
    extent = peer_cases.SMALL if asked.small else peer_cases.WHOLE
    return PlannedCase(
        id=f"peers/call[subject={subject.name}]",
        suite="peers",
        op="call",
        suite_path=str(Path(peer_cases.__file__).resolve()),
        labels={"subject": subject.name, "extent": extent},
        device=asked.device,
        dtype=subject.dtype,
        flop=None,
        bytes=None,
    )


def asks() -> Mapping[str, Ask]:
    """The tools that take a call and say seconds."""
    return {
        "do_bench": lambda call, asked: _triton("do_bench", asked)(call) * 1e-3,
        "do_bench_median": lambda call, asked: (
            _triton("do_bench", asked)(call, return_mode="median") * 1e-3
        ),
        "do_bench_cudagraph": lambda call, asked: _triton("do_bench_cudagraph", asked)(call) * 1e-3,
        "timer": _by_timer,
    }


def asks_by_profiler() -> Mapping[str, Ask]:
    """Those that start a profiler, which may go on watching launches: to be asked after whoever times them."""
    return {"do_bench_proton": lambda call, asked: _triton("do_bench_proton", asked)(call) * 1e-3}


def _triton(name: str, asked: Asked) -> Callable[..., float]:
    """A timer of triton's, which says milliseconds.

    Raises:
        RuntimeError: the device is not its own.
        Missing: the installed triton has none.
    """
    if asked.device == "cpu":
        raise RuntimeError(_NEEDS_CUDA)
    return triton_timers.timer(name)


def _by_timer(call: Call, asked: Asked) -> float:
    timer = Timer("function(*args)", globals={"function": call.function, "args": call.args})
    return float(timer.blocked_autorange(min_run_time=TIMER_S * asked.scale).median)


def timed(asked: Asked, tools: Mapping[str, Ask]) -> Iterator[Found]:
    """What each of these tools says of each subject; one that breaks costs its own answer."""
    for one in asked.sized:
        try:
            call = one.call(asked.device)
            call()  # the first one loads libraries
        except Exception as error:  # noqa: BLE001 - it costs this subject, no more
            yield from (Found(one.name, tool, failed(error)) for tool in tools)
            continue
        for tool, ask in tools.items():
            yield Found(one.name, tool, _said(ask, call, asked))
        del call
        give_back(asked.device)


def _said(ask: Ask, call: Call, asked: Asked) -> Cell:
    try:
        return Cell(seconds=ask(call, asked))
    except triton_timers.Missing as missing:
        return Cell(seconds=None, note=str(missing))
    except Exception as error:  # noqa: BLE001 - it costs this answer, no more
        return failed(error)


def give_back(device: str) -> None:
    """Free what tensors left behind: processes beside this one need memory too."""
    gc.collect()
    if device != "cpu":
        torch.cuda.empty_cache()


def witnessed(asked: Asked) -> Iterator[Found]:
    """The profiler's word: the sum of a call's kernels, as the median over calls that it recorded whole.

    Each call has a mark of its own; all are made in one session, since a process has only one that is
    complete.
    """
    calls: dict[str, Call] = {}
    for one in asked.sized:
        try:
            calls[one.name] = _warmed(one, asked.device)
        except Exception as error:  # noqa: BLE001 - it costs this subject, no more
            yield Found(one.name, WITNESS, failed(error))
    marked = [ProfiledCall(call=c, calls=1, labels={}) for c in calls.values()] * PROFILED_CALLS
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        path = Path(folder) / "trace.json"
        record_trace(marked, asked.device, device_of(asked.device), str(path))
        events = events_of(json.loads(path.read_text(encoding="utf-8")))
    for first, name in enumerate(calls):
        places = range(first, len(marked), len(calls))
        seen = [activity(events, 1, asked.device, place) for place in places]
        whole = [one for one in seen if one.lines and not one.codes]
        yield Found(name, WITNESS, _witness_cell([one.per_call_s for one in whole]))


def _warmed(subject: Subject, device: str) -> Call:
    call = subject.call(device)
    warm(call, device_of(device), time.perf_counter_ns)
    return call


def _witness_cell(whole_s: Sequence[float]) -> Cell:
    note = f"{len(whole_s)} of {PROFILED_CALLS} calls recorded whole"
    return Cell(seconds=median(whole_s) if whole_s else None, note=note)


def versions() -> dict[str, Any]:
    """The versions of what is asked, where they are here."""
    found = {}
    for name in ("torch", "triton", "pytest", "pytest_benchmark"):
        try:
            found[name] = importlib.import_module(name).__version__
        except Exception:  # noqa: BLE001 - what can't be imported has no version
            found[name] = None
    return found
