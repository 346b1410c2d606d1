"""Device access: whether workers get a context on a device, which is given up after cases in a row without one. Pure.

Another process may hold the device, or its compute mode let one worker in (`bench.machine.compute_mode`). A worker that
got no context is replaced, which takes seconds and helps nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES_IN_A_ROW = 3
"""Cases that may fail so before a device is given up: the first may meet one that another process is about to leave."""


class DeviceAccess:
    """What became of the latest attempts to get a context, by device and worker: in exclusive mode one has it."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str, int], tuple[str, int]] = {}
        self._given_up: dict[str, str] = {}

    @property
    def given_up(self) -> Mapping[str, str]:
        """Device → why it is given up."""
        return self._given_up

    def refused(self, device: str, worker: int, reason: str) -> None:
        """A case failed since a worker got no context, for this reason."""
        latest, cases = self._latest.get((device, worker), (reason, 0))
        cases = cases + 1 if reason == latest else 1
        self._latest[device, worker] = reason, cases
        if cases >= CASES_IN_A_ROW:
            self._given_up[device] = (
                f"{device} was given up after {cases} cases in a row: {reason}; "
                "bench doctor names its compute mode and who is at work on it"
            )

    def granted(self, device: str, worker: int) -> None:
        """A call was made on it in a worker."""
        self._latest.pop((device, worker), None)
