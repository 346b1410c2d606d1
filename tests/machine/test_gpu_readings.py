"""From looks at a GPU to the facts of a row and its warnings: pure rules on readings of our own."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.machine import gpu_readings
from bench.machine.gpu_readings import GpuFacts, Telemetry, facts, reasons, warnings
from bench.records import codec
from bench.records.record import Record
from bench.records.warning_codes import CODES

MAX_HZ = 2e9
SETTINGS = ("applications-clocks", "sync-boost", "display-clocks", "board-limit", "reliability")


def look(share: float = 1.0, *words: str, **changes: Any) -> Telemetry:
    """A GPU whose SM clock is at that share of its maximum, for these reasons."""
    known = Telemetry(
        sm_clock_hz=share * MAX_HZ,
        sm_clock_max_hz=MAX_HZ,
        power_w=300.0,
        temperature_c=60.0,
        throttle_reasons=words,
        other_processes=0,
    )
    return dataclasses.replace(known, **changes)


READINGS = st.lists(
    st.builds(
        Telemetry,
        sm_clock_hz=st.none() | st.floats(1e8, MAX_HZ),
        sm_clock_max_hz=st.none() | st.just(MAX_HZ),
        power_w=st.none() | st.floats(10, 700),
        temperature_c=st.none() | st.floats(20, 95),
        throttle_reasons=st.none() | st.integers(0, 0xFFF).map(reasons),
        other_processes=st.none() | st.integers(0, 5),
    )
)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, ()),
        (0x1, ("idle",)),
        (0x4 | 0x20, ("power-cap", "thermal-slowdown")),
        (0x8, ("hw-slowdown",)),
        (0x10 | 0x2, ("applications-clocks", "sync-boost")),
        (0x800 | 0x40, ("hw-thermal-slowdown", "reason-0x800")),
    ],
)
def test_bits_are_words(bits: int, words: tuple[str, ...]) -> None:
    """One for each bit, and one that is not known is not lost."""
    assert reasons(bits) == words


@given(st.integers(0, 2**16))
def test_no_two_bits_have_the_same_word(bits: int) -> None:
    """As many words as bits."""
    assert len(set(reasons(bits))) == bits.bit_count()


@given(READINGS)
def test_a_reading_survives_a_line_of_json(readings: list[Telemetry]) -> None:
    """It travels from the worker."""
    lines = [json.dumps(dataclasses.asdict(one)) for one in readings]
    assert [codec.decode(Telemetry, json.loads(line)) for line in lines] == readings


def test_the_facts_are_columns_of_the_row() -> None:
    """By the same names."""
    columns = {f.name for f in dataclasses.fields(Record)}
    assert {f.name for f in dataclasses.fields(GpuFacts)} <= columns


def test_facts_are_medians_and_the_worst() -> None:
    """Of clocks the median and the lowest, of neighbours the most."""
    readings = [
        look(1.0),
        look(0.9, "power-cap", power_w=350.0, temperature_c=64.0),
        look(0.8, power_w=400.0, temperature_c=70.0, other_processes=2),
        look(0.95),
    ]
    assert dataclasses.asdict(facts(readings)) == pytest.approx(
        {
            "sm_clock_hz": 0.925 * MAX_HZ,
            "sm_clock_min_hz": 0.8 * MAX_HZ,
            "temperature_c": 62.0,
            "throttled_share": 0.25,
            "other_processes": 2,
        }
    )


def test_a_gpu_at_rest_says_nothing_of_the_clock_of_the_calls() -> None:
    """But it has a temperature and neighbours."""
    resting = look(0.1, "idle", power_w=50.0, temperature_c=40.0, other_processes=1)
    found = facts([resting, look(1.0), resting])
    assert (found.sm_clock_hz, found.sm_clock_min_hz) == (MAX_HZ, MAX_HZ)
    assert (found.temperature_c, found.other_processes) == (40.0, 1)
    assert (facts([resting]).sm_clock_hz, warnings([resting])) == (None, ("busy-gpu",))


def test_clocks_are_those_of_the_case_where_it_was_watched_alone() -> None:
    """A product held to the power limit, and a sentinel after it that is not: seen so on an H200."""
    sentinels = [look(1.0, other_processes=1)] * 8
    own = [look(0.78, "power-cap")] * 5
    found = facts(sentinels, own)
    assert (found.sm_clock_hz, found.throttled_share) == (0.78 * MAX_HZ, 1.0)
    assert found.other_processes == 1
    assert warnings(sentinels, own) == ("busy-gpu", "clock-throttled")
    assert warnings(sentinels) == ("busy-gpu",)


@pytest.mark.parametrize(
    "readings", [[], [Telemetry()], [Telemetry(missing="no driver")] * 3], ids=len
)
def test_nothing_known_is_no_fact_and_no_warning(readings: list[Telemetry]) -> None:
    """Not a zero either."""
    assert facts(readings) == GpuFacts()
    assert warnings(readings) == ()


@pytest.mark.parametrize(
    ("readings", "throttled"),
    [
        ([look(1.0)] * 5, False),
        ([look(1.0, "power-cap"), *[look(1.0)] * 4], True),
        ([look(1.0, "power-cap"), *[look(1.0)] * 5], False),
        ([look(1.0, "thermal-slowdown")], True),
        ([look(1.0, "hw-slowdown")], True),
        ([look(1.0, "hw-thermal-slowdown")], True),
        ([look(1.0, "hw-power-brake")], True),
        ([look(1.0, *SETTINGS)], False),
        ([look(0.74)], True),
        ([look(0.76)], False),
        ([look(0.1, "idle")], False),
        ([look(0.1), look(1.0), look(1.0)], False),
        ([look(0.1, throttle_reasons=None)], True),
        ([look(0.1, sm_clock_max_hz=None)], False),
        ([look(1.0, "power-cap"), *[look(1.0, throttle_reasons=None)] * 9], True),
    ],
    ids=[
        *("well", "a fifth", "less than a fifth", "heat", "hardware", "hot hardware", "brake"),
        *("settings", "slow", "not slow", "idle", "slow once", "slow, no reasons", "no maximum"),
        "one of those that say",
    ],
)
def test_throttling_is_what_takes_clocks_away(
    readings: list[Telemetry], *, throttled: bool
) -> None:
    """In a fifth of the looks that give reasons; or a clock below three quarters, for none of rest."""
    assert ("clock-throttled" in warnings(readings)) is throttled


@given(READINGS)
def test_facts_lie_within_what_was_read(readings: list[Telemetry]) -> None:
    """Whatever is missing."""
    found = facts(readings)
    clocks = [one.sm_clock_hz for one in readings if one.sm_clock_hz and not one.idle]
    assert found.sm_clock_min_hz == min(clocks, default=None)
    assert (found.sm_clock_hz is None) == (clocks == [])
    assert found.sm_clock_hz is None or min(clocks) <= found.sm_clock_hz <= max(clocks)
    assert found.throttled_share is None or 0 <= found.throttled_share <= 1


@given(READINGS)
def test_every_warning_has_its_words(readings: list[Telemetry]) -> None:
    """And a look that adds a neighbour makes the GPU a busy one."""
    assert set(warnings(readings)) <= set(CODES)
    assert gpu_readings.BUSY_GPU in warnings([*readings, look(other_processes=1)])
