"""Sentences about roofs speak of cases that a roof can hold back, and rank none within its interval."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.findings.roofline import (
    Headroom,
    by_roof,
    farthest,
    headroom,
    highest,
    nearest,
    sentences,
    telling,
    with_share,
)
from tests.fakes.rows import lost, on, record

if TYPE_CHECKING:
    from bench.records.record import Record


def high(op: str, share: float, width: float = 0.01, **values: Any) -> Record:
    """A case whose roof allows 100 µs, and that reaches this share of it."""
    time = 1e-4 / share
    ends = {"time_lo_s": time * (1 - width), "time_hi_s": time * (1 + width)}
    roof = {"roof_share": share, "roof": "DRAM bandwidth"}
    return record("mul", op, params={"n": 4}, time_s=time, **{**ends, **roof, **values})


def fast(op: str, rate: float, width: float = 0.01) -> Record:
    """A case of 1 MFLOP at this rate, of which no roof is known."""
    time = 1e6 / rate
    ends = {"time_lo_s": time * (1 - width), "time_hi_s": time * (1 + width)}
    return record("mul", op, params={"n": 4}, time_s=time, flop=1e6, **ends)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_s": 1e-5},
        {"bound_by": "launch"},
        {"kernels": ("Memcpy DtoH (Device -> Pageable)",)},
        {"warnings": ("implausible",)},
        {"warnings": ("below-overhead",)},
        {"warnings": ("wrong-result",)},
        {"roof_share": None},
        {"status": "failed"},
        {"time_s": None},
    ],
)
def test_what_no_roof_holds_back_says_nothing_of_it(changes: dict[str, Any]) -> None:
    """A call of 10 µs at half of its roof is half calling, as one that waits for launches is waiting."""
    known = high("known", 0.5)
    dull = dataclasses.replace(known, **changes)
    assert telling([known, dull]) == [known]


def test_the_nearest_is_named_and_how_many_come_half_way() -> None:
    """Those whose interval reaches below half-way are counted, and it is said; rivals are admitted."""
    rows = [high("a", 0.9), high("b", 0.89), high("c", 0.501), high("d", 0.1)]
    assert nearest(rows) == (
        "Of 4 cases that would take 10 µs or more even at their roof, 3 reach half of it, "
        "2 of them for certain; "
        "nearest is mul/a n=4, at 90 % of DRAM bandwidth (unsure between it and one other)."
    )
    assert nearest([high("a", 0.9), high("d", 0.1)]) == (
        "Of 2 cases that would take 10 µs or more even at their roof, 1 reaches half of it; "
        "nearest is mul/a n=4, at 90 % of DRAM bandwidth."
    )
    wide = [high("a", 0.9, width=2.0), high("d", 0.1)]
    assert "1 reaches half of it, none of them for certain; nearest is" in str(nearest(wide))
    assert nearest(rows[:1]) == "mul/a n=4 is at 90 % of DRAM bandwidth, its roof."
    assert nearest([record()]) is None


def test_the_farthest_is_told_by_the_near_end_of_its_interval() -> None:
    """At least so many times as long; and it has to be far for certain."""
    rows = [high("a", 0.9), high("b", 0.1, width=0.5), high("c", 0.12)]
    assert farthest(rows) == (
        "Farthest from its roof is mul/c n=4: it takes at least 8.2 times as long as DRAM bandwidth "
        "allows (unsure between it and one other)."
    )
    assert farthest(rows[:1]) is farthest([high("a", 0.9), high("b", 0.499)]) is None
    assert farthest([record()]) is None


def test_a_case_without_an_interval_could_be_anywhere() -> None:
    """It comes half-way for certain nowhere, and is a rival of everyone."""
    bare = dataclasses.replace(high("bare", 0.1), time_lo_s=None, time_hi_s=None)
    said = str(nearest([high("a", 0.9), bare]))
    assert "1 reaches half of it" in said
    assert "unsure between it and one other" in said
    assert farthest([high("a", 0.9), bare]) is None


def test_a_device_is_named_where_there_are_several() -> None:
    """One roof is higher than the other."""
    rows = [high("a", 0.9), high("b", 0.1)]
    assert "mul/a n=4 on cpu" in str(nearest([*rows, *on("cuda", [record()])]))


def test_the_highest_rate_is_told_only_where_no_roof_is_known() -> None:
    """The winner is named with its rate: of arithmetic, else of bytes."""
    rows = [fast("a", 1e9), fast("b", 2e9)]
    assert highest(rows) == "Highest FLOP/s: 2.00 GFLOP/s, by mul/b n=4."
    assert highest([*rows, high("c", 0.5)]) is None
    moved = record("mul", "c", params={"n": 4}, time_s=1e-3, bytes=1e6)
    assert highest([moved]) == "Highest B/s: 1.00 GB/s, by mul/c n=4."
    assert highest([record()]) is None


def test_a_rival_within_the_interval_is_admitted() -> None:
    """Two whose intervals overlap are not ranked."""
    rows = [fast("a", 1.99e9), fast("b", 2e9), fast("c", 1e9)]
    assert str(highest(rows)).endswith("by mul/b n=4 (unsure between it and one other).")


def test_a_rival_without_an_interval_could_be_anything() -> None:
    """An unknown end is an open end."""
    bare = record("mul", "x", time_s=1.0, flop=1e6, time_lo_s=None, time_hi_s=None)
    assert "unsure between" in str(highest([fast("a", 1e9), bare]))
    assert "no interval" in str(highest([bare]))


def test_times_that_say_nothing_win_nothing() -> None:
    """A wrong result is no achievement, and neither is a call lost in the loop's own cost."""
    for code in ("wrong-result", "below-overhead"):
        cheat = record("mul", "cheat", time_s=1e-9, flop=1e6, warnings=(code,))
        assert "mul/a" in str(highest([fast("a", 1e9), cheat]))


def under(share: float, /, roof: str = "DRAM bandwidth", **values: Any) -> Record:
    """A case that came so close to a roof; its interval is ±1 %."""
    return record(roof=roof, roof_share=share, **values)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.95, Headroom(of=1, near=1, half=1, far=0)),
        (0.905, Headroom(of=1, near=0, half=1, far=0)),  # 0.896 at the slow end
        (0.503, Headroom(of=1, near=0, half=0, far=0)),  # 0.498 at the slow end
        (0.0995, Headroom(of=1, near=0, half=0, far=0)),  # 0.1005 at the fast end
        (0.098, Headroom(of=1, near=0, half=0, far=1)),
    ],
)
def test_what_an_interval_leaves_open_is_not_counted(share: float, expected: Headroom) -> None:
    """Both ends of it must be on the same side."""
    assert headroom([under(share)]) == expected


def test_nothing_is_sure_without_an_interval() -> None:
    """One worker says nothing of the next."""
    bare: dict[str, Any] = {"time_lo_s": None, "time_hi_s": None}
    rows = [under(0.99, **bare), under(0.01, **bare)]
    assert headroom(rows) == Headroom(of=2, near=0, half=0, far=0)


def test_rows_without_a_roof_or_with_an_unfit_time_are_left_out() -> None:
    """A wrong result is no achievement, and what is above its roof by far says that something is wrong."""
    unfit = [
        under(3.0, warnings=(code,)) for code in ("implausible", "below-overhead", "wrong-result")
    ]
    others = [record(), lost("failed", "x", roof="DRAM bandwidth", roof_share=0.5)]
    good = under(0.5, warnings=("noisy",))
    assert with_share([*unfit, *others, good]) == [good]


def test_roofs_come_by_how_many_rows_they_bind() -> None:
    """With the row that came nearest to each."""
    rows = [under(0.2, "L1 bandwidth"), under(0.3), under(0.7), under(0.5)]
    first, second = by_roof(rows)
    assert (first.roof, first.headroom.of, first.nearest) == ("DRAM bandwidth", 3, rows[2])
    assert (second.roof, second.headroom.of) == ("L1 bandwidth", 1)


def test_sentences_count_and_say_what_is_left_out() -> None:
    """They are what a reader of the page sees first."""
    rows = [
        under(0.95),
        under(0.6),
        under(0.02, "float32 matmul"),
        under(2.0, warnings=("implausible",)),
    ]
    assert sentences(rows) == [
        (
            "Of 3 cases with a roof, 1 came within 10 % of it, 2 reached half of it or more, and 1 stayed "
            "below a tenth, whichever end of their intervals one takes."
        ),
        "That roof was DRAM bandwidth for 2, float32 matmul for 1.",
        "Left out: 1 case above what can be (implausible).",
    ]
    assert sentences([record()]) == []


def test_waits_and_copies_are_said_to_be_what_they_are() -> None:
    """A share of what launching costs says nothing of the op, nor does GPU memory of a copy over the bus."""
    bound: dict[str, Any] = {"bound_by": "launch", "device_time_s": 2e-6, "device": "cuda"}
    copied = under(0.02, device="cuda", kernels=("Memcpy HtoD (Pageable -> Device)",))
    rows = [under(0.15, **bound), under(0.01, **bound), copied]
    assert with_share(rows) == rows[:2]
    assert sentences(rows)[2:] == [
        (
            "2 of these wait for the host (launch-bound), so that their shares say what launching costs; "
            "by the device's own time 1 of them reaches half of their roof."
        ),
        "Left out: 1 case that copies between host and device, whose roof is the bus.",
    ]
