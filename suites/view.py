"""Views, which move no data, and the copy that a view may cost later. Run it: bench run view

Which changes of shape are free, and which copy?
"""

from __future__ import annotations

import operator

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

# A view is a new way to look at the same memory. It costs the same for every size and dtype, which
# three sizes show; as no data moves, views have no work model, and so claim no bandwidth.
suite = Suite(
    "view",
    axes=[Axis("n", [1, 64, 1024], quick=[64, 1024])],  # the side of a square matrix
)
one_quick = Axis("n", [1, 64, 1024], quick=[1024])


@suite.op
def view(case: Case) -> Call:
    """An n×n matrix as a vector: x.view(n * n)."""
    n = case["n"]
    return Call(torch.Tensor.view, case.randn(n, n), n * n)


@suite.op
def reshape(case: Case) -> Call:
    """An n×n matrix as a vector: x.reshape(n * n), which copies only where a view can't do it."""
    n = case["n"]
    return Call(torch.Tensor.reshape, case.randn(n, n), n * n)


@suite.op(axes=[one_quick], quick=False)
def view_infer(case: Case) -> Call:
    """An n×n matrix as a vector: x.view(-1), whose length torch works out."""
    n = case["n"]
    return Call(torch.Tensor.view, case.randn(n, n), -1)


@suite.op(axes=[one_quick], quick=False)
def flatten(case: Case) -> Call:
    """An n×n matrix as a vector: x.flatten(), which copies only where a view can't do it."""
    n = case["n"]
    return Call(torch.Tensor.flatten, case.randn(n, n))


@view.reference
@reshape.reference
@view_infer.reference
@flatten.reference
def flat(x: torch.Tensor, size: int = -1) -> object:
    """The same by NumPy."""
    return x.numpy().reshape(size)


@suite.op
def t(case: Case) -> Call:
    """Rows as columns: x.t()."""
    n = case["n"]
    return Call(torch.Tensor.t, case.randn(n, n))


@suite.op
def transpose(case: Case) -> Call:
    """Rows as columns: x.transpose(0, 1)."""
    n = case["n"]
    return Call(torch.Tensor.transpose, case.randn(n, n), 0, 1)


@suite.op(axes=[one_quick], quick=False)
def T(case: Case) -> Call:  # noqa: N802 - the op is called as torch calls it
    """Rows as columns: the attribute x.T."""
    n = case["n"]
    return Call(getattr, case.randn(n, n), "T")


@t.reference
@transpose.reference
@T.reference
def swapped(x: torch.Tensor, *_: object) -> object:
    """The same by NumPy."""
    return np.swapaxes(x.numpy(), 0, 1)


@suite.op(quick=False)
def permute(case: Case) -> Call:
    """An n×n picture of 3 colours, colours last, as 3 pictures: x.permute(2, 0, 1)."""
    n = case["n"]
    return Call(torch.Tensor.permute, case.randn(n, n, 3), (2, 0, 1))


permute.reference(lambda x, order: np.transpose(x.numpy(), order))


@suite.op(axes=[one_quick], quick=False)
def unsqueeze(case: Case) -> Call:
    """An n×n matrix as a batch of one, 1×n×n: x.unsqueeze(0)."""
    n = case["n"]
    return Call(torch.Tensor.unsqueeze, case.randn(n, n), 0)


@suite.op(axes=[one_quick], quick=False)
def squeeze(case: Case) -> Call:
    """A batch of one, 1×n×n, as an n×n matrix: x.squeeze(0)."""
    n = case["n"]
    return Call(torch.Tensor.squeeze, case.randn(1, n, n), 0)


unsqueeze.reference(lambda x, dim: np.expand_dims(x.numpy(), dim))
squeeze.reference(lambda x, dim: np.squeeze(x.numpy(), dim))


@suite.op
def every_second_row(case: Case) -> Call:
    """Half of an n×n matrix: x[::2]."""
    n = case["n"]
    return Call(operator.getitem, case.randn(n, n), slice(None, None, 2))


every_second_row.reference(lambda x, which: x.numpy()[which])


@suite.op(
    axes=[
        Axis("n", [4, 16, 64, 256, 1024, 4096], quick=[16, 256, 1024]),
        Axis("dtype", ["float32", "float64", "bfloat16", "float16", "int64"], quick=["float32"]),
    ]
)
def contiguous(case: Case) -> Call:
    """What a transpose may cost later: x.t().contiguous() of an x.t() made before; it copies."""
    n = case["n"]
    return Call(torch.Tensor.contiguous, case.randn(n, n).t())


@contiguous.work
def contiguous_work(case: Case) -> Work:
    """Every element is read once and written once."""
    size = case["n"] ** 2 * case.itemsize
    return Work(read_bytes=size, written_bytes=size)


@contiguous.reference
def same(x: torch.Tensor) -> object:
    """The same values; only their order in memory changes."""
    return np.ascontiguousarray(x.numpy())
