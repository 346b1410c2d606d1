"""The journal of a run: what was written is read again, and a line that was cut off is not."""

from __future__ import annotations

import math
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import StoreError
from bench.records.record import STATUSES, Record, Sample
from bench.store import journal
from bench.store.journal import Entry, Journal
from tests.fakes.workers import begun_run, entry, info

REAL = st.none() | st.floats(allow_nan=False)
WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RECORDS = st.builds(
    Record,
    run_id=TEXT,
    machine_id=TEXT,
    machine=TEXT,
    suite=TEXT,
    op=TEXT,
    case=TEXT,
    device=st.sampled_from(["cpu", "cuda:1"]),
    device_name=TEXT,
    dtype=TEXT,
    params=st.dictionaries(TEXT, TEXT, max_size=3),
    status=st.sampled_from(STATUSES),
    reason=st.none() | TEXT,
    warnings=st.lists(TEXT, max_size=3).map(tuple),
    time_s=REAL,
    max_error=REAL,
    samples=WHOLE,
    correct=st.none() | st.booleans(),
    started_at=st.datetimes(timezones=st.just(UTC)),
)
MEASURED: st.SearchStrategy[dict[str, object]] = st.builds(
    dict,
    worker=st.integers(0, 9),
    round=st.integers(0, 9),
    at_s=st.floats(allow_nan=False),
    loops=st.integers(1, 10**7),
    elapsed_s=st.floats(allow_nan=False),
    time_s=st.floats(allow_nan=False),
)


def header_of(folder: Path) -> dict[str, object]:
    """What the journal says of the run."""
    return journal.read(folder)[0]


@given(row=RECORDS, measured=st.lists(MEASURED, max_size=3))
def test_an_entry_survives_the_journal(row: Record, measured: list[dict[str, object]]) -> None:
    """Every value of every column, samples in order."""
    samples = tuple(
        Sample(case=row.case, device=row.device, **values)  # type: ignore[arg-type]  # built by name
        for values in measured
    )
    one = Entry(record=row, samples=samples)
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Journal(folder) as opened:
            opened.write_header({})
            opened.write(one)
        assert journal.read(folder)[1] == [one]


def test_an_error_without_bound_survives_the_journal(tmp_path: Path) -> None:
    """A result of the wrong shape is infinitely wrong."""
    folder = begun_run(tmp_path, info(), entry(max_error=math.inf))
    assert journal.read(folder)[1][0].record.max_error == math.inf


def test_entries_come_back_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    """They are on disk before the next one is measured."""
    folder = tmp_path
    with Journal(folder) as opened:
        opened.write_header({"run_id": "r"})
        for number in (3, 1, 2):
            opened.write(entry(number))
            assert len(journal.read(folder)[1]) == [3, 1, 2].index(number) + 1
    assert journal.read(folder)[1] == [entry(3), entry(1), entry(2)]


def test_entries_that_are_written_together_wait_for_the_disk_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all of them are there."""
    seen: list[int] = []
    with Journal(tmp_path) as opened:
        opened.write_header({"run_id": "r"})
        monkeypatch.setattr("os.fsync", lambda _: seen.append(len(journal.read(tmp_path)[1])))
        opened.write(entry(3), entry(1), entry(2))
    assert journal.read(tmp_path)[1] == [entry(3), entry(1), entry(2)]
    assert seen == [3]


def test_later_headers_add_to_earlier_ones(tmp_path: Path) -> None:
    """Torch's facts are known after the run has begun."""
    folder = begun_run(tmp_path, info(label="a"), entry())
    with Journal(folder) as opened:
        opened.write_header({"torch": {"version": "2.9"}})
    header = header_of(folder)
    assert (header["label"], header["torch"]) == ("a", {"version": "2.9"})


def line_lengths(folder: Path) -> list[int]:
    """Where the lines end, in bytes from the beginning."""
    data = (folder / journal.NAME).read_bytes()
    return [place + 1 for place, byte in enumerate(data) if byte == 10]


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    """Wherever the power went out within it, also in the middle of a character."""
    folder = begun_run(tmp_path, info(), entry(0), entry(1, reason="12 µs ± 3 %"))
    whole = (folder / journal.NAME).read_bytes()
    last = line_lengths(folder)[-2]
    for end in range(last, len(whole)):
        (folder / journal.NAME).write_bytes(whole[:end])
        assert journal.read(folder)[1] == [entry(0)]


def test_a_journal_with_a_torn_line_can_be_written_on(tmp_path: Path) -> None:
    """What was torn is cut away first, so that the next line stands alone."""
    folder = begun_run(tmp_path, info(), entry(0))
    with (folder / journal.NAME).open("ab") as file:
        file.write('{"row": {"reason": "µ'.encode()[:-1])
    with Journal(folder) as opened:
        opened.write(entry(1))
    assert journal.read(folder)[1] == [entry(0), entry(1)]


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    """Resuming a run that is still going on is refused, and what is being written stays whole."""
    folder = begun_run(tmp_path, info(), entry(0))

    with Journal(folder) as opened:
        with pytest.raises(StoreError, match="is being measured by another process"):
            Journal(folder)
        opened.write(entry(1))

    assert journal.read(folder)[1] == [entry(0), entry(1)]
    assert [path.name for path in folder.iterdir()] == [journal.NAME]


def test_a_folder_without_a_journal_is_an_error(tmp_path: Path) -> None:
    """Named by its path."""
    with pytest.raises(StoreError, match=r"journal\.jsonl can't be read: No such file"):
        journal.read(tmp_path)


@pytest.mark.parametrize("text", ["", '{"run": {"run_id"', '{"row": 1}\n'])
def test_a_journal_without_a_header_is_an_error(tmp_path: Path, text: str) -> None:
    """The run was killed before it began, and there is nothing to lose."""
    (tmp_path / journal.NAME).write_text(text)
    with pytest.raises(StoreError, match="has no header; the run was killed before it began"):
        journal.read(tmp_path)
