"""How near rows came to their roofs is counted, and never beyond what intervals allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.analysis.findings import headroom
from bench.analysis.findings.headroom import Headroom
from tests.fakes.rows import lost, record

if TYPE_CHECKING:
    from bench.records.record import Record


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
    assert headroom.headroom([under(share)]) == expected


def test_nothing_is_sure_without_an_interval() -> None:
    """One worker says nothing of the next."""
    bare: dict[str, Any] = {"time_lo_s": None, "time_hi_s": None}
    rows = [under(0.99, **bare), under(0.01, **bare)]
    assert headroom.headroom(rows) == Headroom(of=2, near=0, half=0, far=0)


def test_rows_without_a_roof_or_with_an_unfit_time_are_left_out() -> None:
    """A wrong result is no achievement, and what is above its roof by far says that something is wrong."""
    unfit = [
        under(3.0, warnings=(code,)) for code in ("implausible", "below-overhead", "wrong-result")
    ]
    others = [record(), lost("failed", "x", roof="DRAM bandwidth", roof_share=0.5)]
    good = under(0.5, warnings=("noisy",))
    assert headroom.held([*unfit, *others, good]) == [good]


def test_roofs_come_by_how_many_rows_they_bind() -> None:
    """With the row that came nearest to each."""
    rows = [under(0.2, "L1 bandwidth"), under(0.3), under(0.7), under(0.5)]
    first, second = headroom.by_roof(rows)
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
    assert headroom.sentences(rows) == [
        (
            "Of 3 cases with a roof, 1 came within 10 % of it, 2 reached half of it or more, and 1 stayed "
            "below a tenth, whichever end of their intervals one takes."
        ),
        "That roof was DRAM bandwidth for 2, float32 matmul for 1.",
        "Left out: 1 case above what can be (implausible).",
    ]
    assert headroom.sentences([record()]) == []


def test_waits_and_copies_are_said_to_be_what_they_are() -> None:
    """A share of what launching costs says nothing of the op, nor does GPU memory of a copy over the bus."""
    bound: dict[str, Any] = {"bound_by": "launch", "device_time_s": 2e-6, "device": "cuda"}
    copied = under(0.02, device="cuda", kernels=("Memcpy HtoD (Pageable -> Device)",))
    rows = [under(0.15, **bound), under(0.01, **bound), copied]
    assert headroom.held(rows) == rows[:2]
    assert headroom.sentences(rows)[2:] == [
        (
            "2 of these wait for the host (launch-bound), so that their shares say what launching costs; "
            "by the device's own time 1 of them reaches half of their roof."
        ),
        "Left out: 1 case that copies between host and device, whose roof is the bus.",
    ]
