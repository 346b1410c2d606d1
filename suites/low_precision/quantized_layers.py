"""Linear layers with int8 and int4 weights, beside bfloat16. Run it: bench run low_precision

Do int8 and int4 weights pay?
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import Axis, Call, Case, Skip, Suite, Work

GROUP, INNER_TILES, AMPERE = 64, 8, (8, 0)
TOO_FEW_ROWS = "torch._int_mm takes 17 rows or more on a GPU"
GPU_TOO_OLD = "torch's int4 kernel needs an NVIDIA GPU of compute capability 8.0 or more"
CPU_ONLY = "torch.ops.quantized.linear_dynamic has a kernel for the CPU only"
LACKING = "this torch lacks the function, which is private or deprecated, or an engine for it"

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
wide = Axis("outputs", {"n": 1.0, "3.5n": 3.5}, quick=["n"])
int8 = Axis("dtype", ["int8"])


def rows_of(case: Case) -> int:
    """Rows of the weights: the layer's outputs."""
    return int(case["n"] * case.values.get("outputs", 1))


def codes(case: Case, low: int, high: int) -> Any:
    """Weights as whole numbers from low to high."""
    drawn = case.rand(rows_of(case), case["n"]) * (high - low) + low
    return drawn.round().to(torch.int8)


def whole(case: Case, rows: int) -> Any:
    """Rows of n whole numbers from -127 to 127."""
    return case.ints(rows, case["n"], low=-127, high=128)


@suite.op(axes=[int8], quick=False)
def int8_matmul(case: Case) -> Call:
    """Inputs in int8 times weights in int8, into int32: torch._int_mm, a private function of torch."""
    if case["batch"] == 1 and case.device != "cpu":
        raise Skip(TOO_FEW_ROWS)
    if not hasattr(torch, "_int_mm"):
        raise Skip(LACKING)
    x, weight = whole(case, case["batch"]), whole(case, case["n"])
    return Call(torch._int_mm, x, weight.t())  # noqa: SLF001 - there is no public one


@suite.op(axes=[wide], quick=False)
def int8_weights(case: Case) -> Call:
    """A layer in bfloat16, its weights in int8 with a scale for each row: torch._weight_int8pack_mm, private."""
    if not hasattr(torch, "_weight_int8pack_mm"):
        raise Skip(LACKING)
    x, scales = case.randn(case["batch"], case["n"]), case.rand(rows_of(case)) / 64
    weight = codes(case, -127, 127)
    return Call(torch._weight_int8pack_mm, x, weight, scales)  # noqa: SLF001 - there is no public one


def int4(product: Any, x: Tensor, weight: Tensor, scales: Tensor, _: Tensor) -> Any:
    """The layer; who checks it has its weights once more, unpacked."""
    return product(x, weight, GROUP, scales)


@suite.op(axes=[wide])
def int4_weights(case: Case) -> Call:
    """A layer in bfloat16, its weights in int4, each 64 with scale and zero: torch._weight_int4pack_mm, private."""
    on = "_for_cpu" if case.device == "cpu" else ""
    if not hasattr(torch, f"_weight_int4pack_mm{on}"):
        raise Skip(LACKING)
    x, weight, groups = case.randn(case["batch"], case["n"]), codes(case, 0, 15), case["n"] // GROUP
    if case.device.startswith("cuda") and torch.cuda.get_device_capability(case.device) < AMPERE:
        raise Skip(GPU_TOO_OLD)
    pairs = (weight[:, ::2] << 4 | weight[:, 1::2]).view(torch.uint8)
    pack = getattr(torch, f"_convert_weight_to_int4pack{on}")
    packed = pack(weight.int() if on else pairs, INNER_TILES)
    scales = (case.rand(groups, rows_of(case), 2) - 0.5) / 8
    return Call(int4, getattr(torch, f"_weight_int4pack_mm{on}"), x, packed, scales, weight)


def dynamic(x: Tensor, packed: Any, _: Tensor) -> Any:
    """The layer; who checks it has its weights once more, unpacked."""
    return torch.ops.quantized.linear_dynamic(x, packed, reduce_range=True)


@suite.op(axes=[int8], quick=False)
def dynamic_linear(case: Case) -> Call:
    """A layer in float32, its weights in int8, its inputs brought to int8 in each call: linear_dynamic."""
    if case.device != "cpu":
        raise Skip(CPU_ONLY)
    if torch.backends.quantized.engine == "none" or not hasattr(torch, "quantize_per_tensor"):
        raise Skip(LACKING)
    x, weight = whole(case, case["batch"]) / 64, whole(case, case["n"]) / 64
    with warnings.catch_warnings(action="ignore"):  # that torch's quantized dtypes are deprecated
        quantized = torch.quantize_per_tensor(weight, 1 / 64, 0, torch.qint8)
        packed = torch.ops.quantized.linear_prepack(quantized, None)
    return Call(dynamic, x, packed, weight)


def layer(case: Case, weight: float, x: int, result: int, more: float = 0) -> Work:
    """2 FLOP for each weight and row; weights, inputs and outputs in elements of these sizes, and more bytes read."""
    n, batch, rows = case["n"], case["batch"], rows_of(case)
    read = rows * n * weight + batch * n * x + more
    return Work(flop=2 * batch * n * rows, read_bytes=read, written_bytes=batch * rows * result)


int8_matmul.work(lambda case: layer(case, 1, 1, 4))
int8_weights.work(lambda case: layer(case, 1, 2, 2, 2 * rows_of(case)))
int4_weights.work(lambda case: layer(case, 1 / 2 + 4 / GROUP, 2, 2))
dynamic_linear.work(lambda case: layer(case, 1, 4, 4))

# Inputs of ±2 are brought to 128 steps of 1/32, and so are off by up to 1/64.
dynamic_linear.reference(rtol=2**-5)(lambda x, _, weight: x.numpy() @ weight.numpy().T)
int8_matmul.reference(lambda x, weight: x.double().numpy() @ weight.double().numpy())


@int8_weights.reference
def int8_weights_reference(x: Tensor, weight: Tensor, scales: Tensor) -> Any:
    """The product with the weights that these stand for, by NumPy."""
    return x.numpy() @ weight.numpy().T * scales.numpy()


@int4_weights.reference
def int4_weights_reference(*given: Any) -> Any:
    """The product with the weights that these stand for, (q - 8)·scale + zero, by NumPy."""
    _, x, _, pairs, weight = given
    scale, zero = np.moveaxis(pairs.numpy().repeat(GROUP, axis=0), 2, 0)
    return x.numpy() @ ((weight.numpy().T - 8) * scale + zero)
