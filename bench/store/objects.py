"""Objects of a store: named bytes in a folder or a bucket, read, written, listed, and created once (obstore).

What is created once decides between machines that know nothing of each other: of any number that try, one succeeds.
pyarrow's file systems, with which a bucket could be read, ignore that condition and let the last one win.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.store import runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:/)")
_BUCKET = re.compile(r"(s3|gs|az|abfss?)://[^/]+")
_RETRY = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
"""Of a request to a bucket; who makes one that fails for longer tries again, or does without. With options for the client
beside it, obstore would not take those of the environment (`AWS_ALLOW_HTTP`, proxies)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object as a listing tells of it; `at` is the time by the store's own clock."""

    key: str
    at: datetime
    size: int


def is_bucket(place: str) -> bool:
    """Whether a place is a bucket's address, not a folder."""
    return bool(_BUCKET.match(place))


class Objects:
    """The objects below one place.

    Args:
        place: a folder, or an address (`s3://bucket/prefix`). Credentials come from the environment, and are never
            shown.
        make: make the folder, if there is none.

    Raises:
        StoreError: there can be no store at that place.
    """

    def __init__(self, place: str | Path, *, make: bool = False) -> None:
        import obstore  # noqa: PLC0415 - only campaigns need it
        from obstore import exceptions, store  # noqa: PLC0415

        self._obstore, self._there_already = obstore, exceptions.AlreadyExistsError
        self.place = str(place)
        self.folder = None if is_bucket(self.place) else Path(self.place).absolute()
        if self.folder and (scheme := _ADDRESS.match(self.place)):
            message = (
                f"a store is a folder, or a bucket at s3://, gs:// or az://, not at {scheme[1]}"
            )
            raise StoreError(message)
        if "@" in self.place and not self.folder:
            message = (
                "an address of a bucket has no credentials in it; they come from the environment"
            )
            raise StoreError(message)
        if not make:
            self._check_there()
        try:
            if self.folder and make:
                runs.make_store(self.folder)
            self._store: Any = (
                store.LocalStore(self.folder)
                if self.folder
                else store.from_url(self.place, retry_config=_RETRY)  # type: ignore[call-overload]  # one for each kind of store
            )
        except Exception as error:
            raise StoreError(_why(self.place, error)) from error

    def read(self, key: str) -> bytes | None:
        """The bytes of an object, None where there is none.

        Raises:
            StoreError: the store can't be reached.
        """
        try:
            return bytes(self._obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            return None
        except Exception as error:
            raise StoreError(_why(self.place, error)) from error

    def create(self, key: str, data: bytes) -> bool:
        """Write an object unless it is there; whether this call wrote it.

        Raises:
            StoreError: the store can't be written.
        """
        self._check_there()
        try:
            self._obstore.put(self._store, key, data, mode="create")
        except self._there_already:
            return False
        except Exception as error:
            raise StoreError(_why(self.place, error)) from error
        return True

    def write(self, key: str, data: bytes) -> None:
        """Write an object, in place of what is there.

        Raises:
            StoreError: the store can't be written.
        """
        self._check_there()
        try:
            self._obstore.put(self._store, key, data)
        except Exception as error:
            raise StoreError(_why(self.place, error)) from error

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects.

        Raises:
            StoreError: the store can't be written.
        """
        try:
            for key in keys:
                with suppress(FileNotFoundError):
                    self._obstore.delete(self._store, key)
        except Exception as error:
            raise StoreError(_why(self.place, error)) from error

    def found(self, folder: str) -> Sequence[Found]:
        """The objects below a folder, in the order of their keys; all, where it is empty.

        Raises:
            StoreError: the store can't be reached.
        """
        try:
            return sorted(self._listed(folder), key=lambda one: one.key)
        except Exception as error:
            raise StoreError(_why(self.place, error)) from error

    def _listed(self, folder: str) -> Iterator[Found]:
        for chunk in self._obstore.list(self._store, folder or None):
            for one in chunk:
                yield Found(key=one["path"], at=one["last_modified"], size=one["size"])

    def _check_there(self) -> None:
        """See that the folder is there: it would be made anew, where a disk that is away was mounted."""
        if self.folder and not self.folder.is_dir():
            message = (
                f"the store {self.place} is not there, or is no folder; choose another with --store"
            )
            raise StoreError(message)

    def path(self, key: str) -> Path | None:
        """Where an object of a folder lies; None for a bucket."""
        return self.folder / key if self.folder else None

    def __str__(self) -> str:
        """The place."""
        return self.place


def _why(place: str, error: Exception) -> str:
    """One line: obstore's messages have a dump of the error behind them, which may hold what was sent."""
    said = next(
        (line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__
    )
    return f"the store {place} can't be used: {said[:200]}; choose another with --store"
