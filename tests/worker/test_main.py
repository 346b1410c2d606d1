"""The conversation: a line for a line, and how it ends."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from bench.pool import protocol
from bench.worker.__main__ import serve
from bench.worker.worker import Worker
from tests.fakes.workers import Clock
from tests.worker.test_worker import SUITE, planned

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "guest.py"
    path.write_text(SUITE)
    return path


def test_a_conversation_begins_with_hello_and_ends_with_the_input(path: Path) -> None:
    """A line for a line."""
    well = planned("well", path)
    requests: list[protocol.WorkerRequest] = [protocol.Check(case=well), protocol.Forget()]
    lines = io.StringIO("".join(protocol.encode(one) + "\n" for one in requests))
    replies = io.StringIO()
    serve(Worker(Clock()), lines, replies)
    told = [protocol.decode(line) for line in replies.getvalue().splitlines()]
    kinds = [type(one) for one in told]
    assert kinds == [protocol.Hello, protocol.Checked, protocol.Forgotten]
    assert told[0].torch["version"]


def test_a_worker_whose_cuda_is_broken_says_so_and_reads_no_more(path: Path) -> None:
    """Its next answer would be a failure of its own, whatever the case."""
    requests: list[protocol.WorkerRequest] = [
        protocol.Check(case=planned("broken", path)),
        protocol.Check(case=planned("well", path)),
    ]
    lines = io.StringIO("".join(protocol.encode(one) + "\n" for one in requests))
    replies = io.StringIO()
    serve(Worker(Clock()), lines, replies)
    _, *told = [protocol.decode(line) for line in replies.getvalue().splitlines()]
    assert told == [
        protocol.Refused(
            status="failed",
            reason="RuntimeError: CUDA error: an illegal memory access was encountered",
            ends_worker=True,
        )
    ]
