"""Facts are worded alike wherever they are shown."""

from __future__ import annotations

import pytest

from bench.analysis.findings import footnotes
from bench.report import words
from tests.fakes_report import info, lost, record


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
    assert words.when(text) == shown


def test_a_time_parts_at_its_interval() -> None:
    """Whatever is missing."""
    assert words.interval("12.3 µs ± 0.4 %") == ("12.3 µs", "± 0.4 %")
    assert words.interval("420 ns ± ?") == ("420 ns", "± ?")
    assert words.interval("–") == ("–", "")


def test_flop_count_before_bytes() -> None:
    """The rate of a table is the one that its op is about."""
    assert words.rate_of(record(flop=10.0, bytes=10.0)) == "1.00 MFLOP/s"
    assert words.rate_of(record(bytes=10.0)) == "1.00 MB/s"
    assert words.rate_of(record()) == "–"
    assert words.rates_of(record(flop=10.0, bytes=20.0)) == "1.00 MFLOP/s, 2.00 MB/s"


def test_a_note_without_words_is_short() -> None:
    """No empty sentences."""
    (note,) = footnotes.notes([record(warnings=("newer",))])
    assert words.footnote(note) == "newer (the only row): this version has no words for it."


def test_a_preset_with_cold_caches_says_so() -> None:
    """Runs that look alike in a list are then not taken for each other."""
    assert words.preset(info(options={"preset": "full", "cache": "cold"})) == "full, cold"
    assert words.preset(info(options={"preset": "full", "cache": "hot"})) == "full"
    assert words.preset(info(options={})) == "–"


def test_counts_name_what_occurred() -> None:
    """In the order of the statuses."""
    assert words.counted({"skipped": 2, "ok": 1, "failed": 0}) == "1 ok, 2 skipped"
    assert words.counted({}) == "no cases"


def test_a_group_of_one_is_that_one() -> None:
    """A group of more is counted."""
    (one,) = footnotes.unmeasured([lost("skipped", "x")])
    assert words.who(one, "matmul/square n=16") == "matmul/square n=16"
    (two,) = footnotes.unmeasured([lost("skipped", "x"), lost("skipped", "x", params={"n": 4})])
    assert words.who(two, "") == "2 cases of matmul"


def test_unknown_machines_have_a_name_as_well() -> None:
    """The id, or that it is unknown."""
    assert words.machine_name(info(machine={"machine_id": "m-1"})) == "m-1"
    assert words.machine_name(info(machine={})) == "unknown machine"
    assert words.torch_version(info(torch={})) == "–"


def test_devices_are_those_that_were_measured() -> None:
    """Whether or not they were asked for by name; early versions kept only that."""
    assert words.devices(info(devices=["cpu", "cuda"], options={})) == "cpu, cuda"
    both = info(devices=["cuda"], options={}), info(devices=["cpu", "cuda"], options={})
    assert words.devices(*both) == "cuda, cpu"
    assert words.devices(info(devices=[], options={"devices": ["cpu"]})) == "cpu"
    assert words.devices(info(devices=[], options={})) == "–"
