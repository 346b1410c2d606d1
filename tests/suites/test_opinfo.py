"""The opt-in suite of torch's own catalogue: found by name alone, right where torch is, and no more than it can say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from bench.plan.case import Call, Skip, with_inputs
from bench.plan.discover import load_all, optional_suites
from bench.plan.plan import PlannedCase, expand
from bench.plan.selection import Selection
from bench.plan.suite import make_case
from bench.worker.correctness import Correctness, Expectation, check
from bench.worker.inputs import TensorInputs

if TYPE_CHECKING:
    from bench.plan.suite import Suite

pytestmark = [
    pytest.mark.slow,  # importing the catalogue takes seconds
    pytest.mark.filterwarnings("ignore"),  # of torch's own tests
]


@pytest.fixture(name="suite", scope="module")
def _suite() -> Suite:
    (loaded,) = load_all(["opinfo"])
    return loaded.suite


def built(suite: Suite, op: str, dtype: str = "float32") -> Call:
    """The call of an op on the CPU."""
    case = make_case(suite, suite.ops[op], {"dtype": dtype}, "cpu")
    return suite.ops[op].build(with_inputs(case, TensorInputs(case.id, "cpu", dtype)))


def checked(suite: Suite, op: str, call: Call | None = None) -> Correctness:
    """What its check says."""
    return check(call or built(suite, op), Expectation(check=suite.ops[op].check_of))


def planned(keyword: str, *, short: bool = True) -> tuple[PlannedCase, ...]:
    """The cases that an expression chooses."""
    selection = Selection(keyword=keyword, short_axes=short)
    return expand(load_all(["opinfo"]), selection, {}).cases


def test_the_catalogue_is_measured_where_it_is_named_alone(suite: Suite) -> None:
    """Hundreds of ops, of which no run has any that does not ask for them."""
    assert list(optional_suites()) == ["opinfo"]
    assert len(suite.ops) > 500
    assert "opinfo" not in {one.suite.name for one in load_all([])}


def test_an_asterisk_stands_for_anything() -> None:
    """As in `bench run opinfo -k 'linalg_*'`."""
    found = {case.op for case in planned("opinfo/linalg_*")}
    assert {"linalg_svd", "linalg_qr", "linalg_det"} <= found
    assert all(op.startswith("linalg_") for op in found)


@pytest.mark.parametrize(
    "op", ["linalg_svd", "linalg_eigh", "softmax", "nn_functional_conv2d", "sort", "add", "prod"]
)
def test_what_torch_computes_right_is_called_right(suite: Suite, op: str) -> None:
    """Against itself in float64, eigenvectors whatever their sign."""
    assert checked(suite, op).correct is True


@pytest.mark.parametrize("op", ["softmax", "linalg_det", "nn_functional_conv2d"])
def test_a_wrong_result_is_called_wrong(suite: Suite, op: str) -> None:
    """One that is off by a per cent."""
    call = built(suite, op)
    off = Call(lambda *a, **k: call.function(*a, **k) * 1.01, *call.args, **call.kwargs)
    assert checked(suite, op, off).correct is False


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        *((op, "drawn at random") for op in ("randn", "bernoulli", "normal")),
        *((op, "as it was found") for op in ("empty", "empty_like", "empty_strided")),
        *((op, "as it was found") for op in ("empty_permuted", "new_empty", "new_empty_strided")),
    ],
)
def test_what_no_argument_defines_is_not_compared(suite: Suite, op: str, reason: str) -> None:
    """And the reason says so."""
    found = checked(suite, op)
    assert found.correct is None
    assert reason in found.note


def test_an_error_within_the_leniency_is_right_and_never_told_as_less(suite: Suite) -> None:
    """The row has the true error."""
    call = built(suite, "add")
    result = call()
    off = Call(lambda *_, **__: result * (1 + 1e-5), *call.args, **call.kwargs)
    found = checked(suite, "add", off)
    assert found.correct is True
    assert found.max_error == pytest.approx(1e-5, rel=0.1)


def test_a_dtype_that_an_op_lacks_here_is_skipped(suite: Suite) -> None:
    """By torch's own word, before any sample is made."""
    with pytest.raises(Skip, match="has no float16 on cpu"):
        built(suite, "torch_ops_aten__flash_attention_forward", "float16")
    with pytest.raises(Skip, match="compiles kernels for a GPU"):
        built(suite, "jiterator_unary")


def test_samples_are_the_same_each_time_and_leave_the_generator_alone(suite: Suite) -> None:
    """So that a case is built anew from the same values."""
    before = torch.random.get_rng_state()
    one, other = built(suite, "add"), built(suite, "add")
    assert torch.equal(one.args[0], other.args[0])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_catalogue_forbids_no_other_suite_to_set_torch(suite: Suite) -> None:
    """Its import does so in the whole process."""
    assert suite.ops
    torch.backends.mkldnn.enabled = torch.backends.mkldnn.enabled
