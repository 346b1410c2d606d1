"""Torch settings that choose kernels, as axes of a case: put in force around it, and undone after.

Torch keeps them per process, so whatever one case leaves behind would be measured in the next.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from bench.errors import SuiteError
from bench.plan.case import Skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PRECISION = "float32_matmul_precision"
_SWITCH = MappingProxyType({"on": True, "off": False})
_EPSILON_OF = MappingProxyType({"high": "float16", "medium": "bfloat16"})
"""A dtype with as many bits of mantissa as products have: TF32's 10 bits are those of float16."""
_backends: Any = torch.backends  # parts of it carry no types


def _keep_precision() -> Callable[[], None]:
    """The one setting stands for two, of CUDA and of oneDNN, which it sets but does not give back."""
    before = torch.get_float32_matmul_precision()
    parts = _backends.cuda.matmul, _backends.mkldnn.matmul
    own = [part.fp32_precision for part in parts]

    def restore() -> None:
        torch.set_float32_matmul_precision(before)
        for part, precision in zip(parts, own, strict=True):
            part.fp32_precision = precision

    return restore


def _allow_reduction(allowed: Any) -> None:
    matmul = _backends.cuda.matmul
    matmul.allow_fp16_reduced_precision_reduction = allowed
    matmul.allow_bf16_reduced_precision_reduction = allowed


def _keep_reduction() -> Callable[[], None]:
    """Either dtype may have its own, and newer torch keeps a second switch behind each."""
    matmul = _backends.cuda.matmul
    before = {}
    for dtype in ("fp16", "bf16"):
        name = f"allow_{dtype}_reduced_precision_reduction"
        allowed, split = getattr(matmul, name), getattr(matmul, f"{name}_split_k", None)
        before[name] = allowed if split is None else (allowed, split)

    def restore() -> None:
        for name, value in before.items():
            setattr(matmul, name, value)

    return restore


def _prefer_blas(library: Any) -> None:
    _backends.cuda.preferred_blas_library(library)


def _keep_blas() -> Callable[[], None]:
    return partial(_prefer_blas, _backends.cuda.preferred_blas_library())


def _keep_determinism() -> Callable[[], None]:
    return partial(torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of torch: the values that labels stand for, how it is set, and how the value before is kept."""

    choices: Mapping[str, Any]
    put: Callable[[Any], object]
    keep: Callable[[], Callable[[], None]]
    """Reads the setting; what it returns puts that back."""


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        _PRECISION: Setting(
            choices={"highest": "highest", "high": "high", "medium": "medium"},
            put=torch.set_float32_matmul_precision,
            keep=_keep_precision,
        ),
        "reduced_precision_reduction": Setting(
            choices=_SWITCH, put=_allow_reduction, keep=_keep_reduction
        ),
        "blas_library": Setting(  # torch would take AMD's names as well, also where it lacks them
            choices={"default": "default", "cublas": "cublas", "cublaslt": "cublaslt"},
            put=_prefer_blas,
            keep=_keep_blas,
        ),
        # `use_deterministic_algorithms` does the same and imports torch's compiler, which takes a second.
        "deterministic": Setting(
            choices={"on": "error", "off": "default"},
            put=torch.set_deterministic_debug_mode,
            keep=_keep_determinism,
        ),
    }
)
"""By the name of the axis."""


def in_force(labels: Mapping[str, str]) -> AbstractContextManager[None]:
    """The settings among the labels (axis → text) hold within; those before hold again after it.

    Raises:
        SuiteError: on entering, a setting has no such choice.
        Skip: on entering, this torch can't have it.
    """
    return nullcontext() if SETTINGS.keys().isdisjoint(labels) else _forced(labels)


@contextmanager
def _forced(labels: Mapping[str, str]) -> Iterator[None]:
    with ExitStack() as undo:
        for name in [one for one in labels if one in SETTINGS]:
            undo.callback(SETTINGS[name].keep())
            _put(name, labels[name])
        yield


def _put(name: str, text: str) -> None:
    setting = SETTINGS[name]
    if text not in setting.choices:
        known = ", ".join(setting.choices)
        message = f"axis {name!r} sets torch, which can't be {text!r} there; choose from: {known}"
        raise SuiteError(message)
    try:
        setting.put(setting.choices[text])
    except RuntimeError as error:
        message = f"this torch can't have {name}={text}: {str(error).partition(chr(10))[0]}"
        raise Skip(message) from error


def precision_of(labels: Mapping[str, str]) -> str:
    """The dtype whose epsilon holds for products in float32, the settings among the labels in force; empty for its own.

    On CUDA, `medium` is TF32 like `high`, and many a CPU computes in float32 whatever it is allowed:
    the tolerance is that of what is allowed.
    """
    return _EPSILON_OF.get(labels.get(_PRECISION, ""), "")
