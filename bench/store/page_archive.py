"""Page archive: runs inside an HTML page, and the run that `PAGE.html` or `PAGE.html#ID` names.

The files of a run are a zip, in base64, in an element that no browser runs. The zip's members are stored
as they are, for Parquet is compressed already: so a run makes the same bytes with every zlib, and no page
unpacks to more than it weighs. What comes out is a run folder like any other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.store import atomic, machine_cache
from bench.store.runs import CASES, MANIFEST, SAMPLES, StoredRun, verified_info

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KIND = "application/zip"
LIMIT_BYTES = 3_500_000
"""The most that the runs in a page may take, as text. One file is to stay below 10 MB, of which Plotly takes
4.9 MB and a page of a thousand cases 1.5 MB. Rows are always in, raw samples where they fit."""
_ID = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_OPENING = re.compile(rf'<script type="{KIND}" id="data-({_ID})"[^<>]*>'.encode())
_CLOSING, _LAST = b"</script>", b"</html>"
_UNREADABLE = (EOFError, OSError, ValueError, KeyError, RuntimeError)
"""Errors beside `BadZipFile` that zipfile raises for a broken zip; `RuntimeError` for an encrypted one."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can name: so the same run makes the same bytes whenever it is packed."""


class TornPageError(StoreError):
    """A page that carries a run, but not whole, or not as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A run as a page carries it: its zip in base64, and whether its raw samples are in there."""

    run_id: str
    text: str
    samples: bool

    @property
    def element(self) -> str:
        """The id of the element that holds it."""
        return f"data-{self.run_id}"

    @property
    def file(self) -> str:
        """What the zip is called once it is downloaded; unzipped in a store it is a run of it."""
        return f"{self.run_id}.zip"

    @property
    def script(self) -> str:
        """The element; nothing in it needs escaping."""
        return f'<script type="{KIND}" id="{self.element}">{self.text}</script>'


def embed(runs: Sequence[StoredRun], *, limit_bytes: int = LIMIT_BYTES) -> tuple[Embedded, ...]:
    """The runs of a page, with the raw samples of all of them or of none.

    Raises:
        StoreError: a run's files can't be read, or are not those that it finished with.
    """
    sizes = (_size(run.folder / name) for run in runs for name in (MANIFEST, CASES, SAMPLES))
    samples = sum(sizes) * 4 / 3 <= limit_bytes  # base64 writes three bytes as four letters
    return tuple(_embedded(run, samples=samples) for run in runs)


def pack(folder: Path, *, samples: bool) -> bytes:
    """A zip of a finished run's folder: the same bytes for the same run.

    Raises:
        StoreError: its files can't be read, or are not those that it finished with.
    """
    names = (MANIFEST, CASES, SAMPLES) if samples else (MANIFEST, CASES)
    try:
        files = {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        message = f"{error.filename} can't be read: {error.strerror}"
        raise StoreError(message) from error
    run = _run(folder, files, f"{folder}/")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(f"{run.info.run_id}/{name}", _EPOCH)
            member.create_system = 3  # a mode follows; on every system the same
            member.external_attr = 0o644 << 16
            archive.writestr(member, data)
    return packed.getvalue()


def unpack(page: Path) -> list[StoredRun]:
    """The runs in a page, each in a folder of the user's cache that is named by its content.

    Raises:
        TornPageError: one is torn, or is not what it says.
        StoreError: the page can't be read, or carries no run.
    """
    try:
        text = page.read_bytes()
    except FileNotFoundError:
        message = f"there is no page {page}"
        raise StoreError(message) from None
    except OSError as error:
        message = f"{page} can't be read: {error.strerror}"
        raise StoreError(message) from error
    if not text.rstrip().endswith(_LAST):
        raise _torn(page)
    found = [_unpacked(page, run_id, data) for run_id, data in _elements(page, text).items()]
    if not found:
        message = (
            f"{page} carries no run: one that bench report --single-file writes does; "
            "beside a page in a folder its rows are a .parquet, which bench.load reads"
        )
        raise StoreError(message)
    return found


def find_in_page(word: str) -> StoredRun | None:
    """The run that `PAGE.html` or `PAGE.html#BEGINNING-OF-ITS-ID` means; None if that is no page.

    Raises:
        StoreError: there is no such page, or no such run or several in it, or it is torn.
    """
    found = runs_in_page(word)
    if found is None or len(found) == 1:
        return found[0] if found else None
    page = _named(word)[0]
    ids = ", ".join(f"{page.name}#{run.info.run_id}" for run in found)
    message = f"{word!r} means {len(found)} runs; name one of {ids}"
    raise StoreError(message)


def runs_in_page(word: str) -> list[StoredRun] | None:
    """Every run that such a word means, as folders of the user's cache; None if that is no page.

    Raises:
        StoreError: there is no such page, or no such run in it, or it is torn.
    """
    page, beginning = _named(word)
    if page.suffix != ".html" or word.startswith(("label:", "tag:", "machine:", "git:")):
        return None
    found = unpack(page)
    matches = [run for run in found if run.info.run_id.startswith(beginning)]
    if not matches:
        ids = ", ".join(run.info.run_id for run in found)
        message = f"{word!r} means no run; {page} holds {ids}"
        raise StoreError(message)
    return matches


def _embedded(run: StoredRun, *, samples: bool) -> Embedded:
    text = base64.b64encode(pack(run.folder, samples=samples)).decode()
    return Embedded(run_id=run.info.run_id, text=text, samples=samples)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _elements(page: Path, text: bytes) -> dict[str, bytes]:
    """Run id → the zip, for each element that holds one."""
    found = {}
    for opening in _OPENING.finditer(text):
        end = text.find(_CLOSING, opening.end())
        if end < 0:
            raise _torn(page)
        try:
            data = base64.b64decode(text[opening.end() : end], validate=True)
        except binascii.Error as error:
            raise _torn(page) from error
        found[opening[1].decode()] = data
    return found


def _unpacked(page: Path, run_id: str, data: bytes) -> StoredRun:
    try:
        files = _members(run_id, data)
    except (zipfile.BadZipFile, *_UNREADABLE) as error:
        raise _torn(page) from error
    folder = machine_cache.cache_folder() / "pages" / hashlib.sha256(data).hexdigest()[:16] / run_id
    try:
        run = _run(folder, files, f"{page}: ")
    except StoreError as error:
        raise TornPageError(str(error)) from error
    if run.info.run_id != run_id:
        raise _torn(page)
    _keep(folder, files)
    return run


def _members(run_id: str, data: bytes) -> dict[str, bytes]:
    """File → content, the manifest last.

    Raises:
        ValueError: the members are others than those of a run, or are not stored plainly.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        names = sorted(member.filename for member in members)
        allowed = ([CASES, MANIFEST], [CASES, MANIFEST, SAMPLES])
        # a comment could hide the member that follows it
        plain = all(m.compress_type == zipfile.ZIP_STORED and not m.comment for m in members)
        if not plain or names not in [[f"{run_id}/{name}" for name in one] for one in allowed]:
            raise ValueError
        files = {m.filename.rpartition("/")[2]: archive.read(m) for m in members}
    return {name: files[name] for name in sorted(files, key=MANIFEST.__eq__)}


def _run(folder: Path, files: Mapping[str, bytes], where: str) -> StoredRun:
    """The run that these files are.

    Raises:
        StoreError: the manifest can't be read, or does not describe the others.
    """
    info = verified_info(files, where)
    return StoredRun(folder=folder, info=info, finished=True)


def _torn(page: Path) -> TornPageError:
    message = (
        f"{page} is torn, or was changed: what it carries is not a whole run; get it once more"
    )
    return TornPageError(message)


def _keep(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files that are not there yet; others may be doing the same."""
    try:
        for name, data in files.items():
            path = folder / name
            if not path.is_file() or path.read_bytes() != data:
                atomic.write(path, data)
    except OSError as error:
        message = (
            f"a page can't be unpacked in {folder}: {error.strerror}; "
            "name a folder that can be written in TENSORBENCH_CACHE"
        )
        raise StoreError(message) from error


def _named(word: str) -> tuple[Path, str]:
    """The page, and the beginning of a run's id."""
    if word.endswith(".html"):
        return Path(word), ""
    path, _, beginning = word.rpartition("#")
    return Path(path), beginning
