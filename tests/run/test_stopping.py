"""When a case has been measured enough, on made-up numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.run.stopping import LEAST_ROUNDS, NO_GAIN, PRECISE, Stopping
from bench.stats import interval

ROUNDS = 15


def judged(matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> tuple[str | None, int]:
    """Why and after how many rounds measuring ends."""
    stopping = Stopping()
    for rounds in range(1, matrix.shape[1] + 1):
        reason = stopping.judge(matrix[:, :rounds])
        if reason:
            return reason, rounds
    return None, matrix.shape[1]


def test_a_calm_case_is_precise_after_the_least_number_of_rounds() -> None:
    """No sooner, however alike the first rounds are."""
    assert judged(np.ones((4, ROUNDS))) == (PRECISE, LEAST_ROUNDS)


def test_a_case_whose_workers_differ_does_not_gain_from_rounds() -> None:
    """More rounds can't tell more about the spread between workers."""
    workers = np.array([[0.95], [1.0], [1.05], [1.02]])
    reason, rounds = judged(np.repeat(workers, ROUNDS, axis=1))

    assert (reason, rounds) == (NO_GAIN, LEAST_ROUNDS + 4)


def test_a_case_that_gets_more_precise_goes_on() -> None:
    """Rounds that scatter around one time narrow the interval until it is narrow enough."""
    scatter = np.tile([1.0, 1.012, 0.99, 1.008, 0.994], 6)
    matrix = np.tile(scatter, (4, 1))
    reason, rounds = judged(matrix)

    assert reason == PRECISE
    assert rounds > LEAST_ROUNDS


def test_one_worker_is_never_judged() -> None:
    """It has no interval, so only its budget ends it."""
    assert judged(np.ones((1, ROUNDS))) == (None, ROUNDS)


def test_the_width_is_known_after_each_round() -> None:
    """Infinite before there is one."""
    stopping = Stopping()
    assert stopping.half_width == math.inf
    stopping.judge(np.array([[1.0, 1.0], [1.1, 1.1]]))
    assert 0 < stopping.half_width < math.inf


@pytest.mark.parametrize("shape", [(3, ROUNDS), (4, ROUNDS)])
@pytest.mark.parametrize(
    ("worker", "round_", "rest"),
    [(0.02, 0.005, 0.005), (0.003, 0.003, 0.01), (0.005, 0.01, 0.005)],
)
def test_stopping_does_not_make_intervals_lie(
    shape: tuple[int, int], worker: float, round_: float, rest: float
) -> None:
    """Of 1,000 simulated cases that end when they are judged to, 95 % intervals hold the truth.

    93 % is asked for; a rule that stops at a lucky interval would fall below it.
    """
    rng = np.random.default_rng(20261123)
    held = 0
    for _ in range(1000):
        logs = rng.normal(0, worker, (shape[0], 1)) + rng.normal(0, round_, (1, shape[1]))
        matrix = np.exp(logs + rng.normal(0, rest, shape))
        _, rounds = judged(matrix)
        found = interval.estimate(matrix[:, :rounds])
        held += found.low <= 1.0 <= found.high
    assert held / 1000 >= 0.93
