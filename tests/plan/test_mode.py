"""Modes: any op of any suite is planned in any, what is eager as it always was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.errors import SelectionError, SuiteError
from bench.plan.case import Call, Case
from bench.plan.case_id import parse_id
from bench.plan.choose import pairs
from bench.plan.discover import LoadedSuite
from bench.plan.mode import EAGER, GRAPH, MODES, is_compiled, kind_of, parse, why_not
from bench.plan.plan import Plan, PlannedCase, expand
from bench.plan.selection import Selection
from bench.plan.suite import Axis, Suite


def square(case: Case) -> Call:
    """A square."""
    return Call(pow, case["n"], 2)


def bag(case: Case) -> Call:
    """With an axis of this name of its own."""
    return Call(pow, case["mode"], 2)


def loaded(build: Any, *axes: Axis, **options: Any) -> LoadedSuite:
    """A suite of one op."""
    suite = Suite("s", axes=[Axis("n", [1, 2, 3], quick=[2]), *axes])
    suite.op(**options)(build)
    return LoadedSuite(suite, Path("s.py"))


SQUARE = loaded(square)


def planned(**selection: Any) -> Plan:
    """The plan of the squares."""
    return expand([SQUARE], Selection(**selection), {})


def ids(plan: Plan) -> list[str]:
    """Of what will be measured."""
    return [case.id for case in plan.cases]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], (EAGER,)),
        (["eager,compile"], ("eager", "compile")),
        (["compile", "compile, eager"], ("compile", "eager")),
        (["compile:max-autotune"], ("compile:max-autotune",)),
    ],
)
def test_modes_are_read_each_once(words: list[str], found: tuple[str, ...]) -> None:
    """In the order in which they are written."""
    assert parse(words) == found


@pytest.mark.parametrize(
    ("word", "near"), [("compiled", "did you mean compile"), ("jit", "known: ")]
)
def test_what_is_no_mode_is_refused_with_those_that_are(word: str, near: str) -> None:
    """One line."""
    with pytest.raises(SelectionError, match=near):
        parse([word])


def test_what_is_eager_has_the_id_that_it_always_had() -> None:
    """So that rows go on from earlier ones; another mode stands at the end."""
    plan = planned(modes=("eager", "compile"))
    assert ids(plan) == ["s/square[n=2]", "s/square[n=2,mode=compile]"]
    eager, compiled = plan.cases
    assert (eager.mode, eager.params, eager.is_compiled) == ("eager", {"n": "2"}, False)
    assert compiled.params == {"n": "2", "mode": "compile"}
    assert compiled.is_compiled
    assert eager.labels == compiled.labels == {"n": "2"}
    assert eager.twin == compiled.twin


def test_an_id_with_a_mode_means_that_mode() -> None:
    """Named or in a keyword, at any size, whatever modes are asked for otherwise."""
    word = "s/square[n=64,mode=compile]"
    name = parse_id(word)
    assert name is not None
    assert ids(planned(named=(name,))) == [word]
    assert ids(planned(keyword=word)) == [word]


def test_an_id_without_a_mode_means_those_that_are_asked_for() -> None:
    """Of a case in two modes, both."""
    name = parse_id("s/square[n=2]")
    assert name is not None
    both = ["s/square[n=2]", "s/square[n=2,mode=autocast]"]
    assert ids(planned(named=(name,), modes=("eager", "autocast"))) == both


@pytest.mark.parametrize("mode", ["eager", "compile"])
def test_a_keyword_chooses_among_modes(mode: str) -> None:
    """Also what stands in no id."""
    (case,) = planned(modes=("eager", "compile"), keyword=f"mode={mode}").cases
    assert case.mode == mode


def test_an_id_with_an_unknown_mode_is_refused() -> None:
    """With those that there are."""
    name = parse_id("s/square[n=2,mode=compiled]")
    assert name is not None
    with pytest.raises(SuiteError, match="axis 'mode' can't be 'compiled'; did you mean compile"):
        planned(named=(name,))


def test_a_mode_can_be_set_like_an_axis() -> None:
    """As every command takes the id of a case apart; what another op's own axis has is no mode."""
    assert ids(planned(settings={"mode": ("compile",)})) == ["s/square[n=2,mode=compile]"]
    with pytest.raises(SelectionError, match="no selected op can take it; did you mean compile"):
        planned(settings={"mode": ("compil",)})
    own = loaded(bag, Axis("mode", ["sum", "mean"]))
    other = Suite("t", axes=[Axis("n", [1])])
    other.op(square)
    both = expand(
        [own, LoadedSuite(other, Path("t.py"))], Selection(settings={"mode": ("sum",)}), {}
    )
    assert [case.id for case in both.cases] == ["s/bag[n=2,mode=sum]", "t/square[n=1]"]


def test_an_axis_of_this_name_stays_its_suite_s() -> None:
    """It is measured as before, and no mode can be asked for."""
    own = loaded(bag, Axis("mode", ["sum", "mean"]))
    found = expand([own], Selection(), {}).cases
    assert [case.id for case in found] == ["s/bag[n=2,mode=sum]", "s/bag[n=2,mode=mean]"]
    assert {case.mode for case in found} == {"eager"}
    with pytest.raises(SelectionError, match="s/bag has an axis 'mode' of its own"):
        expand([own], Selection(modes=("eager", "compile")), {})


@pytest.mark.parametrize("mode", ["graph", "compile:reduce-overhead"])
def test_what_needs_cuda_is_skipped_elsewhere(mode: str) -> None:
    """With the reason; on CUDA it is planned."""
    plan = planned(devices=("cpu", "cuda"), modes=(mode,))
    assert [case.device for case in plan.cases] == ["cuda"]
    (skip,) = plan.skips
    assert "on cpu" in skip.reason or "cpu has none" in skip.reason


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_a_kind_and_a_device(mode: str) -> None:
    """No mode is skipped on CUDA, and what is compiled is known by its name."""
    assert not why_not(mode, "cuda:1")
    assert is_compiled(mode) == (kind_of(mode)[0] == "compile")
    assert (kind_of(mode)[1] == "") == (":" not in mode)


def test_an_op_that_is_not_quick_is_measured_where_it_is_named() -> None:
    """And left out of a look at everything."""
    slow = loaded(square, quick=False)
    name = parse_id("s/square")
    assert name is not None
    assert expand([slow], Selection(named=(name,)), {}).cases
    with pytest.raises(SelectionError):
        expand([slow], Selection(quick_ops=True), {})


def case(mode: str, n: str = "2") -> PlannedCase:
    """A square in a mode."""
    plan = planned(modes=(mode,), settings={"n": (n,)}, devices=("cuda",))
    return plan.cases[0]


def test_two_modes_are_two_sides() -> None:
    """Each case with itself in the other mode; one without a partner is in no pair."""
    plan = Plan(cases=(case("eager"), case("eager", "3"), case("compile")), skips=())
    assert pairs(plan, (), ("eager", "compile")) == [(case("eager"), case("compile"))]
    assert pairs(plan, (), ("compile", "eager")) == [(case("compile"), case("eager"))]


def test_sides_differ_in_one_way() -> None:
    """Three modes, or two modes of two ops, are no two sides."""
    plan = Plan(cases=(case("eager"), case("compile"), case(GRAPH)), skips=())
    with pytest.raises(SelectionError, match="two sides differ"):
        pairs(plan, (), ("eager", "compile", GRAPH))
    with pytest.raises(SelectionError, match="two sides differ"):
        pairs(plan, ("s/square", "s/other"), ("eager", "compile"))
