"""Torch settings that choose kernels, as axes of a case: put in force around it, and undone after.

Torch keeps them per process, so whatever one case leaves behind would be measured in the next; `global_state` undoes it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from bench.errors import SuiteError
from bench.plan.case import Skip
from bench.plan.plan import THREADS, whole_threads
from bench.worker.global_state import GlobalState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PRECISION = "float32_matmul_precision"
_SWITCH = MappingProxyType({"on": True, "off": False})
_EPSILON_OF = MappingProxyType({"high": "float16", "medium": "bfloat16"})
"""A dtype with as many bits of mantissa as products have: TF32's 10 bits are those of float16."""
_GRAD_MODES: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("on", "grad", "enable_grad", "True"), torch.enable_grad),
        **dict.fromkeys(("off", "no_grad", "False"), torch.no_grad),
        **dict.fromkeys(("inference", "inference_mode"), torch.inference_mode),
    }
)
_backends: Any = torch.backends  # parts of it carry no types


def _allow_reduction(allowed: Any) -> None:
    matmul = _backends.cuda.matmul
    matmul.allow_fp16_reduced_precision_reduction = allowed
    matmul.allow_bf16_reduced_precision_reduction = allowed


def _prefer_blas(library: Any) -> None:
    _backends.cuda.preferred_blas_library(library)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of torch: the values that labels stand for, and how it is set."""

    choices: Mapping[str, Any] = field(default_factory=dict)
    put: Callable[[Any], AbstractContextManager[object] | None]
    """Sets it, or gives what it holds within."""
    read: Callable[[str], Any] | None = None
    """The value of a label where there are more than can be listed; None where it is none."""
    rule: str = ""
    """What such a label must be."""

    def value(self, text: str) -> Any:
        """The value that a label stands for; None where it stands for none."""
        return self.read(text) if self.read else self.choices.get(text)


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        _PRECISION: Setting(
            choices={"highest": "highest", "high": "high", "medium": "medium"},
            put=torch.set_float32_matmul_precision,
        ),
        "reduced_precision_reduction": Setting(choices=_SWITCH, put=_allow_reduction),
        "blas_library": Setting(  # torch would take AMD's names as well, also where it lacks them
            choices={"default": "default", "cublas": "cublas", "cublaslt": "cublaslt"},
            put=_prefer_blas,
        ),
        # `use_deterministic_algorithms` does the same and imports torch's compiler, which takes a second.
        "deterministic": Setting(
            choices={"on": "error", "off": "default"}, put=torch.set_deterministic_debug_mode
        ),
        THREADS: Setting(
            put=torch.set_num_threads, read=whole_threads, rule="a whole number from 1"
        ),
        "grad_mode": Setting(choices=_GRAD_MODES, put=lambda mode: mode()),
    }
)
"""By the name of the axis."""


def in_force(
    labels: Mapping[str, str], known: GlobalState | None = None
) -> AbstractContextManager[None]:
    """The settings among the labels (axis → text) hold within; those before hold again after it.

    Args:
        labels: of a case.
        known: the state that is watched, and told of these settings; else it is read.

    Raises:
        SuiteError: on entering, a setting has no such choice.
        Skip: on entering, this torch can't have it.
    """
    return nullcontext() if SETTINGS.keys().isdisjoint(labels) else _forced(labels, known)


@contextmanager
def _forced(labels: Mapping[str, str], known: GlobalState | None) -> Iterator[None]:
    state = known or GlobalState()
    with state.kept(known=known is not None), ExitStack() as within:
        for name in [one for one in labels if one in SETTINGS]:
            mode = _put(name, labels[name])
            if mode is not None:
                within.enter_context(mode)
        state.note()
        yield


def _put(name: str, text: str) -> AbstractContextManager[object] | None:
    setting = SETTINGS[name]
    value = setting.value(text)
    if value is None:
        known = ", ".join(setting.choices)
        rule = f"write {setting.rule}" if setting.rule else f"choose from: {known}"
        message = f"axis {name!r} sets torch, which can't be {text!r} there; {rule}"
        raise SuiteError(message)
    try:
        return setting.put(value)
    except RuntimeError as error:
        message = f"this torch can't have {name}={text}: {str(error).partition(chr(10))[0]}"
        raise Skip(message) from error


def precision_of(labels: Mapping[str, str]) -> str:
    """The dtype whose epsilon holds for products in float32, the settings among the labels in force; empty for its own.

    On CUDA, `medium` is TF32 like `high`, and many a CPU computes in float32 whatever it is allowed:
    the tolerance is that of what is allowed.
    """
    return _EPSILON_OF.get(labels.get(_PRECISION, ""), "")
