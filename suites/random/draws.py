"""Random numbers, permutations and choices. Run it: bench run random

What do random numbers cost by distribution, and how does drawing them compare with what uses them?
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.special import ndtr

from bench import Axis, Call, Case, Like, Suite, Work

INDEX = 8  # bytes of a position, which is an int64
VOCABULARY = 128256  # Llama 3's

# n is the length of a vector, from 100 elements: fewer hardly show how they are distributed.
shorter = Axis("n", [10**k for k in range(2, 7)], quick=[10**4])
longer = Axis("n", [10**k for k in range(2, 8)], quick=[10**4])
tokens = Axis("n", [10**2, 10**3, 10**4, VOCABULARY, 10**6], quick=[10**4])
floats = Axis("dtype", ["float32", "bfloat16"], quick=["float32"])
draws = Axis("draws", [1, 32], quick=[1])
replacement = Axis("replacement", {"no": False, "yes": True})
suite = Suite("random", [shorter])


@suite.op(axes=[longer, floats], in_place=True, quick=False)
def uniform(case: Case) -> Call:
    """A vector filled with n uniform numbers in [0, 1): Tensor.uniform_."""
    return Call(Tensor.uniform_, case.randn(case["n"]))


@suite.op(axes=[longer, floats], in_place=True)
def normal(case: Case) -> Call:
    """A vector filled with n standard normal numbers: Tensor.normal_."""
    return Call(Tensor.normal_, case.rand(case["n"]))


@suite.op(axes=[longer, floats], in_place=True, quick=False)
def exponential(case: Case) -> Call:
    """A vector filled with n exponential numbers of mean 1: Tensor.exponential_."""
    return Call(Tensor.exponential_, case.randn(case["n"]))


@suite.op(in_place=True, quick=False)
def trunc_normal(case: Case) -> Call:
    """A vector filled with n normal numbers, drawn anew outside of -2 to 2: nn.init.trunc_normal_."""
    return Call(torch.nn.init.trunc_normal_, case.rand(case["n"]))


def sample(mean: Tensor, std: Tensor) -> Any:
    """The same by an object that is made for it, and checks its parameters."""
    return torch.distributions.Normal(mean, std).sample()  # type: ignore[no-untyped-call]


@suite.op(axes=[Axis("call", {"torch.normal": torch.normal, "distributions": sample})], quick=False)
def normal_each(case: Case) -> Call:
    """A normal number for each of n means and deviations: torch.normal or torch.distributions."""
    return Call(case["call"], case.randn(case["n"]), case.rand(case["n"]) + 1)


@suite.op(quick=False)
def poisson(case: Case) -> Call:
    """A Poisson-distributed number for each of n means below 8: torch.poisson."""
    return Call(torch.poisson, 8 * case.rand(case["n"]))


@suite.op(axes=[longer, Axis("p", {"each": (), "one": (0.25,)})], quick=False)
def bernoulli(case: Case) -> Call:
    """A zero or a one n times, each with a probability of its own or all with one: torch.bernoulli."""
    return Call(torch.bernoulli, case.rand(case["n"]) / 2, *case["p"])


@suite.op(axes=[longer, floats])
def dropout(case: Case) -> Call:
    """A half of n elements set to 0 at random, the others doubled: torch.nn.functional.dropout."""
    return Call(torch.nn.functional.dropout, case.randn(case["n"]), 0.5)


@suite.op(axes=[longer], quick=False)
def randint(case: Case) -> Call:
    """A vector of n whole numbers below 128256, such as tokens: torch.randint."""
    return Call(torch.randint, VOCABULARY, (case["n"],), device=case.device)


@suite.op
def randperm(case: Case) -> Call:
    """The numbers from 0 to n-1 in random order: torch.randperm."""
    return Call(torch.randperm, case["n"], device=case.device)


@suite.op(axes=[tokens, draws, replacement], quick=False)
def multinomial(case: Case) -> Call:
    """One or 32 of n categories by their weights, of which half are 0: torch.multinomial."""
    weights = case.rand(case["n"])
    weights[::2] = 0
    return Call(torch.multinomial, weights, case["draws"], case["replacement"])


def argmax_of_noisy(logits: Tensor) -> Tensor:
    """The largest after adding Gumbel noise, which is minus the logarithm of exponential noise."""
    return (logits - torch.empty_like(logits).exponential_().log()).argmax()


@suite.op(axes=[tokens], quick=False)
def gumbel_max(case: Case) -> Call:
    """One of n categories by their logits, of which half are minus infinity, by the Gumbel-max trick."""
    logits = case.randn(case["n"])
    logits[::2] = -torch.inf
    return Call(argmax_of_noisy, logits)


def even(u: Tensor, tolerance: float = 0) -> bool:
    """Whether all are in [0, 1], and evenly: by a Kolmogorov-Smirnov test that fails by chance once in 10⁸."""
    below = torch.histc(u.double(), 256, 0, 1).cumsum(0) / len(u)
    off = (below - torch.arange(1, 257) / 256).abs().max()
    return bool(below[-1] == 1 and off < 3.2 / len(u) ** 0.5 + tolerance)


def follows(x: Tensor, means: Tensor) -> bool:
    """Whether whole numbers are off their means by chance, also where each is weighted by its mean."""
    errors = (x - means, (x - means) * means)
    by_chance = all(e.mean().abs() < 6 * e.std() / len(e) ** 0.5 for e in errors)
    return by_chance and torch.equal(x, x.round())


for op in (uniform, normal, exponential, trunc_normal):
    op.work(lambda case: Work(written_bytes=case["n"] * case.itemsize))
for op in (randint, randperm):
    op.work(lambda case: Work(written_bytes=case["n"] * INDEX))
dropout.work(
    lambda case: Work(read_bytes=case["n"] * case.itemsize, written_bytes=case["n"] * case.itemsize)
)
uniform.check(lambda _, result, tolerance: even(result, tolerance))
normal.check(lambda _, result, tolerance: even(ndtr(result), tolerance))
exponential.check(lambda _, result, tolerance: even(1 - torch.exp(-result), tolerance))
for op in (uniform, normal, exponential, normal_each, poisson, bernoulli):
    op.reference(lambda x, *_: Like(shape=tuple(x.shape)))
trunc_normal.reference(lambda x: Like(shape=tuple(x.shape), low=-2, high=2, mean=0, std=0.8796))
normal_each.check(lambda mean, std, result: even(ndtr((result - mean) / std)))
poisson.check(lambda means, result: follows(result, means))
bernoulli.check(lambda p, *one, result: follows(result, p * 0 + one[0] if one else p))
randint.check(lambda high, shape, x, **_: x.shape == shape and even((x + 0.5) / high))
multinomial.check(
    lambda w, k, again, at: bool(w[at].all()) and k == len(at) == len(at if again else at.unique())
)
gumbel_max.check(lambda logits, at: at.shape == () and bool(logits[at].isfinite()))
dropout.reference(lambda x, p: Like(shape=tuple(x.shape), mean=0, std=(1 - p) ** -0.5))
dropout.check(lambda x, p, y, tolerance: torch.allclose(y, (y != 0) * x / (1 - p), rtol=tolerance))
randperm.check(lambda n, at, **_: at.sort()[0].equal(torch.arange(n)) and at.diff().max() > 1)
