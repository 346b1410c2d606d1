"""A word means one case, or the error says what it may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import SelectionError
from bench.plan.choose import choose, settings_of
from bench.plan.plan import Plan, PlannedCase, PlannedSkip
from tests.fakes.workers import case

if TYPE_CHECKING:
    from collections.abc import Mapping

GRID = ("1", "64", "256")


def sized(op: str, n: str) -> PlannedCase:
    """A case of this size."""
    return case(id=f"s/{op}[n={n}]", op=op, labels={"n": n})


def planned(settings: Mapping[str, tuple[str, ...]]) -> Plan:
    """Two ops with one axis; `neg` is skipped at one element; other axes are refused as plans do."""
    if set(settings) - {"n"}:
        message = "--set m=…: no selected op has such an axis"
        raise SelectionError(message)
    cases = [sized(op, n) for op in ("add", "neg") for n in settings.get("n", GRID)]
    skips = [one for one in cases if one.id == "s/neg[n=1]"]
    return Plan(
        cases=tuple(one for one in cases if one not in skips),
        skips=tuple(PlannedSkip(case=one, reason="too small") for one in skips),
    )


@pytest.mark.parametrize(
    ("word", "identity"),
    [
        ("s/add[n=64]", "s/add[n=64]"),
        ("s/add[n=77]", "s/add[n=77]"),
        ("add and n=256", "s/add[n=256]"),
        ("NEG and not n=1 and not n=64", "s/neg[n=256]"),
    ],
)
def test_an_id_or_an_expression_means_a_case(word: str, identity: str) -> None:
    """An id also where its size is on no axis."""
    assert choose(word, planned).id == identity


def test_an_id_without_axes_means_its_case_alone() -> None:
    """Though others have it in theirs."""
    cases = tuple(case(id=name, labels={}) for name in ("s/add", "s/add_", "s/added"))
    assert choose("s/add", lambda _: Plan(cases=cases, skips=())).id == "s/add"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("zebra", r"'zebra' matches none of 6 cases; see all ids with: bench list"),
        ("s/add[m=1]", r"'s/add\[m=1\]' matches none of 6 cases; did you mean s/add\[n=1\] or "),
        ("s/ad[n=1]", r"matches none of 6 cases; did you mean s/add\[n=1\]"),
        ("add", r"'add' matches 3 cases: s/add\[n=1\], s/add\[n=64\], s/add\[n=256\]; name one"),
        ("s", r"'s' matches 6 cases: (s/\w+\[n=\d+\], ){5}…; name one of them, or add: and AXIS"),
        ("and", "case 'and': a word is missing"),
        ("", "case '': a word is missing"),
        ("s/neg[n=1]", r"s/neg\[n=1\] on cpu is skipped: too small; choose another case"),
    ],
)
def test_anything_else_is_one_line_with_a_way_out(word: str, said: str) -> None:
    """The count, some of the ids, and what to do."""
    with pytest.raises(SelectionError, match=said) as caught:
        choose(word, planned)
    assert "\n" not in str(caught.value)
    assert "-k" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "settings"),
    [
        ("s/op[n=64,dtype=float32]", {"n": ("64",), "dtype": ("float32",)}),
        ("s/op[kind=a b]", {"kind": ("a b",)}),
        ("s/op", {}),
        ("add and n=64", {}),
        ("s/op[n]", {}),
    ],
)
def test_an_id_holds_its_settings(word: str, settings: dict[str, tuple[str, ...]]) -> None:
    """Any other word holds none."""
    assert settings_of(word) == settings
