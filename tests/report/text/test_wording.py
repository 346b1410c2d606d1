"""Facts are worded alike wherever they are shown."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.analysis.findings import footnotes
from bench.report.text import wording
from tests.fakes.rows import info, lost, record


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-23T05:02:01+00:00", "2026-11-23 05:02 UTC"),
        ("2026-11-23T01:02:01-04:00", "2026-11-23 05:02 UTC"),
        ("2026-11-23T05:02:01", "2026-11-23 05:02 UTC"),
        ("yesterday", "yesterday"),
    ],
)
def test_times_are_utc_wherever_they_were_written(text: str, shown: str) -> None:
    """Two readers in two places see the same."""
    assert wording.when(text) == shown


def test_a_time_parts_at_its_interval() -> None:
    """Whatever is missing."""
    assert wording.interval("12.3 µs ± 0.4 %") == ("12.3 µs", "± 0.4 %")
    assert wording.interval("420 ns ± ?") == ("420 ns", "± ?")
    assert wording.interval("–") == ("–", "")


def test_flop_count_before_bytes() -> None:
    """The rate of a table is the one that its op is about."""
    assert wording.rate_of(record(flop=10.0, bytes=10.0)) == "1.00 MFLOP/s"
    assert wording.rate_of(record(bytes=10.0)) == "1.00 MB/s"
    assert wording.rate_of(record()) == "–"
    assert wording.rates_of(record(flop=10.0, bytes=20.0)) == "1.00 MFLOP/s, 2.00 MB/s"


def test_a_note_without_words_is_short() -> None:
    """No empty sentences."""
    (note,) = footnotes.notes([record(warnings=("newer",))])
    assert wording.footnote(note) == "newer (the only row): this version has no words for it."


def test_a_preset_with_cold_caches_says_so() -> None:
    """Runs that look alike in a list are then not taken for each other."""
    assert wording.preset(info(options={"preset": "full", "cache": "cold"})) == "full, cold"
    assert wording.preset(info(options={"preset": "full", "cache": "hot"})) == "full"
    assert wording.preset(info(options={})) == "–"


def test_counts_name_what_occurred() -> None:
    """In the order of the statuses."""
    assert wording.counted({"skipped": 2, "ok": 1, "failed": 0}) == "1 ok, 2 skipped"
    assert wording.counted({"ok": 3, "oom": 1}, wrong=1) == "2 ok, 1 wrong, 1 oom"
    assert wording.counted({}) == "no cases"


def test_a_group_of_one_is_that_one() -> None:
    """A group of more is counted."""
    (one,) = footnotes.unmeasured([lost("skipped", "x")])
    assert wording.who(one, "matmul/square n=16") == "matmul/square n=16"
    (two,) = footnotes.unmeasured([lost("skipped", "x"), lost("skipped", "x", params={"n": 4})])
    assert wording.who(two, "") == "2 cases of matmul"


def test_unknown_machines_have_a_name_as_well() -> None:
    """The id, or that it is unknown."""
    assert wording.machine_name(info(machine={"machine_id": "m-1"})) == "m-1"
    assert wording.machine_name(info(machine={})) == "unknown machine"
    assert wording.torch_version(info(torch={})) == "–"


def test_devices_are_those_that_were_measured() -> None:
    """Whether or not they were asked for by name; early versions kept only that."""
    assert wording.devices(info(devices=["cpu", "cuda"], options={})) == "cpu, cuda"
    both = info(devices=["cuda"], options={}), info(devices=["cpu", "cuda"], options={})
    assert wording.devices(*both) == "cuda, cpu"
    assert wording.devices(info(devices=[], options={"devices": ["cpu"]})) == "cpu"
    assert wording.devices(info(devices=[], options={})) == "–"


FAULTS: dict[str, Any] = {
    "op": "stack",
    "state_times_s": (0.25e-3, 4.8e-3),
    "state_shares": (0.6, 0.4),
    "state_faults": (0.0, 3072.0),
    "warnings": ("page-faults",),
}


def test_two_times_say_which_is_which() -> None:
    """Fresh pages first, whichever took longer; one page is one; and where faults told nothing, none are said."""
    told = record(**FAULTS)
    said = "4.80 ms where the system gave 3,072 fresh pages a call, 250 µs where memory was reused (fresh in 40 % of the visits)"
    assert wording.states(told) == said
    quick = dataclasses.replace(told, state_faults=(1.2, 0.4))
    assert wording.states(quick) == (
        "250 µs where the system gave 1 fresh page a call, 4.80 ms where memory was reused (fresh in 60 % of the visits)"
    )
    plain = dataclasses.replace(told, state_faults=())
    assert wording.states(plain) == "250 µs in 60 % of the visits, 4.80 ms in 40 % of the visits"
    assert wording.states(record()) == ""


def test_a_footnote_names_rows_with_their_words() -> None:
    """Three of them, and how many more there are; the rows of other codes have nothing to add."""
    (note,) = footnotes.notes([record(**FAULTS)] * 5)
    text = wording.footnote(note)
    assert text.count("/stack n=") == 3
    assert "3,072 fresh pages a call, 250 µs where memory was reused" in text
    assert text.endswith("; and 2 more.")
    one, _ = footnotes.notes([record(**{**FAULTS, "warnings": ("noisy", "page-faults")})])
    assert one.told == ()
