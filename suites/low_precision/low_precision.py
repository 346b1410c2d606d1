"""Linear layers in half types and FP8, beside float32. Run it: bench run low_precision

Do half types and FP8 pay in a layer, on this device?
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench import Axis, Call, Case, Skip, Suite, Work

ADA, HOPPER = (8, 9), (9, 0)
BLOCK, EXPERTS, ROWS, MOST_HALF_FLOP = 128, 8, 36, 2 * 256**3
SLOW = "torch multiplies float16 matrices on the CPU without a fast kernel: seconds per call"
TOO_OLD = "this torch has no such function"
CPU_HAS_NONE = "FP8 with a scale for each block has a kernel for NVIDIA GPUs only"
GPU_HAS_NONE = "FP8 needs compute capability 8.9 or more; with a scale for each block, 9.0 (Hopper)"
BLOCKS = "BlockWise1x128", "BlockWise128x128"  # as DeepSeek-V3 has them
RECIPES = {"tensor": ("TensorWise",) * 2, "row": ("RowWise",) * 2, "block": BLOCKS}

suite = Suite(
    "low_precision",
    axes=[
        # The weights are n×n. n=4096 is Llama 3 8B's hidden size; 3.5n is its feed-forward size, 14336.
        Axis("n", [256, 1024, 4096], quick=[1024]),
        # Rows of the input: one where text is generated token by token, 64 where it is read.
        Axis("batch", [1, 64], quick=[64]),
        Axis("dtype", ["bfloat16"]),
    ],
)
sizes, float8 = Axis("n", [256, 1024, 4096], quick=[256]), Axis("dtype", ["float8_e4m3fn"])
halves = Axis("dtype", ["float32", "bfloat16", "float16"], quick=["float32", "bfloat16"])


def rows_of(case: Case) -> int:
    """Rows of the weights: the layer's outputs."""
    return int(case["n"] * case.values.get("outputs", 1))


def inputs(case: Case) -> tuple[Any, Any]:
    """What the layer is given, and weights that keep it as large as it is."""
    n, rows = case["n"], rows_of(case)
    return case.randn(case["batch"], n), case.randn(rows, n) / n**0.5


@suite.op(axes=[Axis("outputs", {"n": 1.0, "3.5n": 3.5}, quick=["n"]), halves])
def linear(case: Case) -> Call:
    """A layer of n inputs and n or 3.5n outputs, without bias: torch.nn.functional.linear."""
    flop = 2 * case["batch"] * case["n"] * rows_of(case)
    if case.device == "cpu" and case["dtype"] == "float16" and flop > MOST_HALF_FLOP:
        raise Skip(SLOW)
    return Call(functional.linear, *inputs(case))


def autocast(x: Tensor, weight: Tensor, dtype: torch.dtype) -> Tensor:
    """The layer, its inputs and weights cast in each call."""
    with torch.autocast(x.device.type, dtype):
        return functional.linear(x, weight)


@suite.op(quick=False)
def autocast_linear(case: Case) -> Call:
    """A layer of n inputs and outputs in float32, cast to bfloat16 and computed under torch.autocast."""
    x, weight = inputs(case)
    return Call(autocast, x.float(), weight.float(), case.dtype)


@suite.op(axes=[Axis("n", [256, 1024, 2048], quick=[256])], quick=False)
def grouped_linear(case: Case) -> Call:
    """Eight layers of n inputs and outputs for 1, 2, … 8 times batch rows, as experts have: grouped_mm."""
    if not hasattr(functional, "grouped_mm"):
        raise Skip(TOO_OLD)
    n, x = case["n"], case.randn(ROWS * case["batch"], case["n"])
    ends = torch.arange(1, EXPERTS + 1, device=case.device).cumsum(0) * case["batch"]
    return Call(functional.grouped_mm, x, case.randn(EXPERTS, n, n) / n**0.5, offs=ends.int())


def scales_of(case: Case) -> Any:
    """Shapes of the scales of inputs and of weights; those of blocks are stored the other way round."""
    n, batch, blocks = case["n"], case["batch"], case["n"] // BLOCK
    by_block = (blocks, batch), (blocks, max(4, blocks))
    return {"tensor": ((), ()), "row": ((batch, 1), (1, n)), "block": by_block}[case["recipe"]]


@suite.op(axes=[Axis("recipe", [*RECIPES]), sizes, Axis("batch", [64]), float8], quick=False)
def scaled_linear(case: Case) -> Call:
    """A layer of n inputs and outputs in FP8, with a scale for each matrix, row or block: scaled_mm."""
    if not hasattr(functional, "scaled_mm"):
        raise Skip(TOO_OLD)
    is_block = case["recipe"] == "block"
    if is_block and case.device == "cpu":
        raise Skip(CPU_HAS_NONE)
    x, weight = case.randn(case["batch"], case["n"]), case.randn(case["n"], case["n"]).t()
    is_cuda = case.device.startswith("cuda")
    found = torch.cuda.get_device_capability(case.device) if is_cuda else HOPPER
    if found < ADA or (is_block and found[0] != HOPPER[0]):
        raise Skip(GPU_HAS_NONE)
    one, other = (case.rand(shape).float() + 0.5 for shape in scales_of(case))
    one, other = (one.t(), other.t()) if is_block else (one, other)
    kinds = [getattr(functional.ScalingType, name) for name in RECIPES[case["recipe"]]]
    return Call(functional.scaled_mm, x, weight, one, kinds[0], other, kinds[1])


def layer(case: Case, size: int, *, rows: int = 1, layers: int = 1, result: int = 0) -> Work:
    """2 FLOP for each weight and row; inputs and weights read, outputs written, in elements of these sizes."""
    n, batch, outputs = case["n"], rows * case["batch"], rows_of(case)
    read, written = (batch * n + layers * outputs * n) * size, batch * outputs * (result or size)
    return Work(flop=2 * batch * n * outputs, read_bytes=read, written_bytes=written)


linear.work(lambda case: layer(case, case.itemsize))
autocast_linear.work(lambda case: layer(case, 4, result=2))
grouped_linear.work(lambda case: layer(case, 2, rows=ROWS, layers=EXPERTS))


@scaled_linear.work
def scaled_work(case: Case) -> Work:
    """Of a layer, and the scales in float32."""
    found = layer(case, 1, result=2)
    return replace(found, read_bytes=found.read_bytes + 4 * sum(map(prod, scales_of(case))))


for op in (linear, autocast_linear):
    op.reference(lambda x, weight, *_: x.numpy() @ weight.numpy().T)


@grouped_linear.reference
def grouped_product(x: Tensor, weights: Tensor, offs: Tensor) -> Any:
    """Layer by layer."""
    given = np.split(x.numpy(), offs.numpy()[:-1])
    return np.concatenate([a @ b for a, b in zip(given, weights.numpy(), strict=True)])


def scaled_back(x: Tensor, scale: Tensor) -> Any:
    """The numbers that a matrix in FP8 stands for."""
    factors = scale.numpy()
    for axis, size in enumerate(x.shape if factors.ndim else ()):
        factors = factors if factors.shape[axis] in {1, size} else factors.repeat(BLOCK, axis)
    return x.numpy() * (factors[: len(x)] if factors.ndim else factors)


# Products are exact, sums in float32 or a little less, and rounding to bfloat16 is off by 2⁻⁸: twice that.
@scaled_linear.reference(rtol=2**-7)
def scaled_product(x: Tensor, weight: Tensor, one: Tensor, _: Any, other: Tensor, __: Any) -> Any:
    """The product of the numbers that both stand for, by NumPy."""
    return scaled_back(x, one) @ scaled_back(weight, other)
