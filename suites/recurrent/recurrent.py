"""Recurrent layers over a sequence: LSTM, GRU, tanh, forward and backward. Run it: bench run recurrent

What does a sequence cost, and from which size on does a GPU win?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import GRU, LSTM, RNN, Module

from bench import Axis, Call, Case, Skip, Suite, Work

STEPS, MANY_UNITS = 32, 1024
WRONG = "oneDNN on a CPU with AMX computes wrong gradients of many units in bfloat16 (torch 2.13)"
# Of float32 too: on a GPU cuDNN takes TF32 unless told not to, and errors add up over the steps.
ATOL, RTOL = 2e-3, 2**-5

suite = Suite(
    "recurrent",
    axes=[
        # n is the number of features, and of hidden units: the weights of an LSTM take 33 MB at n=1024.
        Axis("n", [16, 64, 256, 1024], quick=[64]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("batch", [1, 32], quick=[32]),
    ],
)


def layer(case: Case, kind: Any, states: int, **how: Any) -> list[Any]:
    """A layer, a sequence of 32 steps, the states before it (an LSTM has a pair), and the weights."""
    n, batch = case["n"], case["batch"]
    # Made without memory, then on the device, where cuDNN wants the weights of a layer in one piece.
    made = kind(n, n, device="meta", dtype=case.dtype, **how).to_empty(device=case.device).eval()
    for weight in made.requires_grad_(requires_grad=False).parameters():
        weight.copy_(case.randn(*weight.shape) / n**0.5)
    before = [case.randn(1 + made.bidirectional, batch, n) for _ in range(states)]
    state = tuple(before) if states > 1 else before[0]
    return [made, case.randn(STEPS, batch, n), state, list(made.parameters())]


def forward(layer: Module, x: Tensor, state: Any, _: list[Tensor]) -> object:
    """Outputs and last state. The weights are in the layer, and named again for who checks and counts."""
    return layer(x, state)


@suite.op
def lstm(case: Case) -> Call:
    """nn.LSTM over 32 steps of n features, with n hidden units."""
    return Call(forward, *layer(case, LSTM, 2))


@suite.op(quick=False)
def lstm_bidirectional(case: Case) -> Call:
    """nn.LSTM over 32 steps of n features in both directions, with n hidden units for each."""
    return Call(forward, *layer(case, LSTM, 2, bidirectional=True))


@suite.op
def gru(case: Case) -> Call:
    """nn.GRU over 32 steps of n features, with n hidden units."""
    return Call(forward, *layer(case, GRU, 1))


@suite.op(quick=False)
def rnn_tanh(case: Case) -> Call:
    """nn.RNN, of which tanh is the activation, over 32 steps of n features, with n hidden units."""
    return Call(forward, *layer(case, RNN, 1))


def gradients(
    layer: Module, x: Tensor, state: Any, weights: list[Tensor], slope: Tensor
) -> tuple[Tensor, ...]:
    """Forward and backward; the gradients are returned and kept nowhere."""
    return torch.autograd.grad(layer(x, state)[0], [x, *weights], slope)


@suite.op(quick=False)
def lstm_backward(case: Case) -> Call:
    """Forward and backward of nn.LSTM over 32 steps: the gradients of the sequence and all weights."""
    if case.device == "cpu" and case["dtype"] == "bfloat16" and case["n"] >= MANY_UNITS:
        raise Skip(WRONG)
    made, x, state, weights = layer(case, LSTM, 2)
    made.train().requires_grad_()
    return Call(gradients, made, x.requires_grad_(), state, weights, case.randn(*x.shape))


def work(
    case: Case, gates: int, states: int, *, directions: int = 1, backward: bool = False
) -> Work:
    """2 FLOP per sample, step and weight, 6 with backward; what is given read, what is returned written.

    No FLOP in float32 on a GPU: cuDNN computes in TF32 unless told not to, which has another roof.
    """
    n, batch, size = case["n"], case["batch"], case.itemsize
    matrices, biases = (directions * gates * 2 * one for one in (n * n, n))
    sequence, state = STEPS * batch * n, directions * states * batch * n
    is_tf32 = case.device != "cpu" and case.dtype_name == "float32"
    flop = 0 if is_tf32 else 2 * STEPS * batch * matrices * (3 if backward else 1)
    read = sequence + state + matrices + biases + (sequence if backward else 0)
    written = sequence + matrices + biases if backward else directions * sequence + state
    return Work(flop=flop, read_bytes=read * size, written_bytes=written * size)


lstm.work(partial(work, gates=4, states=2))
lstm_bidirectional.work(partial(work, gates=4, states=2, directions=2))
lstm_backward.work(partial(work, gates=4, states=2, backward=True))
gru.work(partial(work, gates=3, states=1))
rnn_tanh.work(partial(work, gates=1, states=1))


def lstm_step(x: Any, state: Any, w: Any, u: Any, b: Any, d: Any) -> list[Any]:
    """The hidden and the cell state after a step, by their formula."""
    i, f, g, o = (x @ w.T + b + state[0] @ u.T + d).chunk(4, -1)
    cell = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    return [o.sigmoid() * cell.tanh(), cell]


def gru_step(x: Any, state: Any, w: Any, u: Any, b: Any, d: Any) -> list[Any]:
    """The hidden state after a step, by its formula."""
    (r, z, new), (r_h, z_h, new_h) = (x @ w.T + b).chunk(3, -1), (state[0] @ u.T + d).chunk(3, -1)
    kept = (z + z_h).sigmoid()
    return [kept * state[0] + (1 - kept) * (new + (r + r_h).sigmoid() * new_h).tanh()]


def tanh_step(x: Any, state: Any, w: Any, u: Any, b: Any, d: Any) -> list[Any]:
    """The hidden state after a step, by its formula."""
    return [(x @ w.T + b + state[0] @ u.T + d).tanh()]


def unrolled(step: Any, _: Module, x: Tensor, state: Any, weights: list[Tensor]) -> Any:
    """Outputs and last states step by step in float64, in one direction or in both."""
    outputs, lasts = [], []
    for way in range(len(weights) // 4):
        now, found = [one[way] for one in (state if isinstance(state, tuple) else [state])], []
        for one in x.flip(0) if way else x:
            now = step(one, now, *weights[4 * way : 4 * way + 4])
            found.append(now[0])
        outputs.append(torch.stack(found[::-1] if way else found))
        lasts.append(now)
    last = [torch.stack(ends) for ends in zip(*lasts, strict=True)]
    return [torch.cat(outputs, -1), last if last[1:] else last[0]]


@lstm_backward.reference(rtol=RTOL)
def lstm_slopes(_: Module, x: Tensor, state: Any, weights: list[Tensor], slope: Tensor) -> object:
    """Autograd of the formulas in float64."""
    given = [one.clone().requires_grad_() for one in (x, *weights)]
    return torch.autograd.grad(unrolled(lstm_step, _, given[0], state, given[1:])[0], given, slope)


lstm.reference(atol=ATOL)(partial(unrolled, lstm_step))
lstm_bidirectional.reference(atol=ATOL)(partial(unrolled, lstm_step))
gru.reference(atol=ATOL)(partial(unrolled, gru_step))
rnn_tanh.reference(atol=ATOL)(partial(unrolled, tanh_step))
