"""Copies between the host's memory and the device's. Run it: bench run transfer

How fast are copies to a GPU and back, from ordinary memory and from pinned?
"""

from __future__ import annotations

import torch

from bench import Axis, Call, Case, Skip, Suite, Work

NO_DEVICE = "a copy between host and device needs a device"
NEW_IS_PAGEABLE = "a new tensor on the host is pageable: pinned memory has to be there before"

suite = Suite(
    "transfer",
    axes=[
        # n is the number of float32 elements: from 4 bytes to 256 MB. Only the bytes matter.
        Axis("n", [*(16**k for k in range(7)), 4**13], quick=[16**2, 16**4, 16**6]),
        # The host's side. pinned: memory that stays where it is, so that the device reads it by itself.
        Axis("memory", ["pageable", "pinned"]),
        # existing: copy_ into memory that is there, the copy alone. new: .to(), which also finds memory.
        Axis("into", ["existing", "new"], quick=["existing"]),
    ],
)


def on_host(tensor: torch.Tensor, memory: str) -> torch.Tensor:
    """The values in the host's memory, pageable or pinned; pinning takes a CUDA device."""
    host = tensor.to("cpu")
    return host.pin_memory() if memory == "pinned" else host


def copied(source: torch.Tensor, target: torch.Tensor, into: str) -> Call:
    """A copy that has ended when it returns, into the target or into a new tensor beside it."""
    if into == "existing":
        return Call(torch.Tensor.copy_, target, source)
    return Call(torch.Tensor.to, source, target.device, copy=True)


@suite.op
def to_device(case: Case) -> Call:
    """A vector of n elements from the host to the device."""
    if case.device == "cpu":
        raise Skip(NO_DEVICE)
    return to_device_call(case)


def to_device_call(case: Case) -> Call:
    """The copy, also where the device is the host, which only a test has a use for."""
    n = case["n"]
    target = case.empty(n)
    return copied(on_host(case.randn(n), case["memory"]), target, case["into"])


@suite.op
def to_host(case: Case) -> Call:
    """A vector of n elements from the device to the host."""
    if case.device == "cpu":
        raise Skip(NO_DEVICE)
    if (case["memory"], case["into"]) == ("pinned", "new"):
        raise Skip(NEW_IS_PAGEABLE)
    return to_host_call(case)


def to_host_call(case: Case) -> Call:
    """The copy, also where the device is the host, which only a test has a use for."""
    n = case["n"]
    target = torch.zeros(n, dtype=case.dtype)
    return copied(case.randn(n), on_host(target, case["memory"]), case["into"])


@to_device.work
@to_host.work
def n_copied(case: Case) -> Work:
    """Every byte is read on one side and written on the other: twice what goes over the bus."""
    size = case["n"] * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


@to_device.reference
@to_host.reference
def same(*arguments: object, **_: object) -> object:
    """The source's values: it is the last tensor of either call."""
    return [one for one in arguments if isinstance(one, torch.Tensor)][-1].numpy()
