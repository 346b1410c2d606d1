"""Options of a side are read, and said in the words in which it differs from the other; so is --between."""

from __future__ import annotations

import pytest

from bench.errors import SelectionError
from bench.experiment.configuration import Variant, sides, variant

CPU, BOTH = ("cpu",), ("cpu", "cuda:0", "cuda:1")


def test_threads_are_as_asked_for_else_as_the_variable_says() -> None:
    """The variable is ours to set, so it is not passed on as it stands."""
    assert variant("a", None, (), None, otherwise=4) == Variant(threads=4)
    assert variant("a", None, (), 2, otherwise=4) == Variant(threads=2)
    words = ("OMP_NUM_THREADS=1", "MKL_CBWR=AVX2", "EMPTY=")
    assert variant("a", "py", words, None, otherwise=4) == Variant(
        threads=1, python="py", variables={"MKL_CBWR": "AVX2", "EMPTY": ""}
    )
    assert variant("a", None, words[:1], 1, otherwise=4).threads == 1


@pytest.mark.parametrize(
    ("words", "threads", "said"),
    [
        (("OMP",), None, "--b-env 'OMP' can't be read; write NAME=VALUE"),
        (("=1",), None, "--b-env '=1' can't be read; write NAME=VALUE"),
        (("OMP_NUM_THREADS=all",), None, "--b-env OMP_NUM_THREADS=all: that is no number of"),
        (("OMP_NUM_THREADS=0",), None, "--b-env OMP_NUM_THREADS=0: that is no number of"),
        (("OMP_NUM_THREADS=2",), 1, "--b-threads 1 and OMP_NUM_THREADS=2 disagree; say one"),
    ],
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], threads: int | None, said: str) -> None:
    """The value, the rule, the fix."""
    with pytest.raises(SelectionError) as error:
        variant("b", None, words, threads, otherwise=4)
    assert str(error.value).startswith(said)


def test_words_say_what_differs_and_nothing_else() -> None:
    """On both sides."""
    one = Variant(threads=2, variables={"A": "1", "B": "x"})
    other = Variant(threads=1, python="new/bin/python", variables={"B": "x", "C": "2"})
    assert one.words(other) == "this Python, A=1, without C, 2 threads"
    assert other.words(one) == "new/bin/python, without A, C=2, 1 thread"
    assert one.words(one) == ""


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
def test_between_names_two_sides(
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
def test_a_mistake_in_between_says_what_to_write(word: str, said: str) -> None:
    """The value, the rule, the fix."""
    with pytest.raises(SelectionError) as error:
        sides(word, present=CPU, threads=4)
    assert said in str(error.value)
