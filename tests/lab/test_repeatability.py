"""The comparison with other tools judges ours and theirs by the same rule."""

from __future__ import annotations

import pytest

from bench.analysis.compare import repeatability as compare_repeatability
from tests.lab import repeatability
from tests.lab.panel import MAKERS, callables

STEADY = [{"a": 1.0, "b": 2.0}] * 3
SHAKY = [{"a": 1.0, "b": 2.0}, {"a": 1.04, "b": 2.0}]


def test_equal_times_get_equal_lines() -> None:
    """What a tool is called makes no difference; a number that it lacks is a dash."""
    ours = repeatability.frame(SHAKY).assign(
        time_at_reference_s=None, reference_compute_s=None, reference_barrier_s=None
    )
    text = repeatability.table(ours, {"other": repeatability.frame(SHAKY)})
    _, _, headline, reference, other = text.splitlines()
    assert headline.removeprefix("| tensorbench, headline |") == other.removeprefix("| other |")
    assert other == "| other | 2.0 % | 3.9 % (a) | 50 % | 0 % | 0 % |"
    assert reference == "| tensorbench, at reference | – | – | – | – | – |"


def test_a_steady_tool_is_called_steady() -> None:
    """Identical runs differ nowhere."""
    found = compare_repeatability.agreement(repeatability.frame(STEADY))
    assert found is not None
    assert (found.pairs, found.spread_worst) == (6, 0)


def test_every_tool_gets_the_same_thirteen_cases() -> None:
    """And each can be called again and again."""
    found = callables()
    assert list(found) == list(MAKERS)
    assert len(found) == 13
    for name, call in found.items():
        assert call().shape == call().shape, name


@pytest.mark.parametrize("words", ["--runs 1", "--budget 0", "--budget soon"])
def test_nothing_is_compared_with_nothing(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs at least, and some time for them."""
    with pytest.raises(SystemExit) as ended:
        repeatability.main(words.split())
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
