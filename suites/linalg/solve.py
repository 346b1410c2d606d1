"""Linear systems, inverses, determinants, functions of matrices. Run it: bench run linalg

Where does the CPU solve, invert and decompose faster, and what do many small systems cost?
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import torch
from scipy.linalg import expm
from torch import Tensor, linalg, lu_unpack

from bench import Axis, Call, Case, Skip, Suite, Work

# The most steps, batch · n³: above, a call takes more than half a second on two CPU cores, or inputs of over 200 MB.
DIRECT, ITERATED = 1e10, 2.5e8
TOO_LARGE = "a call of this size takes more than half a second on two CPU cores, or too much memory"
ONLY_GELS = "torch.linalg.lstsq has no driver but gels on CUDA"
SIDES, BATCHES = [3, 32, 128, 512, 2048], [1, 100, 10_000]
Terms = tuple[float, float]

suite = Suite(
    "linalg",
    axes=[
        Axis("n", SIDES, quick=[3, 128]),
        Axis("batch", BATCHES, quick=[1]),
        Axis("dtype", ["float32", "float64"], quick=["float32"]),
    ],
)


def regular(case: Case, too_large: Skip, *, most: float = DIRECT, rows: int = 1) -> Tensor:
    """A batch of well-conditioned matrices of rows·n×n, with their large elements on the other diagonal."""
    batch, n = case["batch"], case["n"]
    if batch * n**3 > most:
        raise too_large
    noise: Tensor = case.randn(batch, rows * n, n) / (4 * n**0.5)
    return (noise + 2 * torch.eye(rows * n, n).to(noise)).flip(-2)


@suite.op(axes=[Axis("n", SIDES, quick=[3]), Axis("batch", BATCHES, quick=[1, 10_000])])
def solve(case: Case) -> Call:
    """A batch of linear systems of n unknowns, one right-hand side each: torch.linalg.solve."""
    a = regular(case, Skip(TOO_LARGE))
    return Call(linalg.solve, a, case.randn(*a.shape[:-1], 1))


@suite.op(quick=False)
def solve_triangular(case: Case) -> Call:
    """A batch of lower triangular n×n systems, n right-hand sides each: torch.linalg.solve_triangular."""
    a = regular(case, Skip(TOO_LARGE))
    return Call(linalg.solve_triangular, a.flip(-2).tril(), case.randn(*a.shape), upper=False)


@suite.op(quick=False)
def cholesky_solve(case: Case) -> Call:
    """A batch of systems solved by Cholesky factors that are given: torch.cholesky_solve."""
    factor = regular(case, Skip(TOO_LARGE)).flip(-2).tril()
    return Call(torch.cholesky_solve, case.randn(*factor.shape[:-1], 1), factor)


@suite.op(quick=False)
def lu_factor(case: Case) -> Call:
    """LU decomposition of a batch of n×n matrices, with row exchanges: torch.linalg.lu_factor."""
    return Call(linalg.lu_factor, regular(case, Skip(TOO_LARGE)))


@suite.op
def inv(case: Case) -> Call:
    """Inverses of a batch of n×n matrices: torch.linalg.inv."""
    return Call(linalg.inv, regular(case, Skip(TOO_LARGE)))


@suite.op(quick=False)
def pinv(case: Case) -> Call:
    """Pseudoinverses of a batch of 2n×n matrices, by singular values: torch.linalg.pinv."""
    return Call(linalg.pinv, regular(case, Skip(TOO_LARGE), most=ITERATED, rows=2))


def least_squares(a: Tensor, b: Tensor, driver: str) -> Any:
    """The solution alone."""
    return linalg.lstsq(a, b, driver=driver).solution


# On the CPU, results of gelsy, the default there, do not repeat (pytorch#187411).
@suite.op(axes=[Axis("driver", ["gels", "gelsd"])], without=["dtype"], quick=False)
def lstsq(case: Case) -> Call:
    """Least squares for a batch of 2n×n systems, by QR (gels) or by singular values (gelsd): torch.linalg.lstsq."""
    if case.device != "cpu" and case["driver"] != "gels":
        raise Skip(ONLY_GELS)
    a = regular(case, Skip(TOO_LARGE), most=ITERATED, rows=2)
    return Call(least_squares, a, case.randn(*a.shape[:-1], 1), driver=case["driver"])


@suite.op(quick=False)
def slogdet(case: Case) -> Call:
    """Sign and logarithm of the determinants of a batch of n×n matrices: torch.linalg.slogdet."""
    return Call(linalg.slogdet, regular(case, Skip(TOO_LARGE)))


@suite.op(quick=False)
def matrix_exp(case: Case) -> Call:
    """Matrix exponentials of a batch of n×n matrices: torch.linalg.matrix_exp."""
    return Call(linalg.matrix_exp, regular(case, Skip(TOO_LARGE), most=ITERATED))


@suite.op(quick=False)
def matrix_power(case: Case) -> Call:
    """Eighth powers of a batch of n×n matrices, by three products: torch.linalg.matrix_power."""
    return Call(linalg.matrix_power, regular(case, Skip(TOO_LARGE)), 8)


def work(case: Case, flop: Terms, read: Terms, written: Terms) -> Work:
    """FLOP by terms of n³ and n², elements read and elements written by terms of n² and n, of each matrix."""
    n, batch = case["n"], case["batch"]
    size = batch * n * case.itemsize
    reads, writes = (size * (square * n + single) for square, single in (read, written))
    return Work(flop=batch * n**2 * (flop[0] * n + flop[1]), read_bytes=reads, written_bytes=writes)


# Leading terms of LAPACK Working Note 41. Of a triangle, half of a matrix is read; pivots are int32, 4 bytes each.
ALL, COLUMN = (1, 0), (0, 1)
solve.work(lambda case: work(case, (2 / 3, 2), (1, 1), COLUMN))
solve_triangular.work(lambda case: work(case, (1, 0), (3 / 2, 1 / 2), ALL))
cholesky_solve.work(lambda case: work(case, (0, 2), (1 / 2, 3 / 2), COLUMN))
lu_factor.work(lambda case: work(case, (2 / 3, 0), ALL, (1, 4 / case.itemsize)))
inv.work(lambda case: work(case, (2, 0), ALL, ALL))
pinv.work(lambda case: work(case, (0, 0), (2, 0), (2, 0)))  # by which route is open
lstsq.work(lambda case: work(case, (10 / 3, 0), (2, 2), COLUMN))
slogdet.work(lambda case: work(case, (2 / 3, 0), ALL, (0, 2 / case["n"])))
matrix_exp.work(lambda case: work(case, (0, 0), ALL, ALL))  # how many products depends on the norm
matrix_power.work(lambda case: work(case, (6, 0), ALL, ALL))


def off(found: Tensor, right: np.ndarray[Any, Any]) -> float:
    """The largest error as a share of the largest value that is right."""
    return float(np.abs(found.numpy() - right).max() / np.abs(right).max())


solve.reference(lambda a, b: np.linalg.solve(a.numpy(), b.numpy()))
solve_triangular.reference(lambda a, b, **_: np.linalg.inv(a.numpy()) @ b.numpy())
cholesky_solve.reference(lambda b, factor: np.linalg.solve((factor @ factor.mT).numpy(), b.numpy()))
inv.reference(lambda a: np.linalg.inv(a.numpy()))
pinv.reference(lambda a: np.linalg.pinv(a.numpy()))
lstsq.reference(lambda a, b, **_: np.linalg.pinv(a.numpy()) @ b.numpy())
slogdet.reference(lambda a: list(np.linalg.slogdet(a.numpy())))
lu_factor.check(lambda a, lu: off(reduce(torch.matmul, lu_unpack(*lu)), a.numpy()))
# Each of k factors adds its error, each squaring of an exponential doubles it.
matrix_power.check(lambda a, k, found: off(found, np.linalg.matrix_power(a, k)) / k)
matrix_exp.check(lambda a, found: off(found, expm(a)) / 4)
