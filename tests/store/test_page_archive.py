"""What goes into a page comes out of it, the same bytes; what was changed on the way is told."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bench
from bench import cli
from bench.errors import StoreError
from bench.store import find, runs
from bench.store.journal import Entry
from bench.store.load import load_rows, load_samples
from bench.store.page_archive import (
    Embedded,
    TornPageError,
    embed,
    find_in_page,
    pack,
    runs_in_page,
    unpack,
)
from tests.fakes.two_runs import BASE, run, timed
from tests.fakes.two_runs import NEW as CHANGED
from tests.fakes.workers import entry, finished_run, info

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.store.runs import StoredRun

OLD, NEW = "20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"
GOLDEN = Path(__file__).parents[1] / "golden" / "schema_v1" / "20260102T030405Z-abcdef"
FILES = (runs.MANIFEST, runs.CASES, runs.SAMPLES)


def html(*scripts: str) -> str:
    """A page with these elements in it."""
    return "<!doctype html><title>a page</title>\n" + "\n".join(scripts) + "\n</html>\n"


def element(data: bytes, run_id: str = NEW) -> str:
    """The element for a zip."""
    text = base64.b64encode(data).decode()
    return Embedded(run_id=run_id, text=text, samples=True).script


def zipped(files: Mapping[str, bytes], kind: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of anything."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A finished run."""
    return finished_run(tmp_path / "store", info(NEW, label="µ </script>"), entry(0), entry(1))


@pytest.fixture(name="page")
def _page(tmp_path: Path) -> Path:
    """Where a page is."""
    return tmp_path / "page.html"


@pytest.mark.parametrize("samples", [True, False])
def test_a_run_comes_out_of_a_page_as_it_went_in(
    folder: Path, page: Path, *, samples: bool
) -> None:
    """Byte by byte, in a folder of its name; without raw samples if they were left out."""
    page.write_text(html(element(pack(folder, samples=samples))), encoding="utf-8")
    (run,) = unpack(page)
    assert run.finished
    assert run.folder.name == NEW
    assert run.info.label == "µ </script>"
    names = FILES if samples else FILES[:2]
    assert {p.name: p.read_bytes() for p in run.folder.iterdir()} == {
        name: (folder / name).read_bytes() for name in names
    }


def test_the_same_run_makes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Wherever it lies and whenever it is packed; members are stored plainly, in the run's own folder."""
    packed = pack(folder, samples=True)
    (tmp_path / "elsewhere").mkdir()
    moved = folder.rename(tmp_path / "elsewhere" / "run")
    assert pack(moved, samples=True) == packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == [f"{NEW}/{name}" for name in FILES]
        assert {m.compress_type for m in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {m.date_time[0] for m in archive.infolist()} == {1980}


def test_a_zip_can_be_unzipped_into_a_store(folder: Path, tmp_path: Path) -> None:
    """What a reader downloads is a run of theirs then."""
    with zipfile.ZipFile(io.BytesIO(pack(folder, samples=True))) as archive:
        archive.extractall(tmp_path / "mine")
    assert find.find(tmp_path / "mine", "@latest").info.run_id == NEW
    assert len(load_samples(tmp_path / "mine")) == 4


def test_a_run_of_the_first_schema_can_be_packed(page: Path) -> None:
    """Old runs are published as well."""
    page.write_text(html(element(pack(GOLDEN, samples=True), GOLDEN.name)), encoding="utf-8")
    (run,) = unpack(page)
    assert len(load_rows(run.folder)) == 2


def test_samples_go_in_for_all_runs_or_for_none(tmp_path: Path) -> None:
    """A page whose runs were not treated alike could not be explained; the limit is that of the page."""
    folders = [finished_run(tmp_path, info(i), entry(samples=9)) for i in (OLD, NEW)]
    stored = [find.find(tmp_path, str(folder)) for folder in folders]
    large_enough = embed(stored)
    taken = sum(len(one.text) for one in large_enough)
    assert [one.samples for one in large_enough] == [True, True]
    assert [one.samples for one in embed(stored, limit_bytes=taken // 2)] == [False, False]
    assert embed(stored[:1], limit_bytes=taken * 2 // 3)[0].samples
    assert [len(one.text) for one in embed(stored, limit_bytes=0)] < [
        len(o.text) for o in large_enough
    ]


def test_an_element_is_named_after_its_run(folder: Path) -> None:
    """So that a button can find it, and the file that it makes has a name."""
    (one,) = embed([find.find(folder.parent, "@latest")])
    assert (one.element, one.file) == (f"data-{NEW}", f"{NEW}.zip")
    assert one.script.startswith(f'<script type="application/zip" id="data-{NEW}">')
    assert one.script.count("<") == 2


@given(data=st.data())
def test_a_byte_that_changed_changes_nothing_that_is_read(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever byte of the zip it is: the page is torn, or gives what it gave before (dates, say)."""
    packed = pack(GOLDEN, samples=True)
    place = data.draw(st.integers(0, len(packed) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(packed)
    changed[place] ^= flip
    page = tmp_path_factory.getbasetemp() / "changed.html"
    page.write_text(html(element(bytes(changed), GOLDEN.name)), encoding="utf-8")
    try:
        (run,) = unpack(page)
    except TornPageError:
        return
    assert {p.name: p.read_bytes() for p in run.folder.iterdir()} == {
        name: (GOLDEN / name).read_bytes() for name in FILES
    }


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_page_that_was_cut_off_is_told(
    share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Wherever it ends."""
    whole = html(element(pack(GOLDEN, samples=False), GOLDEN.name)).rstrip()
    page = tmp_path_factory.getbasetemp() / "cut.html"
    page.write_text(whole[: int(share * len(whole))], encoding="utf-8")
    with pytest.raises(TornPageError, match=r"cut\.html is torn, or was changed"):
        unpack(page)


def test_one_torn_run_of_two_is_told(folder: Path, page: Path) -> None:
    """Else a comparison in a page would silently become a page of one run."""
    whole = element(pack(folder, samples=False))
    for damage in ("*", "A", "</scrip"):
        torn = element(pack(GOLDEN, samples=False), GOLDEN.name).replace("</script>", damage)
        page.write_text(html(whole, torn), encoding="utf-8")
        with pytest.raises(TornPageError):
            unpack(page)


def test_an_encrypted_zip_is_refused(folder: Path, page: Path) -> None:
    """Nobody is asked for a password."""
    data = bytearray(pack(folder, samples=False))
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(header) + flags] |= 1
    page.write_text(html(element(bytes(data))), encoding="utf-8")
    with pytest.raises(TornPageError):
        unpack(page)


def test_samples_can_not_be_hidden(folder: Path, page: Path) -> None:
    """A comment that is as long as what follows leaves the members of a run without samples."""
    data = bytearray(pack(folder, samples=True))
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    third = data.index(b"PK\1\2", second + 1)
    data[second + 32] = data.index(b"PK\5\6") - third
    page.write_text(html(element(bytes(data))), encoding="utf-8")
    with pytest.raises(TornPageError):
        unpack(page)


def manifest(folder: Path, **changes: object) -> bytes:
    """The manifest of a run, changed."""
    facts = json.loads((folder / runs.MANIFEST).read_text(encoding="utf-8"))
    return json.dumps({**facts, **changes}).encode()


def test_members_that_no_run_has_are_refused(folder: Path, page: Path) -> None:
    """Another name, one more, one twice over or missing, paths that lead out, compressed ones."""
    own = {f"{NEW}/{name}": (folder / name).read_bytes() for name in FILES}
    fewer = {name: data for name, data in own.items() if not name.endswith(runs.CASES)}
    for files in (
        {**own, f"{NEW}/more.txt": b""},
        {**fewer, f"../{runs.CASES}": own[f"{NEW}/{runs.CASES}"]},
        {name.replace(NEW, OLD): data for name, data in own.items()},
        fewer,
        {},
    ):
        page.write_text(html(element(zipped(files))), encoding="utf-8")
        with pytest.raises(TornPageError):
            unpack(page)
    page.write_text(html(element(zipped(own))), encoding="utf-8")
    assert len(unpack(page)) == 1
    page.write_text(html(element(zipped(own, zipfile.ZIP_DEFLATED))), encoding="utf-8")
    with pytest.raises(TornPageError):
        unpack(page)


def test_rows_that_the_manifest_does_not_vouch_for_are_refused(folder: Path, page: Path) -> None:
    """A number that someone bettered, or a manifest that is of another run or no manifest."""
    own = {f"{NEW}/{name}": (folder / name).read_bytes() for name in FILES[:2]}
    other = {**own, f"{NEW}/{runs.CASES}": own[f"{NEW}/{runs.CASES}"] + b"?"}
    page.write_text(html(element(zipped(other))), encoding="utf-8")
    with pytest.raises(TornPageError, match=r"page\.html: cases\.parquet is not the file that run"):
        unpack(page)
    unread = r"run\.json can't be read as what a run says"
    for text, said in (
        *((text, unread) for text in (b"[]", b"{", b'{"run_id": 1}', b"[" * 100_000)),
        (manifest(folder, run_id="../../x"), "'../../x' is no run id"),
    ):
        page.write_text(html(element(zipped({**own, f"{NEW}/{FILES[0]}": text}))), encoding="utf-8")
        with pytest.raises(TornPageError, match=said):
            unpack(page)
    named = {**own, f"{NEW}/{FILES[0]}": manifest(folder, run_id=OLD)}
    page.write_text(html(element(zipped(named))), encoding="utf-8")
    with pytest.raises(TornPageError, match="is torn, or was changed"):
        unpack(page)


def test_a_page_that_carries_nothing_says_what_does(page: Path, tmp_path: Path) -> None:
    """A page of a folder, or of anybody; a page that is not there; text that only speaks of one."""
    spoken = '&lt;script type="application/zip" id="data-x"&gt;'
    page.write_text(html(f"<p>{spoken}</p>"), encoding="utf-8")
    with pytest.raises(StoreError, match="carries no run: one that bench report --single-file"):
        unpack(page)
    with pytest.raises(StoreError, match=r"there is no page .*none\.html"):
        unpack(tmp_path / "none.html")
    with pytest.raises(StoreError, match=r"can't be read: Is a directory"):
        unpack(tmp_path)


def test_a_run_that_was_changed_by_hand_is_not_packed(folder: Path) -> None:
    """Whoever opens the page could not tell it from one that was torn."""
    path = folder / runs.CASES
    path.write_bytes(path.read_bytes() + b"?")
    with pytest.raises(StoreError, match=rf"{folder}/cases\.parquet is not the file"):
        pack(folder, samples=False)
    path.unlink()
    with pytest.raises(StoreError, match=r"cases\.parquet can't be read: No such file"):
        pack(folder, samples=False)


def test_unpacking_again_mends_what_was_kept(
    folder: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is anybody's to damage or to remove; one that can't be written is named."""
    page.write_text(html(element(pack(folder, samples=False))), encoding="utf-8")
    (first,) = unpack(page)
    kept = first.folder / runs.CASES
    kept.write_bytes(b"torn")
    (again,) = unpack(page)
    assert again == dataclasses.replace(first)
    assert kept.read_bytes() == (folder / runs.CASES).read_bytes()
    monkeypatch.setenv("TENSORBENCH_CACHE", str(page))
    with pytest.raises(StoreError, match=r"can't be unpacked in .* TENSORBENCH_CACHE"):
        unpack(page)


def paged(path: Path, *stored: StoredRun, limit_bytes: int = 10**6) -> Path:
    """A page that carries these runs, alone in its folder."""
    scripts = "\n".join(one.script for one in embed(stored, limit_bytes=limit_bytes))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<!doctype html>\n{scripts}\n</html>", encoding="utf-8")
    return path


@pytest.fixture(name="two")
def _two(tmp_path: Path) -> tuple[StoredRun, StoredRun]:
    """Two runs of one machine; in the second a case got slower."""
    small, large = ({"n": n, "dtype": "float32"} for n in (16, 64))
    for run_id, time_s in ((BASE, 1e-5), (CHANGED, 2e-5)):
        rows = (timed(params=small), timed(time_s, params=large))
        entries = [Entry(record=row, samples=()) for row in rows]
        finished_run(tmp_path / "store", run(run_id), *entries)
    first, second = runs.list_runs(tmp_path / "store")
    return first, second


def test_a_page_with_one_run_is_that_run(two: tuple[StoredRun, StoredRun], tmp_path: Path) -> None:
    """In any folder, whatever the page is called, without a store."""
    page = paged(tmp_path / "in # place" / "sent.html", two[0])
    for word in (str(page), f"{page}#", f"{page}#{BASE[:9]}"):
        assert find.find(tmp_path / "none", word).info == two[0].info
    with pytest.raises(StoreError, match=f"#2020' means no run; .* holds {BASE}"):
        find.find(tmp_path, f"{page}#2020")


def test_of_several_runs_in_a_page_one_must_be_named(
    two: tuple[StoredRun, StoredRun], tmp_path: Path
) -> None:
    """The line lists them as one would write them."""
    page = paged(tmp_path / "both.html", *two)
    assert find.find(tmp_path, f"{page}#{CHANGED}").info.run_id == CHANGED
    with pytest.raises(StoreError, match=rf"means 2 runs; name one of both\.html#{BASE}, both"):
        find.find(tmp_path, str(page))
    assert [r.info.run_id for r in runs_in_page(str(page)) or ()] == [BASE, CHANGED]


@pytest.mark.parametrize(
    "word", ["@latest", "2026", "label:a.html", "machine:b.html", "x#1", "store"]
)
def test_other_words_are_no_pages(word: str) -> None:
    """A label may end like one."""
    assert find_in_page(word) is None


def test_rows_and_samples_are_loaded_from_a_page(tmp_path: Path) -> None:
    """Beside stores and files; of every run in it, or of the one that is named."""
    for run_id in (OLD, NEW):
        finished_run(tmp_path / "store", info(run_id), entry(0), entry(1))
    both = paged(tmp_path / "both.html", *runs.list_runs(tmp_path / "store"))
    assert bench.load(both)["run_id"].tolist() == [OLD, OLD, NEW, NEW]
    assert bench.load(f"{both}#{NEW}", both)["run_id"].tolist()[:3] == [NEW, NEW, OLD]
    assert bench.load_samples(both)["run_id"].value_counts().to_dict() == {OLD: 4, NEW: 4}


def test_a_page_without_samples_says_so(tmp_path: Path) -> None:
    """They were left out to keep it small, and are elsewhere."""
    finished_run(tmp_path / "store", info(OLD))
    page = paged(tmp_path / "a.html", *runs.list_runs(tmp_path / "store"), limit_bytes=0)
    assert len(bench.load(page)) == 1
    with pytest.raises(StoreError, match=r"a\.html leaves out the raw samples"):
        bench.load_samples(page)


def test_commands_take_pages_as_runs(
    two: tuple[StoredRun, StoredRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Compared, shown and reported where there is no store at all."""
    names = ("a.html", "b.html")
    pages_ = [str(paged(tmp_path / name, one)) for name, one in zip(names, two, strict=True)]
    nowhere = ["--store", str(tmp_path / "none")]
    assert cli.main(["compare", *pages_, *nowhere, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["slower"] == 1
    assert cli.main(["show", pages_[0], *nowhere]) == 0
    assert "square n=64" in capsys.readouterr().out
    assert cli.main(["report", pages_[1], *nowhere, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / f"{CHANGED}.html").is_file()


def test_a_torn_page_is_a_mistake_and_is_passed_over_in_a_comparison(
    two: tuple[StoredRun, StoredRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 2; 6 where others can still be compared, as with a torn folder."""
    page = paged(tmp_path / "torn.html", two[0])
    page.write_bytes(page.read_bytes()[:-400])
    assert cli.main(["show", str(page)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"bench: {page} is torn, or was changed: ")
    assert err.count("\n") == 1
    folders = [str(one.folder) for one in two]
    assert cli.main(["compare", folders[0], str(page), folders[1], "--format", "json"]) == 6
    out, err = capsys.readouterr()
    assert json.loads(out)["summary"]["slower"] == 1
    assert err.startswith(f"passed over: {page} is torn")
    assert cli.main(["compare", folders[0], str(tmp_path / "none.html")]) == 2
    assert capsys.readouterr().err.startswith("bench: there is no page ")
