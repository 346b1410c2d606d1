"""Execution mode: how a case's function is called. As it is written, compiled, as a CUDA graph, or under autocast.

A mode is no axis of a suite: any op can be measured in any. What is eager has the id that it always had; the id of any
other ends with `mode=…`. Both have the same inputs.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from bench.errors import SelectionError, hint, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AXIS = "mode"
"""The name under which it stands in an id, and in `--where` and `--by`."""
EAGER, COMPILE, GRAPH, AUTOCAST = "eager", "compile", "graph", "autocast"
_OPTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        COMPILE: ("max-autotune", "max-autotune-no-cudagraphs", "reduce-overhead"),
        AUTOCAST: ("bfloat16", "float16"),
    }
)
"""What may stand behind a colon: a mode of `torch.compile` (torch 2.13, `torch/_inductor/__init__.py`,
`list_mode_options`), or the dtype of `torch.autocast`."""
MODES = (
    EAGER,
    *(
        name
        for kind in (COMPILE, AUTOCAST)
        for name in (kind, *(f"{kind}:{o}" for o in _OPTIONS[kind]))
    ),
    GRAPH,
)
"""All modes there are."""
_ON_CUDA_ALONE: Mapping[str, str] = MappingProxyType(
    {
        GRAPH: "a graph records the kernels of a CUDA stream, and {} has none",
        f"{COMPILE}:reduce-overhead": "reduce-overhead replays CUDA graphs; on {} it is what compile is",
        f"{COMPILE}:max-autotune-no-cudagraphs": "on {} max-autotune uses no CUDA graphs anyway",
    }
)
"""Mode → why it is skipped on other devices."""


def parse(words: Sequence[str]) -> tuple[str, ...]:
    """The modes that `--mode eager,compile` means, each once; eager where nothing is said.

    Raises:
        SelectionError: there is no such mode.
    """
    named = [name.strip() for word in words for name in word.split(",") if name.strip()]
    for name in named:
        if name not in MODES:
            message = f"--mode {shown(name)} is none; {hint(name, MODES)}"
            raise SelectionError(message)
    return tuple(dict.fromkeys(named)) or (EAGER,)


def kind_of(mode: str) -> tuple[str, str]:
    """`compile:max-autotune` → `compile`, `max-autotune`; the second is empty where nothing is added."""
    kind, _, option = mode.partition(":")
    return kind, option


def is_eager(mode: str | None) -> bool:
    """Whether the function is called as it is written; rows of older versions name no mode, and are of such calls."""
    return mode in {None, EAGER}


def params(labels: Mapping[str, str], mode: str) -> Mapping[str, str]:
    """What stands in a case's id: a label for each axis, and the mode if it is another than eager."""
    return labels if is_eager(mode) else {**labels, AXIS: mode}


def is_compiled(mode: str) -> bool:
    """Whether torch's compiler makes the function that is called."""
    return kind_of(mode)[0] == COMPILE


def why_not(mode: str, device: str) -> str:
    """Why a device has no such mode; empty where it has."""
    if device.startswith("cuda"):
        return ""
    return _ON_CUDA_ALONE.get(mode, "").format(device)
