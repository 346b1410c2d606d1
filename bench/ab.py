"""Two configurations measured in turn until each case is decided, or time is up. Pure.

What measures is passed in, so is the clock. Cases are looked at after a few planned numbers of rounds;
one that is decided has no further round, so that time goes where the verdict is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from bench.analyse.paired import CONFIDENCE, LOOKS, THRESHOLD, ratio, spent, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bench.analyse.paired import Ratio, Verdict
    from bench.record import Record

Ended = Literal["decided", "rounds", "budget", "timeout", "failed"]


class Bout(Protocol):
    """A case on both sides, as far as it has been measured."""

    @property
    def alive(self) -> bool:
        """Whether both sides can still be measured."""

    @property
    def over(self) -> bool:
        """Whether the time that a case is allowed is up."""

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Seconds per call of both sides, workers × rounds."""


B = TypeVar("B", bound=Bout)


class Ring(Protocol, Generic[B]):
    """Where bouts are fought: both sides ready, as many cases at once as fit."""

    @property
    def waiting(self) -> int:
        """Cases that have not been called yet."""

    def call(self) -> Sequence[B]:
        """The next cases, prepared on both sides; none if all have been called."""

    def round(self, bouts: Sequence[B], number: int) -> None:
        """A round of each of these on both sides."""

    def keep(self, bout: B, ended: Ended) -> tuple[Record, Record]:
        """The rows of both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be decided, how surely, and in how much time."""

    budget_s: float
    threshold: float = THRESHOLD
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found for a case: the rows of both sides, their ratio, and why no more was measured."""

    one: Record
    other: Record
    ratio: Ratio | None
    verdict: Verdict
    ended: Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All answers, in the order in which cases were called."""

    answers: tuple[Answer, ...]
    aim: Aim
    took_s: float


@dataclass(slots=True, kw_only=True)
class _Score:
    """What is known of a bout after its latest look."""

    looks: int = 0
    ratio: Ratio | None = None
    verdict: Verdict = "unsure"
    ended: Ended | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bell:
    """Says when the time of some bouts is up."""

    now_s: Callable[[], float]
    until_s: float

    def rung(self) -> bool:
        """Whether it is."""
        return self.now_s() >= self.until_s


def ab(
    ring: Ring[B],
    aim: Aim,
    *,
    now_s: Callable[[], float],
    told: Callable[[Answer], None] = lambda _: None,
) -> Result:
    """Measure until every case is decided or the time is up; each has the rounds of the first look.

    What is left of the time is shared out among the cases that are still to be called.
    """
    begun_s = now_s()
    answers: list[Answer] = []
    while bouts := ring.call():
        left_s = max(0.0, begun_s + aim.budget_s - now_s())
        until_s = now_s() + left_s * len(bouts) / (len(bouts) + ring.waiting)
        scores = _fought(ring, bouts, aim, _Bell(now_s=now_s, until_s=until_s))
        for bout, score in zip(bouts, scores, strict=True):
            answers.append(_answer(ring, bout, score))
            told(answers[-1])
    return Result(answers=tuple(answers), aim=aim, took_s=now_s() - begun_s)


def _fought(ring: Ring[B], bouts: Sequence[B], aim: Aim, bell: _Bell) -> list[_Score]:
    """Round after round of those that are open."""
    scores = [_Score() for _ in bouts]
    for number in range(LOOKS[-1]):
        open_ = [(b, s) for b, s in zip(bouts, scores, strict=True) if b.alive and s.ended is None]
        if not open_:
            break
        ring.round([bout for bout, _ in open_], number)
        done = number + 1
        late = done >= LOOKS[0] and bell.rung()
        for bout, score in open_:
            if bout.alive and (late or bout.over or done in LOOKS):
                _look(bout, score, aim, ended=_last(bout, done, late=late))
    return scores


def _last(bout: Bout, done: int, *, late: bool) -> Ended | None:
    """Why this is the last look at a bout, whatever it shows; None if there may be another."""
    if bout.over:
        return "timeout"
    if done == LOOKS[-1]:
        return "rounds"
    return "budget" if late else None


def _look(bout: Bout, score: _Score, aim: Aim, *, ended: Ended | None) -> None:
    """Judge what is there; why it ends is never what it shows, except where that decides."""
    level = spent(score.looks, last=ended is not None, confidence=aim.confidence)
    one, other = bout.cells()
    score.ratio = ratio(one, other, level)
    score.verdict = verdict(score.ratio, aim.threshold)
    score.looks += 1
    score.ended = "decided" if score.verdict != "unsure" else ended


def _answer(ring: Ring[B], bout: B, score: _Score) -> Answer:
    """A bout's answer; one that could not be measured to its end has no verdict."""
    failed = not bout.alive
    ended: Ended = "failed" if failed else score.ended or "rounds"
    one, other = ring.keep(bout, ended)
    return Answer(
        one=one,
        other=other,
        ratio=None if failed else score.ratio,
        verdict="unsure" if failed else score.verdict,
        ended=ended,
    )
