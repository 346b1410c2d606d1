"""Matrix decompositions, eigenvalues and singular values. Run it: bench run linalg

Which decompositions is a GPU faster at, of which sizes and how many matrices?
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, linalg

from bench import Axis, Call, Case, Skip, Suite, Work

# The most steps, batch · n³: above, a call takes more than half a second on two CPU cores, or inputs of over 200 MB.
DIRECT, SYMMETRIC, GENERAL = 1e10, 2.5e8, 1.5e8
TOO_LARGE = "a call of this size takes more than half a second on two CPU cores, or too much memory"

suite = Suite(
    "linalg",
    axes=[
        Axis("n", [3, 8, 32, 128, 512], quick=[3, 128]),
        Axis("batch", [1, 100, 10_000], quick=[1]),
        Axis("dtype", ["float32", "float64"], quick=["float32"]),
    ],
)
to_2048 = Axis("n", [3, 32, 128, 512, 2048], quick=[3, 128])
# pytorch#143281: 270,000 matrices of 3×3 took 8.1 s on an H100 and 0.11 s on a CPU.
tiny = [Axis("n", to_2048.choices, quick=["3"]), Axis("batch", [1, 100, 10_000], quick=[1, 10_000])]


def matrices(case: Case, most: float, too_large: Skip) -> Tensor:
    """A batch of n×n matrices of normal values, unless a call takes more than so many steps."""
    batch, n = case["batch"], case["n"]
    if batch * n**3 > most:
        raise too_large
    made: Tensor = case.randn(batch, n, n)
    return made


@suite.op(quick=False)
def svd(case: Case) -> Call:
    """Singular value decomposition of a batch of n×n matrices: torch.linalg.svd, U, S and Vᵀ."""
    return Call(linalg.svd, matrices(case, SYMMETRIC, Skip(TOO_LARGE)))


@suite.op(quick=False)
def svdvals(case: Case) -> Call:
    """Singular values of a batch of n×n matrices, without vectors: torch.linalg.svdvals."""
    return Call(linalg.svdvals, matrices(case, SYMMETRIC, Skip(TOO_LARGE)))


@suite.op
def eigh(case: Case) -> Call:
    """Eigenvalues and eigenvectors of a batch of symmetric n×n matrices: torch.linalg.eigh."""
    a = matrices(case, SYMMETRIC, Skip(TOO_LARGE))
    return Call(linalg.eigh, a + a.mT)


@suite.op(quick=False)
def eigvalsh(case: Case) -> Call:
    """Eigenvalues of a batch of symmetric n×n matrices, without vectors: torch.linalg.eigvalsh."""
    a = matrices(case, SYMMETRIC, Skip(TOO_LARGE))
    return Call(linalg.eigvalsh, a + a.mT)


# On CUDA, torch hands cuSOLVER one general matrix after the other: 10,000 take very long.
@suite.op(axes=[Axis("batch", [1, 100], quick=[1])], quick=False)
def eig(case: Case) -> Call:
    """Complex eigenvalues and eigenvectors of a batch of general n×n matrices: torch.linalg.eig."""
    return Call(linalg.eig, matrices(case, GENERAL, Skip(TOO_LARGE)))


@suite.op(axes=[Axis("batch", [1, 100], quick=[1])], quick=False)
def eigvals(case: Case) -> Call:
    """Complex eigenvalues of a batch of general n×n matrices: torch.linalg.eigvals."""
    return Call(linalg.eigvals, matrices(case, GENERAL, Skip(TOO_LARGE)))


@suite.op(axes=tiny)
def qr(case: Case) -> Call:
    """QR decomposition of a batch of n×n matrices: torch.linalg.qr, both Q and R."""
    return Call(linalg.qr, matrices(case, DIRECT, Skip(TOO_LARGE)))


@suite.op(axes=[to_2048], quick=False)
def cholesky(case: Case) -> Call:
    """Cholesky decomposition of a batch of positive definite n×n matrices: torch.linalg.cholesky."""
    a = matrices(case, DIRECT, Skip(TOO_LARGE))
    return Call(linalg.cholesky, a @ a.mT / case["n"] + torch.eye(case["n"]).to(a))


def work(case: Case, flop: float, read: tuple[float, float], written: tuple[float, float]) -> Work:
    """FLOP as a multiple of n³, elements read and written as multiples of n² and n, by each matrix."""
    n, batch = case["n"], case["batch"]
    reads, writes = (batch * (a * n * n + b * n) * case.itemsize for a, b in (read, written))
    return Work(flop=batch * flop * n**3, read_bytes=reads, written_bytes=writes)


# Leading terms of LAPACK Working Note 41. Of what iterates only what it can't do without: reduction to bidiagonal
# (8/3 n³), tridiagonal (4/3) or Hessenberg form (10/3), and 2n³ for each set of vectors brought back.
ALL, HALF = (1, 0), (1 / 2, 1 / 2)  # of a symmetric matrix, what is up to the diagonal
svd.work(lambda case: work(case, 20 / 3, ALL, (2, 1)))
svdvals.work(lambda case: work(case, 8 / 3, ALL, (0, 1)))
eigh.work(lambda case: work(case, 10 / 3, HALF, (1, 1)))
eigvalsh.work(lambda case: work(case, 4 / 3, HALF, (0, 1)))
eig.work(lambda case: work(case, 10 / 3, ALL, (2, 2)))  # complex: two numbers each
eigvals.work(lambda case: work(case, 10 / 3, ALL, (0, 2)))
qr.work(lambda case: work(case, 8 / 3, ALL, (2, 0)))
cholesky.work(lambda case: work(case, 1 / 3, HALF, ALL))


def worst(*pairs: tuple[Tensor, Tensor]) -> float:
    """The largest error as a share of the largest right value, over √n: so rounding errors of n steps add up."""
    shares = [float((found - right).abs().max() / right.abs().max()) for found, right in pairs]
    return float(np.max(shares)) / math.sqrt(pairs[0][1].shape[-1])  # max() may pass over NaN


def gram(q: Tensor) -> tuple[Tensor, Tensor]:
    """The products of the columns with each other, and what they are to be."""
    return q.mT @ q, torch.eye(q.shape[-1]).to(q)


def rebuilt(a: Tensor, u: Tensor, s: Tensor, v: Tensor, in_order: Tensor) -> float:
    """U diag(s) Vᵀ is A, the columns of U and of V are orthonormal, and s is in order."""
    return worst((u * s[..., None, :] @ v.mT, a), gram(u), gram(v), (s, in_order))


def near(a: Tensor, found: Tensor) -> float:
    """How far eigenvalues are from NumPy's, as a share of ‖A‖ times each one's condition number."""
    exact, vectors = np.linalg.eig(a.numpy())
    away = np.abs(found.numpy()[..., None, :] - exact[..., None]).min(axis=-1)
    condition = np.linalg.norm(np.linalg.inv(vectors), axis=-1)
    return float((away / condition / np.linalg.norm(a, 2, (-2, -1))[..., None]).max())


@eig.check
def eig_check(a: Tensor, found: tuple[Tensor, Tensor]) -> float:
    """A V is V Λ, as a share of A's Frobenius norm, the columns of V have length 1, and Λ is near NumPy's."""
    values, v = found
    off = linalg.vector_norm(a.to(v) @ v - v * values[..., None, :], dim=-2)
    unit = (linalg.vector_norm(v, dim=-2) - 1).abs()
    return float((off / linalg.matrix_norm(a)[..., None] + unit).max() + near(a, values))


svd.check(lambda a, r: rebuilt(a, r[0], r[1], r[2].mT, r[1].abs().sort(descending=True).values))
eigh.check(lambda a, r: rebuilt(a, r[1], r[0], r[1], r[0].sort().values))
svdvals.check(lambda a, s: worst((s, torch.tensor(np.linalg.svd(a, compute_uv=False)))))
eigvalsh.check(lambda a, s: worst((s, torch.tensor(np.linalg.eigvalsh(a)))))
eigvals.check(near)
qr.check(lambda a, r: worst((r[0] @ r[1], a), gram(r[0]), (r[1], r[1].triu())))
cholesky.reference(lambda a: np.linalg.cholesky(a.numpy()))
