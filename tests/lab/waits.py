"""Calls of known length: each watches a clock until it is time, and keeps what it really took."""

from __future__ import annotations

import atexit
import json
import os
from array import array
from itertools import repeat
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING

from bench import Axis, Call, Suite

if TYPE_CHECKING:
    from bench import Case

STATED_US = (5, 50, 5000)
FOLDER = "BENCH_LAB_WAITS"
"""The variable that names the folder in which workers leave what their calls took."""
CAPACITY = 2**18
"""Calls that are kept, the latest of them; new memory would cost time in the calls that get it."""
_TURNS, _TRIES = 5_000, 9

suite = Suite("waits", axes=[Axis("stated_us", STATED_US)])


class Wait:
    """Returns at the first reading of the clock at or beyond the stated length."""

    def __init__(self, stated_ns: int) -> None:
        self._stated_ns = stated_ns
        self._calls = 0
        self.began_ns = array("q", bytes(8 * CAPACITY))
        self.took_ns = array("q", bytes(8 * CAPACITY))
        """Between the first and the last reading of each call."""

    def __call__(self) -> None:
        """Wait."""
        began = now = perf_counter_ns()
        end = began + self._stated_ns
        while now < end:
            now = perf_counter_ns()
        place = self._calls % CAPACITY
        self._calls += 1
        self.began_ns[place] = began
        self.took_ns[place] = now - began

    def kept(self) -> list[tuple[int, int]]:
        """When each call began and how long it took, as far as they are kept."""
        count = min(self._calls, CAPACITY)
        return list(zip(self.began_ns[:count], self.took_ns[:count], strict=True))


def empty_ns() -> float:
    """What a turn of a plain loop takes that calls the cheapest function there is."""
    found = []
    for _ in range(_TRIES):
        began = perf_counter_ns()
        for _ in repeat(None, _TURNS):
            "".format()
        found.append((perf_counter_ns() - began) / _TURNS)
    return median(found)


@suite.op
def wait(case: Case) -> Call:
    """Watch the clock for so many microseconds."""
    call = Wait(1000 * case["stated_us"])
    facts = {"stated_us": case["stated_us"], "empty_ns": empty_ns()}

    def leave() -> None:
        kept = {**facts, "calls": call.kept()}
        name = f"{os.getpid()}-{id(call)}.json"
        Path(os.environ[FOLDER], name).write_text(json.dumps(kept), encoding="utf-8")

    atexit.register(leave)
    return Call(call)
