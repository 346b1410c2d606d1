"""One op along its size: what a word leaves open is said, what it fixes stays fixed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import SelectionError
from bench.experiment.sweep import choose, parse_ends
from bench.plan import plan
from bench.plan.case import Call
from bench.plan.discover import LoadedSuite
from bench.plan.suite import Axis, Suite

if TYPE_CHECKING:
    from pathlib import Path

    from bench.experiment.sweep import Sweep

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
    quick = plan.Selection(settings=settings)
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
