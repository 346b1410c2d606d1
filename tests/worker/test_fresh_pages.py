"""What fresh memory costs: a process that is made up, whose page faults take time, and real calls, whose pages are counted."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.plan.case import Call
from bench.pool import protocol
from bench.worker.fresh_pages import ProcessMemory, largest_page_bytes, time_fresh
from bench.worker.sampling import Usage
from tests.fakes.workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGE = 4096
CALL_NS, FAULT_NS, READING_NS = 100_000, 700, 50


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Nobody to wake."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Process:
    """A process with memory: what a call frees is kept until it is handed back, and the first write to a page faults."""

    def __init__(self, taken_bytes: int, **ways: Any) -> None:
        self.clock = Clock()
        self.faults = self.kept_bytes = self.calls = 0
        self.taken_bytes = taken_bytes
        self.written_share: float = ways.pop("written_share", 1.0)
        self.page_bytes: int = ways.pop("page_bytes", PAGE)
        self.hands_back: bool = ways.pop("hands_back", True)
        self.keeps: bool = ways.pop("keeps", True)
        self.aside: tuple[int, ...] = ways.pop("aside", ())
        """Calls in which other programs push it aside."""
        self.switches = 0
        self.others: int = ways.pop("others", 0)
        """Other free memory, as fresh, that calls get first."""
        self.slower: Callable[[int], float] = ways.pop("slower", lambda _: 1.0)
        """By how much the machine is slower at a call."""
        assert not ways

    def call(self) -> None:
        """Write a result and free it."""
        self.calls += 1
        written = int(self.taken_bytes * self.written_share)
        faults = max(0, written - self.kept_bytes) // self.page_bytes
        self.faults += faults
        if self.calls in self.aside:
            self.switches += 1
            self.clock.advance(20_000_000)
        self.clock.advance(round(self.slower(self.calls) * (CALL_NS + faults * FAULT_NS)))
        self._since_handed_back += 1
        if self.keeps and self._since_handed_back > self.others:
            self.kept_bytes = max(self.kept_bytes, written)

    _since_handed_back = 0

    def hand_back(self) -> None:
        """Give back what was freed, if it can."""
        self.clock.advance(1_000_000)
        if self.hands_back:
            self.kept_bytes = self._since_handed_back = 0

    def read(self) -> int:
        """The clock, reading which takes time."""
        self.clock.advance(READING_NS)
        return self.clock()

    def timed(self) -> protocol.FreshTimed:
        """The pass over its call."""
        memory = ProcessMemory(
            hand_back=self.hand_back,
            usage=lambda: Usage(0, self.faults, self.switches),
            page_bytes=lambda: self.page_bytes,
        )
        return time_fresh(Call(self.call), self.taken_bytes, self.read, 0.0, memory)


@given(pages=st.integers(256, 2_000), others=st.integers(0, 5), slow=st.floats(1.0, 3.0))
def test_the_ratio_is_what_page_faults_add(pages: int, others: int, slow: float) -> None:
    """Whatever state the machine is in, and however long the C library takes to come back to what was freed."""
    found = Process(pages * PAGE, others=others, slower=lambda _: slow).timed()
    expected = (CALL_NS + pages * FAULT_NS) / CALL_NS
    assert found.ratio == pytest.approx(expected, rel=1e-3)
    assert (found.low, found.high) == (found.ratio, found.ratio)


def test_a_state_of_the_machine_cancels_and_an_interruption_widens() -> None:
    """The machine is twice as slow from the middle on; one call alone is ten times as slow."""
    pages = 1000
    clean = Process(pages * PAGE).timed()
    slower = Process(pages * PAGE, slower=lambda call: 2.0 if call > 8 else 1.0).timed()
    held_up = Process(pages * PAGE, slower=lambda call: 10.0 if call == 5 else 1.0).timed()
    assert slower.ratio == pytest.approx(clean.ratio, rel=1e-3)
    assert held_up.ratio == clean.ratio
    assert held_up.low == clean.low
    assert held_up.high == pytest.approx(10 * (clean.high or 0), rel=1e-2)


def test_pairs_that_other_programs_disturbed_do_not_count() -> None:
    """By involuntary switches, not by their time; where too many are disturbed, the least disturbed count."""
    pages = 1000
    clean = Process(pages * PAGE).timed()
    assert Process(pages * PAGE, aside=(3, 6, 11)).timed() == clean
    always = Process(pages * PAGE, aside=tuple(range(999)))
    assert always.timed().ratio == pytest.approx(20_800 / 20_100, rel=1e-3)
    assert always.calls == 2 * 15


@pytest.mark.parametrize(
    "ways",
    [
        {"hands_back": False},
        {"keeps": False},
        {"written_share": 0.1},
        {"others": 99},
        {"slower": lambda _: 100},
    ],
    ids=["never fresh", "never reused", "hardly written", "reused too late", "slow"],
)
def test_nothing_is_told_where_pages_do_not_tell_fresh_from_reused(ways: dict[str, Any]) -> None:
    """As under other C libraries, and for `torch.empty`."""
    assert Process(2**24, **ways).timed() == protocol.FreshTimed()


def test_huge_pages_are_fresh_with_few_faults() -> None:
    """Two megabytes a fault; and a single one of them is not taken for nothing."""
    process = Process(2**26, page_bytes=2**21)
    assert process.timed().ratio == pytest.approx((CALL_NS + 32 * FAULT_NS) / CALL_NS, rel=1e-3)
    assert Process(2**20, page_bytes=2**20).timed().ratio is not None


@pytest.mark.parametrize(
    ("files", "size"),
    [
        ({}, None),
        ({"enabled": "always [madvise] never\n"}, None),
        ({"enabled": "[always] madvise never\n"}, 2**21),
        ({"enabled": "[always] madvise never\n", "hpage_pmd_size": "33554432\n"}, 2**25),
    ],
)
def test_the_size_of_a_page_is_what_the_system_gives_unasked(
    tmp_path: Path, files: dict[str, str], size: int | None
) -> None:
    """Huge pages only where they are always on."""
    folder = tmp_path / "sys/kernel/mm/transparent_hugepage"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    found = largest_page_bytes(tmp_path)
    assert found == size if size else found in {2**12, 2**14, 2**16}


REAL = """
import torch
from bench.plan.case import Call
from bench.worker import c_allocator
from bench.worker.fresh_pages import ProcessMemory, time_fresh
from bench.worker.sampling import read_usage
print(c_allocator.apply("reuse").policy)
counted = []
def usage():
    counted.append(read_usage())
    return counted[-1]
ticks = iter(range(0, 10**9, 1000))
call = Call(torch.neg, torch.ones(2**22))
time_fresh(call, 2**24, lambda: next(ticks), 0.0, ProcessMemory(usage=usage))
faults = [one.minor_faults for one in counted]
print(*(after - before for before, after in zip(faults[::2], faults[1::2])))
"""
"""A worker that reuses memory, and what each sample of a real call faults; its clock is made up."""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc hands memory back")
def test_a_real_result_lies_in_fresh_pages_and_then_in_memory_that_is_reused() -> None:
    """Of 16 MiB: each page of it is a fault, if no huge page brings many."""
    ran = subprocess.run([sys.executable, "-c", REAL], check=True, capture_output=True, text=True)
    policy, line = ran.stdout.splitlines()
    if policy != "reuse":
        pytest.skip("this C library can't be set")
    needed = 2**24 / largest_page_bytes() / 2
    fresh = [int(faults) >= needed for faults in line.split()]
    assert sum(fresh) >= 8
    assert len(fresh) - sum(fresh) >= 8
