"""Sentences say the worst first, never more than the facts, and plainly where nothing can be said."""

from __future__ import annotations

import dataclasses

import pytest

from bench.analysis.fleet.fleet_summary import Unit
from bench.analysis.fleet.sentences import sentences, size
from tests.report.fleet.made_up import (
    BAND,
    EMPTY,
    H100,
    acceptance,
    campaign,
    deviation,
    hostile,
    names,
    not_begun,
    ordinary,
    put,
    single,
    spreads,
    state,
    units,
    visit,
)

CLEAN = state(campaign({"h100": names(4)}, gpus=2))
GPUS = units(H100, names(4), ("cuda:0", "cuda:1"))


def test_the_worst_comes_first() -> None:
    """Slow devices, then open suspects, then what is missing; the rest of the facts after that."""
    said = sentences(*acceptance())
    assert said[:7] == (
        (
            "2 GPUs are slow: n041 cuda:0, everything bound by compute, 16 % (14 to 18 %) (power limit 600 W "
            "instead of 700 W; SM clock 1,410 MHz instead of 1,755 MHz); n017 cuda:3, everything bound by memory, "
            "6.2 % (5.1 to 7.3 %)."
        ),
        "1 suspect waits for a visit that confirms or clears it: n020 cuda:5.",
        "63 of 65 nodes measured.",
        "Not measured, excluded (preflight failed twice: 1 of 8 GPUs is missing): n031.",
        "Not measured, unreached (down): n044.",
        "Of 130 visits 123 are done; 1 waiting, 1 failed, 1 lost, 2 excluded and 2 unreached.",
        "Mixed driver: 550.54.15 and 560.28.03; devices may differ for that reason alone.",
    )
    assert said[7].startswith("NVIDIA H100 80GB HBM3: GPUs differ by up to ")
    assert "(5–95 %: −1.5 % to +1.5 %), the same GPU from visit to visit by 0.40 %." in said[7]
    assert "5–95" not in said[8]
    assert said[-2:] == (
        "1 suspect was cleared by its confirming visit: n028 cuda:6.",
        "1 run repeats a visit that counts already; kept, and not counted.",
    )


def test_a_node_whose_units_are_all_slow_is_named_as_one() -> None:
    """What they share is the likelier cause; the count is still of units."""
    slow = [
        deviation(one, ratio=1.05 + place / 100, standing="slow", confirmed=True)
        for place, one in enumerate(GPUS[2:4])
    ]
    found = dataclasses.replace(EMPTY, deviations=put(ordinary(GPUS), *slow))
    assert sentences(CLEAN, found)[0] == (
        "2 GPUs are slow: n02, all 2 GPUs, everything bound by memory, up to 6.0 % (4.9 to 7.1 %)."
    )


def test_what_no_visit_confirmed_is_said_to_be_so() -> None:
    """A campaign without a visit that confirms has slow devices all the same."""
    slow = deviation(GPUS[0], ratio=1.5, standing="slow")
    found = dataclasses.replace(EMPTY, deviations=put(ordinary(GPUS), slow))
    assert "50 % (48 to 52 %), not confirmed by a further visit." in sentences(CLEAN, found)[0]


def test_no_device_stands_out() -> None:
    """Only where all were judged, and with how many that were."""
    found = dataclasses.replace(EMPTY, deviations=tuple(ordinary(GPUS)))
    assert sentences(CLEAN, found)[:2] == (
        "4 of 4 nodes measured, 2 visits each.",
        "No device stands out: 8 GPUs compared in 4 groups of ops; differences below 3.0 % don't matter.",
    )
    suspect = deviation(GPUS[0], ratio=1.05, standing="unsure", suspect=True)
    asked = dataclasses.replace(found, deviations=put(found.deviations, suspect))
    assert not any("No device stands out" in one for one in sentences(CLEAN, asked))


def test_nothing_can_be_said() -> None:
    """Plainly, with the reason: nothing measured, the only one of its model, one visit each, too few."""
    assert sentences(*not_begun()) == ("Nothing is measured yet: 124 visits are waiting.",)
    assert sentences(*single()) == (
        "1 of 1 node measured, 2 visits.",
        (
            "Nothing can be said of single devices: each is the only one of its model, so there is nothing to "
            "compare it with."
        ),
    )
    for visits, count, why in (
        (1, 2, "each was visited once, so a slow device can't be told from a slow visit"),
        (2, 2, "2 of a model don't tell what is usual for it; 6 are the fewest"),
        (2, 8, "what 8 GPUs in 2 visits tell is too little"),
    ):
        unsure = [deviation(one, visits=visits, standing="unsure") for one in GPUS[:count]]
        found = dataclasses.replace(EMPTY, deviations=tuple(unsure))
        assert f"Nothing can be said of single devices yet: {why}." in sentences(CLEAN, found)


def test_a_campaign_that_failed_everywhere_says_why() -> None:
    """Reasons that many nodes share are said once."""
    plan = campaign({"h100": names(9)})
    lost = [visit(node, n, "failed", reason="no CUDA") for node in names(9) for n in (1, 2)]
    assert sentences(state(plan, *lost), EMPTY) == (
        "Nothing is measured yet: 18 visits failed.",
        "Not measured, failed (no CUDA): n01, n02, n03, n04, n05 and 4 more.",
    )
    assert sentences(state(campaign({})), EMPTY)[0] == (
        "Nothing is measured: the campaign has no visits."
    )


def test_one_visit_each_leaves_its_share_open() -> None:
    """The spread of devices is then that of visits as well."""
    known = tuple(
        spreads(H100, ("memory",), between_visits=None, between_devices=0.011, between_nodes=None)
    )
    found = dataclasses.replace(EMPTY, deviations=tuple(ordinary(GPUS)), spreads=known)
    assert sentences(CLEAN, found)[-1] == (
        "NVIDIA H100 80GB HBM3: GPUs differ by 1.1 %; with one visit each, how much of that is the visit "
        "can't be told."
    )


@pytest.mark.parametrize(
    ("ratio", "half", "text"),
    [
        (1.062, 0.01, "6.2 % (5.1 to 7.3 %)"),
        (1.01, 0.02, "1.0 % (−1.0 % to +3.0 %)"),
        (0.95, 0.01, "5.0 % (4.1 to 5.9 %)"),
        (2.5, 0.1, "2.50 times as long (2.25 to 2.75)"),
    ],
)
def test_a_size_is_per_cent_or_a_factor(ratio: float, half: float, text: str) -> None:
    """With its interval, whose ends may be on both sides, or missing."""
    one = deviation(Unit(model="m", node="n", device="cpu"), ratio=ratio, half=half)
    assert size(one) == text


def test_an_interval_without_an_end_is_open() -> None:
    """Infinity is no number that people read."""
    one = deviation(GPUS[0], ratio=2.5, half=0.1, ratio_hi=float("inf"))
    assert size(one) == "2.50 times as long (2.25 or more)"


def test_torch_is_never_mixed() -> None:
    """Unlike a driver, so that devices do not differ for that reason."""
    found = dataclasses.replace(EMPTY, mixtures={"torch": ("2.12.0", "2.13.0"), "driver": ("1",)})
    assert sentences(CLEAN, found)[-1] == (
        "Mixed torch: 2.12.0 and 2.13.0; devices are compared only with those that had the same."
    )


def test_what_machines_say_is_one_short_line_each() -> None:
    """No control character, no line break, whatever names and reasons hold."""
    for text in sentences(*hostile()):
        assert text.isprintable()
    assert EMPTY.band == BAND
