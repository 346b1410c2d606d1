"""Time goes where the verdict is open: decided cases rest, and why one ends is never what it shows.

Of many cases, those are called changed that stand out among all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.experiment.ab import DecisionGoal, ab
from bench.stats.ratio import CHANGED, PAIRED_THRESHOLD
from bench.stats.sequential import LOOKS, paired, spent, verdict
from tests.fakes.paired import WORKER_SD, simulated
from tests.fakes.workers import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.experiment.ab import Answer, Ended, Result
    from bench.records.record import Record

WORKERS = 4


@dataclass
class FakePair:
    """A case whose second side takes `factor` times as long, give or take `noise` in each cell."""

    number: int
    factor: float = 1.0
    noise: float = 0.001
    dies_after: int = 10**9
    over_after: int = 10**9
    correct: bool | None = None
    rounds: int = 0
    ended: str = ""

    @property
    def alive(self) -> bool:
        """Until it dies."""
        return self.rounds < self.dies_after

    @property
    def over(self) -> bool:
        """Its own time is up."""
        return self.rounds >= self.over_after

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of so many rounds."""
        rng = np.random.default_rng(self.number)
        one, other = (
            factor * np.exp(rng.normal(0, self.noise, (WORKERS, LOOKS[-1])))
            for factor in (1.0, self.factor)
        )
        return one[:, : self.rounds], other[:, : self.rounds]


@dataclass
class Known(FakePair):
    """A case whose times are there already."""

    times: tuple[NDArray[np.float64], NDArray[np.float64]] = field(
        default_factory=lambda: (np.ones((WORKERS, LOOKS[-1])), np.ones((WORKERS, LOOKS[-1])))
    )

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of so many rounds."""
        one, other = self.times
        return one[:, : self.rounds], other[:, : self.rounds]


def doubtful(number: int, errors: float = 4.5, **values: int) -> Known:
    """Slower by so many standard errors, with 6 degrees of freedom, however many rounds there are.

    4.5 of them are a p-value of 0.4 %: no change at the early looks, one at the last, of half the level,
    and 0.8 % over all looks.
    """
    levels = 0.01 * np.array([[1.0], [-1.0], [1.0], [-1.0]])
    one = np.exp(levels * np.ones(LOOKS[-1]))
    error = math.sqrt(2 * math.pi / 3 * float(np.var(levels, ddof=1)) / WORKERS)
    return Known(number, times=(one, one * math.exp(errors * error)), **values)  # type: ignore[arg-type]


@dataclass
class FakeInterleaver:
    """Batches of pairs; a round of a pair takes a second."""

    batches: list[list[FakePair]]
    now_s: float = 0.0
    log: list[list[int]] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """In batches to come."""
        return sum(map(len, self.batches))

    def next_batch(self) -> list[FakePair]:
        """The next batch."""
        return self.batches.pop(0) if self.batches else []

    def round(self, pairs: Sequence[FakePair], number: int) -> None:
        """Takes time."""
        assert all(pair.rounds == number for pair in pairs)
        self.log.append([pair.number for pair in pairs])
        self.now_s += len(pairs)
        for pair in pairs:
            pair.rounds += 1

    def keep(self, pair: FakePair, ended: Ended) -> tuple[Record, Record]:
        """Rows."""
        pair.ended = ended
        status = "ok" if pair.alive else "failed"
        return record(pair.number), record(pair.number, status=status, correct=pair.correct)


def measured(*batches: list[FakePair], budget_s: float = 1e9) -> tuple[Result, FakeInterleaver]:
    """What comes of them."""
    interleaver = FakeInterleaver(batches=list(batches))
    return ab(
        interleaver, DecisionGoal(budget_s=budget_s), now_s=lambda: interleaver.now_s
    ), interleaver


def test_a_decided_case_has_no_further_round() -> None:
    """The open one goes on until the planned rounds are over."""
    clear, noisy = FakePair(1, factor=1.2), FakePair(2, noise=0.5)
    found, interleaver = measured([clear, noisy])
    assert [a.verdict for a in found.answers] == ["slower", "unsure"]
    assert [a.ended for a in found.answers] == ["decided", "rounds"]
    assert (clear.rounds, noisy.rounds) == (LOOKS[0], LOOKS[-1])
    assert (clear.ended, noisy.ended) == ("decided", "rounds")
    assert found.took_s == interleaver.now_s == LOOKS[0] + LOOKS[-1]


@pytest.mark.parametrize(("factor", "said"), [(1.2, "slower"), (0.8, "faster"), (1.0, "same")])
def test_each_verdict_can_be_reached(factor: float, said: str) -> None:
    """And the ratio is there to be seen."""
    (answer,) = measured([FakePair(1, factor=factor)])[0].answers
    assert answer.verdict == said
    assert answer.ratio is not None
    assert answer.ratio.value == pytest.approx(factor, rel=0.01)


def test_cases_are_judged_at_the_planned_looks_only() -> None:
    """Between them nothing that is seen can end a case, so that looking is not fishing."""
    for number in range(20):
        pair = FakePair(number, factor=1.05, noise=0.03)
        measured([pair])
        assert pair.rounds in LOOKS


@pytest.mark.parametrize(("budget_s", "looks"), [(1e9, 3), (13, 2), (1e-9, 0)])
def test_the_last_look_spends_what_earlier_ones_have_left(budget_s: float, looks: int) -> None:
    """And no more, so that all looks together keep the level."""
    pair = FakePair(1, noise=0.5)
    (answer,) = measured([pair], budget_s=budget_s)[0].answers
    level = spent(looks, last=True, confidence=DecisionGoal(budget_s=1).confidence)
    found = paired(*pair.cells())
    assert found is not None
    assert (answer.ratio, answer.rounds) == (found.ratio(1 - level), found.rounds)


def test_time_that_is_up_ends_all_after_the_first_look() -> None:
    """Each case has that many rounds, however little time there is."""
    pairs = [FakePair(1, noise=0.5), FakePair(2, noise=0.5)]
    found, _ = measured(pairs, budget_s=1e-9)
    assert [a.ended for a in found.answers] == ["budget", "budget"]
    assert [pair.rounds for pair in pairs] == [LOOKS[0]] * 2
    late = FakePair(3, noise=0.5)
    found, _ = measured([late], budget_s=13)
    assert late.rounds == 13
    assert found.answers[0].ratio is not None
    assert found.answers[0].ratio.known


def test_time_is_shared_out_among_what_is_still_to_come() -> None:
    """What an easy batch leaves goes to the next."""
    easy, hard = [FakePair(1, factor=2.0)], [FakePair(2, noise=0.5)]
    measured(easy, hard, budget_s=40)
    assert (easy[0].rounds, hard[0].rounds) == (LOOKS[0], 35)
    one, other = FakePair(3, noise=0.5), FakePair(4, noise=0.5)
    measured([one], [other], budget_s=40)
    assert (one.rounds, other.rounds) == (20, 20)


def test_a_case_that_fails_has_no_verdict_and_the_others_go_on() -> None:
    """Whatever it showed before."""
    broken, fine = FakePair(1, factor=2.0, dies_after=3), FakePair(2)
    found, _ = measured([broken, fine])
    first, second = found.answers
    assert (first.verdict, first.ended, first.ratio) == ("unsure", "failed", None)
    assert (second.verdict, second.ended) == ("same", "decided")
    assert broken.rounds == 3


def test_a_case_that_was_never_ready_is_kept_too() -> None:
    """It has no round."""
    found, interleaver = measured([FakePair(1, dies_after=0)])
    assert [a.ended for a in found.answers] == ["failed"]
    assert interleaver.log == []


def test_a_case_whose_own_time_is_up_is_judged_by_what_there_is() -> None:
    """Even before the first look."""
    slow = FakePair(1, factor=3.0, over_after=3)
    noisy = FakePair(2, noise=0.5, over_after=3)
    found, _ = measured([slow, noisy])
    assert [(a.verdict, a.ended) for a in found.answers] == [
        ("slower", "decided"),
        ("unsure", "timeout"),
    ]


def test_answers_are_told_as_batches_end() -> None:
    """In their order."""
    told: list[Answer] = []
    interleaver = FakeInterleaver(batches=[[FakePair(1)], [FakePair(2)]])
    found = ab(
        interleaver, DecisionGoal(budget_s=1e9), now_s=lambda: interleaver.now_s, told=told.append
    )
    assert told == list(found.answers)
    assert [a.one.case for a in told] == [record(1).case, record(2).case]


def test_one_doubtful_change_among_several_cases_is_taken_back() -> None:
    """By itself it is called slower; as one of two it may be chance."""
    (alone,) = measured([doubtful(1)])[0].answers
    assert (alone.verdict, alone.taken_back) == ("slower", False)
    found, _ = measured([doubtful(1), FakePair(2)])
    assert [(a.verdict, a.taken_back, a.ended) for a in found.answers] == [
        ("unsure", True, "rounds"),
        ("same", False, "decided"),
    ]


def test_a_clear_change_stands_among_many() -> None:
    """And rests from the first look at which it does."""
    clear = FakePair(0, factor=1.2)
    found, _ = measured([clear, *(FakePair(n) for n in range(1, 60))])
    assert (found.answers[0].verdict, clear.rounds) == ("slower", LOOKS[0])


def test_changes_vouch_for_each_other() -> None:
    """Two of two are no chance, where one of two may be."""
    found, _ = measured([doubtful(1), doubtful(2)])
    assert [a.verdict for a in found.answers] == ["slower"] * 2


def test_cases_still_to_be_called_count_as_tried_and_may_vouch() -> None:
    """What is told of the first batch is what is known then; in the end all are judged together."""
    told: list[Answer] = []
    interleaver = FakeInterleaver(batches=[[doubtful(1)], [doubtful(2)]])
    found = ab(
        interleaver, DecisionGoal(budget_s=1e9), now_s=lambda: interleaver.now_s, told=told.append
    )
    assert [(a.verdict, a.taken_back) for a in told] == [("unsure", True), ("slower", False)]
    assert [(a.verdict, a.taken_back) for a in found.answers] == [("slower", False)] * 2


@pytest.mark.parametrize("dies_after", [LOOKS[-1] - 1, LOOKS[-1]])
def test_a_case_that_fails_vouches_for_none(dies_after: int) -> None:
    """Whatever it had shown, in the round in which it fails or at its last look."""
    found, _ = measured([doubtful(1), doubtful(2, dies_after=dies_after)])
    assert [(a.verdict, a.ended) for a in found.answers] == [
        ("unsure", "rounds"),
        ("unsure", "failed"),
    ]


def test_a_wrong_result_has_no_ratio_and_no_verdict() -> None:
    """However much faster it is."""
    wrong, right = FakePair(1, factor=0.5, correct=False), FakePair(2, factor=0.5, correct=True)
    found, _ = measured([wrong, right])
    assert [(a.verdict, a.ended) for a in found.answers] == [
        ("unsure", "failed"),
        ("faster", "decided"),
    ]
    assert (found.answers[0].ratio, found.answers[0].rounds) == (None, 0)


def test_a_wrong_result_vouches_for_none() -> None:
    """What looked like two changes is one, which alone may be chance."""
    wrong = doubtful(2)
    wrong.correct = False
    found, _ = measured([doubtful(1), wrong])
    assert [(a.verdict, a.taken_back) for a in found.answers] == [
        ("unsure", True),
        ("unsure", False),
    ]


class Fleeting(FakePair):
    """A case that is lost as soon as it has been judged."""

    judged = False

    @property
    def alive(self) -> bool:
        """Until then."""
        return not self.judged

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """As ever."""
        self.judged = True
        return super().cells()


def test_a_case_that_is_lost_once_it_was_decided_has_no_verdict() -> None:
    """Its rows are of a failure."""
    (answer,) = measured([Fleeting(1, factor=1.2)])[0].answers
    assert (answer.verdict, answer.ended, answer.ratio) == ("unsure", "failed", None)


@pytest.mark.parametrize("effect", [0.0, 0.02, 0.03, 0.05])
def test_a_case_alone_is_decided_as_if_there_were_no_others(effect: float) -> None:
    """At the same look, with the same verdict, as its interval at the level spent there says."""
    for seed in range(15):
        times = simulated(np.random.default_rng(seed), effect)
        pair = Known(seed, times=times)
        (answer,) = measured([pair])[0].answers
        said, rounds = "unsure", 0
        for look, rounds in enumerate(LOOKS):
            level = spent(look, last=rounds == LOOKS[-1], confidence=0.99)
            found = paired(times[0][:, :rounds], times[1][:, :rounds])
            said = verdict(found, threshold=PAIRED_THRESHOLD, level=level, confidence=0.99)
            if said != "unsure":
                break
        assert (answer.verdict, pair.rounds, answer.taken_back) == (said, rounds, False)


def compared(
    rng: np.random.Generator, changed: int, worker_sd: float = WORKER_SD, cases: int = 200
) -> Result:
    """Simulated cases, of which the first are slower by 5 %."""
    effects = [0.05] * changed + [0.0] * (cases - changed)
    times = [simulated(rng, effect, worker_sd=worker_sd) for effect in effects]
    return measured([Known(n, times=both) for n, both in enumerate(times)])[0]


def called(answers: Sequence[Answer]) -> int:
    """How many are said to have changed."""
    return sum(answer.verdict in CHANGED for answer in answers)


@pytest.mark.slow
def test_of_many_unchanged_cases_none_is_called_changed() -> None:
    """Six comparisons of 200, with workers so different that by themselves some would be in most of them."""
    rng = np.random.default_rng(2)
    found = [compared(rng, 0, worker_sd=0.04) for _ in range(6)]
    assert sum(one.taken_back for each in found for one in each.answers) >= 3
    assert sum(called(each.answers) > 0 for each in found) == 0


@pytest.mark.slow
def test_changes_are_found_among_many_cases() -> None:
    """95 of a hundred that are 5 % slower, and one in a hundred of those called changed is not."""
    rng = np.random.default_rng(20261124)
    found = [compared(rng, 40) for _ in range(5)]
    right = sum(one.verdict == "slower" for each in found for one in each.answers[:40])
    wrong = sum(called(each.answers[40:]) for each in found)
    assert right >= 0.95 * 5 * 40
    assert wrong <= 0.01 * (right + wrong)
