"""Losses of classifiers and language models: cross-entropy and its relatives. Run it: bench run loss

What does a loss over a vocabulary cost, forward and backward?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench import Axis, Call, Case, Suite, Work

INDEX_BYTES = 8  # torch counts in int64
ROWS = 64

suite = Suite(
    "loss",
    axes=[
        # n classes: of CIFAR, ImageNet, and the vocabularies of GPT-2 and Llama 3.
        Axis("n", [10, 1000, 50257, 128256], quick=[1000]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
    ],
)
rows = Axis("rows", [1, ROWS], quick=[ROWS])
smoothing = Axis("label_smoothing", [0.0, 0.1], quick=[0.0])


def scores(case: Case, count: int = ROWS) -> tuple[Any, Any]:
    """Logits, and the right class of each row."""
    return case.randn(count, case["n"]), case.ints(count, low=0, high=case["n"])


@suite.op(axes=[rows, smoothing])
def cross_entropy(case: Case) -> Call:
    """Cross-entropy of rows of n logits with a class for each, with and without label smoothing."""
    how = {"label_smoothing": case["label_smoothing"]}
    return Call(functional.cross_entropy, *scores(case, case["rows"]), **how)


def gradient(result: Tensor, logits: Tensor, _: Tensor) -> Tensor:
    """Backward alone; the graph that the forward left is kept for the next call."""
    return torch.autograd.grad(result, logits, retain_graph=True)[0]


@suite.op(axes=[rows])
def cross_entropy_backward(case: Case) -> Call:
    """Backward alone of the cross-entropy of rows of n logits: the gradient of the logits."""
    logits, target = scores(case, case["rows"])
    result = functional.cross_entropy(logits.requires_grad_(), target)
    return Call(gradient, result, logits, target)


@suite.op(quick=False)
def nll(case: Case) -> Call:
    """Negative log-likelihood of 64 rows of n log-probabilities: one of each row is read."""
    logits, target = scores(case)
    return Call(functional.nll_loss, logits.log_softmax(1), target)


@suite.op(quick=False)
def kl_div(case: Case) -> Call:
    """Kullback-Leibler divergence of 64 rows of n probabilities from log-probabilities."""
    logits, _ = scores(case)
    target = case.randn(*logits.shape).softmax(1)
    return Call(functional.kl_div, logits.log_softmax(1), target, reduction="batchmean")


@suite.op(quick=False)
def bce_with_logits(case: Case) -> Call:
    """Binary cross-entropy of 64 rows of n logits with as many probabilities."""
    logits, _ = scores(case)
    return Call(functional.binary_cross_entropy_with_logits, logits, case.rand(*logits.shape))


@suite.op(axes=[Axis("n", [16, 64, 256, 1024], quick=[64])], without=["dtype"], quick=False)
def ctc(case: Case) -> Call:
    """CTC loss of 16 sequences of n steps over 29 characters, each with a text of n/4 characters."""
    n = case["n"]
    x, texts = case.randn(n, 16, 29).log_softmax(2), case.ints(16, n // 4, low=1, high=29)
    return Call(functional.ctc_loss, x, texts, (n,) * 16, (n // 4,) * 16)


def work(case: Case, elements: int, indices: int = 0, written: int = 1) -> Work:
    """So many elements and indices read, so many elements written."""
    read = elements * case.itemsize + indices * INDEX_BYTES
    return Work(read_bytes=read, written_bytes=written * case.itemsize)


cross_entropy.work(lambda case: work(case, case["rows"] * case["n"], case["rows"]))
nll.work(lambda case: work(case, ROWS, ROWS))
for op in (kl_div, bce_with_logits):
    op.work(lambda case: work(case, 2 * ROWS * case["n"]))


@cross_entropy_backward.work
def backward_work(case: Case) -> Work:
    """Logits, or the probabilities that were kept, and classes read; as many gradients written."""
    return work(case, case["rows"] * case["n"], case["rows"], case["rows"] * case["n"])


def log_softmax(x: Any) -> Any:
    """Logarithms of the probabilities of each row, by NumPy."""
    return x.numpy() - np.log(np.exp(x.numpy()).sum(axis=1, keepdims=True))


def chosen(x: Any, target: Any) -> Any:
    """The element of each row that its class names."""
    return np.take_along_axis(np.asarray(x), target.numpy()[:, None], 1)


@cross_entropy.reference
def cross_entropy_reference(x: Any, target: Any, label_smoothing: float = 0) -> Any:
    """The mean of surprises; with smoothing a share of it over all classes."""
    known = log_softmax(x)
    return -(1 - label_smoothing) * chosen(known, target).mean() - label_smoothing * known.mean()


@cross_entropy_backward.reference
def backward_reference(_: Any, x: Any, target: Any) -> Any:
    """Probabilities, less 1 where the class is right, as a share of the rows."""
    one_hot = target.numpy()[:, None] == np.arange(x.shape[1])
    return (np.exp(log_softmax(x)) - one_hot) / len(x)


@ctc.reference
def ctc_reference(x: Any, texts: Any, *_: Any) -> Any:
    """The forward variables of Graves et al., 2006: a blank may be before, between and after characters."""
    labels = np.zeros((len(texts), 2 * texts.shape[1] + 1), dtype=int)
    labels[:, 1::2] = texts
    is_new = np.pad(labels[:, 2:] != labels[:, :-2], [(0, 0), (2, 0)])
    ways = np.where(np.arange(labels.shape[1])[None] < 1, 0, -np.inf)
    for step in x.numpy():
        one, two = (
            np.pad(ways, [(0, 0), (by, 0)], constant_values=-np.inf)[:, :-by] for by in (1, 2)
        )
        ways = np.logaddexp(np.logaddexp(ways, one), np.where(is_new, two, -np.inf))
        ways += np.take_along_axis(step, labels, 1)
    return -np.logaddexp(ways[:, -1], ways[:, -2]).mean() / texts.shape[1]


nll.reference(lambda x, target: -chosen(x, target).mean())
kl_div.reference(lambda x, p, **_: (p * (p.log() - x)).sum() / len(x))
bce_with_logits.reference(lambda x, p: np.logaddexp(0, x.numpy()).mean() - (x * p).mean())
