"""Makes the same small experiments on the null GPU and on the simulated one of the unit tests, side by side.

    NULLGPU_GAP_US=1 … python tests/gpu/null/physics.py

Both have the physics below; the simulated one (`tests/fakes/gpu.py`) gets what a launch takes, and what asking for a wait
takes, from the null one, on which that is torch's own code. 1 where the two disagree.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import torch

from bench.plan.case import Call
from bench.worker.device_timing import Sampler, replayed_s
from bench.worker.devices import Cuda
from bench.worker.drain import measure_drain
from tests.fakes.gpu import Gpu, cuda_error
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.worker.device_timing import QueuedDevice
    from bench.worker.sampling import Clock as Nanoseconds

PHYSICS_US = {"latency": 3.0, "gap": 1.0, "drain": 10.0, "replay": 2.0, "mark": 1.28}
"""Of both devices; every other time has its own default."""
KERNEL_US = 5.0
OFF_S, OFF_SHARE = 4e-6, 0.01
"""What the host of the null GPU takes differs from one to the next; what its device takes does not."""
SHORT_S = 2e-4
"""Samples of spins: what a host takes to leave a longer wait depends on the host."""
ATTEMPTS = 3
"""A difference between the two is in each of them, one that the host makes by stalling is not."""


class Experiment(NamedTuple):
    """What is found on either device, in seconds or as a fact."""

    name: str
    null: float | str
    simulated: float | str

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        if isinstance(self.null, str) or isinstance(self.simulated, str):
            return self.null == self.simulated
        return abs(self.null - self.simulated) <= max(OFF_S, OFF_SHARE * abs(self.simulated))


def settings() -> dict[str, str]:
    """The null GPU's."""
    return {
        **{f"{name.upper()}_US": f"{us:g}" for name, us in PHYSICS_US.items()},
        "KERNEL_US": f"{KERNEL_US:g}",
        "RESOLUTION_US": "0.032",
        "LAUNCH_US": "2",
    }


def main() -> int:
    """All experiments, printed; 1 where one differs."""
    null, gpu = Cuda("cuda"), _simulated()
    attempts = 1
    while not _agree(made := _compared(null)) and attempts < ATTEMPTS:
        attempts += 1
    made.append(Experiment("a look while recording", *(_refusal(one) for one in looks(null, gpu))))
    made.append(Experiment("no context", _code(_no_context), _code(_no_fake_context)))
    for one in made:
        print(
            f"{'agree' if one.agrees else 'DIFFER'}  {one.name}: {one.null}, simulated {one.simulated}"
        )
    return int(not _agree(made))


def _simulated(**host: int) -> Gpu:
    """The simulated GPU with the physics of both, and what things take the host."""
    facts: dict[str, Any] = {f"{name}_ns": round(us * 1e3) for name, us in PHYSICS_US.items()}
    return Gpu(clock=Clock(), resolution_ns=32, **{**facts, **host})


def _compared(null: Cuda) -> list[Experiment]:
    """What either takes, the simulated one with the host's times of the null GPU."""
    tensor = torch.ones(16, device="cuda")
    found = times(null, time.perf_counter_ns, lambda: tensor.add_(1), null.spin)
    launch_s, wait_s = found.pop("launch"), found.pop("a wait for nothing")
    enter_s = max(0.0, wait_s - PHYSICS_US["drain"] * 1e-6)
    gpu = _simulated(launch_ns=round(launch_s * 1e9), enter_ns=round(enter_s * 1e9))
    same = times(gpu, gpu.clock, lambda: gpu.launch(KERNEL_US * 1e3), gpu.spin)
    return [Experiment(name, seconds, same[name]) for name, seconds in found.items()]


def _agree(made: list[Experiment]) -> bool:
    """Whether both say the same in all of them."""
    return all(one.agrees for one in made)


def times(
    device: QueuedDevice,
    clock: Nanoseconds,
    kernel: Callable[[], object],
    spin: Callable[[int], object],
) -> dict[str, float]:
    """What a launch, a wait, kernels, marks and graphs take."""
    drain = measure_drain(device, clock, SHORT_S)
    sampler = Sampler(kernel, device, clock)
    seen = [sampler.sample() for _ in range(9)]
    pairs = [_pair_s(device, spin) for _ in range(9)]
    return {
        "launch": statistics.median(one.host_s for one in seen),
        "a wait for nothing": drain.idle_s,
        "a sample of kernels, once": drain.launched_s,
        "a sample of spins, once": drain.worked_s,
        "a kernel in its stream": statistics.median(one.device_s for one in seen),
        "a kernel in a graph": replayed_s(lambda: Call(kernel), KERNEL_US * 1e-6, device, clock),
        "two marks": statistics.median(pairs),
    }


def _pair_s(device: QueuedDevice, spin: Callable[[int], object]) -> float:
    """Two marks with nothing between them, behind a spin."""
    first, last = device.mark(), device.mark()
    spin(1_000_000)
    first.record()
    last.record()
    device.synchronize()
    return last.seconds_since(first)


def looks(null: Cuda, gpu: Gpu) -> tuple[Callable[[], object], Callable[[], object]]:
    """Recording a call that reads a value back."""
    value = torch.ones(1, device="cuda")
    return (lambda: null.capture(lambda: value.item, 1)), (lambda: gpu.capture(lambda: gpu.wait, 1))


def _refusal(make: Callable[[], object]) -> str:
    """The kind of exception, and the stream afterwards."""
    before = torch.cuda.current_stream()
    try:
        make()
    except RuntimeError as error:
        left = torch.cuda.current_stream() == before
        return f"{type(error).__name__}, {'the stream as before' if left else 'another stream'}"
    return "recorded"


def _code(make: Callable[[], object]) -> str:
    """The kind and number of an error of CUDA's."""
    try:
        make()
    except torch.AcceleratorError as error:
        return f"{type(error).__name__} {getattr(error, 'error_code', None)}"
    return "none"


def _no_context() -> None:
    """A context in this process, as another has the only one: by a child that is told so."""
    child = os.environ | {"NULLGPU_COMPUTE_MODE": "2"}
    program = "import torch\ntry: torch.zeros(1, device='cuda')\nexcept torch.AcceleratorError as e: print(e.error_code)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=child, capture_output=True, text=True, check=False
    )
    raise cuda_error(int(done.stdout))


def _no_fake_context() -> None:
    """The second process on a device for one."""
    gpu = Gpu(clock=Clock(), exclusive=True)
    gpu.launch(1.0)
    gpu.process = type(gpu.process)()
    gpu.launch(1.0)


if __name__ == "__main__":
    sys.exit(main())
