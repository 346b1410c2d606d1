"""What differs between runs is told before any number: never mixed, with care, or nothing."""

from __future__ import annotations

import pytest

from bench.analysis.compare.comparability import comparability, same_conditions
from tests.fakes.two_runs import NEW, run, timed

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
    ],
)
def test_another_question_is_never_mixed(
    changes: dict[str, object], field: str, before: str, after: str
) -> None:
    """Threads, caches, precision."""
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
    precision = {"version": "2.13.0", "float32_matmul_precision": "high"}
    new = run(NEW, options={"threads": 1, "cache": "cold"}, torch=precision)
    assert comparability(run(), new).remedy == (
        "bench run matmul --threads 2 --cache hot (with float32_matmul_precision as in the base)"
    )


def test_an_op_whose_code_changed_is_named_and_compared_with_care() -> None:
    """Once, however many cases it has; the other ops of the file are as they were, whatever its hash."""
    new = run(NEW, suites={"matmul": "ba5"})
    changed = [
        (timed(fingerprint="aa"), timed(fingerprint="bb")),
        (timed(params={"n": 64}, fingerprint="aa"), timed(params={"n": 64}, fingerprint="bb")),
    ]
    same = (timed(op="other", fingerprint="cc"), timed(op="other", fingerprint="cc"))
    found = comparability(run(), new, [*changed, same])
    assert (found.verdict, found.changed_ops, found.barriers) == (
        "with-care",
        ("matmul/square",),
        (),
    )
    (told,) = found.differences
    assert (told.field, told.base, told.new, told.matters) == (
        "op matmul/square",
        "aa",
        "bb",
        "care",
    )
    assert comparability(run(), new, [same]).differences == ()


@pytest.mark.parametrize("codes", [(None, None), (None, "aa"), ("aa", None)])
def test_a_run_from_before_fingerprints_is_known_by_its_suites_file(
    codes: tuple[str | None, str | None],
) -> None:
    """The same file is the same code; another may differ in a comment alone."""
    pair = (timed(fingerprint=codes[0]), timed(fingerprint=codes[1]))
    assert comparability(run(), run(NEW), [pair]).differences == ()
    found = comparability(run(), run(NEW, suites={"matmul": "ba5"}), [pair])
    (told,) = found.differences
    assert (found.verdict, told.field, told.base, told.new) == (
        "with-care",
        "suite matmul",
        "f00",
        "ba5",
    )
    assert comparability(run(), run(NEW, suites={}), [pair]).differences == ()


def test_a_package_of_the_user_s_own_is_told_by_its_files() -> None:
    """A commit of the same files is no difference; what only one run imports is none either."""
    base = run(imported={"mine": {"files": "f1", "commit": None}, "gone": {"files": "f9"}})
    committed = run(NEW, imported={"mine": {"files": "f1", "commit": "0123456789abcdef0123"}})
    assert comparability(base, committed).verdict == "yes"
    edited = run(NEW, imported={"mine": {"files": "f2", "commit": "0123456789abcdef0123"}})
    (told,) = comparability(base, edited).differences
    assert (told.field, told.base, told.new) == (
        "package mine",
        "f1",
        "f2 (commit 0123456789abcdef)",
    )
    assert told.matters == "care"


def test_sentinels_are_held_against_each_other_on_one_machine_only() -> None:
    """The same hardware, torch and thread count."""
    assert same_conditions(run(), run(NEW))
    assert not same_conditions(run(), run(machine={"machine_id": "m-2"}))
    assert not same_conditions(run(), run(torch={**TORCH, "version": "2.14.0"}))
    assert not same_conditions(run(), run(options={"threads": 1}))
    assert not same_conditions(run(machine={}), run(machine={}))
