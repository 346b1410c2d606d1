"""What others say of a case's noise."""

from __future__ import annotations

from bench.run import noise
from bench.run.noise import CaseNoise, Noise
from bench.run.turns import Turn
from bench.stats import interval
from tests.fakes.workers import case

OWN, COMMON = (interval.Spread(variance=v, freedom=5.0) for v in (1e-4, 4e-4))


def scattered(scale: float) -> list[Turn]:
    """Turns of three workers in three rounds."""
    return [
        Turn(
            worker=place % 3,
            round=place // 3,
            started_ns=place,
            time_s=1.0 + scale * (place * place % 7),
            conditions=None,
        )
        for place in range(9)
    ]


def test_a_case_hears_what_is_said_of_it() -> None:
    """What all have in common, and its own floor; other cases' floors are not its business."""
    said = Noise(others=COMMON, floors={(case(0).id, "cpu"): OWN})

    assert said.of((case(0).id, "cpu")) == CaseNoise(others=COMMON, floor=OWN)
    assert said.of((case(0).id, "cuda")) == CaseNoise(others=COMMON, floor=None)
    assert Noise().of((case(0).id, "cpu")) == CaseNoise()


def test_six_cases_say_something_together() -> None:
    """Fewer don't, nor do cases without turns."""
    many = [scattered(0.01)] * 6
    found = noise.pooled(many)

    assert found is not None
    assert found.variance > 0
    assert noise.pooled([*many[1:], []]) is None
    assert noise.pooled([]) is None
