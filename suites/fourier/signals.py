"""Short-time Fourier transforms and convolution by FFT. Run it: bench run fourier

From which length of the kernel on is a convolution by FFT faster?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d

from bench import Axis, Call, Case, Suite, Work

LENGTH = 16_384  # of the signal that is convolved
WINDOW, HOP = 400, 160  # Whisper: windows of 25 ms every 10 ms, of 16,000 samples a second

suite = Suite(
    "fourier",
    axes=[
        Axis("n", [1600, 16_000, 160_000, 480_000], quick=[16_000]),  # 0.1 to 30 seconds
        Axis("dtype", ["float32", "float64"], quick=["float32"]),
    ],
)


def windows(case: Case) -> tuple[int, int, int, Tensor]:
    """Size, step, length and weights of the windows: Hann's, which fade in and out."""
    return WINDOW, HOP, WINDOW, torch.hann_window(WINDOW, dtype=case.dtype, device=case.device)


@suite.op
def stft(case: Case) -> Call:
    """Short-time Fourier transform of n samples, a window of 400 every 160 samples: torch.stft."""
    x = case.randn(case["n"])
    return Call(torch.stft, x, *windows(case), pad_mode="constant", return_complex=True)


@suite.op(quick=False)
def istft(case: Case) -> Call:
    """N samples from their short-time Fourier transform, a window of 400 every 160: torch.istft."""
    x, given = case.randn(case["n"]), windows(case)
    spectra = torch.stft(x, *given, pad_mode="constant", return_complex=True)
    return Call(torch.istft, spectra, *given, length=case["n"])


def by_fft(x: Tensor, kernel: Tensor) -> Tensor:
    """The convolution as a product of spectra, of twice the length so that nothing wraps around."""
    size = 2 * len(x)
    product = torch.fft.rfft(x, size) * torch.fft.rfft(kernel, size)
    both: Tensor = torch.fft.irfft(product, size)
    return both[: len(x) + len(kernel) - 1]


def direct(x: Tensor, kernel: Tensor) -> Tensor:
    """The convolution as sums of products: conv1d, which does not reverse its kernel."""
    return conv1d(x[None, None], kernel.flip(0)[None, None], padding=len(kernel) - 1)[0, 0]


@suite.op(
    axes=[
        Axis("n", [4, 16, 64, 256, 1024, 4096], quick=[16]),
        Axis("call", {"fft": by_fft, "conv1d": direct}),
    ],
    without=["dtype"],
)
def convolve(case: Case) -> Call:
    """Convolution of 16,384 samples with a kernel of n, by torch.fft or by conv1d."""
    return Call(case["call"], case.randn(LENGTH), case.randn(case["n"]))


def work(case: Case, read: float, written: float) -> Work:
    """Bytes of so many elements; how many FLOP are needed depends on the algorithm."""
    return Work(read_bytes=read * case.itemsize, written_bytes=written * case.itemsize)


def numbers(case: Case) -> float:
    """Real numbers in a short-time transform: two for each of 201 frequencies and each window."""
    return float(2 * (WINDOW // 2 + 1) * (case["n"] // HOP + 1))


stft.work(lambda case: work(case, case["n"] + WINDOW, numbers(case)))
istft.work(lambda case: work(case, numbers(case) + WINDOW, case["n"]))
convolve.work(lambda case: work(case, LENGTH + case["n"], LENGTH + case["n"] - 1))


@stft.reference
def spectra_of(x: Tensor, size: int, hop: int, _: int, weights: Tensor, **__: Any) -> Any:
    """The transform of each window in float64, by NumPy."""
    every = np.lib.stride_tricks.sliding_window_view(np.pad(x.numpy(), size // 2), size)
    return np.fft.rfft(every[::hop] * weights.numpy()).T


@istft.check
def has_spectra(spectra: Tensor, *given: Any, length: int) -> float:
    """The samples have this short-time transform."""
    *windows_given, found = given
    off = np.abs(spectra_of(found, *windows_given) - spectra.numpy()).max()
    return float(off / spectra.abs().max()) if len(found) == length else np.inf


# cuDNN may multiply in TF32, which has 10 bits.
convolve.reference(rtol=2e-3)(lambda x, kernel: np.convolve(x.numpy(), kernel.numpy()))
