"""Any tensor can be handed to a call and come out of it: it is weighed, checked and told apart, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.plan.case import Call
from bench.worker.correctness import Expectation, check
from bench.worker.deviation import largest_error
from bench.worker.tensor_tree import dense, for_reference, parts, storage_bytes, tensors_in
from bench.worker.value_digest import MOST_BYTES, digest

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Pair:
    """A user's own container, that nobody can write to."""

    left: Any
    right: Any


class Both(NamedTuple):
    """Another."""

    left: Any
    right: Any


class Named(torch.Tensor):
    """A plain subclass, with memory of its own."""


class Wrapper(torch.Tensor):
    """A subclass around another tensor, with no memory of its own."""

    held: torch.Tensor

    @classmethod
    def around(cls, inner: torch.Tensor) -> Any:
        """Of the same shape and dtype."""
        make: Any = torch.Tensor._make_wrapper_subclass
        made = make(cls, inner.shape, dtype=inner.dtype, device=inner.device)
        made.held = inner
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Every op on what it holds, and its result in a wrapper; `to_dense` gives that itself."""
        plain = [one.held if isinstance(one, Wrapper) else one for one in args]
        result = func(*plain, **(kwargs or {}))
        return cls.around(result) if isinstance(result, torch.Tensor) else result

    def to_dense(self, *_: Any, **__: Any) -> torch.Tensor:
        """What it stands for."""
        return self.held


class Open(Wrapper):
    """A wrapper that says what it holds."""

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        """The names of its tensors."""
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(inner: Any, _meta: Any, _size: Any, _stride: Any) -> Any:
        """Another of these."""
        return Open.around(inner["held"])


def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Random values, the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1)).to(dtype)


SQUARE = draw(8, 8)
ROWS = [draw(2, 3), draw(4, 3)]

KINDS: dict[str, tuple[Callable[[], torch.Tensor], int]] = {
    "coo": (SQUARE.to_sparse, 64 * 4 + 64 * 2 * 8),
    "coo, not coalesced": (
        lambda: torch.sparse_coo_tensor(torch.tensor([[0, 0], [1, 1]]), draw(2), (2, 2)),
        2 * 4 + 4 * 8,
    ),
    "csr": (SQUARE.to_sparse_csr, 64 * 4 + (2 * 64 + 9) * 8),
    "csc": (SQUARE.to_sparse_csc, 64 * 4 + (2 * 64 + 9) * 8),
    "bsr": (lambda: SQUARE.to_sparse_bsr((4, 4)), 64 * 4 + (2 * 4 + 3) * 8),
    "nested": (lambda: torch.nested.nested_tensor(ROWS), 18 * 4),
    "jagged": (
        lambda: torch.nested.nested_tensor(ROWS, layout=torch.jagged),
        18 * 4 + 3 * 8,
    ),
    "quantized": (lambda: torch.quantize_per_tensor(SQUARE, 0.05, 10, torch.quint8), 64),
    "onednn": (SQUARE.to_mkldnn, 64 * 4),
    "complex": (lambda: torch.complex(SQUARE, SQUARE).conj(), 64 * 8),
    "float8": (lambda: SQUARE.to(torch.float8_e4m3fn), 64),
    "bfloat16": (SQUARE.bfloat16, 64 * 2),
    "uint16": (lambda: (SQUARE.abs() * 100).to(torch.uint16), 64 * 2),
    "bool": (lambda: SQUARE > 0, 64),
    "subclass": (lambda: SQUARE.as_subclass(Named), 64 * 4),
    "wrapper": (lambda: Open.around(SQUARE), 64 * 4),
    "needs a gradient": (lambda: SQUARE.clone().requires_grad_(), 64 * 4),
    "no elements": (lambda: torch.empty(0, 4), 0),
    "one element": (lambda: torch.tensor(3.0), 4),
}
STRANGE: dict[str, Callable[[], torch.Tensor]] = {
    "closed wrapper": lambda: Wrapper.around(SQUARE),
    "float4": lambda: torch.zeros(4, dtype=torch.float4_e2m1fn_x2),
    "int4": lambda: torch.zeros(4, dtype=vars(torch)["int4"]),
    "meta": lambda: torch.empty(4, device="meta"),
}


pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(prototype|beta|deprecated|experimental|invariant)"
)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_weighed(kind: str) -> None:
    """The memory of what it consists of."""
    make, size_bytes = KINDS[kind]
    assert storage_bytes([make(), "text"]) == size_bytes


@pytest.mark.parametrize("kind", STRANGE)
def test_what_can_not_be_weighed_or_converted_ends_nothing(kind: str) -> None:
    """A number is nice to have, a copy as it is will do."""
    value = STRANGE[kind]()
    assert storage_bytes(value) >= 0
    assert for_reference(value).shape == value.shape
    assert digest(value) == digest(STRANGE[kind]())


@pytest.mark.parametrize("kind", KINDS)
def test_a_reference_gets_it_in_float64(kind: str) -> None:
    """The same values in the same layout, but for quantized ones, which stand for numbers."""
    value = KINDS[kind][0]()
    copy = for_reference(value)
    assert largest_error(value, copy) == 0.0
    assert not copy.requires_grad
    if value.is_floating_point() or value.is_quantized:
        assert copy.dtype == torch.float64
    kept = not value.is_quantized and value.layout is not vars(torch)["_mkldnn"]
    assert (copy.layout == value.layout) is kept or copy.layout is torch.strided


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "no elements"])
def test_a_result_of_it_is_right_or_wrong(kind: str) -> None:
    """Checked against its dense values: the same are right, others are not."""
    make = KINDS[kind][0]
    call = Call(make)
    call_of_values = Call(lambda _: make(), SQUARE)
    right = check(call_of_values, Expectation(reference=lambda _: for_reference(make())))
    assert right.correct is True, right
    wrong = check(call, Expectation(reference=lambda: _changed(for_reference(make()))))
    assert wrong.correct is False, wrong


def _changed(value: torch.Tensor) -> Any:
    if value.is_nested:
        return [one + 1 for one in value.unbind()]
    plain = dense(value).clone()
    return ~plain if plain.dtype is torch.bool else plain.to(torch.complex128) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_its_digest_tells_it_from_other_values(kind: str) -> None:
    """The same values have the same one, also in other memory."""
    make = KINDS[kind][0]
    assert digest(make()) == digest(make())
    if kind != "no elements":
        assert digest(make()) != digest(Pair(make(), make()))
        assert digest(make()) != digest(_changed(for_reference(make())))


def test_a_change_in_place_changes_the_digest_of_a_tensor_of_any_size() -> None:
    """Some slices of a large one stand for all of it, along whichever dimension is longest."""
    for shape in ((2, MOST_BYTES // 4), (MOST_BYTES // 4, 2)):
        large = torch.zeros(shape)
        before = digest(large)
        assert digest(large.add_(1)) != before
        assert digest(large.t()) == digest(large.t())


def test_containers_keep_their_kind_in_a_copy() -> None:
    """Dataclasses that are frozen, named tuples, torch's own results, dicts; in any nest."""
    eigen: Any = torch.linalg.eigh(SQUARE + SQUARE.mT)
    nest = {"a": Pair(SQUARE, Both([SQUARE], eigen)), "n": None}
    copy = for_reference(nest)
    assert isinstance(copy["a"], Pair)
    assert isinstance(copy["a"].right, Both)
    assert type(copy["a"].right.right) is type(eigen)
    assert [one.dtype for one in tensors_in(copy)] == [torch.float64] * 4
    assert storage_bytes(nest) == storage_bytes(SQUARE) + storage_bytes(list(eigen))


@pytest.mark.parametrize(
    ("result", "expected", "error"),
    [
        ({"a": 1.0, "b": SQUARE}, {"b": SQUARE, "a": 1.0}, 0.0),
        ({"a": 1.0}, {"b": 1.0}, float("inf")),
        ({"a": 1.0}, {"a": 1.0, "b": 1.0}, float("inf")),
        (Pair(1.0, 2.0), {"left": 1.0, "right": 2.0}, 0.0),
        (Pair(1.0, 2.0), (1.0, 2.0), 0.0),
        (Both(1.0, 2.0), [1.0, 4.0], 0.5),
        (None, None, 0.0),
        (None, 1.0, float("inf")),
        ("text", "text", 0.0),
        (SQUARE, None, float("inf")),
        (torch.tensor(2**62 + 1), torch.tensor(2**62), 2**-52),
        (list(range(100)), np.arange(100), 0.0),
    ],
    ids=range(12),
)
def test_containers_are_compared_part_by_part(result: Any, expected: Any, error: float) -> None:
    """By their keys where both have some, else in order; whole numbers to the last digit."""
    assert largest_error(result, expected) == error


def test_a_nested_tensor_is_compared_with_the_list_of_what_it_holds() -> None:
    """Which is what a reference can make of it."""
    nested = torch.nested.nested_tensor(ROWS, layout=torch.jagged)
    assert largest_error(nested, [one.numpy() for one in ROWS]) == 0.0
    assert largest_error(nested, [ROWS[0]]) == float("inf")


def test_an_error_of_the_conversion_is_not_told_as_the_references() -> None:
    """It is ours, and says so."""

    class Opaque:
        """No number, and no container."""

    for wanted in (Opaque(), object):
        found = check(Call(Opaque), Expectation(reference=lambda wanted=wanted: wanted))
        assert "the reference failed" not in found.note
    ragged = Expectation(reference=lambda: [[1.0], [1.0, 2.0]])
    found = check(Call(lambda: SQUARE), ragged)
    assert found.correct is None
    assert found.note.startswith("the result can't be compared with its reference's: ValueError")


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
LEAVES = st.lists(NUMBERS, min_size=1, max_size=5).map(torch.tensor)
NESTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(Both, inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(NESTS)
def test_a_copy_is_equal_to_what_it_is_of(value: Any) -> None:
    """Whatever the nest, and so is its digest to that of another copy."""
    copy = for_reference(value)
    assert largest_error(value, copy) == 0.0
    assert digest(copy) == digest(for_reference(value))
    assert len(list(tensors_in(copy))) == len(list(tensors_in(value)))
    assert all(len(parts(one)) == 1 for one in tensors_in(value))
