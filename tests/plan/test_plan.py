"""A plan says what will be measured, what won't, and why; it measures nothing."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import SelectionError, SuiteError
from bench.plan.case import Call, Case, Skip, Work
from bench.plan.case_id import parse_id
from bench.plan.discover import LoadedSuite
from bench.plan.plan import PRESETS, Plan, Preset, expand
from bench.plan.selection import Selection
from bench.plan.suite import Axis, Suite
from bench.run.stopping import LEAST_ROUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping


def square(case: Case) -> Call:
    """Make inputs at once."""
    return Call(abs, case.randn(case["n"], case["n"]))


def picky(case: Case) -> Call:
    """Skip what is odd, before inputs are made."""
    if case["n"] % 2:
        reason = "odd sizes have no middle"
        raise Skip(reason)
    return Call(abs, case.randn(case["n"]))


def loaded(*builds: Any, **named: Any) -> LoadedSuite:
    """A suite `s` of these ops with an axis n, 1 to 3, of which 2 is quick."""
    suite = Suite("s", named.get("axes", [Axis("n", [1, 2, 3], quick=[2])]))
    for build in builds or (square,):
        suite.op(build)
    return LoadedSuite(suite, Path("s.py"))


def plan(one: LoadedSuite, *, missing: Mapping[str, str] | None = None, **selection: Any) -> Plan:
    """The plan of one suite."""
    return expand([one], Selection(**{"short_axes": False, **selection}), missing or {})


def ids(plan: Plan) -> list[str]:
    """The ids of the cases, as they will be measured."""
    return [case.id for case in plan.cases]


def test_a_plan_is_the_product_of_axes_and_devices() -> None:
    """Both devices of a case stand side by side, under one id and two keys."""
    found = plan(loaded(), devices=("cpu", "cuda"))
    assert [case.key for case in found.cases] == [
        (f"s/square[n={n}]", device) for n in (1, 2, 3) for device in ("cpu", "cuda")
    ]


def test_short_axes_take_the_short_list() -> None:
    """The quick preset measures the few values that tell most."""
    assert ids(plan(loaded(), short_axes=True)) == ["s/square[n=2]"]


def test_a_setting_replaces_the_values_of_an_axis() -> None:
    """Numbers need not be on the axis; a value is planned once however it is spelt."""
    found = plan(loaded(), settings={"n": ("5", "02", "2")}, short_axes=True)
    assert ids(found) == ["s/square[n=5]", "s/square[n=2]"]


def test_a_setting_leaves_out_ops_that_can_not_take_it() -> None:
    """An op whose own axis lacks the value is not planned, and that is no error."""
    one = loaded(square, axes=[Axis("dtype", ["float32", "float16"]), Axis("n", [1])])
    one.suite.op(axes=[Axis("dtype", ["float32"])])(picky)
    found = plan(one, settings={"dtype": ("float16",)})
    assert ids(found) == ["s/square[dtype=float16,n=1]"]
    assert found.cases[0].dtype == "float16"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"m": ("1",)}, "--set m=…: no selected op has such an axis; known: n"),
        ({"n": ("1", "many")}, "--set n=many: no selected op can take it; known: 1, 2, 3"),
    ],
)
def test_an_impossible_setting_is_refused(settings: dict[str, tuple[str, ...]], why: str) -> None:
    """A setting that changes nothing is a mistake, not a plan."""
    with pytest.raises(SelectionError, match=why):
        plan(loaded(), settings=settings)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["s/square[n=3]"], ["s/square[n=3]"]),
        (["s/square[n=77]", "s/square[n=077]"], ["s/square[n=77]"]),
        (["s/square"], ["s/square[n=2]"]),
        (["s/square", "s/picky[n=4]"], ["s/square[n=2]", "s/picky[n=4]"]),
    ],
)
def test_ops_and_cases_are_planned_by_name(words: list[str], found: list[str]) -> None:
    """Sizes that are on no list, too; nothing else of their suite."""
    named = tuple(filter(None, map(parse_id, words)))
    assert ids(plan(loaded(square, picky), named=named, short_axes=True)) == found


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("s/sqare", "there is no op 's/sqare' among what was chosen; did you mean s/square?"),
        ("s/square[m=1]", "s/square has no axis 'm'; known: n"),
        ("s/square[n=many]", "axis 'n' can't be 'many'; known: 1, 2, 3"),
    ],
)
def test_a_name_of_nothing_is_refused(word: str, said: str) -> None:
    """With what there is."""
    name = parse_id(word)
    assert name is not None
    with pytest.raises((SelectionError, SuiteError), match=re.escape(said)):
        plan(loaded(), named=(name,))


@pytest.mark.parametrize(
    ("keyword", "found"),
    [
        ("s/square[n=3]", ["s/square[n=3]"]),
        ("s/square[n=77]", ["s/square[n=77]"]),
        ("picky or s/square[n=77]", ["s/square[n=77]", "s/picky[n=2]"]),
        ("not s/square[n=77]", ["s/square[n=2]", "s/picky[n=2]"]),
    ],
)
def test_an_id_in_a_keyword_means_its_case(keyword: str, found: list[str]) -> None:
    """Also where its size is on no list."""
    assert ids(plan(loaded(square, picky), keyword=keyword, short_axes=True)) == found


def test_many_ops_are_not_listed_in_an_error() -> None:
    """Some are, with how to see the others."""
    one = loaded()
    for number in range(150):
        square_again = types.FunctionType(square.__code__, {}, f"square_{number}")
        one.suite.op(square_again)
    with pytest.raises(SelectionError, match=r"\(151 in all; see bench list\)") as caught:
        plan(one, keyword="zebra")
    assert len(str(caught.value)) < 250


def test_a_keyword_selects_by_id() -> None:
    """Cases that it does not select are neither planned nor skipped."""
    found = plan(loaded(square, picky), keyword="square and not n=2")
    assert ids(found) == ["s/square[n=1]", "s/square[n=3]"]
    assert found.skips == ()


def test_a_keyword_that_selects_nothing_is_refused() -> None:
    """The error says which ops there are."""
    with pytest.raises(SelectionError, match="-k 'cat' matches none of the cases; ops: s/square"):
        plan(loaded(), keyword="cat")


def test_an_op_that_skips_is_planned_as_a_skip() -> None:
    """The reason is known before anything is measured, without making inputs."""
    found = plan(loaded(picky))
    assert ids(found) == ["s/picky[n=2]"]
    assert [(skip.case.id, skip.reason) for skip in found.skips] == [
        ("s/picky[n=1]", "odd sizes have no middle"),
        ("s/picky[n=3]", "odd sizes have no middle"),
    ]


def test_a_skip_without_a_reason_is_still_a_skip() -> None:
    """An empty reason is replaced: an empty one would mean that nothing is skipped."""

    def silent(_: Case) -> Call:
        raise Skip

    assert {skip.reason for skip in plan(loaded(silent)).skips} == {"the op gave no reason"}


def test_a_device_that_is_not_there_is_a_skip_with_its_reason() -> None:
    """A table over devices shows what could not be measured."""
    found = plan(loaded(), devices=("cpu", "cuda"), missing={"cuda": "no CUDA device"})
    assert {case.device for case in found.cases} == {"cpu"}
    assert {(skip.case.device, skip.reason) for skip in found.skips} == {("cuda", "no CUDA device")}
    assert len(found.skips) == 3


def test_planning_makes_no_inputs() -> None:
    """An op that names no skip is not even called."""

    def explosive(_: Case) -> Call:
        pytest.fail("planning called the op")

    assert len(plan(loaded(explosive)).cases) == 3


def test_a_planned_case_knows_its_work_and_its_file() -> None:
    """FLOP and bytes are known before a worker starts; so is where a worker finds the op."""
    one = loaded()
    one.suite.ops["square"].work(lambda case: Work(flop=2 * case["n"], read_bytes=case.itemsize))
    case = plan(one).cases[1]
    assert (case.flop, case.bytes) == (4, 4)
    assert (case.suite, case.op, case.suite_path) == ("s", "square", "s.py")
    assert (dict(case.labels), case.device, case.dtype) == ({"n": "2"}, "cpu", "float32")


def test_an_op_without_a_work_model_has_no_work() -> None:
    """Unknown is not zero."""
    assert plan(loaded()).cases[0].flop is None


def test_a_work_model_that_fails_is_the_suites_mistake() -> None:
    """The error names the file, the case and what went wrong."""
    one = loaded()
    one.suite.ops["square"].work(lambda case: Work(flop=1 / (case["n"] - 2)))
    why = r"s\.py: s/square\[n=2\] can't be planned: ZeroDivisionError"
    with pytest.raises(SuiteError, match=why):
        plan(one)


def test_a_work_model_that_wants_tensors_is_told_what_it_may_use() -> None:
    """The error is the case's own."""
    one = loaded()
    one.suite.ops["square"].work(lambda case: Work(flop=case.randn(1).numel()))
    with pytest.raises(SuiteError, match="work model can't make tensors"):
        plan(one)


def test_suites_are_planned_in_the_order_given() -> None:
    """The order of the words on the command line is the order of the plan."""
    first, second = loaded(square), LoadedSuite(Suite("t", [Axis("n", [1])]), Path("t.py"))
    second.suite.op(square)
    found = expand([second, first], Selection(), {})
    assert ids(found) == ["t/square[n=1]", "s/square[n=2]"]


def test_presets_differ_in_width_and_length() -> None:
    """A look is short and bounded; a full run takes every value and more rounds."""
    quick, full = PRESETS["quick"], PRESETS["full"]
    assert quick.short_axes
    assert not full.short_axes
    assert quick.run_budget_s is not None
    assert quick.rounds < full.rounds


def test_a_sweep_on_a_small_machine_is_bounded_in_time_and_memory() -> None:
    """Every value, as in a full run; less of everything else, and an end."""
    full, colab = PRESETS["full"], PRESETS["colab"]
    assert not colab.short_axes
    assert colab.run_budget_s == 600
    assert colab.case_budget_s < full.case_budget_s
    assert colab.workers < full.workers
    assert colab.patience_s <= PRESETS["quick"].patience_s


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_makes_turns_enough_for_an_interval(preset: Preset) -> None:
    """Three workers or more, and the four rounds before which no case may end."""
    assert preset.workers >= 3
    assert preset.rounds >= LEAST_ROUNDS


def test_a_skipped_case_needs_no_work_model() -> None:
    """What is not measured is not asked what it would do."""
    one = loaded(picky)
    one.suite.ops["picky"].work(lambda case: Work(flop=1 / ((case["n"] + 1) % 2)))

    found = plan(one)

    assert [skip.case.flop for skip in found.skips] == [None, None]
    assert [case.flop for case in found.cases] == [1]


def test_a_work_model_must_return_work() -> None:
    """The error names the case, what came back and what to write."""
    one = loaded()
    one.suite.ops["square"].work(lambda _: 3)  # type: ignore[arg-type,return-value]  # the mistake

    with pytest.raises(SuiteError, match=r"s/square\[n=1\] returned int; write: return Work"):
        plan(one)
