"""Compute mode of GPUs: how many processes the driver lets have a context on one at a time. No torch.

Sites set `exclusive-process` so that two jobs never share a GPU, and a run has a context in each of its workers.
Where MPS, NVIDIA's Multi-Process Service, serves a GPU, the one context is its server's, and any number of processes
are its clients (its manual, *When to use MPS*).
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bench.machine import nvml as nvml_library
from bench.machine.nvml import said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.machine.nvml import Nvml

DEFAULT, PROHIBITED, EXCLUSIVE = "default", "prohibited", "exclusive-process"
_EXCLUSIVE_THREAD = "exclusive-thread"
_MODES = (DEFAULT, _EXCLUSIVE_THREAD, PROHIBITED, EXCLUSIVE)
"""Mode by its number, after `nvmlComputeMode_t` in NVIDIA's nvml.h; only drivers of long ago have the second."""
ONE_PROCESS = frozenset({EXCLUSIVE, _EXCLUSIVE_THREAD})
"""Modes in which one process at a time has a context."""
ANOTHER_MODE = "sudo nvidia-smi -c 0"
"""The command that lets any number of processes in."""
START_MPS = "nvidia-cuda-mps-control -d"

_PIPES = "/tmp/nvidia-mps"  # noqa: S108 - NVIDIA's choice, where CUDA looks
"""Where an MPS daemon listens unless CUDA_MPS_PIPE_DIRECTORY says otherwise (its manual, *Environment Variables*)."""


def mode_of(nvml: Nvml, handle: Any) -> str | None:
    """The compute mode of a GPU; None where the driver does not say, as of one that is divided (MIG)."""
    number = said(nvml, "nvmlDeviceGetComputeMode", handle)
    return _MODES[number] if number in range(len(_MODES)) else None


def read_modes(load: Callable[[], Nvml] = nvml_library.load) -> tuple[str, ...] | None:
    """The compute mode of each GPU, in the driver's order; None where one can't be read, or there is no driver."""
    with nvml_library.opened(load) as (nvml, _):
        if nvml is None:
            return None
        found = [mode_of(nvml, handle) for handle in nvml_library.devices(nvml)]
        known = [mode for mode in found if mode is not None]
        return tuple(known) if len(known) == len(found) else None


def mps_listens(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is an MPS daemon where CUDA looks for one when a process asks for its first context.

    A daemon that was killed leaves its socket behind; a run then finds out when workers get no context.
    """
    with suppress(OSError):  # a folder that we may not look into is closed to CUDA too
        return (Path(environ.get("CUDA_MPS_PIPE_DIRECTORY") or _PIPES) / "control").exists()
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextLimits:
    """How many processes may have a context on each CUDA device, as far as the driver says."""

    modes: tuple[str | None, ...] = ()
    """Compute modes in torch's order; nothing where that is not known."""
    mps: bool = False

    @classmethod
    def read(
        cls,
        load: Callable[[], Nvml] = nvml_library.load,
        environ: Mapping[str, str] = os.environ,
    ) -> Self:
        """Those of the devices that CUDA shows to processes with these variables."""
        with nvml_library.opened(load) as (nvml, _):
            modes = () if nvml is None else _visible_modes(nvml, environ)
        return cls(modes=modes, mps=mps_listens(environ))

    def why_refused(self, device: str, processes: int, remedy: str = "") -> str:
        """Why so many processes can't all have a context on a device; empty where they can, or that is not known.

        Args:
            device: as torch names it: `cuda`, `cuda:1`.
            processes: that would have one at the same time.
            remedy: what else the user can do, besides having the mode changed or MPS started.
        """
        kind, _, number = device.partition(":")
        place = int(number or 0)
        mode = self.modes[place] if kind == "cuda" and place < len(self.modes) else None
        if mode == PROHIBITED:
            return f"compute mode {mode} lets no process use {device}: have it changed ({ANOTHER_MODE})"
        if mode not in ONE_PROCESS or processes == 1 or self.mps:
            return ""
        first = f"{remedy}, " if remedy else ""
        return (
            f"compute mode {mode} lets one process use {device}, and {processes} workers would: "
            f"{first}have it changed ({ANOTHER_MODE}) or start MPS ({START_MPS})"
        )


def _visible_modes(nvml: Nvml, environ: Mapping[str, str]) -> tuple[str | None, ...]:
    """The modes of the devices that CUDA shows, in its order; nothing where that order can't be told.

    CUDA puts the fastest device first, NVML goes by the PCI bus: the same where all are of one kind, and of no
    consequence where all have one mode.
    """
    handles = nvml_library.devices(nvml)
    kinds = {said(nvml, "nvmlDeviceGetName", handle) for handle in handles}
    modes = {mode_of(nvml, handle) for handle in handles}
    by_bus = len(kinds) == 1 or environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    if not by_bus and len(modes) > 1:
        return ()
    shown = _shown(nvml, handles, environ.get("CUDA_VISIBLE_DEVICES"))
    return tuple(mode_of(nvml, handle) for handle in shown)


def _shown(nvml: Nvml, handles: Sequence[Any], words: str | None) -> list[Any]:
    """The devices that CUDA_VISIBLE_DEVICES leaves, in its order: numbers or beginnings of UUIDs, up to the first bad one."""
    if words is None:
        return list(handles)
    shown = []
    for word in map(str.strip, words.split(",")):
        named = word if word.startswith("GPU-") else None
        found = [
            handle
            for place, handle in enumerate(handles)
            if word == str(place)
            or (named and str(said(nvml, "nvmlDeviceGetUUID", handle)).startswith(named))
        ]
        if len(found) != 1:
            break
        shown += found
    return shown
