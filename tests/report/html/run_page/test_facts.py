"""Facts of a run are written for people, with their units."""

from __future__ import annotations

from bench.report.html.run_page import facts as run_page_facts
from tests.fakes.rows import example, info, lost, on, record


def test_the_headline_has_what_a_reader_wants_to_know_first() -> None:
    """Machine, devices, torch, threads, when."""
    facts = dict(run_page_facts.headline(info(), [*example(), *on("cuda", example())]))
    assert facts["machine"] == "Test machine"
    assert facts["devices"] == "cpu: Test CPU · cuda: Test GPU"
    assert facts["threads"] == "2"
    assert facts["begun"] == "2026-11-23 05:02 UTC, took 1 min 33 s"
    assert facts["tags"] == "branch=main"


def test_cold_caches_are_in_the_headline() -> None:
    """Hot ones are what a reader expects."""
    assert dict(run_page_facts.headline(info(), [record(cache="cold")]))["caches"] == "cold"
    assert "caches" not in dict(run_page_facts.headline(info(), [record(cache="hot")]))


def test_what_is_not_known_is_left_out_of_the_headline() -> None:
    """An old or foreign manifest may lack anything."""
    facts = dict(
        run_page_facts.headline(info(machine={}, torch={}, options={}, finished_at=None), [])
    )
    assert facts == {
        "machine": "unknown machine",
        "begun": "2026-11-23 05:02 UTC",
        "tags": "branch=main",
    }


def test_numbers_have_the_unit_that_their_name_says() -> None:
    """Nobody counts the digits of bytes."""
    groups = {name: dict(pairs) for name, pairs in run_page_facts.groups(info())}
    assert groups["Machine"]["memory bytes"] == "16.0 GiB"
    assert groups["State at the start"]["frequency hz"] == "2.60 GHz"
    assert groups["State at the start"]["cpu busy share"] == "2.0 %"
    assert groups["Options"]["budget s"] == "500 ms"
    assert groups["Environment"]["usable cores"] == "0, 1"
    assert groups["Environment"]["git dirty"] == "no"
    assert groups["Torch"]["cuda"] == "not known"


def test_numbers_inside_of_something_have_its_unit() -> None:
    """Caches are named by their level, which says nothing of bytes."""
    caches = {"L1d": 49152, "L2": 2**20}
    groups = dict(run_page_facts.groups(info(environment={"cpu_caches_bytes": caches})))
    assert dict(groups["Environment"])["cpu caches bytes"] == "L1d: 48.0 KiB, L2: 1.00 MiB"


def test_what_is_inside_of_something_is_spelt_out() -> None:
    """GPUs are a list of mappings."""
    gpus = [{"name": "Test GPU", "memory_bytes": 2**30}]
    groups = dict(run_page_facts.groups(info(machine={"gpus": gpus, "tags": [], "more": {}})))
    assert dict(groups["Machine"]) == {
        "gpus": "name: Test GPU, memory_bytes: 1.00 GiB",
        "tags": "none",
        "more": "none",
    }


def test_confidence_is_named_if_it_is_one() -> None:
    """Runs of two confidences have none of their own."""
    assert run_page_facts.confidence([record()]) == "95 %"
    assert run_page_facts.confidence([record(), record(confidence=0.99)]) == "stated"


def test_outcomes_that_did_not_occur_are_not_counted() -> None:
    """A badge with a zero is noise."""
    assert run_page_facts.outcomes(example()) == [
        ("ok", 8),
        ("failed", 1),
        ("timeout", 1),
        ("skipped", 3),
    ]


def test_a_device_is_named_once_by_the_rows_that_know_its_model() -> None:
    """A skipped row on a GPU knows none; where nobody does, the device's own name is there."""
    skipped = lost("skipped", "x", device="cuda", device_name="cuda")
    assert dict(run_page_facts.headline(info(), [skipped, *on("cuda", [record()])]))["devices"] == (
        "cuda: Test GPU"
    )
    assert dict(run_page_facts.headline(info(), [skipped]))["devices"] == "cuda: cuda"


def test_a_wrong_result_is_no_outcome_that_is_ok() -> None:
    """It was measured, but is told by itself."""
    rows = [record("a"), record("b", correct=False), record("c", status="oom")]
    assert run_page_facts.outcomes(rows) == [("ok", 1), ("wrong", 1), ("oom", 1)]
