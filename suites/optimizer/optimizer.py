"""Optimizer steps: for-loop, foreach and fused implementations. Run it: bench run optimizer

Which implementation of an optimizer is fastest, for few tensors and for many?
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, Adagrad, Adam, AdamW, RMSprop

from bench import Axis, Call, Case, Skip, Suite, Work

Tensors = list[Tensor]
SIDE, COUNTER_BYTES, MOST_ELEMENTS = 64, 4, 2**24
# All calls have the same gradients, so a weight goes on by about RATE a call until that is rounded away:
# at a million in float32. What is kept of gradients stays as large as they are; nothing gets denormal.
RATE, DECAY, EPSILON = 0.1, 0.01, 1e-8
MOMENTUM, ALPHA, BETA_1, BETA_2 = 0.9, 0.99, 0.9, 0.999
TOO_LARGE = "weights, gradients and what AdamW keeps of them would take more than 256 MB"
LOOP, FOREACH, FUSED = {"foreach": False, "fused": False}, {"foreach": True}, {"fused": True}

suite = Suite(
    "optimizer",
    axes=[
        # n is the number of tensors, each of 64×64: GPT-2 has 148, ResNet-50 161, Llama 3 8B 291.
        Axis("n", [1, 10, 100, 1000], quick=[100]),
        Axis("implementation", {"for-loop": LOOP, "foreach": FOREACH, "fused": FUSED}),
    ],
)
unfused = Axis("implementation", {"for-loop": {"foreach": False}, "foreach": FOREACH})
sides = Axis("side", [64, 256], quick=[64])
floats = Axis("dtype", ["float32", "bfloat16"], quick=["float32"])


def matrices(case: Case) -> Tensors:
    """As many as n says, of 64×64 where the case has no other side."""
    side = case.values.get("side", SIDE)
    return [case.randn(side, side) / 8 for _ in range(case["n"])]


def step(optimizer: Any, weights: Tensors, _: Tensors, kept: list[Any]) -> object:
    """A step; returns what it wrote: the weights, and what is kept of their gradients."""
    optimizer.step()
    return [weights, kept]


def second_step(case: Case, kind: Any, **settings: Any) -> Call:
    """The step after the first one, which makes what is kept: the state of an optimizer."""
    weights, gradients = [Parameter(one) for one in matrices(case)], matrices(case)
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    optimizer = kind(weights, lr=RATE, **case["implementation"], **settings)
    optimizer.step()
    return Call(step, optimizer, weights, gradients, [optimizer.state[one] for one in weights])


@suite.op(quick=False, in_place=True)
def sgd(case: Case) -> Call:
    """A step of SGD without momentum over n tensors of 64×64."""
    return second_step(case, SGD)


@suite.op(quick=False, in_place=True)
def sgd_momentum(case: Case) -> Call:
    """A step of SGD with momentum over n tensors of 64×64."""
    return second_step(case, SGD, momentum=MOMENTUM)


@suite.op(quick=False, in_place=True)
def adam(case: Case) -> Call:
    """A step of Adam over n tensors of 64×64."""
    return second_step(case, Adam)


@suite.op(axes=[sides, floats], in_place=True)
def adamw(case: Case) -> Call:
    """A step of AdamW over n tensors of side×side."""
    if case["n"] * case["side"] ** 2 > MOST_ELEMENTS:
        raise Skip(TOO_LARGE)
    return second_step(case, AdamW, weight_decay=DECAY)


@suite.op(axes=[unfused], quick=False, in_place=True)
def rmsprop(case: Case) -> Call:
    """A step of RMSprop over n tensors of 64×64; torch has no fused one."""
    return second_step(case, RMSprop)


@suite.op(quick=False, in_place=True)
def adagrad(case: Case) -> Call:
    """A step of Adagrad over n tensors of 64×64."""
    return second_step(case, Adagrad, eps=EPSILON)


def moved(case: Case, *, kept: int, counters: int = 0) -> Work:
    """Weights, gradients and what is kept read, all but gradients written; a float32 counts the steps."""
    n, side = case["n"], case.values.get("side", SIDE)
    size, more = n * side**2 * case.itemsize, counters * n * COUNTER_BYTES
    return Work(read_bytes=(2 + kept) * size + more, written_bytes=(1 + kept) * size + more)


sgd.work(partial(moved, kept=0))
sgd_momentum.work(partial(moved, kept=1))
for op in (rmsprop, adagrad):
    op.work(partial(moved, kept=1, counters=1))
for op in (adam, adamw):
    op.work(partial(moved, kept=2, counters=1))


def by_hand(rule: Any, _: Any, weights: Tensors, gradients: Tensors, kept: list[Any]) -> object:
    """What the published rule makes of each weight and of what was kept for it, in float64."""
    given = zip(weights, gradients, kept, strict=True)
    done = [rule(w, g, *old.values()) for w, g, old in given]
    return [[w for w, *_ in done], [new for _, *new in done]]


def sgd_rule(w: Tensor, g: Tensor, *kept: Tensor) -> tuple[Tensor, ...]:
    """With momentum where some is kept."""
    kept = tuple(MOMENTUM * old + g for old in kept)
    return w - RATE * (kept[0] if kept else g), *kept


def adam_rule(w: Tensor, g: Tensor, t: Tensor, *kept: Tensor, decay: float = 0) -> Any:
    """Kingma & Ba 2015, algorithm 1; decay as Loshchilov & Hutter 2019, algorithm 2, have it."""
    t, mean = t + 1, BETA_1 * kept[0] + (1 - BETA_1) * g
    square = BETA_2 * kept[1] + (1 - BETA_2) * g**2
    size = (square / (1 - BETA_2**t)).sqrt() + EPSILON
    return w * (1 - RATE * decay) - RATE * mean / (1 - BETA_1**t) / size, t, mean, square


def rms_rule(w: Tensor, g: Tensor, t: Tensor, square: Tensor, *, old: float, new: float) -> Any:
    """The root of a mean of squares, or of their sum."""
    square = old * square + new * g**2
    return w - RATE * g / (square.sqrt() + EPSILON), t + 1, square


sgd.reference(partial(by_hand, sgd_rule))
sgd_momentum.reference(partial(by_hand, sgd_rule))
adam.reference(partial(by_hand, adam_rule))
adamw.reference(partial(by_hand, partial(adam_rule, decay=DECAY)))
rmsprop.reference(partial(by_hand, partial(rms_rule, old=ALPHA, new=1 - ALPHA)))
adagrad.reference(partial(by_hand, partial(rms_rule, old=1, new=1)))
