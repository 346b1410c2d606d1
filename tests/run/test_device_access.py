"""A device is given up after cases in a row whose workers got no context on it, all for one reason."""

from __future__ import annotations

import pytest

from bench.run.device_access import CASES_IN_A_ROW, DeviceAccess

BUSY = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"


def access(*words: str) -> DeviceAccess:
    """After these attempts on `cuda`: `yes`, or the reason why not."""
    made = DeviceAccess()
    for word in words:
        if word == "yes":
            made.granted("cuda", 1)
        else:
            made.refused("cuda", 1, word)
    return made


def test_a_device_is_given_up_with_its_reason() -> None:
    """What was said last, how often, and where to look."""
    assert access(*[BUSY] * (CASES_IN_A_ROW - 1)).given_up == {}
    assert access(*[BUSY] * CASES_IN_A_ROW).given_up == {
        "cuda": f"cuda was given up after 3 cases in a row: {BUSY}; "
        "bench doctor names its compute mode and who is at work on it"
    }


@pytest.mark.parametrize(
    "words",
    [(BUSY, BUSY, "yes", BUSY, BUSY), (BUSY, BUSY, "no driver", BUSY, BUSY)],
    ids=["a context between", "another reason between"],
)
def test_only_cases_in_a_row_count(words: tuple[str, ...]) -> None:
    """A device that another process was about to leave may be had later."""
    assert access(*words).given_up == {}
    assert "cuda" in access(*words, BUSY).given_up


def test_each_device_has_its_own() -> None:
    """A GPU that is taken says nothing of another."""
    made = access(BUSY, BUSY)
    made.refused("cuda:1", 1, BUSY)
    assert made.given_up == {}


def test_each_worker_has_its_own() -> None:
    """In exclusive mode one worker has the context: what it is granted says nothing of those that get none."""
    made = access(BUSY, BUSY)
    made.granted("cuda", 0)
    made.refused("cuda", 2, BUSY)
    assert made.given_up == {}
    made.refused("cuda", 1, BUSY)
    assert "cuda" in made.given_up
