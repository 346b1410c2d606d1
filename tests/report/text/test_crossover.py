"""Crossovers read as one sentence each, in a table and as JSON, and say no more than is known."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench.analysis.crossover.crossovers import crossovers
from bench.report.text.crossover import (
    NOTHING,
    CrossoverNames,
    answer,
    crossings_facts,
    crossings_table,
)
from bench.stats.crossing import crossover
from tests.fakes.rows import assert_golden, record, timed_at

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.records.record import Record
    from bench.stats.crossing import Crossover

NAMES = CrossoverNames(axis="n", one="1 thread", other="2 threads")
OPEN, APART = "Unsure where the winner changes: ", "the winner is unsure."
SIZES = (16, 64, 256, 1024, 4096, 16384)


def of_ratios(*values: float) -> Crossover:
    """The crossover of sides whose ratio is so, to 1 %."""
    pairs = list(zip(SIZES, values, strict=False))
    one = [timed_at(n, v, v * math.exp(-0.01), v * math.exp(0.01)) for n, v in pairs]
    return crossover(one, [timed_at(n, 1.0, 1.0, 1.0) for n, _ in pairs])


def shown(table: RenderableType, width: int) -> str:
    """What a terminal without colours shows, without the blanks at line ends."""
    file = io.StringIO()
    Console(file=file, width=width, no_color=True, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.5, 2), "2 threads win from n ≈ 32 on (31.7 to 32.3 on a straight line from 16 to 64)."),
        ((2, 0.5), "1 thread wins from n ≈ 32 on (31.7 to 32.3 on a straight line from 16 to 64)."),
        (
            (1, 0.5, 2, 1, 1),
            ("2 threads win from n ≈ 128 on (127 to 129 on a straight line from 64 to 256);"
             " at n = 16, 1024, 4096 the winner is unsure."),
        ),
        (
            (0.5, 2, 0.5, 2),
            ("2 threads win from n ≈ 512 on (507 to 517 on a straight line from 256 to 1024);"
             " below that the winner changes 2 times more."),
        ),
        ((2, 1.5, 4), "2 threads win at every size measured, n = 16 to 256: 1.50 to 4.00 times as fast."),
        ((0.5, 0.5), "1 thread wins at every size measured, n = 16 to 64: 2.00 times as fast."),
        (
            (1, 1, 1, 1, 1, 2),
            f"{OPEN}2 threads win from n = 16384 on; at n = 16, 64, 256, …, 4096 {APART}",
        ),
        ((0.5, 0.5, 1), f"{OPEN}1 thread wins up to n = 64; at n = 256 {APART}"),
        ((1, 1), f"{OPEN}at no size measured, n = 16 to 64, do the intervals tell them apart."),
        ((2,), "2 threads win at n = 16, the only size measured on both sides: 1.98 to 2.02 times as fast."),
        ((0.5,), "1 thread wins at n = 16, the only size measured on both sides: 1.98 to 2.02 times as fast."),
        ((1,), "Unsure who wins at n = 16, the only size measured on both sides."),
        ((), f"{OPEN}0 sizes could be measured on both sides."),
    ],
)  # fmt: skip
def test_one_sentence_says_it(values: tuple[float, ...], said: str) -> None:
    """Who wins from where on, how sure that is, and what stays open."""
    assert answer(of_ratios(*values), NAMES) == said


def test_sizes_far_apart_enclose_a_change_but_do_not_place_it() -> None:
    """A straight line over a factor of 4096 is a guess, and is called one."""
    one = [timed_at(n, v, v * 0.99, v * 1.01) for n, v in ((512, 0.5), (2097152, 2))]
    found = crossover(one, [timed_at(n, 1.0, 1.0, 1.0) for n in (512, 2097152)])
    assert not found.located
    assert answer(found, NAMES) == (
        "2 threads win from some n between 512 and 2097152 on (on a straight line, from 32768)."
    )


def test_sizes_that_lie_close_need_no_line() -> None:
    """What can happen between them is less than the interval says."""
    one = [timed_at(n, v, v * 0.99, v * 1.01) for n, v in ((16, 0.5), (24, 0.9), (32, 1.1))]
    found = crossover(one, [timed_at(n, 1.0, 1.0, 1.0) for n in (16, 24, 32)])
    assert answer(found, NAMES) == "2 threads win from n ≈ 27.9 on (27.5 to 28.3)."


def test_a_device_wins_in_the_singular() -> None:
    """As one thread does."""
    names = dataclasses.replace(NAMES, one="cpu", other="cuda")
    assert answer(of_ratios(0.5, 2), names).startswith("cuda wins from n ≈ 32 on (")


def stored() -> list[Record]:
    """An op on two devices and with two thread counts, another on two devices."""
    found = []
    for op, dtype in (("square", "float32"), ("square", "float64"), ("batched", "float32")):
        for n in SIZES[:4]:
            params = {"n": n, "dtype": dtype}
            found.append(record("matmul", op, params=params, time_s=1e-9 * n**2))
            found.append(
                record("matmul", op, params=params, device="cuda", time_s=1e-5 + 1e-11 * n**2)
            )
            if op == "square":
                found.append(record("matmul", op, params=params, threads=1, time_s=2e-9 * n**2))
    return found


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_is_readable_in_a_usual_terminal(width: int) -> None:
    """A line each, where and how sure beneath."""
    table = crossings_table(crossovers(stored()), width=width)
    assert_golden(shown(table, width), f"report_crossover_{width}.txt")


def test_nothing_to_compare_is_one_sentence() -> None:
    """With the command that changes that."""
    assert shown(crossings_table([], width=80), 80).split() == NOTHING.split()
    assert crossings_facts([]) == {"crossovers": []}


def test_json_has_the_sentence_and_the_numbers() -> None:
    """What is not known is null, also an interval without an upper end."""
    bare = [dataclasses.replace(r, time_lo_s=None, time_hi_s=None) for r in stored()]
    for rows in (stored(), bare):
        told = crossings_facts(crossovers(rows))
        assert json.loads(json.dumps(told, allow_nan=False)) == told
    first = crossings_facts(crossovers(stored()))["crossovers"][0]
    assert (first["suite"], first["op"], first["dtype"], first["axis"]) == (
        "matmul",
        "square",
        "float32",
        "n",
    )
    assert (first["between"], first["one"], first["other"]) == ("devices", "cpu", "cuda")
    assert (first["kind"], first["winner_beyond"], first["changes"]) == ("at", "cuda", 1)
    assert first["size_lo"] < first["size"] < first["size_hi"]
    assert first["between_sizes"] == [64, 256]
    assert [r["size"] for r in first["ratios"]] == list(SIZES[:4])
    assert first["where"] == "Test machine"
