"""Torch's own catalogue of ops, OpInfo, with the samples of torch's tests. Run it: bench run opinfo -k 'linalg_*'

Does every op of this torch give on this device, in this dtype, what it gives in float64 on the CPU?
The catalogue is private to torch and differs from version to version, and its samples are tiny: it is for breadth, not
for times. An op that this torch lacks is not there; a dtype that an op lacks on a device is skipped.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import torch
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from bench import Axis, Call, Case, Skip, Suite

if TYPE_CHECKING:
    from collections.abc import Callable

try:  # without what forbids all code in the process to set torch.backends: other suites may
    with patch("torch.backends.disable_global_flags"):
        from torch.testing._internal.common_methods_invocations import op_db
except ImportError as error:
    message = f"torch's catalogue can't be imported ({error}); pip install expecttest"
    raise RuntimeError(message) from error

PREFERRED = ("float32", "float64", "bfloat16", "float16", "complex64", "int64", "bool")
"""Dtypes that are measured; an op is quick in the first that it takes."""
LENIENCY = 4
"""Samples lie at the ends of what an op takes, where it is less exact: so many times the usual error is allowed."""
NO_DTYPE = "by torch's catalogue this op has no {} on {}"
NO_SAMPLE = "torch's catalogue has no sample for it"
NO_GPU = "the jiterator compiles kernels for a GPU"
DRAWN, FOUND = "its results are drawn at random", "its result is memory as it was found"
CATALOGUE: list[Any] = op_db

suite = Suite("opinfo")


def names_of(dtypes: Any) -> set[str]:
    """Dtypes by their names."""
    return {str(dtype).removeprefix("torch.") for dtype in dtypes}


def leaves(value: Any) -> list[Any]:
    """Every value in containers within each other."""
    return list(_pytree.tree_leaves(value))


def elements(sample: Any) -> int:
    """The elements of all tensors of a sample."""
    given = leaves((sample.input, sample.args, sample.kwargs))
    return sum(one.numel() for one in given if isinstance(one, torch.Tensor))


def samples_of(info: Any, case: Case) -> list[Any]:
    """The samples of an op, made from a seed that is the case's."""
    seed = int.from_bytes(hashlib.sha256(case.id.encode()).digest()[:4], "big")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return list(info.sample_inputs(torch.device(case.device), case.dtype))


def builder(info: Any) -> Callable[[Case], Call]:
    """What builds the call of one op of the catalogue."""

    def build(case: Case) -> Call:
        kind = case.device.partition(":")[0]
        if case["dtype"] not in names_of(info.supported_dtypes(kind)):
            raise Skip(NO_DTYPE.format(case["dtype"], kind))
        if info.name.startswith("jiterator") and kind == "cpu":
            raise Skip(NO_GPU)
        samples = samples_of(info, case)
        if not samples:
            raise Skip(NO_SAMPLE)
        chosen = max(samples, key=elements)
        return Call(info.op, chosen.input, *chosen.args, **chosen.kwargs)

    build.__name__ = info.formatted_name
    build.__doc__ = f"{info.full_name} of the largest sample that torch's tests have for it."
    return build


def checker(info: Any) -> Callable[..., Any]:
    """What compares a result with that of the same op in float64 on the CPU."""

    def check(*args: Any, result: Any, tolerance: float, **kwargs: Any) -> Any:
        with torch.random.fork_rng():  # samples, and some ops of the catalogue, set a seed
            process = processing(info)
            with Dispatched() as within:  # type: ignore[no-untyped-call]
                wanted = info.op(*args, **kwargs)
        if reason := within.undefined:
            raise ValueError(reason)
        found, wanted = leaves(process(result)), leaves(process(wanted))
        if len(found) != len(wanted):
            return f"{len(found)} results instead of {len(wanted)}"
        error = max((error_of(*pair) for pair in zip(found, wanted, strict=True)), default=0.0)
        return error, LENIENCY * tolerance

    return check


class Dispatched(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch types none of it
    """Notes the functions of torch that a call goes through."""

    def __enter__(self) -> Any:
        """Begin with none."""
        self.functions: list[Any] = []
        return super().__enter__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Make the call as it is."""
        self.functions.append(func)
        return func(*args, **(kwargs or {}))

    @property
    def undefined(self) -> str:
        """Why the result is not defined by the arguments; empty where it is."""
        if any(torch.Tag.nondeterministic_seeded in func.tags for func in self.functions):
            return DRAWN
        only_found = self.functions and all("empty" in func.name() for func in self.functions)
        return FOUND if only_found else ""


def processing(info: Any) -> Callable[[Any], Any]:
    """What torch's tests do to a result before they compare it, as to eigenvectors, which may have any sign."""
    first = next(iter(info.sample_inputs("cpu", next(iter(info.dtypes)))), None)
    return getattr(first, "output_process_fn_grad", None) or (lambda result: result)


def error_of(found: Any, wanted: Any) -> float:
    """The largest deviation as a share of the largest wanted value; infinite where what is not finite differs."""
    if not isinstance(wanted, torch.Tensor):
        return 0.0 if found == wanted else float("inf")
    wide = torch.complex128 if wanted.is_complex() else torch.float64
    one, other = (x.to_dense() if x.layout != torch.strided else x for x in (found, wanted))
    one, other = one.to(wide), other.to(wide)
    if one.shape != other.shape or not torch.equal(one.isfinite(), other.isfinite()):
        return float("inf")
    known = other.isfinite()
    scale = max(
        (float(value.abs().max()) for value in [other[known]] if value.numel()), default=0.0
    )
    off = max((float(x.abs().max()) for x in [one[known] - other[known]] if x.numel()), default=0.0)
    return off / max(scale, torch.finfo(torch.float32).tiny) if off else 0.0


for one in CATALOGUE:
    taken = names_of(one.dtypes) | names_of(one.supported_dtypes("cuda"))
    dtypes = [name for name in PREFERRED if name in taken]
    if dtypes:
        # The catalogue does not say which ops write to their inputs.
        declare = suite.op(
            axes=[Axis("dtype", dtypes, quick=dtypes[:1])], in_place=True, version=torch.__version__
        )
        declare(builder(one)).check(checker(one))
