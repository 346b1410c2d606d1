"""Copies between host and device: skipped where there is no device, and right where there is one.

Only the functions behind the skip are called here, with the CPU for a device, but for one real copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.plan.case import Call, with_inputs
from bench.plan.discover import load_all
from bench.plan.plan import Plan, expand
from bench.plan.selection import Selection
from bench.plan.suite import make_case
from bench.worker.correctness import Expectation, check
from bench.worker.inputs import TensorInputs
from bench.worker.tensor_tree import storage_bytes

if TYPE_CHECKING:
    from bench.plan.case import Case

(LOADED,) = load_all(["transfer"])
OPS = LOADED.suite.ops
EVERY_WAY = pytest.mark.parametrize("into", ["existing", "new"])
BOTH_OPS = pytest.mark.parametrize("op", ["to_device", "to_host"])


def case_of(op: str, device: str = "cpu", **labels: str) -> Case:
    """A case of 256 elements in pageable memory, unless it is said otherwise, that can make tensors."""
    known = {"n": "256", "memory": "pageable", "into": "existing", **labels}
    plain = make_case(LOADED.suite, OPS[op], known, device)
    return with_inputs(plain, TensorInputs(plain.id, device, plain.dtype_name))


def behind_the_skip(op: str, **labels: str) -> Call:
    """The call that the op would give on a device, from one place in the host's memory to another."""
    build: Any = OPS[op].build
    call: Call = build.__globals__[f"{op}_call"](case_of(op, **labels))
    return call


def plan(device: str) -> Plan:
    """Every case of the suite."""
    return expand([LOADED], Selection(devices=(device,), short_axes=False), {})


def test_a_cpu_has_nothing_to_copy_to() -> None:
    """Every case is skipped, in words, before inputs are made."""
    found = plan("cpu")
    assert not found.cases
    assert {skip.reason for skip in found.skips} == {
        "a copy between host and device needs a device"
    }


def test_a_device_is_copied_to_and_from() -> None:
    """All but a new pinned tensor on the host, which .to() does not make; none asks for CUDA yet."""
    found = plan("cuda")
    skipped = {
        (one.case.op, one.case.labels["memory"], one.case.labels["into"]) for one in found.skips
    }
    assert skipped == {("to_host", "pinned", "new")}
    assert len(found.cases) == 7 * len(found.skips)


def test_sizes_go_from_one_element_to_256_megabytes() -> None:
    """Of float32."""
    sizes = [4 * n for n in LOADED.suite.axes["n"].choices.values()]
    assert (min(sizes), max(sizes)) == (4, 256 * 2**20)
    assert len(LOADED.suite.axes["n"].quick) == 3


@BOTH_OPS
@EVERY_WAY
@pytest.mark.parametrize("n", ["1", "256"])
def test_a_copy_has_the_values_of_its_source(op: str, into: str, n: str) -> None:
    """In other memory: in the tensor that was there, or in a new one."""
    call = behind_the_skip(op, into=into, n=n)
    assert check(call, Expectation(reference=OPS[op].reference_of)).correct is True
    source = call.args[-1] if into == "existing" else call.args[0]
    result = call()
    assert torch.equal(result, source)
    assert result.data_ptr() != source.data_ptr()
    assert (result.data_ptr() == call.args[0].data_ptr()) is (into == "existing")
    assert float(source.abs().max()) > 0


@BOTH_OPS
@EVERY_WAY
def test_a_wrong_copy_is_found(op: str, into: str) -> None:
    """The reference is made from the source alone."""
    call = behind_the_skip(op, into=into)

    def wrong(*arguments: Any, **named: Any) -> Any:
        return call.function(*arguments, **named) + 1

    assert (
        check(
            Call(wrong, *call.args, **call.kwargs), Expectation(reference=OPS[op].reference_of)
        ).correct
        is False
    )


@BOTH_OPS
@EVERY_WAY
def test_a_copy_returns_when_it_has_been_made(op: str, into: str) -> None:
    """What is timed is a whole copy, not the asking for one."""
    assert "non_blocking" not in behind_the_skip(op, into=into).kwargs


@BOTH_OPS
@EVERY_WAY
def test_the_work_is_every_byte_read_and_written(op: str, into: str) -> None:
    """Once each, and no more than there is."""
    work_of = OPS[op].work_of
    assert work_of is not None
    work = work_of(case_of(op, into=into))
    assert work.read_bytes == work.written_bytes == behind_the_skip(op, into=into)().nbytes == 1024


@pytest.mark.parametrize(
    ("op", "into", "place"),
    [("to_device", "existing", 1), ("to_device", "new", 0), ("to_host", "existing", 0)],
)
def test_it_is_the_hosts_side_that_is_pinned(
    op: str, into: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pageable memory is not pinned, and the device's never is."""
    pinned: list[int] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor.data_ptr())
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    behind_the_skip(op, into=into, memory="pageable")
    assert pinned == []
    call = behind_the_skip(op, into=into, memory="pinned")
    assert pinned == [call.args[place].data_ptr()]


@EVERY_WAY
def test_a_new_tensor_has_no_target_waiting(into: str) -> None:
    """The memory of one that exists is among the inputs; a new one's is not."""
    tensors = 2 if into == "existing" else 1
    call = behind_the_skip("to_device", into=into)
    assert storage_bytes([call.args, call.kwargs]) == tensors * 1024


@pytest.mark.gpu
@BOTH_OPS
@pytest.mark.parametrize("memory", ["pageable", "pinned"])
def test_a_real_copy_is_right(op: str, memory: str) -> None:
    """Into memory that is there, on the other side."""
    call = OPS[op].build(case_of(op, "cuda", memory=memory))
    target, source = call.args
    host = source if op == "to_device" else target
    assert {target.device.type, source.device.type} == {"cpu", "cuda"}
    assert host.is_pinned() is (memory == "pinned")
    assert check(call, Expectation(reference=OPS[op].reference_of)).correct is True
