"""One step of a recurrent network: LSTM, GRU and tanh cells, and a loop over them. Run it: bench run recurrent

What does a loop over cells cost against a layer?
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import Axis, Call, Case, Suite, Work

STEPS = 32

suite = Suite(
    "recurrent",
    axes=[
        # n is the number of features, and of hidden units: weights of an LSTM take 33 MB at n=1024.
        Axis("n", [16, 64, 256, 1024], quick=[64]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("batch", [1, 32], quick=[32]),
    ],
)


def samples(case: Case, *lead: int) -> Any:
    """Features or hidden units of each sample, n of them."""
    return case.randn(*lead, case["batch"], case["n"])


def weights(case: Case, gates: int) -> list[Any]:
    """The weights of features and of hidden units, and a bias for each."""
    n = case["n"]
    shapes = (gates * n, n), (gates * n, n), (gates * n,), (gates * n,)
    return [case.randn(shape) / n**0.5 for shape in shapes]


@suite.op
def lstm_cell(case: Case) -> Call:
    """A step of an LSTM with n features and n hidden units: torch.lstm_cell, as nn.LSTMCell calls it."""
    state = samples(case), samples(case)
    return Call(torch.lstm_cell, samples(case), state, *weights(case, 4))


@suite.op(quick=False)
def gru_cell(case: Case) -> Call:
    """A step of a GRU with n features and n hidden units: torch.gru_cell, as nn.GRUCell calls it."""
    return Call(torch.gru_cell, samples(case), samples(case), *weights(case, 3))


@suite.op(quick=False)
def rnn_cell(case: Case) -> Call:
    """A step with tanh of n features and n hidden units: torch.rnn_tanh_cell, as nn.RNNCell calls it."""
    return Call(torch.rnn_tanh_cell, samples(case), samples(case), *weights(case, 1))


def loop(x: Tensor, state: tuple[Tensor, Tensor], weights: list[Tensor]) -> list[Any]:
    """Outputs and last state, by a loop in Python over the steps."""
    outputs = []
    for one in x:
        state = torch.lstm_cell(one, state, *weights)
        outputs.append(state[0])
    return [torch.stack(outputs), state]


@suite.op(quick=False, axes=[Axis("n", [16, 64, 256], quick=[64])])
def lstm_loop(case: Case) -> Call:
    """What recurrent/lstm computes in one call, by a loop in Python over 32 calls of torch.lstm_cell."""
    x, state = samples(case, STEPS), (samples(case), samples(case))
    return Call(loop, x, state, weights(case, 4))


def work(case: Case, gates: int, states: int, *, outputs: int = 0) -> Work:
    """2 FLOP per sample, step and weight; features, state and weights read, outputs and state written."""
    n, size, samples, steps = case["n"], case.itemsize, case["batch"] * case["n"], outputs or 1
    read = (steps + states) * samples + gates * 2 * (n * n + n)
    flop, written = 4 * steps * samples * gates * n, (outputs + states) * samples
    return Work(flop=flop, read_bytes=read * size, written_bytes=written * size)


lstm_cell.work(partial(work, gates=4, states=2))
gru_cell.work(partial(work, gates=3, states=1))
rnn_cell.work(partial(work, gates=1, states=1))
lstm_loop.work(partial(work, gates=4, states=2, outputs=STEPS))


def logistic(x: Any) -> Any:
    """The logistic function of an array."""
    return 1 / (1 + np.exp(-x))


@lstm_cell.reference
def lstm_step(x: Any, state: Any, *weights: Any) -> list[Any]:
    """The hidden and the cell state after a step, by NumPy."""
    x, hidden, cell, w, u, b, d = map(np.asarray, (x, *state, *weights))
    i, f, g, o = np.split(x @ w.T + b + hidden @ u.T + d, 4, axis=-1)
    cell = logistic(f) * cell + logistic(i) * np.tanh(g)
    return [logistic(o) * np.tanh(cell), cell]


@gru_cell.reference
def gru_step(*given: Tensor) -> object:
    """The hidden state after a step, by NumPy."""
    x, hidden, w, u, b, d = (one.numpy() for one in given)
    (r, z, new), (r_h, z_h, new_h) = (
        np.split(one, 3, axis=-1) for one in (x @ w.T + b, hidden @ u.T + d)
    )
    kept = logistic(z + z_h)
    return kept * hidden + (1 - kept) * np.tanh(new + logistic(r + r_h) * new_h)


@rnn_cell.reference
def rnn_step(*given: Tensor) -> object:
    """The hidden state after a step, by NumPy."""
    x, hidden, w, u, b, d = (one.numpy() for one in given)
    return np.tanh(x @ w.T + b + hidden @ u.T + d)


@lstm_loop.reference
def unrolled(x: Tensor, state: Any, weights: list[Tensor]) -> object:
    """Every step by NumPy."""
    outputs = []
    for one in x:
        state = lstm_step(one, state, *weights)
        outputs.append(state[0])
    return [np.stack(outputs), state]
