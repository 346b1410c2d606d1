"""The search measures few sizes of an op, encloses the change as tightly as asked for, and knows when to stop."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import SelectionError
from bench.experiment.crossover_search import (
    Search,
    SearchGoal,
    choose,
    middle_of,
    parse_ends,
    search,
    starts,
)
from bench.plan import plan
from bench.plan.case import Call
from bench.plan.discover import LoadedSuite
from bench.plan.selection import Selection
from bench.plan.suite import Axis, Suite
from tests.fakes.workers import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.experiment.crossover_search import SearchStep, Sweep
    from bench.records.record import Record

    Truth = Callable[[float], float]
    """The ratio one / other at a size."""


class Bench:
    """Measures what it is told, in a second a size, and notes the sizes."""

    def __init__(self, truth: Truth, width: float = 0.01) -> None:
        self.truth = truth
        self.width = width
        self.sizes: list[float] = []
        self.told: list[SearchStep] = []
        self.now_s = 0.0
        self.failing: set[float] = set()

    def _row(self, size: float, time_s: float) -> Record:
        if size in self.failing:
            return record(status="oom", time_s=None)
        low, high = time_s * math.exp(-self.width), time_s * math.exp(self.width)
        return record(time_s=time_s, time_lo_s=low, time_hi_s=high, confidence=0.95)

    def __call__(self, size: float) -> tuple[Record, Record]:
        """Both sides."""
        self.sizes.append(size)
        self.now_s += 1
        return self._row(size, 1e-6 * self.truth(size)), self._row(size, 1e-6)

    def look(
        self,
        *first: float,
        wider: tuple[float, ...] = (),
        tolerance: float = 1.25,
        budget_s: float = 1000,
        whole: bool = True,
    ) -> Search:
        """What a search finds here."""
        aim = SearchGoal(
            first=first or (16, 256, 4096),
            wider=wider,
            tolerance=tolerance,
            budget_s=budget_s,
            whole=whole,
        )
        return search(self, aim, now_s=lambda: self.now_s, told=self.told.append)


def rising(at: float) -> Truth:
    """The other side wins from a size on."""
    return lambda size: size / at


@given(st.floats(17, 4000), st.floats(1.1, 3), st.floats(0.001, 0.05))
def test_a_change_is_enclosed_as_tightly_as_asked_for(
    at: float, tolerance: float, width: float
) -> None:
    """With the truth inside, in some ten sizes, none measured twice."""
    bench = Bench(rising(at), width)
    found = bench.look(tolerance=tolerance)
    assert len(bench.sizes) == len(set(bench.sizes)) <= 16
    assert [step.size for step in bench.told] == [step.size for step in found.steps] == bench.sizes
    if found.ended == "tight":
        low, high = found.found.low, found.found.high
        assert low is not None
        assert high is not None
        assert low * 0.999999 <= at <= high * 1.000001
        assert high <= tolerance * low
        around = [(a, b) for a, b in pairwise(sorted(bench.sizes)) if a < high and low < b]
        assert all(b <= tolerance * a for a, b in around)
    else:
        assert found.ended == "finest"


def test_a_straight_line_alone_is_not_believed() -> None:
    """With exact times the first interval is tight at once; the step that lies there is found all the same."""
    bench = Bench(lambda size: 0.25 if size < 1000 else 4.0, width=1e-6)
    found = bench.look(16, 256, 4096)
    assert found.ended == "tight"
    assert found.found.low is not None
    assert found.found.high is not None
    assert 1000 / 1.25 <= found.found.low <= found.found.high <= 1000 * 1.25


def test_sides_that_part_only_above_a_size_are_followed_to_there() -> None:
    """No one wins below, so there is no change, but from where on there is a winner is still worth knowing."""
    bench = Bench(lambda size: 1.0 if size < 181 else 2.0)
    found = bench.look()
    assert (found.found.kind, found.found.beyond, found.ended) == ("cant-tell", "other", "finest")
    assert found.found.between is not None
    low, high = found.found.between
    assert low < 181 <= high <= 1.25 * low


def test_one_winner_at_all_sizes_is_followed_outwards() -> None:
    """To the ends of the axis, and no further; a change that shows there is then halved."""
    bench = Bench(lambda _: 2.0)
    found = bench.look(wider=(1, 10000))
    assert bench.sizes == [16, 256, 4096, 1, 10000]
    assert (found.found.kind, found.ended) == ("always", "settled")
    found = (bench := Bench(rising(6000))).look(wider=(1, 10000))
    assert bench.sizes[:5] == [16, 256, 4096, 1, 10000]
    assert found.ended == "tight"


def test_a_change_within_is_not_followed_outwards() -> None:
    """The largest sizes are the slowest."""
    bench = Bench(rising(200))
    bench.look(wider=(1, 10000))
    assert not {1, 10000} & set(bench.sizes)


def test_nothing_to_tell_ends_at_once() -> None:
    """Sizes in between would not tell either."""
    bench = Bench(lambda _: 1.0)
    assert bench.look(wider=(1, 10000)).ended == "settled"
    assert bench.sizes == [16, 256, 4096]


@pytest.mark.parametrize(("budget_s", "sizes"), [(0.1, 2), (2, 2), (5, 5)])
def test_time_is_up_after_two_sizes_at_the_earliest(budget_s: float, sizes: int) -> None:
    """One alone would say nothing."""
    found = Bench(rising(200)).look(budget_s=budget_s, tolerance=1.01)
    assert (len(found.steps), found.ended, found.took_s) == (sizes, "budget", sizes)


def test_a_size_that_fails_is_not_tried_again() -> None:
    """The search goes on beside it."""
    bench = Bench(rising(200))
    bench.failing = {64.0, 4096.0}
    found = bench.look(16, 256, 4096)
    assert len(bench.sizes) == len(set(bench.sizes))
    assert 64 in bench.sizes
    assert found.found.kind == "at"
    assert found.ended == "tight"


def test_whole_sizes_end_where_there_are_none_between() -> None:
    """2 and 3 have no whole number between them, whatever the tolerance."""
    bench = Bench(rising(2.5), width=1e-6)
    assert bench.look(1, 2, 4, tolerance=1.001).ended == "finest"
    assert set(bench.sizes) <= {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("low", "high", "kind", "expected"),
    [
        (64, 4096, "whole", 512),
        (128, 256, "whole", 184),
        (1000, 1024, "whole", 1012),
        (1, 2, "whole", None),
        (1, 2, "real", 1.4375),
        (1.0, 1.01, "real", math.sqrt(1.01)),
    ],
)
def test_the_middle_is_a_round_size(
    low: float,
    high: float,
    kind: str,
    expected: float | None,
) -> None:
    """A multiple of a sixteenth of a power of two, if one lies in between."""
    assert middle_of(low, high, whole=kind == "whole") == (expected and pytest.approx(expected))


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_middle_lies_between(a: int, b: int) -> None:
    """Strictly, so that halving ends."""
    low, high = sorted((a, b))
    middle = middle_of(low, high, whole=True)
    if middle is None:
        assert high - low < 2 or high < 8
    else:
        assert low < middle < high
        assert middle == int(middle)


def test_a_search_starts_at_the_ends_and_in_the_middle() -> None:
    """The middle in logarithms."""
    assert starts((1, 4, 16, 64, 256, 1024, 4096)) == (1, 64, 4096)
    assert starts((16, 256)) == (16, 256)
    assert starts((16,)) == (16,)


suite = Suite(
    "s",
    axes=[
        Axis("n", [1, 4, 16, 64, 256], quick=[4, 16, 64]),
        Axis("dtype", ["float32", "float64"], quick=["float32"]),
    ],
)


@suite.op
def product(_: Any) -> Call:
    """With a size and a dtype."""
    return Call(abs, -1)


@suite.op(axes=[Axis("way", ["@", "mm"])])
def product_ways(_: Any) -> Call:
    """With an axis that stays open, and a name that begins like another's."""
    return Call(abs, -1)


@suite.op(axes=[Axis("kind", ["a", "b"])], without=["n", "dtype"])
def sizeless(_: Any) -> Call:
    """Without a size."""
    return Call(abs, -1)


@suite.op(axes=[Axis("share", [0.25, 0.5, 1.0])], without=["n"])
def share(_: Any) -> Call:
    """With a size that is no whole number."""
    return Call(abs, -1)


def chosen(word: str, path: Path, **settings: tuple[str, ...]) -> Sweep:
    """What a word means here."""
    quick = Selection(settings=settings)
    full = dataclasses.replace(quick, short_axes=False)
    loaded = [LoadedSuite(suite, path)]
    return choose(word, plan.expand(loaded, quick, {}), plan.expand(loaded, full, {}))


def test_an_op_by_its_name(tmp_path: Path) -> None:
    """All of its sizes; other axes at the one value of their short list."""
    found = chosen("s/product", tmp_path)
    assert (found.op, found.axis, found.labels) == ("product", "n", {"dtype": "float32"})
    assert (found.short, found.sizes, found.whole) == ((4, 16, 64), (1, 4, 16, 64, 256), True)
    assert found.title == "s/product dtype=float32"
    assert found.settings(12.0) == {"dtype": ("float32",), "n": ("12",)}


@pytest.mark.parametrize(
    "word", ["product and float64 and not ways", "dtype=float64 and s/product[ "]
)
def test_an_op_by_an_expression(tmp_path: Path, word: str) -> None:
    """It may fix axes as well, to values that are not on the short list."""
    found = chosen(word, tmp_path)
    assert (found.op, found.labels) == ("product", {"dtype": "float64"})


def test_an_axis_is_fixed_by_a_setting(tmp_path: Path) -> None:
    """As in a run; also the sizes can be."""
    found = chosen("s/product_ways", tmp_path, way=("mm",), n=("8", "32"))
    assert found.labels == {"dtype": "float32", "way": "mm"}
    assert found.sizes == (8, 32)


def test_sizes_need_not_be_whole_numbers(tmp_path: Path) -> None:
    """A share, say."""
    found = chosen("s/share", tmp_path)
    assert (found.axis, found.whole, found.text(0.375)) == ("share", False, "0.375")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("s/produkt", "'s/produkt' matches none of 4 ops; near: s/product"),
        ("zebra", "matches none of 4 ops; see all ops with: bench list"),
        ("product", "'product' matches 2 ops: s/product, s/product_ways; name one of them"),
        ("s/product_ways", "leaves way open (@, mm); fix it with --set way=@"),
        ("s/sizeless", "s/sizeless has no numeric axis"),
        ("and", "op 'and': "),
    ],
)
def test_a_mistake_says_what_to_write(tmp_path: Path, word: str, said: str) -> None:
    """The value, the rule, the fix."""
    with pytest.raises(SelectionError) as error:
        chosen(word, tmp_path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("ends", "first", "wider"),
    [(None, (4, 16, 64), (1, 256)), ((64.0, 4096.0), (64, 512, 4096), ()), ((2.0, 3.0), (2, 2, 3), ())],
)  # fmt: skip
def test_a_search_starts_with_the_short_list(
    tmp_path: Path,
    ends: tuple[float, float] | None,
    first: tuple[float, ...],
    wider: tuple[float, ...],
) -> None:
    """And goes on to the ends of the axis; where sizes were asked for, no further than these."""
    aim = chosen("s/product", tmp_path).aim(ends, tolerance=1.5, budget_s=3)
    assert (aim.first, aim.wider) == (first, wider)
    assert (aim.tolerance, aim.budget_s, aim.whole) == (1.5, 3, True)


def test_one_size_is_not_enough(tmp_path: Path) -> None:
    """Others can be asked for."""
    found = chosen("s/product", tmp_path, n=("16",))
    with pytest.raises(SelectionError, match=r"leaves one size .n=16.; write --sizes LOW,HIGH"):
        found.aim(None, tolerance=1.25, budget_s=3)
    assert found.aim((8, 32), tolerance=1.25, budget_s=3).first == (8, 16, 32)


@pytest.mark.parametrize("text", ["64", "64,", "64,32", "64,64", "0,64", "a,b", "1,2,3", "1,2,a"])
def test_sizes_that_cant_be_read(text: str) -> None:
    """Two, the smaller first."""
    with pytest.raises(SelectionError, match="write the smaller and the larger one"):
        parse_ends(text)


def test_sizes_that_can() -> None:
    """With blanks, or none at all."""
    assert parse_ends("64, 4096") == (64, 4096)
    assert parse_ends(None) is None
