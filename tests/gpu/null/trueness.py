"""Measures kernels of known length on the null GPU as a run does, and prints how far off each number is.

    python tests/gpu/null/trueness.py

Starts itself anew for each length, since the null GPU reads its settings once; 1 where one is off by more than
half a percent.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import torch

from bench.plan.case import Call
from bench.pool import protocol
from bench.run.outcome import net_time_s
from bench.worker.cache_flush import Evictor
from bench.worker.devices import Cuda
from bench.worker.prepared import Instruments, prepare
from bench.worker.sampling import clock_cost_s
from tests.fakes.workers import case

KERNELS_US = ("4", "5")
SAMPLES_S = (2e-4, 7.5e-4, 1.5e-3, 5e-3)
PHYSICS = {"DRAIN_US": "10", "LAUNCH_US": "0"}
"""A wait that takes long, and launches that the host makes faster than the shortest of these kernels ends."""
WITHIN, WAIT_S = 0.005, 0.3
VISITS = 5


def main() -> int:
    """Every length in a process of its own."""
    codes = [
        subprocess.run(
            [sys.executable, __file__, us], env={**os.environ, **_settings(us)}, check=False
        ).returncode
        for us in KERNELS_US
    ]
    return max(codes)


def _settings(kernel_us: str) -> dict[str, str]:
    return {f"NULLGPU_{name}": value for name, value in {**PHYSICS, "KERNEL_US": kernel_us}.items()}


def measured(kernel_us: float) -> bool:
    """Whether all samples of kernels of this length are true, and a call that waits is found out soon."""
    on = Instruments("cuda", time.perf_counter_ns, Cuda("cuda"), Evictor.of_device)
    clock_s = clock_cost_s(time.perf_counter_ns)
    tensor = torch.ones(16, device="cuda")
    held = True
    for sample_s in SAMPLES_S:
        asked = protocol.Prepare(case=case(), sample_s=sample_s)
        made, facts = prepare(lambda: Call(tensor.add_, 1), asked, on, clock_s)
        times_s: list[float] = []
        device_s: list[float] = []
        for _ in range(VISITS):
            visited = made.visit(20 * sample_s, time.perf_counter_ns)
            times_s += [net_time_s(ns * 1e-9, facts.loops, facts) for ns in visited.elapsed_ns]
            device_s += visited.device_s
        for name, one in (("time_s", median(times_s)), ("device_time_s", median(device_s))):
            off = one / (kernel_us * 1e-6) - 1
            held &= abs(off) <= WITHIN
            print(f"{kernel_us:g} µs, samples of {sample_s * 1e3:g} ms: {name} {100 * off:+.2f} %")
    began = time.monotonic()
    prepare(lambda: Call(tensor[0].item), protocol.Prepare(case=case(), sample_s=1e-3), on, clock_s)
    took_s = time.monotonic() - began
    print(f"a call that waits: prepared in {took_s:.2f} s")
    return held and took_s < WAIT_S


if __name__ == "__main__":
    sys.exit(main() if len(sys.argv) == 1 else int(not measured(float(sys.argv[1]))))
