"""Scaled dot-product attention by backend: full, causal, grouped, decoding, masked. Run it: bench run attention

Which backend of attention is fastest at which length?
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
LARGEST_HALF_ON_CPU, LARGEST_MATH_ON_CPU = 256, 1024**2
NO_KERNEL = "torch says that it has no such kernel for these inputs on this GPU"

suite = Suite(
    "attention",
    axes=[
        # n tokens of one sequence: GPT-2's context is 1024, Llama 2's 4096, Llama 3's 8192.
        Axis("n", [64, 256, 1024, 4096], quick=[256]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        # auto is torch's choice. sdpa_kernel sets another in each call, which takes microseconds itself.
        Axis("backend", BACKENDS),
    ],
)
to_1024 = Axis("n", [64, 256, 1024], quick=[64])


def refusal(case: Case, *, queries: int = 0) -> str:
    """Why the device has no such kernel (torch's sdp_utils.cpp), or none that is fast; else empty."""
    n, dtype, backend, on_cpu = case["n"], case["dtype"], case["backend"], case.device == "cpu"
    if not on_cpu and dtype == "float32" and backend in {FLASH, CUDNN}:
        return "on a GPU this backend takes float16 and bfloat16 only"
    if on_cpu and backend in {EFFICIENT, CUDNN}:
        return "this backend needs a GPU: the CPU has math and flash"
    if on_cpu and dtype == "float16" and n > LARGEST_HALF_ON_CPU:
        return "without AVX512-FP16 a CPU multiplies in float16 slowly: seconds per call"
    if on_cpu and backend == "MATH" and (queries or n) * n > LARGEST_MATH_ON_CPU:
        return "math writes the scores of all heads to memory: a second and more per call"
    return ""


def qkv(case: Case, heads: tuple[int, int, int] = GPT2, *, queries: int = 0) -> list[Tensor]:
    """Queries, keys and values of one sequence: 1 × heads × tokens × head size."""
    n, (of_queries, of_keys, size) = case["n"], heads
    shapes = [(1, of_queries, queries or n, size), *[(1, of_keys, n, size)] * 2]
    return [case.randn(shape) for shape in shapes]


def attend(backend: str, *inputs: Any, **how: Any) -> Tensor:
    """Attention of queries, keys, values and a mask, by this backend or by torch's choice."""
    with sdpa_kernel(getattr(SDPBackend, backend)) if backend else nullcontext():
        return sdpa(*inputs, **how)


def by_backend(case: Case, *inputs: Any, is_causal: bool = False, enable_gqa: bool = False) -> Call:
    """The call, unless torch says that this GPU has no such kernel for the inputs."""
    q, k, v, mask = (*inputs, None)[:4]
    can_use: Any = getattr(cuda, f"can_use_{case['backend'].lower()}", None)
    params = cuda.SDPAParams(q, k, v, mask, 0.0, is_causal, enable_gqa)
    if case.device != "cpu" and can_use and not can_use(params):
        raise Skip(NO_KERNEL)
    return Call(attend, case["backend"], *inputs, is_causal=is_causal, enable_gqa=enable_gqa)


@suite.op(axes=[Axis("dtype", ["float32", "bfloat16", "float16"], quick=["float32"])])
def full(case: Case) -> Call:
    """Attention of n tokens to n tokens: 12 heads of size 64, as in GPT-2 small and BERT base."""
    if reason := refusal(case):
        raise Skip(reason)
    return by_backend(case, *qkv(case))


@suite.op
def causal(case: Case) -> Call:
    """Attention of n tokens, each to those up to itself: is_causal=True, 12 heads of size 64."""
    if reason := refusal(case):
        raise Skip(reason)
    return by_backend(case, *qkv(case), is_causal=True)


@suite.op(quick=False, axes=[to_1024])
def gqa(case: Case) -> Call:
    """Causal attention of 32 heads of queries to 8 of keys and values, of size 128, as in Llama 3 8B."""
    if reason := refusal(case):
        raise Skip(reason)
    return by_backend(case, *qkv(case, LLAMA), is_causal=True, enable_gqa=True)


@suite.op(axes=[Axis("n", [64, 1024, 8192], quick=[1024])])
def decode(case: Case) -> Call:
    """Attention of one new token to n cached ones: 32 heads of queries, 8 of keys, as in Llama 3 8B."""
    if reason := refusal(case, queries=1):
        raise Skip(reason)
    return by_backend(case, *qkv(case, LLAMA, queries=1), enable_gqa=True)


@suite.op(quick=False, axes=[Axis("n", [64, 1024], quick=[64]), Axis("mask", ["bool", "float"])])
def masked(case: Case) -> Call:
    """What causal computes, by an n×n mask of booleans, or of 0 and -inf, instead of is_causal=True."""
    if reason := refusal(case):
        raise Skip(reason)
    n, later = case["n"], case.ones(case["n"], case["n"]).triu(1) > 0
    mask = ~later if case["mask"] == "bool" else case.zeros(n, n).masked_fill(later, -torch.inf)
    return by_backend(case, *qkv(case), mask)


def work(
    case: Case, heads: tuple[int, int, int] = GPT2, *, queries: int = 0, share: float = 1
) -> Work:
    """4 FLOP per query, key and number of a head, half if causal (arXiv:2307.08691, section 4.1)."""
    n, size, (of_queries, of_keys, numbers) = case["n"], case.itemsize, heads
    asked, per_pair = of_queries * (queries or n) * numbers, {"bool": 1, "float": size, "": 0}
    mask = n * n * per_pair[case.values.get("mask", "")]
    read = (asked + 2 * of_keys * n * numbers) * size + mask
    return Work(flop=4 * asked * n * share, read_bytes=read, written_bytes=asked * size)


full.work(work)
causal.work(partial(work, share=1 / 2))
masked.work(partial(work, share=1 / 2))
gqa.work(partial(work, heads=LLAMA, share=1 / 2))
decode.work(partial(work, heads=LLAMA, queries=1))


# On a GPU efficient multiplies numbers of float32 as three of TF32 each, hence atol.
@full.reference(atol=1e-5)
@causal.reference(atol=1e-5)
@gqa.reference(atol=1e-5)
@decode.reference(atol=1e-5)
@masked.reference(atol=1e-5)
def attended(_: object, *inputs: Tensor, is_causal: bool = False, **__: bool) -> object:
    """Head by head by NumPy: the scores of all heads take gigabytes. A mask is that of causal."""
    q, k, v = (one.numpy()[0] for one in inputs[:3])
    shared, results = len(q) // len(k), []
    later = np.triu_indices(len(k[0]), 1) if is_causal or inputs[3:] else slice(0)
    for head, queries in enumerate(q):
        scores = queries @ k[head // shared].T / q.shape[-1] ** 0.5
        scores[later] = -np.inf
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        results.append(weights @ v[head // shared] / weights.sum(axis=-1, keepdims=True))
    return np.stack(results)[None]
