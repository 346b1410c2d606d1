"""Any value has a short label that is the same everywhere."""

from __future__ import annotations

import enum
import functools
import operator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.plan.label import label, value_like


@dataclass
class Window:
    """A value with fields."""

    side: int
    step: float = 0.5


class Shape(NamedTuple):
    """A shape with names."""

    rows: int
    columns: int


class Kind(enum.Enum):
    """A choice."""

    NEAR = 1


class Broken:
    """A value without a text."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((64, 128, 32), "64x128x32"),
        ([2, 3], "2x3"),
        ((7,), "7"),
        ((), "()"),
        (torch.Size([2, 3]), "2x3"),
        (Shape(4, 5), "4x5"),
        ((np.int64(4), 5), "4x5"),
        (((2, 3), (4, 5)), "2x3_4x5"),
        (("same", 3, 0.5, None), "same_3_0.5_None"),
        ((True, False), "True_False"),
        ({"b", "a"}, "a_b"),
        ({"k": 3, "pad": (1, 1)}, "k:3_pad:1x1"),
        (Window(3), "Window_side:3_step:0.5"),
        (torch.float32, "float32"),
        (torch.device("cuda", 1), "cuda:1"),
        (torch.channels_last, "channels_last"),
        (torch.strided, "strided"),
        (np.float32, "float32"),
        (np.dtype("int8"), "int8"),
        (np.float64(0.5), "0.5"),
        (torch.zeros(2, 3), "Tensor_2x3"),
        (torch.nn.ReLU, "ReLU"),
        (operator.matmul, "matmul"),
        (functools.partial(torch.sum, 3, dim=0), "sum_3_dim:0"),
        (lambda x: x, "<lambda>"),
        (object(), "object"),
        (Broken(), "Broken"),
        ([object()], "object"),
        (Kind.NEAR, "Kind.NEAR"),
        (None, "None"),
        (True, "True"),
        (1e-5, "1e-05"),
        ("any text", "any text"),
    ],
)
def test_a_value_has_a_label(value: object, text: str) -> None:
    """Its parts, its name, or its text; never where it lies in memory."""
    assert label(value) == text


def test_a_long_label_is_cut_and_still_tells_values_apart() -> None:
    """By a hash that is the same in every process."""
    texts = {label(tuple(range(k, k + 100))) for k in range(5)}
    assert len(texts) == 5
    assert max(map(len, texts)) == 60
    assert label("x" * 10_000) == "x" * 191 + "~" + label("x" * 10_000)[-8:]
    assert label("x" * 201) != label("x" * 202)
    holds_itself: list[Any] = []
    holds_itself.append(holds_itself)
    assert label(holds_itself) == "list"


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(st.text(), inner)
    ),
    max_leaves=10,
)


@given(anything)
def test_a_label_is_short_text(value: object) -> None:
    """Whatever the value is."""
    assert len(label(value)) <= 200


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=5))
def test_the_label_of_a_shape_reads_as_that_shape(sizes: list[int]) -> None:
    """In the kind that the others have."""
    assert value_like(label(tuple(sizes)), [(1, 2)]) == tuple(sizes)
    assert value_like(label(sizes), [[1, 2], [3]]) == sizes


def test_a_shape_is_of_the_kind_of_the_others() -> None:
    """Names included, if it has as many."""
    found = value_like("7x8", [Shape(1, 2)])
    assert (found, type(found)) == ((7, 8), Shape)
    assert value_like("7x8", [torch.Size([1])]) == torch.Size([7, 8])
    unlike: list[tuple[str, list[Any]]]
    unlike = [("7", [Shape(1, 2)]), ("7xa", [(1, 2)]), ("7x8", [((1, 2), 3)])]
    for text, others in unlike:
        with pytest.raises(ValueError, match=r".*"):
            value_like(text, others)
    assert value_like("7", [np.int64(1)]) == 7
    assert value_like("7", [np.float32(1)]) == 7.0
