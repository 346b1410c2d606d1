"""Website in a folder or in a bucket: every place that pyarrow, which is here anyway, has a file system for."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import fs

from bench.errors import StoreError
from bench.publish.website import Receipt
from bench.report.html.build import HEAD_BYTES
from bench.store import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.publish.website import Site

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".parquet": "application/vnd.apache.parquet",
}
"""File ending → content type, which buckets pass on to browsers: without it a page would be downloaded instead of
shown. RFC 9239 and 2046, and the IANA's list."""


class Folder:
    """A place by its path or by its URI (`s3://…`, `gs://…`, `file://…`).

    Raises:
        StoreError: there is no file system for such a URI, or it can't be reached.
    """

    def __init__(self, place: str) -> None:
        self.name = place
        self._system: Any
        with self._in_words():
            self._system, self._root = _opened(place)

    def beginnings(self) -> dict[str, bytes]:
        """Name → the beginning of each page that is there."""
        found = {}
        with self._in_words():
            files = self._system.get_file_info(fs.FileSelector(self._root, allow_not_found=True))
            for one in files:
                if one.is_file and one.extension == "html":
                    with self._system.open_input_stream(one.path) as file:
                        found[one.base_name] = file.read(HEAD_BYTES)
        return found

    def put(self, site: Site) -> Receipt:
        """Write the files that are missing or differ."""
        with self._in_words():
            self._system.create_dir(self._root, recursive=True)
            files = site.files.items()
            return Receipt(
                written=sum(self._written(name, path.read_bytes()) for name, path in files)
            )

    def _written(self, name: str, data: bytes) -> bool:
        """Whether the file had to be written; on a disk nobody sees half of one."""
        path = f"{self._root}/{name}"
        if self._holds(path, data):
            return False
        if isinstance(self._system, fs.LocalFileSystem):
            atomic.write(Path(path), data)
            return True
        kind = _KINDS.get(Path(name).suffix, "application/octet-stream")
        with self._system.open_output_stream(path, metadata={"Content-Type": kind}) as file:
            file.write(data)
        return True

    def _holds(self, path: str, data: bytes) -> bool:
        (there,) = self._system.get_file_info([path])
        if not there.is_file or there.size != len(data):
            return False
        with self._system.open_input_stream(path) as file:
            return bool(file.read() == data)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """What the file system objects to, as one line."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            said = str(error).partition("\n")[0].rstrip(".")
            message = f"{self.name} can't be published to: {said}; name another place with --to"
            raise StoreError(message) from error


def _opened(place: str) -> tuple[Any, str]:
    """The file system, and the path in it without a slash at its end."""
    if "://" in place:
        system, root = fs.FileSystem.from_uri(place)
        return system, root.rstrip("/")
    return fs.LocalFileSystem(), str(Path(place).absolute())
