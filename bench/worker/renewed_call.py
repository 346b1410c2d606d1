"""Renewed call: a call with a `setup`, which is given fresh inputs before each sample; a sample is one call.

The timed loop reads function and arguments when it begins, so that giving it others costs no time of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.plan.case import Call
from bench.worker.sampling import WARM_UP_LIMIT_S, settled, take_sample

if TYPE_CHECKING:
    from bench.worker.devices import Device
    from bench.worker.sampling import Clock

_LIMITS, _JUDGED = 5, 10
"""As slow calls without a `setup` warm up: for five times the limit, and at least ten to be judged."""


class RenewedCall(Call):
    """A call whose arguments are those of the next sample."""

    __slots__ = ("_origin",)
    _origin: Call

    def __init__(self, origin: Call) -> None:
        once = origin.fresh()
        super().__init__(once.function, *once.args, setup=origin.setup, **once.kwargs)
        object.__setattr__(self, "_origin", origin)

    def renew(self) -> None:
        """Give it fresh inputs."""
        once = self._origin.fresh()
        object.__setattr__(self, "args", once.args)
        object.__setattr__(self, "kwargs", once.kwargs)

    def fresh(self) -> Call:
        """The call on inputs of its own, to be made once."""
        return self._origin.fresh()

    def submit(self) -> Any:
        """Make the call on the inputs that it has now."""
        return self.function(*self.args, **self.kwargs)


def warm_up_singly(call: RenewedCall, device: Device, clock: Clock) -> tuple[bool, float]:
    """Make calls on fresh inputs until they no longer get faster, or for half a second, inputs included.

    Returns:
        Whether they have settled (a call too slow for ten is not judged), and the seconds of the last one.
    """
    times: list[int] = []
    end_ns = clock() + round(_LIMITS * WARM_UP_LIMIT_S * 1e9)
    while not times or (not settled(times) and clock() < end_ns):
        call.renew()
        times.append(take_sample(call, 1, device, clock)[1])
    return settled(times) or len(times) < _JUDGED, times[-1] * 1e-9
