"""Runs from elsewhere: whole or not at all, once only, and never outside the store."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import StoreError
from bench.records.record import record_of
from bench.report.text.export import export
from bench.store import runs
from bench.store.import_run import import_folder, import_runs, is_export, run_of_export
from bench.store.load import load_records, load_rows, load_samples, load_values
from bench.store.page_archive import embed
from tests.fakes.pytest_benchmark import COMMIT, MEDIAN_S, benchmark, document
from tests.fakes.rows import example, values
from tests.fakes.rows import info as an_info
from tests.fakes.workers import entry, finished_run, info

if TYPE_CHECKING:
    from pathlib import Path

RUN = "20260102T030405Z-abcdef"


@pytest.fixture(name="there")
def _there(tmp_path: Path) -> Path:
    """The store of another machine, with two runs."""
    store = tmp_path / "there"
    finished_run(store, info(), entry(0), entry(1))
    finished_run(store, info("20260103T000000Z-bbbbbb"))
    return store


@pytest.fixture(name="here")
def _here(tmp_path: Path) -> Path:
    """Our store, which is not there yet."""
    return tmp_path / "here"


def as_json(path: Path, told: Any) -> Path:
    """A file that holds this."""
    path.write_text(json.dumps(told))
    return path


def zipped(folder: Path) -> Path:
    """A zip of a folder, beside it."""
    return folder.with_suffix(".zip").parent / shutil.make_archive(
        str(folder), "zip", folder.parent, folder.name
    )


def imported(here: Path, place: Path) -> list[tuple[str, bool]]:
    """(run id, whether it is new) of all that a place holds; nothing else is left in the store."""
    found = [(one.run.info.run_id, one.new) for one in import_runs(here, place)]
    assert {one.name for one in here.iterdir()} >= {run_id for run_id, _ in found}
    hidden = {one.name for one in here.iterdir() if one.name.startswith(".")}
    assert hidden == {".gitignore"}
    return found


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_run_of_another_machine_comes_with_its_samples(
    here: Path, there: Path, *, packed: bool
) -> None:
    """Byte for byte; the second time nothing is added."""
    place = zipped(there / RUN) if packed else there / RUN
    assert imported(here, place) == [(RUN, True)]
    assert imported(here, place) == [(RUN, False)]
    for name in (runs.CASES, runs.SAMPLES, runs.MANIFEST):
        assert (here / RUN / name).read_bytes() == (there / RUN / name).read_bytes()


@pytest.mark.parametrize("whole", [True, False])
def test_a_page_holds_the_run_that_it_carries(
    here: Path, there: Path, tmp_path: Path, *, whole: bool
) -> None:
    """With its samples if it has them; without, a run has none."""
    page = tmp_path / "theirs.html"
    run = runs.read(there / RUN)
    assert run is not None
    (carried,) = embed([run], limit_bytes=10**9 if whole else 0)
    page.write_text(f"<!doctype html>{carried.script}</html>\n", encoding="utf-8")
    assert imported(here, page) == [(RUN, True)]
    assert (here / RUN / runs.CASES).read_bytes() == (there / RUN / runs.CASES).read_bytes()
    assert (here / RUN / runs.SAMPLES).exists() == whole


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_whole_store_can_be_imported(here: Path, there: Path, *, packed: bool) -> None:
    """Each of its finished runs."""
    found = imported(here, zipped(there) if packed else there)
    assert sorted(found) == [(RUN, True), ("20260103T000000Z-bbbbbb", True)]


def test_a_run_in_the_store_stays_as_it_is(here: Path, there: Path) -> None:
    """Whatever comes under its name."""
    finished_run(here, info(), entry(5))
    before = (here / RUN / runs.CASES).read_bytes()
    assert imported(here, there / RUN) == [(RUN, False)]
    assert (here / RUN / runs.CASES).read_bytes() == before


def test_a_file_of_pytest_benchmark_becomes_a_run(here: Path, tmp_path: Path) -> None:
    """Which everything reads; the same file is known again."""
    path = as_json(tmp_path / "a.json", document())
    ((run_id, new),) = imported(here, path)
    assert new
    assert imported(here, path) == [(run_id, False)]
    assert load_rows(here)["time_s"].tolist() == [MEDIAN_S]
    assert len(load_samples(here)) == 5
    found = runs.read(here / run_id)
    assert found is not None
    assert found.info.finished_at
    assert found.info.counts["ok"] == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_may_say_how_it_is_encoded(here: Path, tmp_path: Path, encoding: str) -> None:
    """PowerShell's `>` writes UTF-16, and Notepad puts a mark before UTF-8."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document()), encoding=encoding)
    assert len(imported(here, path)) == 1


def test_what_can_not_be_read_is_named_and_the_rest_is_imported(here: Path, tmp_path: Path) -> None:
    """A test that failed leaves no statistics; the other times are as good as ever."""
    torn = {**benchmark("t/test_a.py::test_torn"), "stats": {}}
    path = as_json(tmp_path / "a.json", document(benchmark(), torn))
    (one,) = import_runs(here, path)
    assert one.left_out == [
        "t/test_a.py::test_torn: it has no statistics; its test may have failed"
    ]
    assert one.run.info.counts["ok"] == 1


def test_rows_are_named_like_their_run(here: Path, tmp_path: Path) -> None:
    """So that tables and frames can tell imported runs apart."""
    import_runs(here, as_json(tmp_path / "a.json", document()), "mine")
    (row,) = load_records(here)
    assert (row.label, row.git_commit) == ("mine", COMMIT)
    assert (row.tags or {})["file"] == "a.json"


def test_whoever_is_second_finds_the_run_there(
    here: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes may import the same folder at once."""
    make_store = runs.make_store

    def meanwhile(store: Path) -> None:
        """Another process puts the run there right after it was looked for."""
        make_store(store)
        shutil.copytree(there / RUN, here / RUN)

    monkeypatch.setattr(runs, "make_store", meanwhile)
    assert imported(here, there / RUN) == [(RUN, False)]


@pytest.mark.parametrize(
    "change",
    [
        {"machine": None},
        {"environment": []},
        {"tags": [1]},
        {"label": 5},
        {"label": "\ud800"},
        {"counts": {"ok": "many"}},
        {"waited_s": "long"},
    ],
)
def test_a_run_that_says_nonsense_of_itself_is_refused_in_one_line(
    here: Path, there: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    """As an export and as a folder; no later command trips over it."""
    told = exported()
    told["run"].update(change)
    with pytest.raises(StoreError, match="is no whole export of a run") as error:
        import_runs(here, as_json(tmp_path / "a.json", told))
    assert "\n" not in str(error.value)
    manifest = there / RUN / runs.MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    with pytest.raises(StoreError):
        import_runs(here, there / RUN)
    assert runs.read(there / RUN) is None


@pytest.mark.parametrize(
    "change", [{"time_s": "abc"}, {"case": 5}, {"case": "\ud800"}, {"status": "fine"}]
)
def test_rows_of_an_export_are_of_their_kinds(
    here: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    """Or the file is refused in one line."""
    told = exported()
    told["rows"][0].update(change)
    with pytest.raises(StoreError, match=r"is no whole export of a run \(.*export it again"):
        import_runs(here, as_json(tmp_path / "a.json", told))


def test_an_export_of_ours_becomes_the_run_again(here: Path, there: Path, tmp_path: Path) -> None:
    """Under its own id, without its samples."""
    path = tmp_path / "a.json"
    path.write_text(export(load_values(there / RUN), info(), "json"))
    assert imported(here, path) == [(RUN, True)]
    expected = [
        dataclasses.replace(one, **runs.names_of(info())) for one in load_records(there / RUN)
    ]
    assert load_records(here / RUN) == expected
    assert load_samples(here / RUN).empty


def test_a_changed_file_is_not_imported(here: Path, there: Path) -> None:
    """Its manifest does not vouch for it."""
    with (there / RUN / runs.CASES).open("ab") as file:
        file.write(b"x")
    with pytest.raises(StoreError, match=r"cases\.parquet is not the file"):
        import_runs(here, there / RUN)
    assert not here.exists()


def test_half_a_folder_is_not_imported(here: Path, there: Path) -> None:
    """Rows are the least."""
    (there / RUN / runs.CASES).unlink()
    with pytest.raises(StoreError, match=r"lacks cases\.parquet; copy the whole folder"):
        import_runs(here, there / RUN)


def test_rows_without_samples_are_enough(here: Path, there: Path) -> None:
    """As a page may carry them."""
    (there / RUN / runs.SAMPLES).unlink()
    assert import_folder(here, there / RUN).new


@pytest.mark.parametrize("run_id", ["../../etc", "20260102T030405Z-abcdef/..", "", 3])
def test_nothing_is_written_outside_the_store(here: Path, there: Path, run_id: object) -> None:
    """A name that is no run id is refused, in a folder and in an export."""
    manifest = there / RUN / runs.MANIFEST
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "run_id": run_id}))
    with pytest.raises(StoreError, match="is no run id"):
        import_runs(here, there / RUN)
    rows = json.loads(export(load_values(there / "20260103T000000Z-bbbbbb"), info(), "json"))
    rows["run"]["run_id"] = run_id
    with pytest.raises(StoreError, match="is no run id"):
        import_runs(here, as_json(there / "a.json", rows))
    assert not here.exists()


def test_a_kill_leaves_no_half_of_a_run(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has the run's name before it is whole."""

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "finish", killed)
    with pytest.raises(KeyboardInterrupt):
        import_runs(here, as_json(tmp_path / "a.json", document()))
    assert [one.name for one in here.iterdir()] == [".gitignore"]


def test_an_unfinished_run_of_that_name_is_not_touched(here: Path, there: Path) -> None:
    """It may be somebody's work."""
    runs.begin(here, info())
    with pytest.raises(StoreError, match="is no finished run; remove it and import again"):
        import_runs(here, there / RUN)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.csv", b"case,time_s\n", "can't be imported; name a folder, .zip"),
        ("page.txt", b"", "can't be imported; name a folder, .zip"),
        ("a.json", b"{", "is not JSON: "),
        ("a.json", b"\xff\xfe", "is not JSON: "),
        ("a.json", b"[]", "is neither of pytest-benchmark nor of bench export"),
        ("a.zip", b"PK", "is torn or no zip"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(
    here: Path, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """With what would do."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(StoreError) as error:
        import_runs(here, path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_place_without_runs_is_refused(here: Path, tmp_path: Path) -> None:
    """An empty folder, a zip of something else, nothing at all."""
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StoreError, match="holds no finished run; name a run's folder"):
        import_runs(here, empty)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "none")
    with pytest.raises(StoreError, match=r"holds no run: there is no run\.json in it"):
        import_runs(here, tmp_path / "a.zip")
    with pytest.raises(StoreError, match="there is no file or folder"):
        import_runs(here, tmp_path / "absent.json")


def test_a_store_that_can_not_be_written_says_so(there: Path, tmp_path: Path) -> None:
    """And what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't be written: .*; choose another with --store"):
        import_runs(tmp_path / "file" / "store", there / RUN)


def test_a_label_is_for_runs_of_other_programs(here: Path, tmp_path: Path) -> None:
    """A run of ours keeps the one it was given."""
    (one,) = import_runs(here, as_json(tmp_path / "a.json", document()), "mine")
    assert one.run.info.label == "mine"
    theirs = finished_run(tmp_path / "there", dataclasses.replace(info(), label="theirs"))
    assert import_runs(here, theirs, "mine")[0].run.info.label == "theirs"


def exported() -> dict[str, Any]:
    """What `bench export --format json` prints of a run in which most things happen."""
    told: dict[str, Any] = json.loads(export(values(example()), an_info(), "json"))
    return told


def test_rows_and_facts_are_those_of_the_run() -> None:
    """Nothing is rounded, and nothing is lost."""
    about, entries = run_of_export(exported(), "a.json")
    assert about == dataclasses.replace(an_info(), files={})
    assert [entry.record for entry in entries] == example()
    assert {entry.samples for entry in entries} == {()}


def test_columns_of_a_newer_version_are_passed_over() -> None:
    """As everywhere."""
    row = exported()["rows"][0]
    assert record_of({**row, "taste": "sweet"}) == record_of(row)


@pytest.mark.parametrize(
    "broken",
    [{"run": 3}, {"run": {}}, {"rows": [{"case": "x"}]}, {"rows": [3]}, {"rows": None}],
)
def test_half_an_export_is_refused_in_one_line(broken: dict[str, Any]) -> None:
    """With what to do."""
    with pytest.raises(
        StoreError, match=r"a\.json is no whole export of a run \(.*export it again"
    ):
        run_of_export({**exported(), **broken}, "a.json")


@pytest.mark.parametrize(
    ("told", "is_one"), [({"run": {}, "rows": []}, True), ({"run": {}}, False), (3, False)]
)
def test_exports_are_told_from_other_files(told: Any, *, is_one: bool) -> None:
    """By what stands in them."""
    assert is_export(told) is is_one
