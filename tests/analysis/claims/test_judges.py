"""Judges say no more than intervals allow, and what they say of several sizes is what each of them says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.claims.claim import CaseSelector, ClaimSeries
from bench.analysis.claims.judges import (
    SizeVerdict,
    cheaper,
    common_sizes,
    constant,
    dearer_in_fresh_memory,
    same,
    smaller,
    verdict,
)
from tests.fakes.rows import record

if TYPE_CHECKING:
    from bench.records.record import Record


def timed(time_s: float, width: float = 0.01, **values: Any) -> Record:
    """A row whose interval reaches so far to both sides, as a factor."""
    ends = {"time_lo_s": time_s / (1 + width), "time_hi_s": time_s * (1 + width)}
    return record(time_s=time_s, **{**ends, **values})


def along(
    times: dict[int, float], width: float = 0.01, name: str = "s/op", **where: str
) -> ClaimSeries:
    """A line of these times by size."""
    points = tuple((float(n), timed(t, width)) for n, t in times.items())
    return ClaimSeries(cases=CaseSelector(op=name, where=where), axis="n", points=points)


def peaks(sizes: dict[int, int | None]) -> ClaimSeries:
    """A line of these peaks of memory by size."""
    points = tuple((float(n), timed(1.0, peak_memory_bytes=p)) for n, p in sizes.items())
    return ClaimSeries(cases=CaseSelector(op="s/op"), axis="n", points=points)


@pytest.mark.parametrize(
    ("cheap", "dear", "width", "kind", "size"),
    [
        ({16: 1.0, 64: 1.0}, {16: 2.0, 64: 2.0}, 0.01, "holds", None),
        ({16: 1.0, 64: 1.0}, {16: 1.0, 64: 2.0}, 0.01, "holds-from", 64),
        ({16: 1.0, 64: 1.0}, {16: 2.0, 64: 1.0}, 0.01, "does-not-hold", None),
        ({16: 1.0, 64: 1.0}, {16: 2.0, 64: 0.5}, 0.01, "does-not-hold", None),
        ({16: 1.0, 64: 1.0}, {16: 2.0, 64: 1.2}, 0.3, "cant-tell", None),
        ({16: 1.0}, {16: 1.03}, 0.001, "does-not-hold", None),
        ({16: 1.0, 64: 1.0, 256: 1.0}, {16: 2.0, 64: 1.0, 256: 2.0}, 0.01, "holds-from", 256),
        ({16: 1.0, 4: 9.0}, {16: 2.0}, 0.01, "holds", None),
    ],
)
def test_cheaper_at_every_size_or_from_one_on(
    cheap: dict[int, float], dear: dict[int, float], width: float, kind: str, size: float | None
) -> None:
    """A few per cent are no difference, a wide interval decides nothing, and the largest size counts."""
    found = cheaper()([along(cheap, width), along(dear, width)])
    assert found is not None
    assert (found.kind, found.size) == (kind, size)


def test_the_numbers_are_the_times_and_their_ratio() -> None:
    """At the size that decides; where the claim holds from a size on, also at the one before it."""
    lines = [along({16: 1e-6, 64: 1e-6}), along({16: 1e-6, 64: 2e-6})]
    found = cheaper()(lines)
    assert found is not None
    assert found.numbers == (
        "n=16: 1.00 µs ± 1.0 % against 1.00 µs ± 1.0 %, which is 1.00 (0.986 to 1.01) times as long; "
        "n=64: 1.00 µs ± 1.0 % against 2.00 µs ± 1.0 %, which is 2.00 (1.97 to 2.03) times as long"
    )
    held = cheaper()([along({16: 1e-6, 64: 1e-6}), along({16: 2e-6, 64: 1e-6})])
    assert held is not None
    assert held.numbers.endswith("; it does hold at n=16")
    all_ = cheaper()([along({16: 1e-6, 64: 1e-6}), along({16: 2e-6, 64: 2e-6})])
    assert all_ is not None
    assert all_.numbers.startswith("at each of 2 sizes; n=64: 1.00 µs")


@pytest.mark.parametrize(
    ("factor", "width", "kind"),
    [(900, 0.01, "does-not-hold"), (1100, 0.01, "holds"), (1100, 0.2, "cant-tell")],
)
def test_a_factor_is_compared_with_the_interval(factor: float, width: float, kind: str) -> None:
    """A thousand times is a thousand times; and only the size nearest to the one meant is looked at."""
    lines = [along({900: 1.0, 9: 1.0}, width), along({900: factor, 9: 1.0}, width)]
    found = cheaper(at_least=1000, near=1000)(lines)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("times", "width", "kind"),
    [
        ((1.0, 1.0, 1.0), 0.01, "holds"),
        ((1.0, 1.0, 1.2), 0.01, "does-not-hold"),
        ((1.2, 1.0, 1.0), 0.01, "does-not-hold"),
        ((1.0, 1.0, 1.03), 0.03, "cant-tell"),
        ((1.0, 0.97), 0.03, "cant-tell"),
        ((1.0, 1.04, 1.08), 0.005, "does-not-hold"),
        ((1.0, 1.0, 1.0), 0.04, "cant-tell"),
    ],
)
def test_the_same_needs_every_pair_within_the_band(
    times: tuple[float, ...], width: float, kind: str
) -> None:
    """Also the two that lie furthest apart; wide intervals are not the same, they are open."""
    lines = [along({16: t}, width, call=str(k)) for k, t in enumerate(times)]
    found = same()(lines)
    assert found is not None
    assert found.kind == kind


def test_the_widest_pair_is_named() -> None:
    """By what tells the lines apart."""
    lines = [along({16: t}, call=name) for name, t in (("@", 1.0), ("mm", 1.3), ("matmul", 1.1))]
    found = same()(lines)
    assert found is not None
    assert found.numbers == "n=16: mm takes 1.30 (1.28 to 1.32) times as long as @"


@pytest.mark.parametrize(
    ("times", "width", "kind"),
    [
        ({1: 1.0, 1024: 1.1}, 0.01, "holds"),
        ({1: 1.0, 1024: 2.0}, 0.01, "does-not-hold"),
        ({1: 1.0, 32: 9.0, 1024: 1.0}, 0.01, "does-not-hold"),
        ({1: 1.0, 1024: 1.2}, 0.1, "cant-tell"),
        ({1: 1.0, 1024: 0.5}, 0.01, "holds"),
    ],
)
def test_a_constant_cost_does_not_grow(times: dict[int, float], width: float, kind: str) -> None:
    """By more than a quarter; at any size, not at the largest alone."""
    found = constant()([along(times, width)])
    assert found is not None
    assert found.kind == kind


def test_a_constant_cost_needs_sizes_that_grow() -> None:
    """Two sizes side by side show nothing; sizes beyond the one asked for do not count."""
    assert constant()([along({16: 1.0, 64: 1.0})]) is None
    assert constant()([along({16: 1.0})]) is None
    found = constant(up_to=64, least_growth=4)([along({16: 1.0, 64: 1.0, 256: 9.0})])
    assert found is not None
    assert found.kind == "holds"


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (4 * 2**20, 8 * 2**20, "holds"),
        (8 * 2**20, 8 * 2**20, "does-not-hold"),
        (9 * 2**20, 8 * 2**20, "does-not-hold"),
        (None, 8 * 2**20, "holds"),
        (None, 2**20, "cant-tell"),
        (8 * 2**20, None, "cant-tell"),
        (None, None, "cant-tell"),
    ],
)
def test_memory_is_compared_where_it_is_told(one: int | None, other: int | None, kind: str) -> None:
    """A peak too low to be told is less than one that is well above that; two such can't be compared."""
    found = smaller()([peaks({1024: one}), peaks({1024: other})])
    assert found is not None
    assert found.kind == kind


def in_fresh_memory(times: float, spread: float) -> Record:
    """A row of 1 ms that takes so many times as long in fresh memory."""
    ends = {"fresh_time_lo_s": times / spread * 1e-3, "fresh_time_hi_s": times * spread * 1e-3}
    return timed(1e-3, fresh_time_s=times * 1e-3, **ends)


@pytest.mark.parametrize(
    ("times", "spread", "kind"),
    [(8, 1.2, "holds"), (1.5, 1.2, "does-not-hold"), (2.1, 1.2, "cant-tell"), (8, 9, "cant-tell")],
)
def test_fresh_memory_costs_what_its_pairs_say(times: float, spread: float, kind: str) -> None:
    """Rows without that time don't count; without any the claim is not measured."""
    cases = CaseSelector(op="s/op")
    rows = (timed(1e-4), in_fresh_memory(times, spread))
    series = ClaimSeries(cases=cases, axis="n", points=((64.0, rows[0]), (4096.0, rows[1])))
    found = dearer_in_fresh_memory(at_least=2)([series])
    assert found is not None
    assert found.kind == kind
    without = ClaimSeries(cases=cases, axis="n", points=((64.0, rows[0]),))
    assert dearer_in_fresh_memory(at_least=2)([without]) is None


def test_the_numbers_of_fresh_memory_are_both_times_and_their_ratio() -> None:
    """In the words of the other judges."""
    points = ((4096.0, in_fresh_memory(8, 1.25)),)
    series = ClaimSeries(cases=CaseSelector(op="s/op"), axis="n", points=points)
    found = dearer_in_fresh_memory(at_least=2)([series])
    assert found is not None
    assert found.numbers == (
        "n=4096: 8.00 ms in fresh memory against 1.00 ms ± 1.0 %, which is 8.00 (6.40 to 10.0) times as long"
    )


def test_without_a_common_size_there_is_nothing_to_judge() -> None:
    """So the claim is not measured, rather than undecided."""
    lines = [along({16: 1.0}), along({64: 1.0})]
    assert [judge(lines) for judge in (cheaper(), same(), smaller())] == [None] * 3


def test_an_op_without_a_size_stands_beside_any() -> None:
    """And two such have one place in common."""
    alone = ClaimSeries(cases=CaseSelector(op="s/op"), axis=None, points=((0.0, timed(1.0)),))
    assert common_sizes([alone, along({16: 1.0, 64: 1.0})]) == [16, 64]
    assert common_sizes([alone, alone]) == [0]
    found = cheaper()(
        [alone, ClaimSeries(cases=CaseSelector(op="s/b"), axis=None, points=((0.0, timed(2.0)),))]
    )
    assert found is not None
    assert (found.kind, found.numbers[:6]) == ("holds", "1.00 s")


@given(st.lists(st.sampled_from(["yes", "no", "open"]), min_size=1, max_size=6))
def test_a_verdict_is_no_stronger_than_its_steps(said: list[Any]) -> None:
    """What holds, holds at every size from there on; what does not, fails for certain."""
    steps = [SizeVerdict(size=n + 1.0, said=word, numbers="x") for n, word in enumerate(said)]
    found = verdict(steps, "n")
    assert found is not None
    if found.kind == "holds":
        assert set(said) == {"yes"}
    elif found.kind == "holds-from":
        assert found.size is not None
        start = int(found.size) - 1
        assert set(said[start:]) == {"yes"}
        assert said[start - 1] != "yes"
    else:
        assert said[-1] == {"does-not-hold": "no", "cant-tell": "open"}[found.kind]
