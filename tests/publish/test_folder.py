"""Folders and buckets: only what differs is written, and what can't be is one line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import fs

from bench.errors import StoreError
from bench.publish import folder
from bench.publish.folder import Folder
from bench.publish.website import Site
from bench.report.html.build import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping


def site(tmp_path: Path, files: Mapping[str, bytes]) -> Site:
    """A site of these files."""
    made = tmp_path / "made"
    made.mkdir(exist_ok=True)
    for name, data in files.items():
        (made / name).write_bytes(data)
    return Site(files={name: made / name for name in files}, pages=0)


@pytest.fixture(name="name", params=["path", "uri", "slash"])
def _name(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The same folder, as one writes it."""
    path = str(tmp_path / "a site" / "deep")
    if request.param == "path":
        return path
    slash = "/" if request.param == "slash" else ""
    return Path(path).as_uri() + slash


def test_files_are_written_once(tmp_path: Path, name: str) -> None:
    """In a folder that is made; the second time nothing is written, then only what differs."""
    place = Folder(name)
    assert place.beginnings() == {}
    assert place.put(site(tmp_path, {"a.html": b"1", "b.js": b"22"})).written == 2
    there = tmp_path / "a site" / "deep"
    before = (there / "a.html").stat()
    assert place.put(site(tmp_path, {"a.html": b"1", "b.js": b"22"})).written == 0
    assert place.put(site(tmp_path, {"a.html": b"1", "b.js": b"33"})).written == 1
    after = (there / "a.html").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {p.name: p.read_bytes() for p in there.iterdir()} == {"a.html": b"1", "b.js": b"33"}


def test_of_pages_the_beginning_is_read(tmp_path: Path, name: str) -> None:
    """No more of a long one, and nothing of other files and folders."""
    there = tmp_path / "a site" / "deep"
    (there / "sub.html").mkdir(parents=True)
    (there / "long.html").write_bytes(b"x" * (HEAD_BYTES + 1))
    (there / "short.html").write_bytes(b"y")
    (there / "data.parquet").write_bytes(b"z")
    found = Folder(name).beginnings()
    assert found == {"long.html": b"x" * HEAD_BYTES, "short.html": b"y"}


def test_what_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    """A file in the way, a scheme that nobody knows."""
    (tmp_path / "file").write_text("")
    for name in (str(tmp_path / "file" / "site"), "nothing://here/there"):
        with pytest.raises(
            StoreError, match=r"can't be published to: .*; name another place with"
        ) as e:
            Folder(name).put(site(tmp_path, {"a": b"1"}))
        assert str(e.value).startswith(f"{name} can't")
        assert "\n" not in str(e.value)


class Bucket:
    """As much of a bucket as a site needs; remembers what it was told of each object."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, Any]] = {}

    def create_dir(self, path: str, *, recursive: bool) -> None:
        """There are no folders in a bucket."""
        assert path == "bucket/site"
        assert recursive

    def get_file_info(self, paths: list[str]) -> list[Any]:
        """Whether an object is there."""
        return [
            fs.FileInfo(path, fs.FileType.File, size=len(self.objects[path][0]))
            if path in self.objects
            else fs.FileInfo(path, fs.FileType.NotFound)
            for path in paths
        ]

    def open_input_stream(self, path: str) -> io.BytesIO:
        """An object's content."""
        return io.BytesIO(self.objects[path][0])

    def open_output_stream(self, path: str, metadata: Any) -> io.BytesIO:
        """A new object, there as soon as it is closed."""
        objects = self.objects

        class Stream(io.BytesIO):
            def close(self) -> None:
                objects[path] = (self.getvalue(), metadata)
                super().close()

        return Stream()


def test_a_bucket_is_told_what_its_objects_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a browser would save a page rather than show it; an object is never there in part."""
    bucket = Bucket()
    monkeypatch.setattr(folder, "_opened", lambda place: (bucket, place.removeprefix("s3://")))
    files = {"a.html": b"1", "b.svg": b"2", "c.parquet": b"3", "d.js": b"4", "e": b"5"}
    assert Folder("s3://bucket/site").put(site(tmp_path, files)).written == 5
    assert {path: told["Content-Type"] for path, (_, told) in bucket.objects.items()} == {
        "bucket/site/a.html": "text/html; charset=utf-8",
        "bucket/site/b.svg": "image/svg+xml",
        "bucket/site/c.parquet": "application/vnd.apache.parquet",
        "bucket/site/d.js": "text/javascript; charset=utf-8",
        "bucket/site/e": "application/octet-stream",
    }
    assert Folder("s3://bucket/site").put(site(tmp_path, files)).written == 0
