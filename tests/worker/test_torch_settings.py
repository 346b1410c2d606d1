"""Settings of torch as axes: in force for their case, checked as exactly as they allow, gone after it."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bench.errors import SuiteError
from bench.plan.case import Skip, Tolerance
from bench.worker.deviation import largest_error
from bench.worker.exactness import Allowed, share_of
from bench.worker.torch_settings import SETTINGS, in_force, precision_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BACKENDS: Any = torch.backends  # parts of it carry no types
MATMUL = BACKENDS.cuda.matmul
POSSIBLE = [
    ("float32_matmul_precision", "highest"),
    ("float32_matmul_precision", "high"),
    ("float32_matmul_precision", "medium"),
    ("reduced_precision_reduction", "on"),
    ("reduced_precision_reduction", "off"),
    ("blas_library", "default"),
    ("blas_library", "cublas"),
    ("deterministic", "on"),
    ("deterministic", "off"),
]


def torch_now() -> dict[str, Any]:
    """All that the settings touch, as torch tells it; 2 is deterministic or an error."""
    return {
        "precision": torch.get_float32_matmul_precision(),
        "cuda": MATMUL.fp32_precision,
        "onednn": BACKENDS.mkldnn.matmul.fp32_precision,
        "fp16": MATMUL.allow_fp16_reduced_precision_reduction,
        "bf16": MATMUL.allow_bf16_reduced_precision_reduction,
        "fp16_split": getattr(MATMUL, "allow_fp16_reduced_precision_reduction_split_k", None),
        "bf16_split": getattr(MATMUL, "allow_bf16_reduced_precision_reduction_split_k", None),
        "blas": BACKENDS.cuda.preferred_blas_library(),
        "deterministic": torch.get_deterministic_debug_mode(),
    }


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Iterator[None]:
    """A test that fails must not change those after it."""
    with in_force({name: text for name, text in POSSIBLE if text in {"highest", "off", "cublas"}}):
        yield


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("float32_matmul_precision", "high", {"precision": "high", "cuda": "tf32"}),
        ("float32_matmul_precision", "medium", {"precision": "medium", "onednn": "bf16"}),
        ("reduced_precision_reduction", "on", {"fp16": True, "bf16": True}),
        ("deterministic", "on", {"deterministic": 2}),
    ],
)
def test_a_setting_holds_within_and_no_longer(
    name: str, text: str, changed: dict[str, Any]
) -> None:
    """Where a label names it; other labels are no business of torch's."""
    before = torch_now()
    with in_force({"n": "4", name: text}):
        within = torch_now()
    assert changed.items() <= within.items()
    assert all(before[key] != value for key, value in changed.items())
    assert torch_now() == before


@pytest.mark.parametrize(("name", "text"), POSSIBLE)
def test_what_was_before_holds_again_also_where_it_was_odd(name: str, text: str) -> None:
    """Parts that one setting sets together may have been apart."""
    torch.set_float32_matmul_precision("medium")
    BACKENDS.mkldnn.matmul.fp32_precision = "none"
    MATMUL.allow_bf16_reduced_precision_reduction = True
    if hasattr(MATMUL, "allow_fp16_reduced_precision_reduction_split_k"):
        MATMUL.allow_fp16_reduced_precision_reduction = (False, False)
    torch.set_deterministic_debug_mode("warn")
    before = torch_now()
    with in_force({name: text}):
        pass
    assert torch_now() == before


def test_several_hold_together() -> None:
    """A case may have more than one such axis."""
    before = torch_now()
    with in_force({"deterministic": "on", "float32_matmul_precision": "high"}):
        within = torch_now()
    assert (within["deterministic"], within["precision"]) == (2, "high")
    assert torch_now() == before


def test_torch_is_as_it_was_when_a_guest_raised() -> None:
    """And what it raised comes through, without keeping alive what its frames held."""
    before = torch_now()
    held: list[weakref.ref[torch.Tensor]] = []

    def guest() -> None:
        large = torch.ones(4)
        held.append(weakref.ref(large))
        message = "broken"
        raise ValueError(message)

    def attempt() -> str:
        try:
            with in_force({"deterministic": "on"}):
                guest()
        except ValueError as error:
            return str(error)
        return "nothing was raised"

    gc.disable()  # as in a worker
    try:
        assert attempt() == "broken"
        assert held[0]() is None
    finally:
        gc.enable()
    assert torch_now() == before


@pytest.mark.parametrize("name", SETTINGS)
def test_what_a_setting_can_not_be_is_said_with_what_it_can(name: str) -> None:
    """And a setting that was put before it is undone."""
    before = torch_now()
    other = "deterministic" if name != "deterministic" else "float32_matmul_precision"
    labels = {other: "on" if other == "deterministic" else "high", name: "odd"}
    with pytest.raises(SuiteError) as caught, in_force(labels):
        pass
    for part in (name, "'odd'", *SETTINGS[name].choices):
        assert part in str(caught.value)
    assert torch_now() == before


def test_what_this_torch_can_not_be_set_to_is_a_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite is right and the machine is not; in what torch says of it only a line is kept."""

    def refuse(name: str | None = None) -> str:
        if name == "cublaslt":
            message = "no such library\nand more"
            raise RuntimeError(message)
        return "cublas"

    monkeypatch.setattr(BACKENDS.cuda, "preferred_blas_library", refuse)
    with pytest.raises(Skip) as caught, in_force({"blas_library": "cublaslt"}):
        pass
    assert str(caught.value) == "this torch can't have blas_library=cublaslt: no such library"


@pytest.mark.skipif(torch.version.cuda is not None, reason="CUDA has that library")
def test_without_cuda_there_is_no_cublaslt() -> None:
    """Torch itself refuses it, and is left as it was."""
    before = torch_now()
    with pytest.raises(Skip, match="can't have blas_library=cublaslt"):
        in_force({"blas_library": "cublaslt"}).__enter__()
    assert torch_now() == before


def test_nothing_is_touched_where_no_label_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor read, since reading costs as well."""
    asked: list[str] = []
    for name in ("get_float32_matmul_precision", "get_deterministic_debug_mode"):
        monkeypatch.setattr(torch, name, partial(asked.append, name))
    with in_force({"n": "4", "dtype": "float32"}), in_force({}):
        pass
    assert asked == []


@pytest.mark.parametrize(
    ("labels", "dtype", "expected"),
    [
        ({}, torch.float32, torch.float32),
        ({"float32_matmul_precision": "highest"}, torch.float32, torch.float32),
        ({"float32_matmul_precision": "high"}, torch.float32, torch.float16),
        ({"float32_matmul_precision": "medium"}, torch.float32, torch.bfloat16),
        ({"float32_matmul_precision": "high"}, torch.complex64, torch.float16),
        ({"float32_matmul_precision": "medium"}, torch.float64, torch.float64),
        ({"float32_matmul_precision": "medium"}, torch.float16, torch.float16),
        ({"float32_matmul_precision": "medium"}, torch.int64, torch.int64),
        ({"deterministic": "on"}, torch.float32, torch.float32),
    ],
)
def test_results_are_as_exact_as_products_may_be(
    labels: dict[str, str], dtype: torch.dtype, expected: torch.dtype
) -> None:
    """The setting lowers float32 alone."""
    allowed = Allowed.of([dtype], Tolerance(), "", precision_of(labels))
    assert allowed.share == share_of(expected)


def cut(kept: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Drops all but so many bits of a float32's mantissa, as hardware does that reads no further."""
    return lambda x: (x.view(torch.int32) & (-1 << (23 - kept))).view(torch.float32)


@pytest.mark.parametrize("n", [1, 16, 256])
@pytest.mark.parametrize(("precision", "bits"), [("high", 10), ("medium", 7)])
def test_products_of_inputs_cut_short_are_right_in_their_precision_only(
    precision: str, bits: int, n: int
) -> None:
    """Of TF32 and bfloat16; in float32 they are wrong."""
    draw = torch.Generator().manual_seed(n)
    a, b = (torch.randn(n, n, generator=draw) for _ in range(2))
    said = precision_of({"float32_matmul_precision": precision})
    allowed = Allowed.of([torch.float32], Tolerance(), "", said)
    error = largest_error(cut(bits)(a) @ cut(bits)(b), a.double() @ b.double())
    assert share_of(torch.float32) < error <= allowed.share
