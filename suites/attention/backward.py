"""Attention, forward and backward: the gradients of queries, keys and values. Run it: bench run attention

Is the same backend fastest with the backward pass?
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.backends import cuda
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention as sdpa

from bench import Axis, Call, Case, Skip, Suite, Work

GPT2, LLAMA = (12, 12, 64), (32, 8, 128)  # heads of queries, heads of keys and values, head size
FLASH, EFFICIENT, CUDNN = "FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION"
BACKENDS = {"auto": "", "math": "MATH", "flash": FLASH, "efficient": EFFICIENT, "cudnn": CUDNN}
NO_KERNEL = "torch says that it has no such kernel for these inputs on this GPU"

suite = Suite(
    "attention",
    axes=[
        # n tokens of one sequence: GPT-2's context is 1024.
        Axis("n", [64, 256, 1024], quick=[64]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        # auto is torch's choice. sdpa_kernel sets another in each call, which takes microseconds itself.
        Axis("backend", BACKENDS, quick=["auto"]),
    ],
)


def refusal(case: Case) -> str:
    """Why the device has no such kernel (torch's sdp_utils.cpp); else empty."""
    backend, on_cpu = case["backend"], case.device == "cpu"
    if not on_cpu and case["dtype"] == "float32" and backend in {FLASH, CUDNN}:
        return "on a GPU this backend takes float16 and bfloat16 only"
    if on_cpu and backend in {EFFICIENT, CUDNN}:
        return "this backend needs a GPU: the CPU has math and flash"
    return ""


def gradients(attention: Any, qkv: list[Tensor], slope: Tensor, **how: Any) -> tuple[Tensor, ...]:
    """Forward, then backward; the gradients are returned and kept nowhere."""
    return torch.autograd.grad(attention(*qkv, **how), qkv, slope)


def attend(*qkv: Any, backend: str, **how: Any) -> Tensor:
    """Attention by this backend, or by torch's choice."""
    with sdpa_kernel(getattr(SDPBackend, backend)) if backend else nullcontext():
        return sdpa(*qkv, **how)


def in_steps(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention by its formula: all scores, their softmax, and the product with the values."""
    return torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) @ v


def inputs(case: Case, heads: tuple[int, int, int] = GPT2) -> tuple[list[Any], Any]:
    """Queries, keys and values of one sequence, 1 × heads × tokens × head size, and the slope."""
    n, (of_queries, of_keys, size) = case["n"], heads
    qkv = [
        case.randn(1, count, n, size).requires_grad_() for count in (of_queries, of_keys, of_keys)
    ]
    return qkv, case.randn(1, of_queries, n, size)


def by_backend(
    case: Case, heads: tuple[int, int, int] = GPT2, *, is_causal: bool = False, gqa: bool = False
) -> Call:
    """The call, unless torch says that this GPU has no such kernel for the inputs."""
    (q, k, v), slope = inputs(case, heads)
    can_use: Any = getattr(cuda, f"can_use_{case['backend'].lower()}", None)
    params = cuda.SDPAParams(q, k, v, None, 0.0, is_causal, gqa)
    if case.device != "cpu" and can_use and not can_use(params):
        raise Skip(NO_KERNEL)
    how: Any = {"backend": case["backend"], "is_causal": is_causal, "enable_gqa": gqa}
    return Call(gradients, attend, [q, k, v], slope, **how)


@suite.op(quick=False)
def full_backward(case: Case) -> Call:
    """Forward and backward of attention of n tokens to n: 12 heads of size 64, as in GPT-2 small."""
    if reason := refusal(case):
        raise Skip(reason)
    return by_backend(case)


@suite.op
def causal_backward(case: Case) -> Call:
    """Forward and backward of causal attention: is_causal=True, 12 heads of size 64."""
    if reason := refusal(case):
        raise Skip(reason)
    return by_backend(case, is_causal=True)


@suite.op(quick=False, axes=[Axis("n", [32, 128, 512], quick=[32])])
def gqa_backward(case: Case) -> Call:
    """Forward and backward of causal attention of 32 heads to 8 of keys and values, of size 128, as in Llama 3 8B."""
    if reason := refusal(case):
        raise Skip(reason)
    return by_backend(case, LLAMA, is_causal=True, gqa=True)


@suite.op(quick=False, without=["backend"])
def by_hand_backward(case: Case) -> Call:
    """Forward and backward of the formula softmax(q kᵀ / √64) v, which full computes too."""
    return Call(gradients, in_steps, *inputs(case))


def work(case: Case, heads: tuple[int, int, int] = GPT2, share: float = 1) -> Work:
    """Six products of 2 FLOP per query, key and number, half if causal: flash attention has a seventh."""
    n, size, (of_queries, of_keys, numbers) = case["n"], case.itemsize, heads
    queries, keys = of_queries * n * numbers * size, of_keys * n * numbers * size
    flop = 12 * of_queries * n**2 * numbers * share
    return Work(flop=flop, read_bytes=2 * (queries + keys), written_bytes=queries + 2 * keys)


full_backward.work(work)
by_hand_backward.work(work)
causal_backward.work(partial(work, share=1 / 2))
gqa_backward.work(partial(work, heads=LLAMA, share=1 / 2))


@full_backward.reference(atol=1e-4)
@causal_backward.reference(atol=1e-4)
@gqa_backward.reference(atol=1e-4)
@by_hand_backward.reference
def gradients_by_formula(_: object, qkv: list[Tensor], slope: Tensor, **how: Any) -> object:
    """The chain rule by NumPy; the gradients of shared keys and values are sums over their heads."""
    q, k, v, g = (one.numpy()[0] for one in (*qkv, slope))
    shared, root = len(q) // len(k), q.shape[-1] ** 0.5
    k, v = np.repeat(k, shared, axis=0), np.repeat(v, shared, axis=0)
    scores = q @ k.swapaxes(1, 2) / root
    if how.get("is_causal"):
        scores += np.triu(np.full(scores.shape[1:], -np.inf), 1)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    slopes = weights * (g @ v.swapaxes(1, 2))
    slopes -= weights * slopes.sum(axis=-1, keepdims=True)
    found = slopes @ k / root, slopes.swapaxes(1, 2) @ q / root, weights.swapaxes(1, 2) @ g
    of_keys = [one.reshape(-1, shared, *one.shape[1:]).sum(axis=1)[None] for one in found[1:]]
    return [found[0][None], *of_keys]
