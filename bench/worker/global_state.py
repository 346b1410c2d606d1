"""Global state: settings of torch and Python that a process has once, so that what one case sets would hold for the next.

The only place that reads them and puts them back. Reading all of them takes 40 µs, and 300 µs where other code was in
the caches: it is done around building and after each request, never within timed calls. Left out is what a call uses up
by right, such as random numbers.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_backends: Any = torch.backends  # parts of it carry no types
_C: Any = torch._C  # noqa: SLF001 - what a mode leaves behind is told nowhere else
_UNSET = "unset"
_DEVICE_TYPES = ("cpu", "cuda", "mps", "xpu")
_ATTRIBUTES = (
    "fp32_precision",
    "cudnn.fp32_precision",
    "cudnn.conv.fp32_precision",
    "cudnn.rnn.fp32_precision",
    "mkldnn.fp32_precision",
    "mkldnn.conv.fp32_precision",
    "mkldnn.rnn.fp32_precision",
    "mkldnn.matmul.fp32_precision",
    "cuda.matmul.fp32_precision",
    "cuda.matmul.allow_fp16_accumulation",
    "cudnn.enabled",
    "cudnn.benchmark",
    "cudnn.deterministic",
    "mkldnn.enabled",
)
"""Those of `torch.backends` that choose kernels, by the names that torch gives them."""
_ATTENTION = ("flash", "mem_efficient", "math", "cudnn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One setting: how it is read and put, and what of it is compared and said."""

    read: Callable[[], Any]
    put: Callable[[Any], object]
    said: Callable[[Any], object] = lambda value: value
    as_it_was: bool = True
    """Whether the value before is worth saying; a first seed is drawn at random."""

    def value(self) -> Any:
        """What it is now; None where this torch can't tell, which is not compared."""
        try:
            return self.read()
        except (AttributeError, RuntimeError, OSError):
            return None


def _attribute(path: str) -> Part:
    parents, _, name = path.rpartition(".")
    holder: Any = None  # of what this torch lacks
    with suppress(AttributeError):
        holder = attrgetter(parents)(_backends) if parents else _backends
    return Part(read=partial(getattr, holder, name), put=partial(setattr, holder, name))


def _reduction(dtype: str) -> Part:
    """Reduced precision in sums of products; newer torch keeps a second switch behind it."""
    matmul, name = _backends.cuda.matmul, f"allow_{dtype}_reduced_precision_reduction"

    def read() -> Any:
        allowed, split = getattr(matmul, name), getattr(matmul, f"{name}_split_k", None)
        return allowed if split is None else (allowed, split)

    return Part(read=read, put=partial(setattr, matmul, name))


def _autocast(kind: str) -> dict[str, Part]:
    return {
        f"autocast.{kind}": Part(
            read=partial(torch.is_autocast_enabled, kind),
            put=partial(torch.set_autocast_enabled, kind),
        ),
        f"autocast.{kind}.dtype": Part(
            read=partial(torch.get_autocast_dtype, kind),
            put=partial(torch.set_autocast_dtype, kind),
        ),
    }


def _default_device() -> str:
    """The default device where one was set: also the CPU then costs every call a mode that it goes through."""
    held: Any = getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None)
    context = getattr(held, "device_context", None)
    return _UNSET if context is None else str(context.device)


def _shrink(length: Callable[[], int], pop: Callable[[], object]) -> Callable[[int], None]:
    """Takes modes that were entered and never left off their stack."""

    def put(wanted: int) -> None:
        while length() > wanted:
            pop()

    return put


@dataclass(frozen=True, slots=True)
class _Seed:
    """A seed, and how far the numbers that follow from it were drawn, which is compared with nothing."""

    number: int
    state: torch.Tensor = field(compare=False)


def _seed() -> _Seed:
    generator = torch.default_generator
    return _Seed(generator.initial_seed(), generator.get_state())


_HOOKS = tuple(
    kept
    for kind in ("forward", "forward_pre", "backward", "backward_pre")
    if isinstance(kept := getattr(torch.nn.modules.module, f"_global_{kind}_hooks", None), dict)
)
"""What every module calls, as torch keeps it; counters of FLOP register themselves there."""


def _put_hooks(before: Sequence[Mapping[Any, Any]]) -> None:
    for hooks, kept in zip(_HOOKS, before, strict=True):
        hooks.clear()
        hooks.update(kept)


def _cuda(read: Callable[[], Any]) -> Callable[[], Any]:
    """Read from CUDA, once the process uses it: asking would make a context."""
    cuda: Any = torch.cuda  # a part of it carries no types
    return lambda: read() if cuda.is_initialized() else None


def _flushes_denormals() -> bool:
    """Whether the smallest numbers become 0 in this thread: torch sets that, and does not tell."""
    smallest, two = sys.float_info.min, 2.0
    return smallest / two == 0.0


def _unwritable(_: Any) -> None:
    """For what a process sets once."""


_MODES = MappingProxyType(
    {
        "num_threads": Part(read=torch.get_num_threads, put=torch.set_num_threads),
        "num_interop_threads": Part(read=torch.get_num_interop_threads, put=_unwritable),
        "default_dtype": Part(read=torch.get_default_dtype, put=torch.set_default_dtype),
        "default_device": Part(
            read=_default_device,
            put=lambda name: torch.set_default_device(None if name == _UNSET else name),
        ),
        "function_modes": Part(
            read=_C._len_torch_function_stack,  # noqa: SLF001 - as above, and so below
            put=_shrink(_C._len_torch_function_stack, _C._pop_torch_function_stack),  # noqa: SLF001
        ),
        "dispatch_modes": Part(
            read=_C._len_torch_dispatch_stack,  # noqa: SLF001
            put=_shrink(
                _C._len_torch_dispatch_stack,  # noqa: SLF001
                partial(_C._pop_torch_dispatch_stack, None),  # noqa: SLF001
            ),
        ),
        "module_hooks": Part(
            read=lambda: [dict(hooks) for hooks in _HOOKS],
            put=_put_hooks,
            said=lambda kept: sum(map(len, kept)),
        ),
        # `use_deterministic_algorithms` does the same and imports torch's compiler, which takes a second.
        "deterministic": Part(
            read=torch.get_deterministic_debug_mode, put=torch.set_deterministic_debug_mode
        ),
        **dict(chain.from_iterable(_autocast(kind).items() for kind in _DEVICE_TYPES)),
        "autocast.cache": Part(
            read=torch.is_autocast_cache_enabled, put=torch.set_autocast_cache_enabled
        ),
        "flush_denormal": Part(read=_flushes_denormals, put=torch.set_flush_denormal),
        "anomaly_mode": Part(read=torch.is_anomaly_enabled, put=torch.set_anomaly_enabled),
        "multithreaded_backward": Part(
            read=_C._is_multithreading_enabled,  # noqa: SLF001
            put=_C._set_multithreading_enabled,  # noqa: SLF001
        ),
        "warn_always": Part(read=torch.is_warn_always_enabled, put=torch.set_warn_always),
        "seed": Part(
            read=_seed,
            put=lambda kept: torch.set_rng_state(kept.state),
            said=lambda kept: kept.number,
            as_it_was=False,
        ),
    }
)
_BACKENDS = MappingProxyType(
    {
        "float32_matmul_precision": Part(
            read=torch.get_float32_matmul_precision, put=torch.set_float32_matmul_precision
        ),
        # After the setting above, which sets those of CUDA and oneDNN too, but does not give them back.
        **{name: _attribute(name) for name in _ATTRIBUTES},
        **{f"allow_{dtype}_reduction": _reduction(dtype) for dtype in ("fp16", "bf16")},
        "blas_library": Part(
            read=_backends.cuda.preferred_blas_library, put=_backends.cuda.preferred_blas_library
        ),
        "linalg_library": Part(
            read=_backends.cuda.preferred_linalg_library,
            put=_backends.cuda.preferred_linalg_library,
        ),
        **{
            f"{way}_attention": Part(
                read=getattr(_backends.cuda, f"{way}_sdp_enabled"),
                put=getattr(_backends.cuda, f"enable_{way}_sdp"),
            )
            for way in _ATTENTION
        },
        "cuda_device": Part(read=_cuda(torch.cuda.current_device), put=torch.cuda.set_device),
        "cuda_stream": Part(read=_cuda(torch.cuda.current_stream), put=torch.cuda.set_stream),
        "cuda_seed": Part(
            read=_cuda(lambda: _Seed(torch.cuda.initial_seed(), torch.cuda.get_rng_state())),
            put=lambda kept: torch.cuda.set_rng_state(kept.state),
            said=lambda kept: kept.number,
            as_it_was=False,
        ),
    }
)
_PYTHON = MappingProxyType(
    {
        "gc.enabled": Part(read=gc.isenabled, put=lambda on: gc.enable() if on else gc.disable()),
        "gc.threshold": Part(read=gc.get_threshold, put=lambda kept: gc.set_threshold(*kept)),
        "sys.profile": Part(
            read=lambda: (sys.getprofile(),), put=lambda kept: sys.setprofile(*kept)
        ),
        "sys.trace": Part(read=lambda: (sys.gettrace(),), put=lambda kept: sys.settrace(*kept)),
        "working directory": Part(read=os.getcwd, put=os.chdir),
    }
)


class GlobalState:
    """The settings of this process, watched while guests' code runs."""

    def __init__(self) -> None:
        self._guards: list[Any] = []
        grad = {
            "inference_mode": Part(
                read=torch.is_inference_mode_enabled, put=self._put_inference_mode
            ),
            # After it, since it sets that too.
            "grad_mode": Part(read=torch.is_grad_enabled, put=_C._set_grad_enabled),  # noqa: SLF001
        }
        self._parts: Mapping[str, Part] = {**grad, **_MODES, **_BACKENDS, **_PYTHON}
        self._known: dict[str, Any] | None = None
        """The settings as our own code last left them."""

    def note(self) -> None:
        """Read the settings anew, after our own code has set some of them."""
        self._known = self._read()

    @contextmanager
    def kept(self, changed: list[str] | None = None, *, known: bool = False) -> Iterator[None]:
        """Put back afterwards whatever is set meanwhile, and note it in words, such as `num_threads: 2 → 1`.

        Args:
            changed: gets these words.
            known: whether nothing but guests' code has set anything since this was last left: then what was there
                is put back, and need not be read.
        """
        before = self._known = self._known if known and self._known else self._read()
        try:
            yield
        finally:
            found = self._put_back(before)
            if changed is not None:
                changed.extend(found)

    def _read(self) -> dict[str, Any]:
        return {name: part.value() for name, part in self._parts.items()}

    def _put_back(self, before: Mapping[str, Any]) -> list[str]:
        """Put back what differs, twice, since some settings set others; what was changed."""
        self._known = now = self._read()
        changed = [] if now == before else self._differing(before, now)
        if not changed:
            return []
        for _ in range(2):
            for name in self._differing(before, self._read()):
                with suppress(RuntimeError, OSError):
                    self._parts[name].put(before[name])
        self._known = self._read()
        stuck = self._differing(before, self._known)
        told = [name for name in changed if now[name] is not None] or changed
        return [
            self._text(name, before, now) + (", and can't be put back" if name in stuck else "")
            for name in told
        ]

    def _differing(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
        """What was told before and is told otherwise now."""
        return [
            name
            for name, part in self._parts.items()
            if before[name] is not None
            and (now[name] is None or part.said(before[name]) != part.said(now[name]))
        ]

    def _text(self, name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
        part = self._parts[name]
        old, new = (
            "unknown" if kept[name] is None else str(part.said(kept[name])).removeprefix("torch.")
            for kept in (before, now)
        )
        return f"{name}: {old} → {new}" if part.as_it_was else f"{name}: set to {new}"

    def _put_inference_mode(self, on: bool) -> None:  # noqa: FBT001 - as torch has it
        """Enter the mode for good: it ends with the object that entered it."""
        guard = torch.inference_mode(on)
        guard.__enter__()
        self._guards.append(guard)
