"""Launches: which kernels, where the device waits, what a graph would save. All rows here are made up."""

from __future__ import annotations

import pytest

from bench.analysis.findings import kernels
from tests.fakes.launches import launched
from tests.fakes.rows import record


def test_kernels_come_by_how_many_cases_run_them() -> None:
    """Alone, as one of several, or as the longest."""
    rows = [launched(kernels=("a",)), launched(kernels=("b", "a")), launched(kernels=())]
    first, second = kernels.kernels(rows)
    assert (first.name, len(first.records), first.alone, first.longest) == ("a", 2, 1, 1)
    assert (second.name, len(second.records), second.alone, second.longest) == ("b", 1, 0, 1)


def test_the_case_that_waits_most_comes_first() -> None:
    """The others keep the device busy."""
    some, most = launched(device_time_s=5e-6), launched(device_time_s=1e-6)
    busy = launched(bound_by="device")
    assert kernels.launch_bound([some, busy, most]) == [most, some]


def test_what_a_graph_saves_is_held_against_the_fast_end() -> None:
    """9.9 µs at best against 2 µs; nothing is saved where the replay is slower."""
    assert kernels.saved_share(launched()) == pytest.approx(1 - 2 / 9.9)
    assert kernels.saved_share(launched(graph_time_s=2e-5)) == 0
    assert kernels.saved_share(launched(graph_time_s=None)) is None


def test_sentences_say_how_many_wait_and_what_would_help() -> None:
    """Numbers of the middle and of both ends."""
    rows = [launched(), launched("mul", graph_time_s=5e-6), launched("cat", graph_time_s=None)]
    layer = launched("layer", bound_by="device", kernels=("a", "b"), kernels_per_call=7.0)
    assert kernels.sentences([*rows, layer]) == [
        "Launch-bound: 3 of 4 cases; there the device waits for the host for a fifth of the time or more.",
        (
            "Of these 2 could be recorded as a graph; replayed, the device needs from 49 % to 80 %, "
            "in the middle 65 % less than a caller waits now."
        ),
        "A single kernel per call: 3 of 4 cases; s/layer n=16 float32 runs the most, 7.",
    ]


def test_a_device_that_is_kept_busy_is_said_to_be() -> None:
    """Without words of graphs."""
    row = launched(bound_by="device", warnings=("profile-incomplete",))
    assert kernels.sentences([row]) == [
        "Launch-bound: none of 1 case; the host keeps the device busy.",
        "A single kernel per call: 1 of 1 case.",
        "The profiler's records of 1 case do not add up (profile-incomplete).",
    ]


def test_without_a_graph_nothing_is_promised() -> None:
    """Nor without rows that know what they wait for."""
    said = kernels.sentences([launched(graph_time_s=None)])
    assert said[1] == (
        "None of these could be recorded as a graph, so it is not known what a replay would save."
    )
    assert kernels.sentences([record()]) == []


def test_the_first_screen_says_how_many_wait_for_the_host() -> None:
    """Of those of which that is known; nothing where none does."""
    busy = launched("mul", bound_by="device")
    assert kernels.gpu_waits([launched(), busy, launched("view", bound_by=None)]) == (
        "1 of 2 cases on cuda whose own device time is known waits for the host (launch-bound): the device is "
        "idle for a fifth of the time or more, so these times say what launching costs, not what the device "
        "can do."
    )
    assert kernels.gpu_waits([busy, record()]) is None


def test_copies_between_host_and_device_are_known_by_what_runs() -> None:
    """One within the device does not go over the bus."""
    there, back = "Memcpy HtoD (Pageable -> Device)", "Memcpy DtoH (Device -> Pinned)"
    assert all(kernels.crosses_bus(launched(kernels=("k", name))) for name in (there, back))
    assert not kernels.crosses_bus(launched(kernels=("Memcpy DtoD (Device -> Device)",)))
