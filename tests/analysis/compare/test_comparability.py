"""What differs between runs is told before any number: never mixed, with care, or nothing."""

from __future__ import annotations

import pytest

from bench.analysis.compare.comparability import barriers_of, comparability, same_conditions
from tests.fakes.two_runs import NEW, run

TORCH = {"version": "2.13.0", "float32_matmul_precision": "highest"}


def test_a_run_of_another_time_is_comparable() -> None:
    """Label and time differ, which is no matter."""
    found = comparability(run(), run(NEW, label="after", started_at="2026-11-24T00:00:00+00:00"))
    assert (found.verdict, found.remedy) == ("yes", "")
    assert {d.field for d in found.differences} == {"label", "started_at"}


@pytest.mark.parametrize(
    ("changes", "field", "before", "after"),
    [
        ({"options": {"threads": 1, "cache": "hot"}}, "threads", "2", "1"),
        ({"options": {"threads": 2, "cache": "cold"}}, "cache", "hot", "cold"),
        (
            {"torch": {**TORCH, "float32_matmul_precision": "high"}},
            "float32_matmul_precision",
            "highest",
            "high",
        ),
        ({"suites": {"matmul": "ba5"}}, "suite matmul", "f00", "ba5"),
    ],
)
def test_another_question_is_never_mixed(
    changes: dict[str, object], field: str, before: str, after: str
) -> None:
    """Threads, caches, precision, the code itself."""
    found = comparability(run(), run(NEW, **changes))
    assert found.verdict == "no"
    (barrier,) = found.barriers
    assert (barrier.field, barrier.base, barrier.new) == (field, before, after)
    assert found.differences[0] == barrier


def test_tf32_on_a_gpu_is_never_mixed() -> None:
    """Settings that choose kernels, if both runs know them."""
    settings = {"cuda_settings": {"matmul_allow_tf32": True}}
    other = {"cuda_settings": {"matmul_allow_tf32": False}}
    base = run(torch={**TORCH, **settings})
    assert comparability(base, run(torch={**TORCH, **other})).verdict == "no"
    assert comparability(base, run(torch=TORCH)).verdict == "yes"


@pytest.mark.parametrize(
    "changes",
    [
        {"machine": {"machine_id": "m-2", "name": "another"}},
        {"torch": {**TORCH, "version": "2.14.0"}},
        {"environment": {"os": "Other OS", "git_dirty": False, "usable_cores": [0, 1]}},
        {"state": {"load_1min": 3.0}},
    ],
)
def test_other_machines_and_versions_are_compared_with_care(changes: dict[str, object]) -> None:
    """They are what people compare; the difference is stated."""
    assert comparability(run(state={"load_1min": 0.1}), run(NEW, **changes)).verdict == "with-care"


def test_what_a_run_does_not_know_is_no_difference() -> None:
    """Early versions wrote less; a tuple that went through JSON is a list."""
    base = run(environment={"usable_cores": (0, 1), "hypervisor": None})
    assert comparability(base, run(environment={"usable_cores": [0, 1]})).verdict == "yes"
    assert (
        comparability(run(state={"load_1min": 0.1}), run(state={"load_1min": 0.5})).verdict == "yes"
    )


def test_who_may_use_a_gpu_moves_no_number() -> None:
    """Its compute mode bars or admits a run, and is no difference between two that were made."""
    base, new = (
        run(environment={"gpu_driver": "580", "gpu_compute_modes": [mode]})
        for mode in ("default", "exclusive-process")
    )
    assert comparability(base, new).differences == ()


def test_a_mapping_differs_key_by_key() -> None:
    """One variable of many."""
    base, new = (
        run(environment={"variables": {"OMP_NUM_THREADS": n, "MKL_X": "1"}}) for n in ("1", "2")
    )
    (found,) = comparability(base, new).differences
    assert (found.field, found.base, found.new) == ("variables OMP_NUM_THREADS", "1", "2")


def test_the_remedy_is_a_run_like_the_base() -> None:
    """With its suites, threads and caches; what no option sets is said."""
    new = run(NEW, options={"threads": 1, "cache": "cold"}, suites={"matmul": "ba5"})
    assert comparability(run(), new).remedy == (
        "bench run matmul --threads 2 --cache hot (with suite matmul as in the base)"
    )


def test_another_suites_file_bars_that_suite_alone() -> None:
    """Threads bar all."""
    code = comparability(run(), run(suites={"matmul": "ba5"}))
    threads = comparability(run(), run(options={"threads": 1}))
    assert [d.field for d in barriers_of("matmul", code)] == ["suite matmul"]
    assert barriers_of("view", code) == ()
    assert [d.field for d in barriers_of("view", threads)] == ["threads"]


def test_sentinels_are_held_against_each_other_on_one_machine_only() -> None:
    """The same hardware, torch and thread count."""
    assert same_conditions(run(), run(NEW))
    assert not same_conditions(run(), run(machine={"machine_id": "m-2"}))
    assert not same_conditions(run(), run(torch={**TORCH, "version": "2.14.0"}))
    assert not same_conditions(run(), run(options={"threads": 1}))
    assert not same_conditions(run(machine={}), run(machine={}))
