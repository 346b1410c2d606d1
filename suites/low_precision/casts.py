"""Quantization: casts to half types and FP8, int8 with a scale, and back. Run it: bench run low_precision

What does it cost to get into low precision and out of it?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import Axis, Call, Case, Suite, Work

# Scales are powers of two, by which division is exact: so a reference rounds to the same number.
SCALE, LOW, HIGH = 1 / 32, -128, 127
LARGEST, EXACT = 448, 1e-6  # the largest float8_e4m3fn
# dtype → bits of its mantissa, exponent of its smallest normal number.
FORMATS = {
    "bfloat16": (7, -126),
    "float16": (10, -14),
    "float8_e4m3fn": (3, -6),
    "float8_e5m2": (2, -14),
}

suite = Suite(
    "low_precision",
    axes=[
        # n is the side of a square matrix: from 16 KB to 64 MB in float32.
        Axis("n", [64, 256, 1024, 4096], quick=[1024]),
    ],
)
to = Axis("to", list(FORMATS), quick=["bfloat16", "float8_e4m3fn"])
types = Axis("dtype", list(FORMATS), quick=["bfloat16", "float8_e4m3fn"])


def n_by_n(case: Case) -> Any:
    """A matrix of normal values."""
    return case.randn(case["n"], case["n"])


@suite.op(axes=[to])
def cast_down(case: Case) -> Call:
    """An n×n matrix in float32 into one in a half type or FP8: Tensor.to."""
    return Call(Tensor.to, n_by_n(case), getattr(torch, case["to"]))


@suite.op(axes=[types])
def cast_up(case: Case) -> Call:
    """An n×n matrix in a half type or FP8 into one in float32: Tensor.to."""
    return Call(Tensor.to, n_by_n(case), torch.float32)


def scaled_to_float8(x: Tensor) -> list[Tensor]:
    """Each row by a scale of its own, so that its largest element is FP8's largest number."""
    scale = x.abs().amax(dim=1, keepdim=True) / LARGEST
    return [(x / scale).to(torch.float8_e4m3fn), scale]


@suite.op(quick=False)
def scale_to_float8(case: Case) -> Call:
    """An n×n matrix into FP8 with a scale for each row, found in the call: amax, division, cast."""
    return Call(scaled_to_float8, n_by_n(case))


def rounded_to_int8(x: Tensor, scale: float) -> Tensor:
    """As torchao does it: division, rounding, limits, cast."""
    return (x / scale).round().clamp(LOW, HIGH).to(torch.int8)


@suite.op
def to_int8(case: Case) -> Call:
    """An n×n matrix into int8, by a scale that is known: division, round, clamp, cast."""
    return Call(rounded_to_int8, n_by_n(case), SCALE)


def scaled_back(x: Tensor, scale: float) -> Tensor:
    """The numbers that int8 with a scale stands for."""
    return x.to(torch.float32) * scale


@suite.op(quick=False)
def dequantize(case: Case) -> Call:
    """An n×n matrix from int8 into float32, by a scale that is known: cast, product."""
    codes = case.ints(case["n"], case["n"], low=LOW, high=HIGH + 1).to(torch.int8)
    return Call(scaled_back, codes, SCALE)


@suite.op(quick=False)
def fake_quantize(case: Case) -> Call:
    """An n×n matrix in float32 rounded as if to int8, as in training for it: fake_quantize_per_tensor_affine."""
    return Call(torch.fake_quantize_per_tensor_affine, n_by_n(case), SCALE, 0, LOW, HIGH)


def moved(case: Case, read: int, written: int, row: int = 0) -> Work:
    """Bytes for each of n² elements, and more that are written for each of n rows."""
    n = case["n"]
    return Work(read_bytes=read * n * n, written_bytes=(written * n + row) * n)


cast_down.work(lambda case: moved(case, 4, getattr(torch, case["to"]).itemsize))
cast_up.work(lambda case: moved(case, case.itemsize, 4))
scale_to_float8.work(lambda case: moved(case, 4, 1, 4))
dequantize.work(lambda case: moved(case, 1, 4))
fake_quantize.work(lambda case: moved(case, 4, 4))
to_int8.work(lambda case: moved(case, 4, 1))


@cast_down.reference(rtol=EXACT)
def cast_down_reference(x: Tensor, to: torch.dtype) -> Any:
    """The nearest number of the format, by NumPy; of two equally near the even one."""
    bits, least = FORMATS[str(to).removeprefix("torch.")]
    exponents = np.maximum(np.frexp(x.numpy())[1] - 1, least)
    return np.ldexp(np.round(np.ldexp(x.numpy(), bits - exponents)), exponents - bits)


@scale_to_float8.check
def scale_to_float8_check(x: Tensor, result: list[Tensor]) -> bool:
    """Each element is off by half a unit of FP8 at most, and the largest of each row is 448."""
    codes, scale = result
    off = (codes * scale - x).abs() / (x.abs() + scale * 2**-6)
    return bool(off.max() <= 2**-4) and bool((codes.abs().amax(dim=1) == LARGEST).all())


def nearest(x: Tensor, scale: Any) -> Any:
    """The whole number of steps that is nearest, by NumPy."""
    return np.clip(np.round(x.numpy() / scale), LOW, HIGH)


cast_up.reference(rtol=EXACT)(lambda x, _: x)
to_int8.reference(nearest)
dequantize.reference(lambda x, scale: x.numpy() * scale)


@fake_quantize.reference
def steps(x: Tensor, scale: Any, *_: Any) -> Any:
    """What the nearest number of steps stands for."""
    return nearest(x, scale) * scale
