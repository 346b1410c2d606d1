"""Tools that are programs of their own: pytest-benchmark, and PyTorch's operator_benchmark as published.

Each is given a file of its own making in a folder of its own, and its output is read.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.gpu.peer_cases import LONG, MEDIUM, TINY
from tests.gpu.peer_sheet import WITNESS, Cell, Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.gpu.peer_cases import Subject
    from tests.gpu.peer_timers import Asked

ROOT = Path(__file__).resolve().parents[2]
PYTEST = ("pytest_synced", "pytest_naive")
OPERATOR = "operator_benchmark"
LIMIT_S = 150
"""After which a program is stopped; its own cells are lost, and those that it told of stay."""
MAX_TIME_S = {
    "synced": {TINY: 0.4, MEDIUM: 0.4, LONG: 0.4},
    "naive": {TINY: 0.4, MEDIUM: 0.1, LONG: 0.0015},
}
"""What pytest-benchmark may take for a test, by its own count. Calls that only submit work look short, so
it plans a hundred thousand of them in a second: for 5 ms each that would take minutes."""
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S*::test_(\w+)\[(\S+?)\](?: - (.*))?$", re.MULTILINE)
_TEST = re.compile(r"test_(\w+)\[(.+)\]")
_BENCHMARKING = re.compile(r"# Benchmarking PyTorch: (\S+)")
_FORWARD = re.compile(r"Forward Execution Time \(us\) : ([\d.]+)")
_HEADER = "# Tag"
_TESTS = '''\
"""Made by tests/gpu/peers.py: the same calls, synchronized and not."""

import pytest
import torch

from tests.gpu.peer_cases import named

DEVICE = {device!r}


def parametrized(limits):
    return pytest.mark.parametrize(
        "name", [pytest.param(n, id=n, marks=pytest.mark.benchmark(max_time=s)) for n, s in limits]
    )


def wait():
    if DEVICE != "cpu":
        torch.cuda.synchronize()


@pytest.fixture
def call(name):
    made = named(name, small={small!r}).call(DEVICE)
    made()
    wait()
    yield made
    wait()


@parametrized({synced!r})
def test_synced(benchmark, call):
    def synchronized():
        call.function(*call.args)
        wait()

    benchmark(synchronized)


@parametrized({naive!r})
def test_naive(benchmark, call):
    benchmark(call.function, *call.args)
'''
_OPERATOR_HEAD = '''\
"""Made by tests/gpu/peers.py: the same calls as cases of operator_benchmark."""

import operator_benchmark as op_bench
import torch
'''
_OPERATOR_CASE = """

class Subject{place}(op_bench.TorchBenchmarkBase):
    def init(self, device):
        self.inputs = {{{inputs}}}
        self.set_module_name({name!r})

    def forward(self, {arguments}):
        return torch.{function}({arguments}{extra})


op_bench.generate_pt_test(
    op_bench.cross_product_configs(device=[{device!r}], tags=["short"]), Subject{place}
)
"""
_OPERATOR_END = """

if __name__ == "__main__":
    op_bench.benchmark_runner.main()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a program printed, and how it ended if not well."""

    text: str
    failure: str = ""
    stopped: bool = False
    """Whether it took too long."""

    @property
    def reason(self) -> str:
        """How it ended, and the last thing it said."""
        said = [line for line in self.text.splitlines() if line.strip()]
        ending = self.failure or "it ended well without a word of this"
        return f"{ending}; {said[-1].strip()[:200]}" if said else ending


def run(command: Sequence[str], folder: Path, *paths: Path, limit_s: float = LIMIT_S) -> Ended:
    """Run a program to its end in a folder, with these folders and the checkout to import from."""
    own = os.pathsep.join(map(str, (*paths, ROOT)))
    # What a pytest around this one has set is not meant for it: under xdist its plugin measures nothing.
    others = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**others, "PYTHONPATH": own, "PYTHONUNBUFFERED": "1"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    printed = folder / "printed.txt"
    failure, stopped = "", False
    with printed.open("wb") as out:
        try:
            code = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=limit_s,
                check=False,
            ).returncode
            failure = f"exit code {code}" if code else ""
        except subprocess.TimeoutExpired:
            failure, stopped = f"stopped after {limit_s:.0f} s", True
    text = printed.read_text(encoding="utf-8", errors="replace")
    return Ended(text=text, failure=failure, stopped=stopped)


def by_witness(asked: Asked) -> Iterator[Found]:
    """The profiler's word, in a process that times nothing afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        path = Path(name) / "witness.json"
        script = Path(__file__).with_name("peers.py")
        subjects = [word for one in asked.subjects for word in ("--case", one.name)]
        ask = ("--witness", str(path), "--device", asked.device, *subjects)
        ended = run((sys.executable, str(script), *ask), Path(name))
        told: dict[str, Any] = {}
        if path.is_file():
            told = json.loads(path.read_text(encoding="utf-8"))
    for one in asked.subjects:
        cell = Cell(**told[one.name]) if one.name in told else Cell(seconds=None, note=ended.reason)
        yield Found(one.name, WITNESS, cell)


def by_pytest(asked: Asked) -> Iterator[Found]:
    """What pytest-benchmark says, with and without waiting for the device in what it calls."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (folder / "test_peers.py").write_text(pytest_file(asked), encoding="utf-8")
        path = folder / "benchmark.json"
        ended = run(pytest_command(folder, path), folder)
        told: dict[tuple[str, str], Cell] = {}
        if path.is_file() and path.stat().st_size:
            told = pytest_cells(json.loads(path.read_text(encoding="utf-8")))
    reasons = pytest_failures(ended.text)
    for one in asked.subjects:
        for tool in PYTEST:
            reason = reasons.get((one.name, tool), ended.reason)
            yield Found(one.name, tool, told.get((one.name, tool), Cell(seconds=None, note=reason)))


def pytest_file(asked: Asked) -> str:
    """Tests as people write them."""
    limits = {
        way: [(one.name, by_size[one.size] * asked.scale) for one in asked.subjects]
        for way, by_size in MAX_TIME_S.items()
    }
    return _TESTS.format(device=asked.device, small=asked.small, **limits)


def pytest_command(folder: Path, path: Path) -> tuple[str, ...]:
    """Pytest with that plugin and no other, and without the settings of any checkout."""
    return (
        *(sys.executable, "-m", "pytest", "test_peers.py", "-q", "-rfE", "--tb=line"),
        *("-c", "pytest.ini", "--rootdir", str(folder), "-o", "addopts="),
        *("-p", "no:cacheprovider", "-p", "pytest_benchmark.plugin"),
        f"--benchmark-json={path}",
    )


def pytest_cells(told: Mapping[str, Any]) -> dict[tuple[str, str], Cell]:
    """(subject, tool) → the median that pytest-benchmark's JSON has of it."""
    found = {}
    for one in told.get("benchmarks", ()):
        match = _TEST.fullmatch(one["name"])
        stats = one.get("stats") or {}
        if match and "median" in stats:
            note = (
                f"{stats['rounds']} rounds of {stats['iterations']}, mean {stats['mean']:.4g} s, "
                f"max_time {one.get('options', {}).get('max_time')} s"
            )
            cell = Cell(seconds=float(stats["median"]), note=note)
            found[match[2], f"pytest_{match[1]}"] = cell
    return found


def pytest_failures(text: str) -> dict[tuple[str, str], str]:
    """(subject, tool) → why it failed, by the summary that pytest prints."""
    return {
        (match[2], f"pytest_{match[1]}"): (match[3] or "it failed")[:300]
        for match in _FAILED.finditer(text)
    }


def by_operator_benchmark(asked: Asked) -> Iterator[Found]:
    """What the published operator_benchmark prints; the subject at which it breaks is left out, once more."""
    published = asked.operator_benchmark
    left: list[Subject] = list(asked.sized)
    if published is None or not (published / "operator_benchmark.py").is_file():
        yield from _nothing(left, f"not there: {published or 'no --operator-benchmark'}")
        return
    while left:
        ended = _operator_run(left, asked.device, published.resolve())
        told = operator_times(ended.text)
        yield from (
            Found(one.name, OPERATOR, Cell(seconds=told[one.name]))
            for one in left
            if one.name in told
        )
        left = [one for one in left if one.name not in told]
        gone = left if ended.stopped or _HEADER not in ended.text else left[:1]
        yield from _nothing(gone, ended.reason)
        left = left[len(gone) :]


def _nothing(subjects: Sequence[Subject], note: str) -> Iterator[Found]:
    return (Found(one.name, OPERATOR, Cell(seconds=None, note=note)) for one in subjects)


def _operator_run(subjects: Sequence[Subject], device: str, published: Path) -> Ended:
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        folder = Path(name)
        path = folder / "peers_test.py"
        path.write_text(operator_file(subjects, device), encoding="utf-8")
        return run((sys.executable, str(path), "--device", device), folder, published)


def operator_file(subjects: Sequence[Subject], device: str) -> str:
    """Cases as its documentation says to write them."""
    cases = [_operator_case(place, one, device) for place, one in enumerate(subjects)]
    return "".join([_OPERATOR_HEAD, *cases, _OPERATOR_END])


def _operator_case(place: int, subject: Subject, device: str) -> str:
    names = [f"input{i}" for i in range(len(subject.shapes))]
    inputs = ", ".join(
        f'"{name}": torch.randn({shape!r}, device=device, dtype=torch.{subject.dtype})'
        for name, shape in zip(names, subject.shapes, strict=True)
    )
    return _OPERATOR_CASE.format(
        place=place,
        inputs=inputs,
        name=subject.name,
        arguments=", ".join(names),
        function=subject.function,
        extra="".join(f", {value!r}" for value in subject.extra),
        device=device,
    )


def operator_times(text: str) -> dict[str, float]:
    """Subject → seconds, by what it printed."""
    found: dict[str, float] = {}
    name = None
    for line in text.splitlines():
        if match := _BENCHMARKING.match(line):
            name = match[1]
        elif (match := _FORWARD.match(line)) and name:
            found[name] = float(match[1]) * 1e-6
            name = None
    return found
