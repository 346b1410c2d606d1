"""Sequential A/B test: two configurations measured interleaved until each case is decided, or time is up. Pure.

What measures is passed in, so is the clock. Cases are looked at after a few planned numbers of rounds;
one that is decided has no further round, so that time goes where the verdict is open. A change must
stand out among all cases.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from bench.analysis.usable import failure
from bench.stats.false_discovery import discoveries
from bench.stats.ratio import CHANGED, CONFIDENCE, PAIRED_THRESHOLD
from bench.stats.sequential import LOOKS, over_looks, paired, spent, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bench.records.record import Record
    from bench.stats.ratio import Ratio, Verdict

Ended = Literal["decided", "rounds", "budget", "timeout", "failed"]


class CasePair(Protocol):
    """A case on both sides, as far as it has been measured."""

    @property
    def alive(self) -> bool:
        """Whether both sides can still be measured."""

    @property
    def over(self) -> bool:
        """Whether the time that a case is allowed is up."""

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Seconds per call of both sides, workers × rounds."""


B = TypeVar("B", bound=CasePair)


class Interleaver(Protocol, Generic[B]):
    """Where pairs are fought: both sides ready, as many cases at once as fit."""

    @property
    def waiting(self) -> int:
        """Cases that have not been called yet."""

    def next_batch(self) -> Sequence[B]:
        """The next cases, prepared on both sides; none if all have been called."""

    def round(self, pairs: Sequence[B], number: int) -> None:
        """A round of each of these on both sides."""

    def keep(self, pair: B, ended: Ended) -> tuple[Record, Record]:
        """The rows of both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionGoal:
    """What is to be decided, how surely, and in how much time."""

    budget_s: float
    threshold: float = PAIRED_THRESHOLD
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found for a case: the rows of both sides, their ratio, and why no more was measured."""

    one: Record
    other: Record
    ratio: Ratio | None
    verdict: Verdict
    ended: Ended
    rounds: int = 0
    """Rounds in which both sides were measured, at the latest look."""
    taken_back: bool = False
    """Whether it would be called changed by itself, but may well be chance among so many cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All answers, in the order in which cases were called."""

    answers: tuple[Answer, ...]
    aim: DecisionGoal
    took_s: float


@dataclass(slots=True, kw_only=True)
class _Score:
    """What is known of a pair after its latest look."""

    looks: int = 0
    ratio: Ratio | None = None
    rounds: int = 0
    alone: Verdict = "unsure"
    """By itself, whatever other cases there are."""
    p_value: float = 1.0
    """Over all looks so far."""
    stands: bool = False
    """Whether a change stands out among all cases."""
    last: Ended | None = None
    """Why there will be no other look, whatever the latest one showed."""
    ended: Ended | None = None

    @property
    def taken_back(self) -> bool:
        """Whether a change may be chance among so many cases."""
        return self.alone in CHANGED and not self.stands

    @property
    def verdict(self) -> Verdict:
        """As one of all cases."""
        return "unsure" if self.taken_back else self.alone


@dataclass(slots=True, kw_only=True)
class _Scores:
    """The scores of all cases that have been called, and how many cases there are."""

    cases: int
    level: float
    scores: list[_Score] = field(default_factory=list)

    def settle(self) -> None:
        """Say which changes stand out: at most this share of them is chance, on average.

        All cases count as tried, also those still to be called. A change that stands rests: it goes on to
        stand, since what others show later can only help. One that does not is measured on.
        """
        shown = [score.p_value if score.alone in CHANGED else 1.0 for score in self.scores]
        tried = [*shown, *[1.0] * (self.cases - len(shown))]
        for score, stands in zip(self.scores, discoveries(tried, self.level), strict=False):
            score.stands = stands


def ab(
    interleaver: Interleaver[B],
    aim: DecisionGoal,
    *,
    now_s: Callable[[], float],
    told: Callable[[Answer], None] = lambda _: None,
) -> Result:
    """Measure until every case is decided or the time is up; each has the rounds of the first look.

    What is left of the time is shared out among the cases that are still to be called. A case is told
    when its batch ends, by what was known then; a change in it may come to stand by those of later ones.
    """
    begun_s = now_s()
    answers: list[Answer] = []
    board = _Scores(cases=interleaver.waiting, level=1 - aim.confidence)
    while pairs := interleaver.next_batch():
        left_s = max(0.0, begun_s + aim.budget_s - now_s())
        until_s = now_s() + left_s * len(pairs) / (len(pairs) + interleaver.waiting)
        scores = _measured(interleaver, pairs, aim, board, now_s=now_s, until_s=until_s)
        for pair, score in zip(pairs, scores, strict=True):
            answers.append(_answer(interleaver, pair, score))
            told(answers[-1])
        board.settle()  # what turned out to have failed vouches for no other case
    final = tuple(
        dataclasses.replace(answer, verdict=score.verdict, taken_back=score.taken_back)
        for answer, score in zip(answers, board.scores, strict=True)
    )
    return Result(answers=final, aim=aim, took_s=now_s() - begun_s)


def _measured(
    interleaver: Interleaver[B],
    pairs: Sequence[B],
    aim: DecisionGoal,
    board: _Scores,
    *,
    now_s: Callable[[], float],
    until_s: float,
) -> list[_Score]:
    """Round after round of those that are open, until their time is up."""
    board.scores += (scores := [_Score() for _ in pairs])
    for number in range(LOOKS[-1]):
        open_ = [(b, s) for b, s in zip(pairs, scores, strict=True) if b.alive and s.ended is None]
        if not open_:
            break
        interleaver.round([pair for pair, _ in open_], number)
        done = number + 1
        late = done >= LOOKS[0] and now_s() >= until_s
        for pair, score in open_:
            if not pair.alive:
                score.alone = "unsure"
            elif late or pair.over or done in LOOKS:
                _look(pair, score, aim, last=_last(pair, done, late=late))
        board.settle()
        for _, score in open_:
            score.ended = "decided" if score.verdict != "unsure" else score.last
    return scores


def _last(pair: CasePair, done: int, *, late: bool) -> Ended | None:
    """Why this is the last look at a pair, whatever it shows; None if there may be another."""
    if pair.over:
        return "timeout"
    if done == LOOKS[-1]:
        return "rounds"
    return "budget" if late else None


def _look(pair: CasePair, score: _Score, aim: DecisionGoal, *, last: Ended | None) -> None:
    """Judge what is there; why it ends is never what it shows, except where that decides."""
    level = spent(score.looks, last=last is not None, confidence=aim.confidence)
    found = paired(*pair.cells())
    score.ratio, score.rounds = (found.ratio(1 - level), found.rounds) if found else (None, 0)
    score.alone = verdict(found, threshold=aim.threshold, level=level, confidence=aim.confidence)
    score.p_value = over_looks(found.p_value(), level, aim.confidence) if found else 1.0
    score.looks += 1
    score.last = last


def _answer(interleaver: Interleaver[B], pair: B, score: _Score) -> Answer:
    """A pair's answer; one that failed, or of which a result is wrong, has neither ratio nor verdict."""
    ended: Ended = (score.ended or "rounds") if pair.alive else "failed"
    one, other = interleaver.keep(pair, ended)
    if not pair.alive or failure(one) or failure(other):
        ended = "failed"
        score.alone, score.ratio, score.rounds = "unsure", None, 0
    return Answer(
        one=one,
        other=other,
        ratio=score.ratio,
        verdict=score.verdict,
        ended=ended,
        rounds=score.rounds,
        taken_back=score.taken_back,
    )
