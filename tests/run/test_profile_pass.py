"""A profile's trace is kept whole and read; a worker that can't is a refusal; a folder that can't, an error."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import StoreError
from bench.pool import protocol
from bench.run.profile_pass import keep, profile, trace_path
from tests.fakes.kernel_trace import cuda_trace, mark, op, trace
from tests.fakes.workers import HELLO, Stage, case

if TYPE_CHECKING:
    from bench.pool.pool import WorkerPool


def writing(made: dict[str, Any], names: dict[str, str] | None = None) -> WorkerPool:
    """A pool whose worker writes this trace."""

    def answer(request: protocol.Request) -> protocol.Reply:
        assert isinstance(request, protocol.Profile)
        Path(request.path).write_text(json.dumps(made))
        return protocol.Profiled()

    stage = Stage(answer)
    pool = stage.pool(1)
    torch = {**HELLO.torch, "threads": 2}
    stage.processes[0].hello = protocol.Hello(torch=torch, device_names=names or {})
    return pool


def read(path: str | Path) -> Any:
    """A compressed trace."""
    return json.loads(gzip.decompress(Path(path).read_bytes()))


def test_what_ran_is_read_from_the_trace_that_is_kept(tmp_path: Path) -> None:
    """On the device that was asked for, by its own name; nothing else is left in the folder."""
    out = tmp_path / "new" / "folder"
    wanted = case(device="cuda")
    found = profile(writing(cuda_trace(), {"cuda": "a GPU"}), wanted, 2, out, 5)
    assert not isinstance(found, protocol.Refused)
    assert (found.case, found.device, found.device_name) == (wanted.id, "cuda", "a GPU")
    assert (found.torch_version, found.threads) == ("2.9.0+fake", 2)
    assert found.activity.lines[0].name == "gemm"
    assert read(found.trace)["traceEvents"] == cuda_trace()["traceEvents"]
    assert [str(path) for path in out.iterdir()] == [found.trace]


def test_the_cpu_has_its_name_from_the_machine(tmp_path: Path) -> None:
    """Workers don't name it."""
    found = profile(writing(trace(mark(0, 9), op("neg", 1, 2))), case(), 1, tmp_path, 5)
    assert not isinstance(found, protocol.Refused)
    assert found.device_name
    assert found.activity.lines[0].name == "neg"


def test_a_case_that_can_not_be_profiled_is_a_refusal(tmp_path: Path) -> None:
    """And leaves no trace."""
    refused = protocol.Refused(status="failed", reason="no")
    assert profile(Stage(lambda _: refused).pool(1), case(), 1, tmp_path, 5) == refused
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [None, "{", '{"a": "\\e"}'])
def test_a_trace_that_can_not_be_read_is_a_refusal(tmp_path: Path, text: str | None) -> None:
    """There is none, or it is torn, or torch has written what is no JSON."""

    def answer(request: protocol.Request) -> protocol.Reply:
        assert isinstance(request, protocol.Profile)
        if text is not None:
            Path(request.path).write_text(text)
        return protocol.Profiled()

    found = profile(Stage(answer).pool(1), case(), 1, tmp_path, 5)
    assert isinstance(found, protocol.Refused)
    assert "no trace that can be read" in found.reason


def test_a_folder_that_can_not_be_is_found_out_before_anything_runs(tmp_path: Path) -> None:
    """With the way out."""
    (tmp_path / "file").write_text("")
    stage = Stage()
    with pytest.raises(StoreError, match=r"can't be written: .*; choose another with --out"):
        profile(stage.pool(1), case(), 1, tmp_path / "file" / "out", 5)
    assert stage.log == []


def test_a_trace_replaces_the_one_before_it_whole(tmp_path: Path) -> None:
    """It does not say which machine or file it came from; a place that is taken is an error."""
    path = tmp_path / "trace.json.gz"
    for number in (1, 2):
        keep({"traceEvents": [number], "host_name": "h", "traceName": "t"}, path)
        assert read(path) == {"traceEvents": [number]}
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreError, match="can't be written"):
        keep({}, tmp_path / "taken")


def test_a_trace_is_named_after_its_case() -> None:
    """And its device."""
    one = case(id="matmul/square[n=64,dtype=float32]", device="cuda:1")
    name = "profile-matmul-square-n=64-dtype=float32-cuda-1.json.gz"
    assert trace_path(Path("reports"), one) == Path("reports") / name


@given(st.text(max_size=40))
def test_a_trace_has_a_name_that_any_system_takes(inside: str) -> None:
    """Whatever is in the id."""
    path = trace_path(Path("reports"), case(id=f"s/op[x={inside}]"))
    assert path.parent == Path("reports")
    assert re.fullmatch(r"profile-s-op-[\w.=-]+\.json\.gz", path.name)
