"""Whether the files of a run are those that its manifest describes: torn and changed ones are told."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from bench.errors import StoreError
from bench.records import codec
from bench.store import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.store.runs import RunInfo, StoredRun


def check(run: StoredRun) -> None:
    """Hold the files in a run's folder against its manifest.

    Raises:
        StoreError: one is missing, can't be read, or is another.
    """
    for name in run.info.files:
        path = run.folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            message = f"{path} can't be read: {error.strerror}"
            raise StoreError(message) from error
        check_files({name: data}, run.info, f"{run.folder}/")


def info_of(files: Mapping[str, bytes], where: str) -> RunInfo:
    """What the files of a run from elsewhere, by name, say of it; they are held against that.

    Raises:
        StoreError: the manifest can't be read, or does not describe the others; `where` begins the line.
    """
    try:
        info = codec.decode(runs.RunInfo, json.loads(files.get(runs.MANIFEST, b"")))
    except (ValueError, TypeError, RecursionError) as error:
        message = f"{where}{runs.MANIFEST} can't be read as what a run says of itself"
        raise StoreError(message) from error
    if not runs.is_run_id(str(info.run_id)):
        message = f"{where}{info.run_id!r} is no run id"
        raise StoreError(message)
    check_files({k: v for k, v in files.items() if k != runs.MANIFEST}, info, where)
    return info


def check_files(files: Mapping[str, bytes], info: RunInfo, where: str) -> None:
    """Hold the content of files, by name, against what a run says of them.

    Raises:
        StoreError: one is not what it was when the run was finished; `where` begins the line.
    """
    told = dict(info.files) if isinstance(info.files, dict) else {}  # a page may be anybody's
    for name, data in files.items():
        facts = told.get(name)
        digest = facts.get("sha256") if isinstance(facts, dict) else None
        if digest != hashlib.sha256(data).hexdigest():
            message = (
                f"{where}{name} is not the file that run {info.run_id} finished with: "
                "it was changed or torn; take it from where it came from once more"
            )
            raise StoreError(message)
