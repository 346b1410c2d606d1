"""pytest-benchmark's files as runs: medians and samples as they are, no interval, no host's name."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

from bench.errors import StoreError
from bench.report.text.pytest_benchmark_writer import extra_info
from bench.store.pytest_benchmark_reader import IMPORTED, is_pytest_benchmark, run_of
from tests.fakes.pytest_benchmark import COMMIT, MEDIAN_S, TIMES, benchmark, document
from tests.fakes.workers import record


def test_a_benchmark_becomes_a_row() -> None:
    """The median is the headline; from one process there is no interval."""
    _, (entry,), _ = run_of(document(), "a.json")
    row = entry.record
    assert (row.suite, row.op, row.params) == ("tests/test_sort", "test_sort", {"n": "10"})
    assert row.case == "tests/test_sort.py::test_sort[10]"
    assert (row.status, row.time_s, row.time_best_s, row.time_p95_s) == ("ok", MEDIAN_S, 1e-6, 9e-6)
    assert (row.time_lo_s, row.time_hi_s, row.confidence) == (None, None, None)
    assert (row.samples, row.workers, row.loops) == (5, 1, 5)
    assert row.warnings == (IMPORTED,)


def test_its_samples_stay_in_the_order_taken() -> None:
    """One after the other, since the file does not say when."""
    _, (entry,), _ = run_of(document(), "a.json")
    assert tuple(one.time_s for one in entry.samples) == TIMES
    assert [one.elapsed_s for one in entry.samples] == pytest.approx([5 * t for t in TIMES])
    assert [one.at_s for one in entry.samples] == pytest.approx([0, 20e-6, 25e-6, 35e-6, 80e-6])


def test_statistics_alone_are_enough() -> None:
    """A file without data has the median, and no quartile is read, which old versions have wrong."""
    _, (entry,), _ = run_of(document(benchmark(data=False), version="4.0.0"), "a.json")
    assert (entry.record.time_s, entry.record.samples, entry.samples) == (MEDIAN_S, None, ())
    assert entry.record.time_p95_s is None


def test_the_run_says_where_it_was_made() -> None:
    """As far as the file does, without the host's name."""
    about, _, _ = run_of(document(), "a.json")
    assert about.run_id.startswith("20260304T050607Z-")
    assert about.label == COMMIT[:12]
    assert about.tags == {IMPORTED: "pytest-benchmark 5.3.1", "file": "a.json"}
    assert about.machine["cpu_model"] == "Test CPU"
    assert about.environment["python"] == "CPython 3.12.1"
    assert (about.environment["git_commit"], about.environment["git_dirty"]) == (COMMIT, False)
    assert "secret-host" not in repr(about)


def test_a_tree_without_a_commit_is_called_by_its_file() -> None:
    """pytest-benchmark writes `unversioned` there."""
    about, _, _ = run_of(document(commit_info={"id": "unversioned", "dirty": False}), "a.json")
    assert about.label == "a"
    assert "git_commit" not in about.environment
    assert run_of(document(), "a.json", "mine")[0].label == "mine"


def test_the_same_file_makes_the_same_run() -> None:
    """And another file another."""
    ids = {run_of(document(), "a.json")[0].run_id for _ in range(2)}
    ids.add(run_of(document(benchmark(times=(1e-6,))), "a.json")[0].run_id)
    assert len(ids) == 2


def test_the_present_clock_rate_is_not_the_machine() -> None:
    """pytest-benchmark's own comparison cries wolf over it."""
    told = document()
    before = run_of(told, "a.json")[0].machine
    told["machine_info"]["cpu"]["hz_actual_friendly"] = "1.2 GHz"
    assert run_of(told, "a.json")[0].machine == before


def test_ids_hold_whatever_changes_beside_the_test() -> None:
    """A new address, another group, more digits of a value: it is the same case."""
    first = benchmark(group="a", params={"f": "UNSERIALIZABLE[<function <lambda> at 0x7f01>]"})
    second = benchmark(group="b", params={"f": "UNSERIALIZABLE[<function <lambda> at 0x7f02>]"})
    found = [run_of(document(one), "a.json")[1][0].record for one in (first, second)]
    assert found[0].case == found[1].case == first["fullname"]
    assert found[0].params == found[1].params


def test_benchmarks_of_one_name_are_told_apart() -> None:
    """By the files they stand in, and if need be by number."""
    twins = [benchmark(f"{folder}/test_sort.py::test_sort") for folder in ("a", "b", "b")]
    _, entries, _ = run_of(document(*twins), "x.json")
    assert [entry.record.case for entry in entries] == [
        "a/test_sort.py::test_sort",
        "b/test_sort.py::test_sort",
        "b/test_sort.py::test_sort#2",
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"machine_info": {"torch": "2.9.0+cpu"}},
        {"machine_info": {"pytorch_version": "2.9.0+cpu", "torchvision_version": "0.24.0"}},
        {"machine_info": {"packages": {"Torch": "2.9.0+cpu"}}},
        {"machine_info": {"torch": {"version": "2.9.0+cpu", "cuda": "12.8"}}},
        {"benchmarks": [benchmark(extra_info={"torch_version": "2.9.0+cpu"})]},
    ],
)
def test_the_torch_that_ran_is_read_where_it_is_noted(told: dict[str, Any]) -> None:
    """By test suites that want it in their files; pytest-benchmark itself does not."""
    about, (entry,), _ = run_of(document(**told), "a.json")
    assert entry.record.torch_version == "2.9.0+cpu"
    assert about.torch == {"version": "2.9.0+cpu"}
    assert run_of(document(), "a.json")[0].torch == {}


def test_a_row_on_a_gpu_says_so() -> None:
    """As far as the test does."""
    on_gpu = benchmark(params={"n": 10, "device": "cuda"})
    about, (entry,), _ = run_of(document(on_gpu), "a.json")
    assert (entry.record.device, entry.record.device_name) == ("cuda", "cuda")
    assert about.devices == ["cuda"]


def torn(**changes: Any) -> dict[str, Any]:
    """A benchmark whose statistics were changed."""
    whole = benchmark("a/test_b.py::test_torn")
    return {**whole, "stats": {**whole["stats"], **changes}}


@pytest.mark.parametrize(
    "bad",
    [
        torn(iterations=math.inf),
        torn(iterations=math.nan),
        torn(iterations=10**30),
        torn(iterations="many"),
        torn(data=[10**400]),
        torn(data=["fast"]),
        torn(data=3),
        torn(data=None, median=None),
        {**torn(), "stats": None},
        {**torn(), "stats": []},
        {**torn(), "extra_info": {**extra_info(record()), "time_s": "abc"}},
        {**torn(), "extra_info": {**extra_info(record()), "case": 5}},
        {**torn(), "extra_info": {**extra_info(record()), "params": 3}},
        {**torn(), "extra_info": {**extra_info(record()), "status": "fine"}},
    ],
)
def test_a_benchmark_that_can_not_be_read_is_named(bad: dict[str, Any]) -> None:
    """With the reason, on one line; the others stay."""
    _, entries, (left_out,) = run_of(document(benchmark(), bad), "a.json")
    assert [entry.record.case for entry in entries] == [benchmark()["fullname"]]
    assert left_out.startswith("a/test_b.py::test_torn: ")
    assert left_out.isprintable()


@pytest.mark.parametrize("bad", [3, None, [], "x", {}])
def test_what_is_no_benchmark_is_named_by_its_place(bad: Any) -> None:
    """It has no name."""
    *_, left_out = run_of(document(benchmark(), bad), "a.json")
    assert left_out == ["benchmark 2: it has no name"]


@pytest.mark.parametrize(
    "changes",
    [
        {"commit_info": [1]},
        {"machine_info": None},
        {"machine_info": {"cpu": "fast", "machine": "\ud800", "system": 5}},
        {"machine_info": {"cpu": {"count": [1], "brand_raw": {"a": 1}}}},
    ],
)
def test_facts_of_another_kind_are_left_out(changes: dict[str, Any]) -> None:
    """The times stand without them."""
    about, entries, _ = run_of(document(**changes), "a.json")
    assert len(entries) == 1
    json.dumps(dataclasses.asdict(about), ensure_ascii=False).encode()


@pytest.mark.parametrize("time_s", [0.0, float("nan")])
def test_a_time_that_is_none_is_a_failed_row(time_s: float) -> None:
    """It is not lost, and no comparison trips over it."""
    _, (entry,), _ = run_of(document(benchmark(times=(time_s,))), "a.json")
    assert (entry.record.status, entry.record.time_s) == ("failed", None)
    assert entry.record.reason


def test_a_row_of_ours_is_taken_as_it_is() -> None:
    """With its interval, machine and torch: our engine measured it, and pytest-benchmark carried it."""
    own = record(3, time_lo_s=9e-7, time_hi_s=2e-6, torch_version="2.9.0", threads=2)
    carried = json.loads(json.dumps(benchmark(extra_info=extra_info(own))))
    about, (entry,), _ = run_of(document(carried), "a.json")
    assert (entry.record.case, entry.record.time_lo_s) == (own.case, 9e-7)
    assert entry.record.run_id == about.run_id
    assert entry.record.warnings == ()
    assert (about.machine["machine_id"], about.torch) == ("m-1", {"version": "2.9.0"})
    assert about.options == {"threads": 2, "cache": "hot"}
    assert about.memory == {"cpu": "system"}


def test_a_row_of_ours_keeps_its_memory_policy() -> None:
    """So that it is compared with rows of that one; a row of another program names none."""
    own = json.loads(json.dumps(benchmark(extra_info=extra_info(record(3, memory="fresh")))))
    about, (entry,), _ = run_of(document(own), "a.json")
    assert (entry.record.memory, about.memory_on("cpu")) == ("fresh", "fresh")
    about, (entry,), _ = run_of(document(benchmark()), "a.json")
    assert (entry.record.memory_policy, about.memory_on("cpu")) == ("system", "system")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "6.0.0"}, "a.json is of pytest-benchmark 6.0.0; files of versions 3 to 5"),
        ({"version": "2.5.0"}, "a.json is of pytest-benchmark 2.5.0; files of versions 3 to 5"),
        ({"version": None}, "a.json is of pytest-benchmark without a version; "),
        ({"benchmarks": []}, "a.json holds no benchmark; "),
        ({"benchmarks": [{"name": "x"}]}, "a.json holds no benchmark (x: it has no statistics; "),
        ({"datetime": "0001-01-01T00:00:00+14:00"}, "a.json is no whole file of pytest-benchmark"),
        ({"benchmarks": 3}, "a.json is no whole file of pytest-benchmark (TypeError"),
        ({"datetime": "yesterday"}, "a.json is no whole file of pytest-benchmark (ValueError"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_in_one_line(
    changes: dict[str, Any], said: str
) -> None:
    """With what is wrong."""
    with pytest.raises(StoreError) as error:
        run_of(document(**changes), "a.json")
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("told", "is_one"), [(document(), True), ({}, False), ([], False)])
def test_its_files_are_told_from_others(told: Any, *, is_one: bool) -> None:
    """By what stands in them."""
    assert is_pytest_benchmark(told) is is_one
