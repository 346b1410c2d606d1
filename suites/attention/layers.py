"""Layers of a transformer, rotary embedding and the cache of keys. Run it: bench run attention

What do the layers of a transformer cost around its attention, and appending to a cache of keys?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module, MultiheadAttention, TransformerEncoderLayer

from bench import Axis, Call, Case, Suite, Work

WIDTH, HIDDEN, HEADS = 768, 3072, 12  # of GPT-2 small and BERT base, below of Llama 3 8B
QUERY_HEADS, KEY_HEADS, HEAD_SIZE = 32, 8, 128

suite = Suite(
    "attention",
    axes=[
        # n tokens of one sequence: GPT-2's context is 1024, Llama 2's 4096.
        Axis("n", [64, 256, 1024, 4096], quick=[64]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
    ],
)
layer_axes = [
    Axis("n", [16, 64, 256, 1024], quick=[16]),
    # Without dropout both compute the same; in eval torch takes a kernel of its own (its fast path).
    Axis("phase", ["eval", "train"], quick=["eval"]),
]


def filled(case: Case, layer: Module) -> tuple[Module, list[Any]]:
    """The layer with weights of the case, which need no gradients; and these."""
    layer.to_empty(device=case.device).requires_grad_(requires_grad=False)
    for weight in layer.parameters():
        weight.copy_(case.randn(*weight.shape) / weight.shape[-1] ** 0.5)
    return layer.train(case["phase"] == "train"), list(layer.parameters())


def attend(layer: Module, x: Tensor, _: list[Tensor]) -> object:
    """The layer's outputs. Its weights are in it; they are named again for who checks and counts."""
    return layer(x, x, x, need_weights=False)[0]


def forward(layer: Module, x: Tensor, _: list[Tensor]) -> object:
    """As above."""
    return layer(x)


@suite.op(quick=False, axes=layer_axes)
def multi_head(case: Case) -> Call:
    """nn.MultiheadAttention of n tokens to themselves: 768 wide, 12 heads, as in BERT base."""
    how: Any = {"batch_first": True, "device": "meta", "dtype": case.dtype}
    layer, weights = filled(case, MultiheadAttention(WIDTH, HEADS, **how))
    return Call(attend, layer, case.randn(1, case["n"], WIDTH), weights)


@suite.op(axes=layer_axes)
def encoder_layer(case: Case) -> Call:
    """nn.TransformerEncoderLayer of n tokens: 768 wide, 12 heads, 3072 hidden, ReLU, no dropout."""
    how: Any = {"dropout": 0.0, "batch_first": True, "device": "meta", "dtype": case.dtype}
    layer, weights = filled(case, TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, **how))
    return Call(forward, layer, case.randn(1, case["n"], WIDTH), weights)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Each number of the first half and its partner in the second, turned by an angle."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


@suite.op
def rope(case: Case) -> Call:
    """Rotary position embedding of the queries of n tokens: 32 heads of size 128, as in Llama 3 8B."""
    angles = 2 * torch.pi * case.rand(case["n"], HEAD_SIZE // 2)
    queries = case.randn(1, QUERY_HEADS, case["n"], HEAD_SIZE)
    return Call(rotate, queries, angles.cos(), angles.sin())


def keys(case: Case, *tokens: int) -> list[Any]:
    """The keys of so many tokens each: 8 heads of size 128."""
    return [case.randn(1, KEY_HEADS, count, HEAD_SIZE) for count in tokens]


@suite.op(quick=False, in_place=True)
def cache_write(case: Case) -> Call:
    """Keys of one token written into a cache of n tokens: index_copy_, 8 heads of size 128."""
    cache, token = keys(case, case["n"], 1)
    return Call(Tensor.index_copy_, cache, 2, case.ints(1, low=0, high=case["n"]), token)


@suite.op(quick=False)
def cache_cat(case: Case) -> Call:
    """Keys of one token put behind those of n: torch.cat, which copies all; 8 heads of size 128."""
    return Call(torch.cat, keys(case, case["n"], 1), 2)


def copied(case: Case, tokens: int, *, index_bytes: int = 0) -> Work:
    """Keys of so many tokens read and written."""
    size = tokens * KEY_HEADS * HEAD_SIZE * case.itemsize
    return Work(read_bytes=size + index_bytes, written_bytes=size)


def layer_work(case: Case, weights: int, biases: int) -> Work:
    """2 FLOP per token and weight, 4 per pair of tokens and number; tokens and weights read."""
    n, tokens = case["n"], case["n"] * WIDTH
    flop, read = 2 * n * weights + 4 * n * tokens, tokens + weights + biases
    return Work(flop=flop, read_bytes=read * case.itemsize, written_bytes=tokens * case.itemsize)


@rope.work
def rope_work(case: Case) -> Work:
    """Four products and two sums per pair of numbers; queries and both tables read."""
    table, queries, size = case["n"] * HEAD_SIZE, QUERY_HEADS * case["n"] * HEAD_SIZE, case.itemsize
    return Work(flop=3 * queries, read_bytes=(queries + table) * size, written_bytes=queries * size)


cache_write.work(lambda case: copied(case, 1, index_bytes=8))  # its place is an int64
cache_cat.work(lambda case: copied(case, case["n"] + 1))
multi_head.work(lambda case: layer_work(case, 4 * WIDTH**2, 4 * WIDTH))
encoder_layer.work(lambda case: layer_work(case, 12 * WIDTH**2, 9 * WIDTH + HIDDEN))


def attended(x: Any, w: Any, b: Any, w_out: Any, b_out: Any) -> Any:
    """softmax(q kᵀ / √64) v of 12 heads, with both projections, by NumPy."""
    q, k, v = (x @ w.T + b).reshape(-1, 3, HEADS, WIDTH // HEADS).transpose(1, 2, 0, 3)
    scores = np.exp(q @ k.swapaxes(1, 2) / (WIDTH / HEADS) ** 0.5)
    heads = scores @ v / scores.sum(axis=-1, keepdims=True)
    return heads.transpose(1, 0, 2).reshape(-1, WIDTH) @ w_out.T + b_out


def norm(x: Any, w: Any, b: Any) -> Any:
    """Layer normalisation by NumPy."""
    return (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + 1e-5) ** 0.5 * w + b


@encoder_layer.reference
def encoder_layer_reference(_: Module, x: Tensor, weights: list[Tensor]) -> object:
    """Each part of the layer by NumPy."""
    tokens, *w = (one.numpy() for one in (x[0], *weights))
    tokens = norm(tokens + attended(tokens, *w[:4]), *w[8:10])
    hidden = np.maximum(tokens @ w[4].T + w[5], 0)
    return norm(tokens + hidden @ w[6].T + w[7], *w[10:])[None]


@rope.reference
def rope_reference(x: Tensor, cos: Tensor, sin: Tensor) -> object:
    """Pairs as complex numbers, multiplied by numbers of length 1, by NumPy."""
    a, b = np.split(x.numpy(), 2, axis=-1)
    turned = (a + 1j * b) * (cos.numpy() + 1j * sin.numpy())
    return np.concatenate([turned.real, turned.imag], axis=-1)


multi_head.reference(lambda _, x, w: attended(x[0].numpy(), *(one.numpy() for one in w))[None])
cache_write.reference(lambda x, _, at, y: np.where(np.arange(x.shape[2])[:, None] == at, y, x))
cache_cat.reference(np.concatenate)
