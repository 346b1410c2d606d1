"""Which calls can be recorded as a CUDA graph, what a refusal leaves behind, and what the profiler sees.

A refusal by CUDA itself can spoil its process, so each kind of call that may meet one has its own:

    python -m tests.gpu.probe_capture KIND
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from tests.gpu.probe_timing import cuda, middle

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], object]

ROOT = Path(__file__).resolve().parents[2]
SIDE = 64
RISKY = ("prebuilt grad", "pinned h2d", "mask", "item")
"""Each may end in a CUDA error while it is recorded, after which torch 2.11 gives no memory back."""
PROFILED_CALLS = 200
_LINE = 110
_HELD_BYTES = 64 * 2**20
_PROCESS_TIMEOUT_S = 45


def captures() -> dict[str, Any]:
    """Kind of call → what recording it ended in; risky kinds in processes of their own, at once."""
    kinds = _kinds()
    apart = {kind: _started(kind) for kind in RISKY}
    found: dict[str, Any] = {"torch": torch.__version__}
    for kind, call in kinds.items():
        if kind not in RISKY:
            found[kind] = attempt(call)
    for kind, process in apart.items():
        found[f"{kind} (own process)"] = _said(process)
    return found


def attempt(call: Call) -> dict[str, Any]:
    """Whether a call waits for the device, whether it can be recorded, and what is left after that."""
    home = cuda.current_stream()
    found: dict[str, Any] = {}
    for question, ask in (("waits", _waits), ("recorded", _recorded)):
        try:
            found[question] = ask(call)
        except Exception as error:  # noqa: BLE001 - what it raises is what is asked
            found[question] = _described(error)
    found["stream restored"] = cuda.current_stream() == home
    cuda.set_stream(home)
    try:
        found["memory given back"] = _gives_memory_back()
    except Exception as error:  # noqa: BLE001 - what it raises is what is asked
        found["afterwards"] = _described(error)
    return found


def _waits(call: Call) -> str:
    """What torch says of a call that is not allowed to wait; the call was made before, aside."""
    home, aside = cuda.current_stream(), cuda.Stream()
    aside.wait_stream(home)
    with cuda.stream(aside):
        call()
    home.wait_stream(aside)
    cuda.set_sync_debug_mode("error")
    try:
        call()
    except RuntimeError as error:
        return str(error).partition("\n")[0][:_LINE]
    finally:
        cuda.set_sync_debug_mode("default")
    return "no"


def _recorded(call: Call) -> str:
    graph = cuda.CUDAGraph()
    with cuda.graph(graph):
        call()
    graph.replay()
    cuda.synchronize()
    return "yes"


def _gives_memory_back() -> bool:
    """Whether `empty_cache` still returns memory to the device, and kernels still run."""
    held = torch.zeros(_HELD_BYTES, dtype=torch.uint8, device="cuda")
    held.sum().item()
    before = cuda.memory_reserved()
    del held
    cuda.empty_cache()
    return bool(cuda.memory_reserved() <= before - _HELD_BYTES)


def _described(error: Exception) -> list[Any]:
    """Its class, CUDA's number for it where there is one, and its first line."""
    code = getattr(error, "error_code", None)
    return [type(error).__name__, code, str(error).partition("\n")[0][:_LINE]]


def _kinds() -> dict[str, Call]:
    """Calls of every kind that suites make, by name."""
    return {**_plain_kinds(), **_copying_kinds(), **_learning_kinds()}


def _plain_kinds() -> dict[str, Call]:
    matrix = torch.rand(SIDE, SIDE, device="cuda")

    def seeded() -> object:
        torch.manual_seed(2)
        return torch.rand(8, device="cuda")

    return {
        "add": lambda: matrix + 1,
        "view": lambda: matrix.view(-1),
        "rand": lambda: torch.rand(8, device="cuda"),
        "seeded": seeded,
        "matmul": lambda: matrix @ matrix,
        "list index": lambda: matrix[[0, 2]],
        "mask": lambda: matrix[matrix > 0],
    }


def _copying_kinds() -> dict[str, Call]:
    matrix, host = torch.rand(SIDE, SIDE, device="cuda"), torch.zeros(SIDE, SIDE)
    pinned = host.pin_memory()
    return {
        "pageable h2d": lambda: matrix.copy_(host),
        "pinned h2d": lambda: matrix.copy_(pinned),
        "tolist": matrix.tolist,
        "item": matrix[0, 0].item,
    }


def _learning_kinds() -> dict[str, Call]:
    # Two leaves: one that a built graph holds on to would refuse the recording of any backward of its own.
    leaf, other = (torch.rand(SIDE, SIDE, device="cuda", requires_grad=True) for _ in range(2))
    matrix, slope = (torch.rand(SIDE, SIDE, device="cuda") for _ in range(2))
    built = other @ matrix
    weight = torch.nn.Parameter(torch.rand(8, device="cuda"))
    weight.grad = torch.rand(8, device="cuda")

    def both() -> None:
        leaf.grad = None
        torch.autograd.backward([(leaf**3).sum()])

    return {
        "forward and backward": both,
        "prebuilt grad": lambda: torch.autograd.grad(built, other, slope, retain_graph=True),
        "adam": torch.optim.Adam([weight]).step,
    }


def _started(kind: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.gpu.probe_capture", kind],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _said(process: subprocess.Popen[str]) -> Any:
    """The last line of a process, as JSON where it is that."""
    try:
        text, _ = process.communicate(timeout=_PROCESS_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"nothing within {_PROCESS_TIMEOUT_S} s"
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return f"exit code {process.returncode}: {text.strip()[-300:]}"


def profiler() -> dict[str, Any]:
    """How long profiling takes to start, stop and write, and whether every kernel of 200 is in the trace."""
    tiny = torch.zeros(16, device="cuda")
    tiny.add_(1)
    cuda.synchronize()
    readings = [time.perf_counter()]
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as session:
        readings.append(time.perf_counter())
        with record_function("calls"):
            for _ in range(PROFILED_CALLS):
                tiny.add_(1)
            cuda.synchronize()
        readings.append(time.perf_counter())
    readings.append(time.perf_counter())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        session.export_chrome_trace(str(path))
        readings.append(time.perf_counter())
        text = path.read_text(encoding="utf-8")
    stages = ("start_s", "calls_s", "stop_s", "write_s")
    took = [round(after - before, 3) for before, after in pairwise(readings)]
    return {**dict(zip(stages, took, strict=True)), **_of_the_trace(text)}


def _of_the_trace(text: str) -> dict[str, Any]:
    entries = json.loads(text)["traceEvents"]
    kernels = [one for one in entries if one.get("cat") == "kernel"]
    return {
        "kernels": len(kernels),
        "wanted": PROFILED_CALLS,
        "kernel_us": middle(one["dur"] for one in kernels),
        "example": kernels[0] if kernels else None,
        "categories": sorted({str(one.get("cat")) for one in entries}),
        "bytes_per_call": round(len(text) / PROFILED_CALLS),
    }


def main(kind: str) -> int:
    """Try one kind; its result is the last line."""
    print(json.dumps(attempt(_kinds()[kind])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
