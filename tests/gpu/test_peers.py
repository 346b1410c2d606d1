"""What other tools say of a call: asked one by one, written down at once, and what breaks costs its own cell."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.records.kernel_trace import mark_of
from tests.gpu import peer_cases, peer_programs, peer_sheet, peer_timers, peers, triton_timers
from tests.gpu.peer_cases import SUBJECTS, Subject, named
from tests.gpu.peer_sheet import Cell, Found, Sheet
from tests.gpu.peer_timers import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench import Call

ADD, MUL, RELU = SUBJECTS[:3]
PRINTED = """\
# ----------------------------------------
# PyTorch/Caffe2 Operator Micro-benchmarks
# ----------------------------------------
# Tag : short

# Benchmarking PyTorch: add-16
# Mode: Eager
# Name: add-16_cuda
# Input: device: cuda
Forward Execution Time (us) : 612.500
Peak Memory (KB) : 1.5

# Benchmarking PyTorch: mul-256x256
Traceback (most recent call last):
RuntimeError: no more
"""
PUBLISHED = """\
import sys
import types

runs = []
benchmark_runner = types.SimpleNamespace()


class TorchBenchmarkBase:
    def set_module_name(self, name):
        self.name = name


def cross_product_configs(device, tags):
    return [device[0]]


def generate_pt_test(configs, case):
    runs.append((configs[0], case))


def main():
    print("# Tag : short")
    for device, case in runs:
        made = case()
        made.init(device)
        print("# Benchmarking PyTorch:", made.name)
        if made.name == "mul-256x256":
            sys.exit("it broke")
        made.forward(*made.inputs.values())
        print("Forward Execution Time (us) : 2.500")


benchmark_runner.main = main
"""
"""The parts of operator_benchmark that a case touches; it breaks at one of them."""


def asked(*subjects: Subject, scale: float = 0.01, published: Path | None = None) -> Asked:
    """A rehearsal on the CPU."""
    return Asked(subjects=subjects, device="cpu", scale=scale, operator_benchmark=published)


def sheet(path: Path, *subjects: Subject) -> Sheet:
    """A sheet without answers."""
    return Sheet(path / "peers.json", {"device": "made up"}, peer_sheet.empty_cases(subjects))


def told(path: Path) -> dict[str, Any]:
    """What is in the file by now."""
    found: dict[str, Any] = json.loads((path / "peers.json").read_text(encoding="utf-8"))
    return found


def answers(found: Iterator[Found]) -> dict[tuple[str, str], Cell]:
    """(subject, tool) → cell."""
    return {(one.subject, one.tool): one.cell for one in found}


def test_ten_subjects_of_three_sizes() -> None:
    """Each has a name of its own, and tensors with which a GPU is busy for as long as is said."""
    assert len({one.name for one in SUBJECTS}) == 10
    sizes = [one.size for one in SUBJECTS]
    assert [sizes.count(size) for size in ("tiny", "medium", "long")] == [4, 3, 3]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.name)
def test_inputs_are_random_and_a_rehearsal_is_small(subject: Subject) -> None:
    """Products of zeros would take less power, and less time."""
    small = named(subject.name, small=True)
    made = small.call("cpu")
    assert small.elements <= 2 * peer_cases.SMALL_SIDE**2
    assert all(tensor.std() > 0.5 for tensor in made.args[: len(small.shapes)])
    assert made() is not None
    assert named(subject.name, small=False) is subject


def test_a_tool_that_breaks_costs_its_own_answer() -> None:
    """The other tools and the other subjects have theirs, and it is said what broke."""

    def breaks(call: Call, _: Asked) -> float:
        if call.args[0].ndim == 2:
            message = "matrices are not for me\nat all"
            raise ValueError(message)
        return 1e-6

    tools = {"timer": breaks, "do_bench": lambda _call, _asked: 2e-6}
    found = answers(peer_timers.timed(asked(ADD, MUL), tools))
    assert found == {
        ("add-16", "timer"): Cell(seconds=1e-6),
        ("add-16", "do_bench"): Cell(seconds=2e-6),
        ("mul-256x256", "timer"): Cell(seconds=None, note="ValueError: matrices are not for me"),
        ("mul-256x256", "do_bench"): Cell(seconds=2e-6),
    }


def test_a_subject_that_cannot_be_made_costs_its_own_row() -> None:
    """As one that is too large for this GPU."""
    unknown = dataclasses.replace(ADD, function="no_such_function")
    found = answers(peer_timers.timed(asked(unknown, MUL), {"timer": lambda _call, _asked: 1e-6}))
    assert "no_such_function" in found["add-16", "timer"].note
    assert found["mul-256x256", "timer"].seconds == 1e-6


def test_torchs_timer_is_asked_and_triton_says_that_it_needs_cuda() -> None:
    """The real timer, briefly."""
    tools = {**peer_timers.asks(), **peer_timers.asks_by_profiler()}
    found = answers(peer_timers.timed(asked(ADD), tools))
    assert (found["add-16", "timer"].seconds or 0) > 0
    for tool in ("do_bench", "do_bench_median", "do_bench_cudagraph", "do_bench_proton"):
        assert found["add-16", tool].seconds is None
        assert "CUDA" in found["add-16", tool].note


def test_a_timer_that_this_triton_lacks_is_a_blank_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Absent, and no error."""

    def missing(name: str) -> Any:
        message = f"triton 3.6.0 has no {name}"
        raise triton_timers.Missing(message)

    monkeypatch.setattr(triton_timers, "timer", missing)
    ask = peer_timers.asks_by_profiler()["do_bench_proton"]
    cell = peer_timers._said(
        ask, ADD.small().call("cpu"), dataclasses.replace(asked(ADD), device="cuda")
    )
    assert cell == Cell(seconds=None, note="triton 3.6.0 has no do_bench_proton")


def test_our_times_are_those_of_a_worker() -> None:
    """On the CPU there is no device time, and it is said why."""
    unknown = dataclasses.replace(MUL, name="nobody")
    found = answers(peer_timers.ours(asked(ADD, unknown)))
    assert (found["add-16", "time_s"].seconds or 0) > 0
    assert found["add-16", "device_time_s"] == Cell(seconds=None, note="the device has no queue")
    assert found["nobody", "time_s"].note.startswith("RuntimeError: ")


def test_the_witness_is_the_median_over_whole_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls of which nothing was recorded do not count; the first of three was slow."""

    def event(cat: str, name: str, begin: float, took: float) -> dict[str, Any]:
        return {"ph": "X", "cat": cat, "name": name, "ts": begin, "dur": took, "pid": 1, "tid": 1}

    def record(watched: list[Any], _name: str, _device: Any, path: str) -> None:
        events = []
        for place in range(len(watched)):
            events.append(event("user_annotation", mark_of(place), 1000 * place, 900))
            if place < 3:
                events.append(event("cpu_op", "aten::add", 1000 * place, 90 if place == 0 else 7))
        text = json.dumps({"traceEvents": events})
        (tmp_path / "seen.json").write_text(text, encoding="utf-8")
        with open(path, "w", encoding="utf-8") as trace:  # noqa: PTH123 - the profiler is given text
            trace.write(text)

    monkeypatch.setattr(peer_timers, "record_trace", record)
    found = answers(peer_timers.witnessed(asked(ADD)))
    cell = found["add-16", "profiler"]
    assert cell.seconds == pytest.approx(7e-6)
    assert cell.note == "3 of 20 calls recorded whole"


def test_the_file_is_whole_after_each_answer(tmp_path: Path) -> None:
    """A session that is cut off has what was said before."""

    def ask(_: Asked) -> Iterator[Found]:
        yield Found("add-16", "timer", Cell(seconds=1e-6, note="so"))
        assert told(tmp_path)["cases"]["add-16"]["cells"] == {
            "timer": {"seconds": 1e-6, "note": "so"}
        }
        yield Found("mul-256x256", "timer", Cell(seconds=2e-6))

    peers.fill(sheet(tmp_path, ADD, MUL), peers.Part(tools=("timer",), ask=ask), asked(ADD, MUL))
    assert told(tmp_path)["cases"]["mul-256x256"]["cells"]["timer"]["seconds"] == 2e-6
    assert told(tmp_path)["device"] == "made up"


def test_a_part_that_breaks_keeps_what_it_said(tmp_path: Path) -> None:
    """What is left of it says what broke."""

    def ask(_: Asked) -> Iterator[Found]:
        yield Found("add-16", "timer", Cell(seconds=1e-6))
        message = "gone"
        raise OSError(message)

    peers.fill(sheet(tmp_path, ADD, MUL), peers.Part(tools=("timer",), ask=ask), asked(ADD, MUL))
    cases = told(tmp_path)["cases"]
    assert cases["add-16"]["cells"]["timer"]["seconds"] == 1e-6
    assert cases["mul-256x256"]["cells"]["timer"] == {"seconds": None, "note": "OSError: gone"}


def test_the_table_has_times_and_their_ratio_to_the_witness(tmp_path: Path) -> None:
    """Below it stands why some are missing."""
    written = sheet(tmp_path, ADD, MUL)
    written.put(Found("add-16", "profiler", Cell(seconds=2e-6)))
    written.put(Found("add-16", "timer", Cell(seconds=5e-6)))
    written.put(Found("mul-256x256", "timer", Cell(seconds=5e-6)))
    written.put(Found("mul-256x256", "profiler", Cell(seconds=None, note="lost")))
    lines = peer_sheet.markdown(told(tmp_path)).splitlines()
    assert lines[0].startswith("| case | torch.profiler | ")
    assert lines[2].startswith("| add-16 | 2.00 µs | – | ")
    assert "| 5.00 µs (×2.50) |" in lines[2]
    assert "| 5.00 µs |" in lines[3]
    assert len({line.count("|") for line in lines[:4]}) == 1
    assert "- torch.profiler: mul-256x256: lost" in lines
    assert "- triton do_bench: all cases: not asked" in lines
    wide = peer_sheet.table(told(tmp_path)).splitlines()
    assert wide[1].index("2.00 µs") == wide[0].index("torch.profiler")


def test_pytest_benchmark_itself_is_run() -> None:
    """The real plugin, in a process of its own, without this project's settings."""
    found = answers(peer_programs.by_pytest(asked(ADD, RELU)))
    assert set(found) == {(one.name, tool) for one in (ADD, RELU) for tool in peer_programs.PYTEST}
    for cell in found.values():
        assert (cell.seconds or 0) > 0, cell.note
        assert "rounds of" in cell.note


def test_a_test_that_failed_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have their times."""
    text = "FAILED test_peers.py::test_naive[add-16] - RuntimeError: out of memory\n"
    assert peer_programs.pytest_failures(text) == {
        ("add-16", "pytest_naive"): "RuntimeError: out of memory"
    }
    monkeypatch.setattr(
        peer_programs, "run", lambda *_: peer_programs.Ended(text=text, failure="exit code 1")
    )
    found = answers(peer_programs.by_pytest(asked(ADD)))
    assert found["add-16", "pytest_naive"].note == "RuntimeError: out of memory"
    assert found["add-16", "pytest_synced"].note.startswith("exit code 1; FAILED")


def test_what_is_planned_of_calls_that_only_submit_is_bounded() -> None:
    """A tool that takes 5 ms for 5 µs would plan to make such a call for minutes."""
    text = peer_programs.pytest_file(
        Asked(subjects=SUBJECTS, device="cuda", scale=1.0, operator_benchmark=None)
    )
    compile(text, "test_peers.py", "exec")
    assert "('add-1G', 0.0015)" in text
    assert "('add-1G', 0.4)" in text


def test_times_are_read_from_what_operator_benchmark_prints() -> None:
    """Of a case at which it broke there is none."""
    assert peer_programs.operator_times(PRINTED) == {"add-16": pytest.approx(612.5e-6)}
    assert peer_programs.operator_times("") == {}


def test_a_subject_at_which_operator_benchmark_breaks_costs_its_own_answer(tmp_path: Path) -> None:
    """It is started again for those behind it."""
    (tmp_path / "operator_benchmark.py").write_text(PUBLISHED, encoding="utf-8")
    found = answers(peer_programs.by_operator_benchmark(asked(ADD, MUL, RELU, published=tmp_path)))
    assert [bool(cell.seconds) for cell in found.values()] == [True, False, True]
    assert found["relu-64k", "operator_benchmark"].seconds == pytest.approx(2.5e-6)
    assert found["mul-256x256", "operator_benchmark"].note == "exit code 1; it broke"


@pytest.mark.parametrize("text", [None, "raise ImportError('no extension')\n"])
def test_without_operator_benchmark_there_is_a_reason(text: str | None, tmp_path: Path) -> None:
    """It is not there, or can't be imported: then it is started once only."""
    if text:
        (tmp_path / "operator_benchmark.py").write_text(text, encoding="utf-8")
    found = answers(peer_programs.by_operator_benchmark(asked(ADD, MUL, published=tmp_path)))
    wanted = "exit code 1; ImportError: no extension" if text else f"not there: {tmp_path}"
    assert {cell.note for cell in found.values()} == {wanted}
    assert len(found) == 2


def test_every_subject_is_written_as_a_case_of_operator_benchmark() -> None:
    """With its own tensors, on the device, and called in the same way."""
    text = peer_programs.operator_file(SUBJECTS, "cuda")
    compile(text, "peers_test.py", "exec")
    assert text.count("op_bench.generate_pt_test(") == 10
    assert "torch.randn((12288, 12288), device=device, dtype=torch.bfloat16)" in text
    assert "return torch.softmax(input0, -1)" in text


def test_a_program_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """What it had printed is kept."""
    script = "import time; print('so far'); time.sleep(60)"
    ended = peer_programs.run((sys.executable, "-c", script), tmp_path, limit_s=1)
    assert (ended.stopped, ended.reason) == (True, "stopped after 1 s; so far")


def _one_part(tool: str, said_s: float) -> Callable[[Any], list[peers.Part]]:
    found = [Found("add-16", tool, Cell(seconds=said_s))]
    return lambda _wanted: [peers.Part(tools=(tool,), ask=lambda _asked: iter(found))]


def test_a_session_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints its table, shows it in Markdown, and a tool that is asked again leaves what others said."""
    ask = ["--out", str(tmp_path), "--device", "cpu", "--case", "add-16"]
    monkeypatch.setattr(peers, "parts", _one_part("timer", 5e-6))
    assert peers.main(ask) == 0
    assert "5.00 µs" in capsys.readouterr().out
    monkeypatch.setattr(peers, "parts", _one_part("profiler", 2e-6))
    assert peers.main([*ask, "--only", "profiler"]) == 0
    assert peers.main(["--markdown", str(tmp_path / "peers.json")]) == 0
    assert "| 5.00 µs (×2.50) |" in capsys.readouterr().out
    assert {"device", "torch", "versions", "seconds"} <= set(told(tmp_path))


def test_every_tool_is_asked_once() -> None:
    """In the order in which a session that is cut off has the most of it."""
    whole = [tool for part in peers.parts(list(peer_sheet.TOOLS)) for tool in part.tools]
    assert sorted(whole) == sorted(peer_sheet.TOOLS)
    assert whole[0] == "profiler"
    assert whole.index("do_bench_proton") > whole.index("timer"), "its profiler may stay"
    assert [part.tools for part in peers.parts(["timer"])] == [("timer",)]


def test_without_a_gpu_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so, and how to rehearse."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert peers.main(["--out", str(tmp_path)]) == 1
    assert "--device cpu" in capsys.readouterr().err
