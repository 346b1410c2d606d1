"""Stand-ins for what only a GPU has: its driver's library, its energy counter, its allocator."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.workers import Clock

UUID = "11111111-2222-3333-4444-555555555555"
OTHER_UUID = "99999999-2222-3333-4444-555555555555"


class Refusal(Exception):  # noqa: N818 - it stands for pynvml's NVMLError
    """What NVML raises."""


class Nvml:
    """NVML with one GPU, whose answers are a script; an exception among them is raised."""

    NVMLError = Refusal
    NVML_CLOCK_SM = 1
    NVML_CLOCK_MEM = 2
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "ClockInfo": {1: 1500, 2: 2600},
            "MaxClockInfo": {1: 1980, 2: 2619},
            "PowerUsage": 350_000,
            "EnforcedPowerLimit": 700_000,
            "Temperature": {0: 61},
            "CurrentClocksEventReasons": 0x4,
            "CurrentClocksThrottleReasons": 0x8,
            "ComputeRunningProcesses": [10, 11],
            "GraphicsRunningProcesses": [],
            "TotalEnergyConsumption": 5_000,
            **answers,
        }
        self.asked_for: list[str] = []

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        """One."""
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        """The one GPU, by its number."""
        return self._if_here(index == 0)

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802 - the library's own name
        """The one GPU, by its UUID."""
        self.asked_for.append(uuid)
        return self._if_here(uuid == f"GPU-{UUID}")

    def nvmlDeviceGetHandleByPciBusId(self, place: str) -> str:  # noqa: N802
        """The one GPU, by its place."""
        self.asked_for.append(place)
        return self._if_here(place == "00000000:3b:00.0")

    def _if_here(self, here: bool) -> str:  # noqa: FBT001 - a private step
        if not here:
            message = "Not Found"
            raise Refusal(message)
        return "the GPU"

    def __getattr__(self, name: str) -> Any:
        """Any other question about the GPU."""
        key = name.removeprefix("nvmlDeviceGet")
        if key not in self.__dict__["answers"]:
            raise AttributeError(name)

        def answer(handle: str, *which: int) -> Any:
            assert handle == "the GPU"
            value = self.answers[key]
            if isinstance(value, Exception):
                raise value
            if key.endswith("Processes"):
                return [SimpleNamespace(pid=pid) for pid in value]
            return value[which[0]] if which else value

        return answer


class EnergyCounter:
    """A device that draws constant power, and counts it in steps of so many nanoseconds."""

    def __init__(self, clock: Clock, power_w: float, step_ns: int, phase_ns: int = 0) -> None:
        self._clock = clock
        self._power_w = power_w
        self._step_ns = step_ns
        self._phase_ns = phase_ns

    def __call__(self) -> float:
        """Joules, as of the last step."""
        whole = (self._clock() + self._phase_ns) // self._step_ns * self._step_ns
        return 1000.0 + self._power_w * whole * 1e-9


class Allocator:
    """A GPU's allocator: what is in use, the mark, and how often it was in need."""

    def __init__(self, used_bytes: int = 0) -> None:
        self.now_bytes = used_bytes
        self.mark_bytes = 0
        self.needs = 0

    def take(self, size_bytes: int) -> None:
        """Allocate; free with a negative size."""
        self.now_bytes += size_bytes
        self.mark_bytes = max(self.mark_bytes, self.now_bytes)

    def begin(self) -> None:
        """Lower the mark."""
        self.mark_bytes = self.now_bytes

    def used_bytes(self) -> int:
        """In use."""
        return self.now_bytes

    def peak_bytes(self) -> int:
        """The mark."""
        return self.mark_bytes

    def retries(self) -> int:
        """Times in need."""
        return self.needs
