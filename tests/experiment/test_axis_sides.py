"""What --between means, and what it can't."""

from __future__ import annotations

import pytest

from bench.errors import SelectionError
from bench.experiment.axis_sides import sides

CPU, BOTH = ("cpu",), ("cpu", "cuda:0", "cuda:1")


@pytest.mark.parametrize(
    ("word", "present", "names", "devices", "threads"),
    [
        (None, CPU, ("1 thread", "4 threads"), ("cpu", "cpu"), (1, 4)),
        (None, BOTH, ("cpu", "cuda:0"), ("cpu", "cuda:0"), (4, 4)),
        ("threads=1,all", BOTH, ("1 thread", "4 threads"), ("cpu", "cpu"), (1, 4)),
        ("threads=3,2", CPU, ("3 threads", "2 threads"), ("cpu", "cpu"), (3, 2)),
        ("cuda, cpu", CPU, ("cuda", "cpu"), ("cuda", "cpu"), (4, 4)),
    ],
)
def test_two_sides(
    word: str | None,
    present: tuple[str, ...],
    names: tuple[str, str],
    devices: tuple[str, str],
    threads: tuple[int, int],
) -> None:
    """Devices with all threads, or thread counts of the CPU."""
    found = sides(word, present=present, threads=4)
    assert tuple(side.name for side in found) == names
    assert tuple(side.device for side in found) == devices
    assert tuple(side.threads for side in found) == threads


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("cpu", "--between 'cpu' can't be read; write two devices"),
        ("cpu,cuda,cuda:1", "can't be read"),
        ("cores=1,2", "can't be read"),
        ("threads=1", "can't be read"),
        ("threads=0,2", "'0' is no number of threads"),
        ("threads=1,many", "'many' is no number of threads"),
        ("threads=4,all", "means 4 threads twice; name two sides that differ"),
        ("cpu,cpu", "means cpu twice"),
    ],
)
def test_a_mistake_says_what_to_write(word: str, said: str) -> None:
    """The value, the rule, the fix."""
    with pytest.raises(SelectionError) as error:
        sides(word, present=CPU, threads=4)
    assert said in str(error.value)
