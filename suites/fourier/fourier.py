"""Discrete Fourier transforms and complex arithmetic. Run it: bench run fourier

What do transforms of lengths cost that are primes, beside powers of two?
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench import Axis, Call, Case, Suite, Work

if TYPE_CHECKING:
    from collections.abc import Callable

suite = Suite(
    "fourier",
    axes=[
        # Powers of two, and primes beside them, which no factorisation makes shorter.
        Axis("n", [16, 127, 128, 1021, 1024, 65_536, 65_537], quick=[1021, 1024]),
        Axis("dtype", ["complex64", "complex128"], quick=["complex64"]),
    ],
)
batch = Axis("batch", [1, 64], quick=[1])
real = Axis("dtype", ["float32", "float64"], quick=["float32"])
elements = Axis("n", [16, 1024, 65_536, 4_194_304], quick=[65_536])
side = Axis("n", [16, 127, 128, 1021, 1024], quick=[127, 128])


@suite.op(axes=[batch])
def fft(case: Case) -> Call:
    """Transforms of a batch of n complex numbers: torch.fft.fft."""
    return Call(torch.fft.fft, case.randn(case["batch"], case["n"]))


@suite.op(axes=[batch], quick=False)
def ifft(case: Case) -> Call:
    """Inverse transforms of a batch of n complex numbers: torch.fft.ifft."""
    return Call(torch.fft.ifft, case.randn(case["batch"], case["n"]))


@suite.op(axes=[batch, real])
def rfft(case: Case) -> Call:
    """Transforms of a batch of n real numbers, half of the spectrum: torch.fft.rfft."""
    return Call(torch.fft.rfft, case.randn(case["batch"], case["n"]))


@suite.op(axes=[batch], quick=False)
def irfft(case: Case) -> Call:
    """A batch of n real numbers from half of their spectrum: torch.fft.irfft."""
    spectrum = torch.fft.rfft(case.randn(case["batch"], case["n"]).real)
    return Call(torch.fft.irfft, spectrum, case["n"])


@suite.op(axes=[side], quick=False)
def fft2(case: Case) -> Call:
    """The transform of an image of n×n complex numbers: torch.fft.fft2."""
    return Call(torch.fft.fft2, case.randn(case["n"], case["n"]))


@suite.op(axes=[side, real], quick=False)
def rfft2(case: Case) -> Call:
    """The transform of an image of n×n real numbers, half of the spectrum: torch.fft.rfft2."""
    return Call(torch.fft.rfft2, case.randn(case["n"], case["n"]))


@suite.op(axes=[Axis("n", [8, 31, 32, 127, 128], quick=[31, 32])], quick=False)
def fftn(case: Case) -> Call:
    """The transform of a volume of n×n×n complex numbers: torch.fft.fftn."""
    return Call(torch.fft.fftn, case.randn(case["n"], case["n"], case["n"]))


@suite.op(axes=[side], quick=False)
def fftshift(case: Case) -> Call:
    """The quarters of a spectrum of n×n exchanged, so that frequency zero is in the middle: torch.fft.fftshift."""
    return Call(torch.fft.fftshift, case.randn(case["n"], case["n"]))


@suite.op(axes=[elements], quick=False)
def multiply(case: Case) -> Call:
    """Products of two vectors of n complex numbers, element by element: torch.mul."""
    return Call(torch.mul, case.randn(case["n"]), case.randn(case["n"]))


@suite.op(axes=[elements], quick=False)
def magnitude(case: Case) -> Call:
    """Absolute values of n complex numbers: torch.abs."""
    return Call(torch.abs, case.randn(case["n"]))


@suite.op(axes=[elements], quick=False)
def angle(case: Case) -> Call:
    """Angles of n complex numbers: torch.angle."""
    return Call(torch.angle, case.randn(case["n"]))


def complex_flop(n: int) -> float:
    """FLOP of n complex numbers by split radix (Yavne, 1968): fewer than the customary 5 n log2 n."""
    return max(0, 4 * n * math.log2(n) - 6 * n + 8)


def real_flop(n: int) -> float:
    """FLOP of n real numbers, less than half as many."""
    return max(0, complex_flop(n) / 2 - n)


# The FLOP that are needed, elements read, elements written, all in the case's dtype.
COUNTS: dict[Any, Callable[[int], tuple[float, float, float]]] = {
    fft: lambda n: (complex_flop(n), n, n),
    ifft: lambda n: (complex_flop(n), n, n),
    rfft: lambda n: (real_flop(n), n, 2 * (n // 2 + 1)),
    irfft: lambda n: (real_flop(n), n // 2 + 1, n / 2),
    fft2: lambda n: (2 * n * complex_flop(n), n**2, n**2),
    rfft2: lambda n: (n * real_flop(n) + n // 2 * complex_flop(n), n**2, 2 * n * (n // 2 + 1)),
    fftn: lambda n: (3 * n**2 * complex_flop(n), n**3, n**3),
    fftshift: lambda n: (0, n**2, n**2),
    multiply: lambda n: (6 * n, 2 * n, n),
    magnitude: lambda n: (0, n, n / 2),
    angle: lambda n: (0, n, n / 2),
}


def work(of: Callable[[int], tuple[float, float, float]], case: Case) -> Work:
    """The counts as FLOP and bytes, of all transforms of a batch."""
    many = case.values.get("batch", 1)
    flop, read, written = (many * count for count in of(case["n"]))
    return Work(flop=flop, read_bytes=read * case.itemsize, written_bytes=written * case.itemsize)


def by_numpy(function: Callable[..., object], *given: Any) -> object:
    """The same by NumPy."""
    return function(*(one.numpy() if torch.is_tensor(one) else one for one in given))


ELSEWHERE: dict[str, Any] = {"multiply": np.multiply, "magnitude": np.abs, "angle": np.angle}
for op, of in COUNTS.items():
    op.work(partial(work, of))
    op.reference(partial(by_numpy, ELSEWHERE.get(op.name) or getattr(np.fft, op.name)))
