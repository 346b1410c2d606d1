"""The shipped suites: every op builds, is right, and claims no more work than it does."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.analysis.claims.known import COURSE
from bench.plan.case import Call, Case, Skip, with_inputs
from bench.plan.discover import load, load_all, optional_suites, shipped_suites
from bench.plan.plan import PlannedCase, expand
from bench.plan.selection import Selection
from bench.plan.suite import Op, Suite, make_case
from bench.run.request import Request
from bench.worker.correctness import Correctness, Expectation, check
from bench.worker.deviation import largest_error
from bench.worker.inputs import TensorInputs
from bench.worker.tensor_tree import dense, parts, storage_bytes, tensors_in
from bench.worker.torch_settings import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable


def by_name() -> dict[str, Suite]:
    """The suites that are shipped, each with the ops of all of its files."""
    found: dict[str, Suite] = {}
    for one in load_all([]):
        known = found.setdefault(one.suite.name, Suite(one.suite.name, one.suite.axes.values()))
        known.ops.update(one.suite.ops)
    return found


SUITES = by_name()
OPS = [(suite, op) for suite in SUITES.values() for op in suite.ops.values()]
MOST_LINES = 160
LONGEST_QUICK_S = 110
"""Two minutes, less what a report and the roofs' share take."""
SLOW_BYTES, SLOW_FLOP = 4e6, 2e8

DRAWN_ANEW = {"rand", "rand_shape", "randn", "rand_like", "rand_like_dtype", "empty"}
"""Ops whose result is not a function of their arguments."""

LIKE = {"zeros_like", "ones_like", "rand_like", "rand_like_dtype"}
ALONE = {"matmul", "matmul_backward", "cube_grad", "cube_backward"}
PARTS = {"rows_by_list", "index_select", "assign_block"}
OVERWRITTEN = {"zero_grad_zero"}
READS_LESS = LIKE | ALONE | PARTS | OVERWRITTEN
"""Ops that need not read all that they are given: a pattern, a matrix of which they take a part,
a kept result (in gradient), or what they write over."""

WRITES_LESS = {"assign_block", "attention/cache_write"}
"""Ops that write into a part of what they return."""

NEED_NOT_READ_ALL = {
    *(f"random/{op}" for op in ("uniform", "normal", "exponential", "trunc_normal")),
    *(f"convolution/{op}_backward" for op in ("dense", "grouped", "depthwise")),
    *(f"normalisation/{op}_backward" for op in ("softmax", "layer_norm", "rms_norm")),
    *(f"embedding/{op}" for op in ("lookup", "lookup_backward", "bag", "bag_weighted")),
    *(f"embedding/{op}" for op in ("bag_backward", "one_hot_matmul", "positions")),
    *(
        f"linalg/{op}"
        for op in ("eigh", "eigvalsh", "cholesky", "solve_triangular", "cholesky_solve")
    ),
    *(f"optimizer/{op}" for op in ("foreach_copy", "clip_grad_norm", "clip_grad_value")),
    *("low_precision/int4_weights", "low_precision/dynamic_linear"),
    *("pooling/max_pool2d_backward", "pooling/upsample_backward"),
    *("loss/cross_entropy_backward", "loss/nll"),
    *("scanning/cumsum_backward", "attention/cache_write"),
}
"""Ops that write over what they are given, take rows of a table or half of a matrix, have what a forward pass left, or
something that is there for their reference."""

COUNTS_BY_CHANCE = {"mask", "mask_assign"}
"""Ops that write as many elements as random numbers are above or below 0."""

WRITES_IN_PLACE = {"train_step"}
"""Ops that also write what they are given, and don't return it."""

ONE_SIZE = {"item", "linear_small"}
"""Ops that are what they are at one size only, and so have no n."""

ACCUMULATING = [
    ("backward", "cube"),
    ("backward", "network"),
    ("gradient", "cube_backward"),
    ("gradient", "matmul_backward"),
]
"""Suites and ops whose gradients add up from call to call, if they are asked to."""

NEED_A_GPU = {"semi_structured"}
"""Ops that the CPU lacks altogether."""

NEED_A_DEVICE = {"transfer"}
"""Suites that the CPU skips altogether (`test_suites_transfer.py` builds them there all the same)."""


@cache
def planned(*devices: str, quick: bool = False) -> tuple[PlannedCase, ...]:
    """Every case of the shipped suites that is not skipped by its op."""
    selection = Selection(devices=devices or ("cpu",), short_axes=quick)
    plan = expand(load_all([]), selection, {})
    return plan.cases


def on_the_cpu(*, quick: bool = False) -> list[PlannedCase]:
    """Every case that is measured on the CPU."""
    return list(planned(quick=quick))


@cache
def smallest() -> tuple[PlannedCase, ...]:
    """Every op at the first size of its axis, in every dtype and every other variant."""
    return tuple(case for case in on_the_cpu() if case.labels.get("n") == first_size(case))


def first_size(case: PlannedCase) -> str | None:
    """The first size of the case's op, or none where it has no n."""
    axis = SUITES[case.suite].ops[case.op].axes.get("n")
    return next(iter(axis.choices)) if axis else None


def by_id(cases: Iterable[PlannedCase]) -> list[Any]:
    """Parameters named as the cases are; those with much to do are marked slow."""
    return [
        pytest.param(case, id=case.id, marks=[pytest.mark.slow] if is_slow(case) else [])
        for case in cases
    ]


def is_slow(case: PlannedCase) -> bool:
    """Whether building, calling and checking it takes more than a second or two."""
    return (case.bytes or 0) > SLOW_BYTES or (case.flop or 0) > SLOW_FLOP


def built(case: PlannedCase, **changes: str) -> tuple[Op, Case, Call]:
    """The case's op, the case with inputs, and its call, on the CPU."""
    suite = SUITES[case.suite]
    op = suite.ops[case.op]
    plain = make_case(suite, op, {**case.labels, **changes}, "cpu")
    ready = with_inputs(plain, TensorInputs(plain.id, "cpu", plain.dtype_name))
    return op, ready, op.build(ready)


def built_at_64(case: PlannedCase) -> tuple[Op, Case, Call]:
    """The case at n=64, since at n=1 a row is as large as a matrix; as it is where that is too large."""
    try:
        return built(case, n="64")
    except Skip:
        return built(case)


def checked(case: PlannedCase) -> Correctness:
    """What comparing the case with its reference gives, its settings in force."""
    with in_force(case.labels):
        op, _, call = built(case)
        return check(call, Expectation.of(op, case))


def call_of(suite: str, op: str, **labels: str) -> Call:
    """The call of an op at its smallest case, but for these labels."""
    first = next(case for case in smallest() if (case.suite, case.op) == (suite, op))
    return built(first, **labels)[2]


def arrays_in(values: Iterable[object]) -> int:
    """Bytes of the NumPy arrays among some values."""
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def is_drawn_anew(case: PlannedCase) -> bool:
    """Whether its result is not a function of its arguments."""
    return case.op in DRAWN_ANEW or case.suite == "random"


def nbytes(value: object) -> int:
    """Bytes of all elements of all tensors in a value."""
    return sum(part.nbytes for tensor in tensors_in(value) for part in parts(tensor))


def test_suites_and_ops_are_many_and_not_too_many() -> None:
    """What people measure and dispute, in as many suites as one can look through."""
    assert len(SUITES) <= 42
    assert len(OPS) >= 320
    assert set(shipped_suites()) == set(SUITES)
    assert list(optional_suites()) == ["opinfo"]


@pytest.mark.parametrize("case", by_id(smallest()))
def test_smallest_case_is_correct(case: PlannedCase) -> None:
    """Every op equals its reference at its smallest size, in each of its dtypes and variants."""
    outcome = checked(case)
    assert outcome.correct is True, outcome


@pytest.mark.parametrize("case", by_id(on_the_cpu(quick=True)))
def test_quick_case_is_correct(case: PlannedCase) -> None:
    """Every case of a quick run equals its reference."""
    outcome = checked(case)
    assert outcome.correct is True, outcome


@pytest.mark.parametrize("case", by_id(c for c in smallest() if not is_drawn_anew(c)))
def test_call_built_twice_gives_the_same(case: PlannedCase) -> None:
    """A case has the same inputs each time it is built, so its result repeats to the last bit."""
    first, second = built(case)[2](), built(case)[2]()
    pairs = zip(tensors_in(first), tensors_in(second), strict=True)
    assert all(torch.equal(dense(a), dense(b)) for a, b in pairs)


@pytest.mark.parametrize(
    ("suite", "op"), [pytest.param(*o, id=f"{o[0].name}-{o[1].name}") for o in OPS]
)
def test_op_explains_itself(suite: Suite, op: Op) -> None:
    """Every op says in a sentence what it times, has a reference or a check, and a size called n if it has any."""
    assert op.summary.endswith(".")
    assert op.reference_of or op.check_of
    assert "mode" not in op.axes  # it is how an op is called: bench run --mode
    assert ("n" in op.axes) == (op.name not in ONE_SIZE), suite.name


@pytest.mark.parametrize("case", by_id(c for c in smallest() if c.bytes))
def test_work_counts_bytes_that_are_there(case: PlannedCase) -> None:
    """A work model writes what the op returns, and reads no more than the op is given."""
    op, ready, call = built_at_64(case)
    given = nbytes(call.args) + arrays_in(call.args)
    assert op.work_of is not None
    work, result = op.work_of(ready), call()
    written = nbytes(result) + arrays_in([result])
    if op.name not in COUNTS_BY_CHANCE:
        assert (
            work.written_bytes == written
            or ({op.name, case.op_id} & WRITES_LESS and work.written_bytes < written)
            or (op.name in WRITES_IN_PLACE and written < work.written_bytes <= written + given)
        )
    known = op.name in READS_LESS or case.op_id in NEED_NOT_READ_ALL
    assert work.read_bytes == given or (known and work.read_bytes < given)


@pytest.mark.parametrize("op", sorted(COUNTS_BY_CHANCE))
def test_work_of_a_mask_counts_what_it_marks_but_for_chance(op: str) -> None:
    """Of 4096 normal values half are marked, give or take six standard errors of 32 elements."""
    first = next(case for case in smallest() if (case.suite, case.op) == ("indexing", op))
    declaring, ready, call = built(first, n="64", dtype="float32")
    matrix = call.args[0]
    marked = (matrix > 0) if op == "mask" else (matrix < 0)
    assert declaring.work_of is not None
    declared = declaring.work_of(ready).written_bytes / ready.itemsize
    assert declared == pytest.approx(int(marked.sum()), abs=6 * 32)


@pytest.mark.parametrize(
    ("suite", "op", "read", "written"),
    [
        ("indexing", "assign_block", 0, 32 * 32 * 4),
        ("indexing", "rows_by_list", 3 * 64 * 4, 3 * 64 * 4),
        ("gathering", "index_select", 32 * 64 * 4 + 32 * 8, 32 * 64 * 4),
    ],
)
def test_work_on_a_part_counts_that_part(suite: str, op: str, read: int, written: int) -> None:
    """A block, three rows or every second row of 64×64, each element four bytes, each number eight."""
    first = next(case for case in smallest() if (case.suite, case.op) == (suite, op))
    declaring, ready, _ = built(first, n="64", dtype="float32")
    assert declaring.work_of is not None
    work = declaring.work_of(ready)
    assert (work.read_bytes, work.written_bytes) == (read, written)


@pytest.mark.parametrize("n", ["4", "16"])
@pytest.mark.parametrize("op", ["mm", "bmm", "linear"])
def test_flop_of_named_products_is_what_torch_counts(op: str, n: str) -> None:
    """By torch's counter there are no more FLOP in a layer with a bias than in its product."""
    assert flop_declared("products", op, n=n) == flop_counted(call_of("products", op, n=n))


@pytest.mark.parametrize("op", ["mv", "dot", "outer"])
def test_flop_of_vectors_is_that_of_matrices(op: str) -> None:
    """Vectors, which torch's counter does not know, count as matrices of one column or row.

    An outer product adds nothing up, so it has half of the FLOP that a product counts.
    """
    a, b = call_of("products", op, n="16").args
    call = {
        "mv": lambda: Call(torch.mm, a, b[:, None]),
        "dot": lambda: Call(torch.mm, a[None], b[:, None]),
        "outer": lambda: Call(torch.mm, a[:, None], b[None]),
    }[op]()
    counted = flop_counted(call) / (2 if op == "outer" else 1)
    assert flop_declared("products", op, n="16") == counted


@pytest.mark.parametrize("op", ["sum", "sum_rows", "sum_columns", "mean", "mean_rows"])
def test_flop_of_a_sum_is_one_per_element(op: str) -> None:
    """Adding up costs an addition per element, over all or per row or column."""
    assert flop_declared("reduction", op, n="16") == 16 * 16


@pytest.mark.parametrize(("op", "steps"), [("norm", 2), ("norm_rows", 2), ("std", 4)])
def test_flop_of_a_length_or_deviation_is_that_of_its_steps(op: str, steps: int) -> None:
    """Per element a square and an addition; for the deviation also the mean and the difference."""
    assert flop_declared("spread", op, n="16") == steps * 16 * 16


@pytest.mark.parametrize("op", ["max", "argmax"])
def test_comparing_is_no_flop(op: str) -> None:
    """Finding the largest element computes nothing."""
    assert flop_declared("reduction", op, n="16") == 0


@pytest.mark.parametrize("n", ["4", "16"])
@pytest.mark.parametrize("op", ["square", "rectangular", "batched", "spelling", "precision"])
def test_flop_of_products_is_what_torch_counts(op: str, n: str) -> None:
    """The FLOP of every product of matrices are those that torch's own counter finds in the call."""
    assert flop_declared("matmul", op, n=n) == flop_counted(call_of("matmul", op, n=n))


@pytest.mark.parametrize("n", ["4", "16"])
def test_flop_of_a_vector_is_that_of_a_column(n: str) -> None:
    """Matrix times vector counts as matrix times column, since torch's counter knows no torch.mv."""
    matrix, vector = call_of("matmul", "vector", n=n).args
    column = Call(torch.mm, matrix, vector[:, None])
    assert flop_declared("matmul", "vector", n=n) == flop_counted(column)


@pytest.mark.parametrize("of", ["first", "second", "both"])
def test_flop_of_a_product_backward_is_what_torch_counts(of: str) -> None:
    """A gradient that is not asked for is neither computed nor declared."""
    declared = flop_declared("gradient", "matmul", n="16", of=of)
    assert declared == flop_counted(call_of("gradient", "matmul", n="16", of=of))


def test_flop_of_a_backward_into_gradients_is_what_torch_counts() -> None:
    """Two products, as where both gradients are returned."""
    declared = flop_declared("gradient", "matmul_backward", n="16")
    assert declared == flop_counted(call_of("gradient", "matmul_backward", n="16"))


def test_flop_of_a_network_is_what_torch_counts() -> None:
    """Two products forward and three backward: the samples need no gradient."""
    declared = flop_declared("backward", "network", n="16")
    assert declared == flop_counted(call_of("backward", "network", n="16"))


@pytest.mark.parametrize(
    ("suite", "op"),
    [
        *(("nn", op) for op in ("linear_small", "linear", "sigmoid_layer", "mlp")),
        ("training", "train_step"),
    ],
)
def test_flop_of_layers_is_what_torch_counts(suite: str, op: str) -> None:
    """A product per layer forward, and backward two of the last layer and one of the first."""
    assert flop_declared(suite, op, n="40") == flop_counted(call_of(suite, op, n="40"))


def flop_declared(suite: str, op: str, **labels: str) -> float:
    """FLOP by the op's work model."""
    first = next(case for case in smallest() if (case.suite, case.op) == (suite, op))
    declaring, ready, _ = built(first, **labels)
    assert declaring.work_of is not None
    return declaring.work_of(ready).flop


def flop_counted(call: Call) -> int:
    """FLOP of all products in one call, by torch."""
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


@pytest.mark.parametrize(
    ("suite", "op"),
    [
        *(("view", op) for op in SUITES["view"].ops if op != "contiguous"),
        *(("indexing", op) for op in ("element", "row", "column", "block")),
    ],
)
def test_view_moves_no_data(suite: str, op: str) -> None:
    """A view shares memory with what it views, and so declares no work."""
    call = call_of(suite, op, n="64")
    assert call().untyped_storage().data_ptr() == call.args[0].untyped_storage().data_ptr()
    assert SUITES[suite].ops[op].work_of is None


@pytest.mark.parametrize(
    ("suite", "op"),
    [
        ("indexing", "rows_by_list"),
        ("indexing", "mask"),
        ("gathering", "gather"),
        ("gathering", "index_select"),
    ],
)
def test_what_is_chosen_by_numbers_or_a_mask_is_copied(suite: str, op: str) -> None:
    """What is written into the result does not show in the matrix."""
    call = call_of(suite, op, n="16")
    before = call.args[0].clone()
    call().fill_(77)
    assert torch.equal(call.args[0], before)


@pytest.mark.parametrize(("op", "value"), [("assign_block", 4), ("mask_assign", -1)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_writing_into_a_part_is_the_same_in_every_call(op: str, value: int, dtype: str) -> None:
    """After the first call the next one finds, marks and writes the same again."""
    call = call_of("indexing", op, n="16", dtype=dtype)
    first = call().clone()
    assert bool((first == value).any())
    for _ in range(10):
        call()
    assert torch.equal(call.args[0], first)


@pytest.mark.parametrize(
    ("op", "dim", "shape"),
    [
        ("rows", None, (8, 4)),
        ("columns", None, (4, 8)),
        ("three", "0", (12, 4)),
        ("three", "1", (4, 12)),
        ("stack", "0", (3, 4, 4)),
        ("stack", "1", (4, 3, 4)),
        ("stack", "2", (4, 4, 3)),
    ],
)
def test_matrices_are_joined_along_the_named_side(
    op: str, dim: str | None, shape: tuple[int, ...]
) -> None:
    """Rows go below each other and columns side by side, which the reference can't tell apart."""
    chosen = {"dim": dim} if dim else {}
    assert call_of("cat", op, n="4", **chosen)().shape == shape


@pytest.mark.parametrize("op", ["numpy", "detach", "item"])
def test_what_moves_no_array_declares_no_work(op: str) -> None:
    """What shares its memory, or is a single number, claims no bandwidth."""
    assert SUITES["interop"].ops[op].work_of is None


def test_contiguous_copies() -> None:
    """The copy that makes a transpose contiguous is made in each call."""
    call = call_of("view", "contiguous")
    assert storage_bytes([call(), call.args[0]]) == 2 * storage_bytes(call.args[0])


def test_from_numpy_shares_and_tensor_copies() -> None:
    """What is written into the array shows in a tensor from from_numpy, not in one from tensor()."""
    for op, shares in (("from_numpy", True), ("copy_numpy", False)):
        call = call_of("creation", op, n="8")
        tensor = call()
        call.args[0][:] = 77
        assert bool((tensor == 77).all()) is shares


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int64"])
def test_in_place_neither_grows_nor_vanishes(dtype: str) -> None:
    """However often x is multiplied in place, it stays as large as it was."""
    call = call_of("mul", "in_place", n="16", dtype=dtype)
    before = call.args[0].abs().clone()
    for _ in range(1000):
        call()
    assert torch.equal(call.args[0].abs(), before)


def test_sums_in_place_stay_finite() -> None:
    """However often y is added in place, float16 stops growing before it overflows."""
    call = call_of("elementwise", "add_in_place", n="16", dtype="float16")
    for _ in range(20_000):
        call()
    assert bool(call.args[0].isfinite().all())


@pytest.mark.parametrize("n", list(SUITES["elementwise"].axes["n"].choices)[:-1])
def test_what_is_added_in_place_is_so_small_that_the_sum_stops_growing(n: str) -> None:
    """A sum in float16 has steps of 16 from 16384 on, so what is below 8 is rounded away there."""
    call = call_of("elementwise", "add_in_place", n=n, dtype="float16")
    assert float(call.args[1].abs().max()) < 8


@pytest.mark.parametrize("op", ["row_materialised", "column_materialised"])
def test_a_materialised_sum_copies_first(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added has a number in memory for each element, as broadcasting has not."""
    added: list[torch.Tensor] = []
    call = call_of("broadcast", op, n="16")

    def watched(matrix: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        added.append(other)
        return torch.add(matrix, other)

    monkeypatch.setattr(torch.Tensor, "__add__", watched)
    call()
    assert [storage_bytes(one) for one in added] == [storage_bytes(call.args[0])]


@pytest.mark.parametrize(
    ("suite", "op"), [("broadcast", "expand"), ("metadata", "to_same"), ("creation", "from_numpy")]
)
def test_what_moves_no_data_shares_memory(suite: str, op: str) -> None:
    """The result is in the memory of the argument, and no work is declared."""
    call = call_of(suite, op, n="8")
    assert call().data_ptr() == torch.as_tensor(call.args[0]).data_ptr()
    assert SUITES[suite].ops[op].work_of is None


def test_a_dtype_is_changed() -> None:
    """The result is in another dtype than the argument, by either spelling."""
    for op in ("type", "to_dtype"):
        for dtype in SUITES["metadata"].ops[op].axes["dtype"].choices:
            call = call_of("metadata", op, dtype=dtype)
            assert call().dtype is call.args[1] is not call.args[0].dtype


def test_seeded_numbers_are_those_of_the_seed() -> None:
    """Also after other numbers were drawn; without the seed they differ from call to call."""
    seeded, unseeded = (call_of("creation", op, n="8") for op in ("seeded", "rand"))
    first, other = seeded(), unseeded()
    assert torch.equal(seeded(), first)
    assert not torch.equal(unseeded(), first)
    assert not torch.equal(other, first)


@pytest.mark.parametrize(("suite", "op"), ACCUMULATING)
@pytest.mark.parametrize(("grads", "times"), [("fresh", 1), ("accumulate", 3)])
def test_gradients_are_fresh_or_add_up(suite: str, op: str, grads: str, times: int) -> None:
    """After three calls a fresh gradient is that of one, an accumulated one that of three."""
    call = call_of(suite, op, n="16", grads=grads)
    once = [gradient.clone() for gradient in tensors_in(call())]
    call()
    thrice = list(tensors_in(call()))
    assert largest_error(thrice, [times * gradient for gradient in once]) < 1e-6


@pytest.mark.parametrize("op", ["cube_grad", "matmul"])
def test_a_returned_gradient_is_kept_nowhere(op: str) -> None:
    """It is the same at every call, and the inputs have no gradient afterwards."""
    call = call_of("gradient", op, n="16")
    first, later = (list(tensors_in(call())) for _ in range(2))
    assert largest_error(later, first) == 0
    assert all(one.grad is None for one in call.args[1])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(("suite", "op"), ACCUMULATING)
def test_accumulated_gradients_stay_finite(suite: str, op: str, dtype: str) -> None:
    """Gradients that add up over many calls never overflow a half type, not even from its largest value."""
    call = call_of(suite, op, n="4", dtype=dtype, grads="accumulate")
    gradients = list(tensors_in(call()))
    for gradient in gradients:
        gradient.copy_(gradient.sign() * torch.finfo(gradient.dtype).max)
    for _ in range(3):
        assert all(a is b for a, b in zip(tensors_in(call()), gradients, strict=True))
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)


@pytest.mark.parametrize(("suite", "op"), ACCUMULATING)
def test_gradients_are_so_small_that_their_sum_stops_growing(suite: str, op: str) -> None:
    """A sum in float16 has steps of 32 below its end at 65504, so what is below 16 is rounded away."""
    sizes = [n for n in SUITES[suite].axes["n"].choices if int(n) <= 256]
    for n in sizes:
        call = call_of(suite, op, n=n, dtype="float16", grads="accumulate")
        assert all(float(gradient.abs().max()) < 16 for gradient in tensors_in(call())), n


def test_cpu_and_gpu_rows_join() -> None:
    """Every case is planned under the same id on the CPU and on the GPU."""
    selection = Selection(devices=("cpu", "cuda"), short_axes=False)
    cases = expand(load_all([]), selection, {}).all_cases
    ids = {device: [c.id for c in cases if c.device == device] for device in ("cpu", "cuda")}
    assert sorted(ids["cpu"]) == sorted(ids["cuda"])


def test_skips_say_why() -> None:
    """Each is a sentence of its own, and what is skipped for a dtype is skipped for no other."""
    plan = expand(load_all([]), Selection(devices=("cpu", "cuda"), short_axes=False), {})
    assert all(len(skip.reason) > 20 and skip.reason[-1] != "." for skip in plan.skips)
    slow = {skip.case.dtype for skip in plan.skips if "seconds per call" in skip.reason}
    shared = {skip.case.device for skip in plan.skips if "NumPy's memory" in skip.reason}
    assert slow <= {"float16", "float32", "bfloat16"}
    assert shared == {"cuda"}


@pytest.mark.parametrize(
    ("suite", "op"), [pytest.param(*o, id=f"{o[0].name}-{o[1].name}") for o in OPS]
)
def test_every_op_is_measured_somewhere(suite: Suite, op: Op) -> None:
    """On the CPU, or on a GPU where the CPU lacks it."""
    plan = expand(load_all([]), Selection(devices=("cpu", "cuda"), short_axes=False, keyword=f"{suite.name}/{op.name}["), {})  # fmt: skip
    assert plan.cases


def test_quick_run_is_a_quick_look() -> None:
    """All suites are measured in two minutes on the CPU, each with a few of its ops, and every op where it is named."""
    cases = Request(devices=("cpu",)).plan(fingerprints=False).cases
    assert Request().estimate_s(len(cases)) <= LONGEST_QUICK_S
    assert {case.suite for case in cases} == set(SUITES) - NEED_A_DEVICE
    named = {(case.suite, case.op) for case in on_the_cpu(quick=True)}
    assert named == {
        (suite.name, op.name)
        for suite, op in OPS
        if suite.name not in NEED_A_DEVICE and op.name not in NEED_A_GPU
    }


def test_the_quick_preset_has_the_course_s_claims() -> None:
    """What `bench claims` needs of the CPU without a command of its own."""
    quick = {case.op_id for case in Request(devices=("cpu",)).plan(fingerprints=False).cases}
    needed = {cases.op for claim in COURSE for cases in claim.needs if cases.device == "cpu"}
    assert needed <= quick


def test_quick_values_are_values_of_the_full_run() -> None:
    """Rows of a quick run join those of a full run."""
    full = {case.id for case in planned()}
    assert {case.id for case in planned(quick=True)} <= full


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param(name, path, id=f"{name}-{path.stem}")
        for name, paths in (shipped_suites() | optional_suites()).items()
        for path in paths
    ],
)
def test_suite_is_read_in_a_minute(name: str, path: Path) -> None:
    """A suite file fits on a few screens, starts with how to run it, and says which question it answers."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert f"Run it: bench run {name}" in text.partition("\n")[0]
    assert "?" in text.partition('"""\n\nfrom __future__')[0]


def how_to() -> list[str]:
    """The Python files of the how-to for a suite of one's own."""
    page = Path(__file__).parents[2] / "docs" / "add-an-op.md"
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(2))
def test_how_to_works_as_printed(number: int, tmp_path: Path) -> None:
    """A file copied from the how-to loads, is planned, and is correct in every case."""
    path = tmp_path / "my_suite.py"
    path.write_text(how_to()[number], encoding="utf-8")
    loaded = load(path)
    for case in expand([loaded], Selection(), {}).cases:
        op = loaded.suite.ops[case.op]
        ready = make_case(loaded.suite, op, case.labels, "cpu")
        ready = with_inputs(ready, TensorInputs(ready.id, "cpu", ready.dtype_name))
        outcome = check(
            op.build(ready), Expectation(reference=op.reference_of, dtype=ready.dtype_name)
        )
        assert outcome.correct is True, (case.id, outcome)


def test_how_to_shows_two_files() -> None:
    """Each complete file of the how-to is tried above."""
    assert len(how_to()) == 2
