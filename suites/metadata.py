"""What a tensor knows about itself, and changing its dtype. Run it: bench run metadata

What does asking a tensor for its shape, dtype or device cost?
"""

from __future__ import annotations

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

# Asking a tensor costs the same for every size and dtype, which three sizes show: less than a call of
# a torch function. No data moves, so what only asks has no work model, and so claims no bandwidth.
suite = Suite(
    "metadata",
    axes=[Axis("n", [1, 64, 1024], quick=[1024])],  # the side of a square matrix
)
converted = Axis("n", [1, 16, 64, 256, 1024, 4096], quick=[1024])  # to 128 MB in float64
NOT_FLOAT64 = ["float32", "bfloat16", "float16", "int64"]
DTYPES = ["float64", *NOT_FLOAT64]


@suite.op
def shape(case: Case) -> Call:
    """The shape of an n×n matrix: x.shape."""
    n = case["n"]
    return Call(getattr, case.randn(n, n), "shape")


@suite.op(quick=False)
def size(case: Case) -> Call:
    """The shape of an n×n matrix by a call: x.size()."""
    n = case["n"]
    return Call(torch.Tensor.size, case.randn(n, n))


@shape.reference
@size.reference
def sides(x: torch.Tensor, *_: str) -> object:
    """The same by NumPy."""
    return x.numpy().shape


@suite.op(quick=False)
def ndim(case: Case) -> Call:
    """The number of dimensions of an n×n matrix: x.ndim."""
    n = case["n"]
    return Call(getattr, case.randn(n, n), "ndim")


ndim.reference(lambda x, _: x.numpy().ndim)


@suite.op(axes=[Axis("dtype", DTYPES, quick=["float32"])], quick=False)
def dtype(case: Case) -> Call:
    """The dtype of an n×n matrix: x.dtype.

    The last argument, getattr's default, is never used: it tells the reference what is asked for.
    """
    n = case["n"]
    return Call(getattr, case.randn(n, n), "dtype", case.dtype)


@suite.op(quick=False)
def device(case: Case) -> Call:
    """The device of an n×n matrix: x.device.

    The last argument, getattr's default, is never used: it tells the reference what is asked for.
    """
    n = case["n"]
    return Call(getattr, case.randn(n, n), "device", torch.empty(0, device=case.device).device)


@dtype.reference
@device.reference
def asked_for(_: torch.Tensor, __: str, wanted: object) -> object:
    """What the case asked for: a reference is given x in float64 on the CPU."""
    return wanted


@suite.op(quick=False)
def requires_grad(case: Case) -> Call:
    """Whether gradients of an n×n matrix are wanted: x.requires_grad, and they are."""
    n = case["n"]
    return Call(getattr, case.randn(n, n).requires_grad_(), "requires_grad")


requires_grad.reference(lambda *_: True)


@suite.op(axes=[converted, Axis("dtype", NOT_FLOAT64, quick=["float32"])], quick=False)
def type(case: Case) -> Call:  # noqa: A001 - an op is named as torch names it
    """An n×n matrix in float64: x.type(torch.float64)."""
    n = case["n"]
    return Call(torch.Tensor.type, case.randn(n, n), torch.float64)


@type.work
def type_work(case: Case) -> Work:
    """n² elements read, n² of 8 bytes written."""
    n_squared = case["n"] ** 2
    return Work(read_bytes=n_squared * case.itemsize, written_bytes=n_squared * 8)


@suite.op(axes=[converted, Axis("dtype", DTYPES, quick=["float32"])])
def to_dtype(case: Case) -> Call:
    """An n×n matrix by x.to(dtype): from float32 to float16, from any other dtype to float32."""
    n = case["n"]
    wanted = torch.float16 if case["dtype"] == "float32" else torch.float32
    return Call(torch.Tensor.to, case.randn(n, n), wanted)


@to_dtype.work
def to_dtype_work(case: Case) -> Work:
    """n² elements read, n² of 2 bytes (float16) or of 4 (float32) written."""
    n_squared, written = case["n"] ** 2, 2 if case["dtype"] == "float32" else 4
    return Work(read_bytes=n_squared * case.itemsize, written_bytes=n_squared * written)


@type.reference
@to_dtype.reference
def rounded(x: torch.Tensor, wanted: torch.dtype) -> object:
    """The nearest numbers of that dtype, by NumPy."""
    return x.numpy().astype(str(wanted).removeprefix("torch."))


@suite.op(quick=False)
def to_same(case: Case) -> Call:
    """x.to(dtype) where x is n×n and has that dtype: x itself comes back, and nothing is copied."""
    n = case["n"]
    return Call(torch.Tensor.to, case.randn(n, n), case.dtype)


to_same.reference(lambda x, _: np.asarray(x))
