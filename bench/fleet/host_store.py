"""Store of a host: the scripts that look into it over ssh, and what is taken over from it into the campaign's store.

What a host sends is checked before it is kept: names of the forms that a visit writes, of this host alone; a run is
three files that its manifest describes.
"""

from __future__ import annotations

import io
import re
import shlex
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import BenchError, StoreError
from bench.store import claims, runs
from bench.store.campaigns import PLAN, key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bench.store.objects import Objects

MOST_NOTE_BYTES = 4096
_MOST_RUN_BYTES = 2**28
_FILES = (runs.MANIFEST, runs.CASES, runs.SAMPLES)
_PID = "visit.pid"
_RUNNING = "running "
_NOTE = re.compile(r"\d+/(\d+\.(claim|interrupted|failed)|(?P<run>[\w-]+)\.(run|extra))")
"""What a visit writes below its node, but for its beats."""
_JOB = re.compile(r"[\w.-]{1,80}")


class ForeignRunError(BenchError):
    """A host that sends something else than the run that it said it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What a host is told of itself before a visit."""

    pool: str
    node: str
    failed: bool
    """Whether what it has noted of failures still holds: after a retry it does not."""
    confirms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The notes of a host's visits, by their keys."""

    prefix: str
    keys: tuple[str, ...]

    @classmethod
    def of(cls, lines: Iterable[str], campaign: str, place: tuple[str, str]) -> Listing:
        """Those lines of a look that are such keys."""
        visits, failed, excluded = (
            key(campaign, kind, *place)
            for kind in (claims.VISITS, claims.FAILURES, claims.EXCLUDED)
        )
        found = []
        for line in lines:
            below = line.removeprefix(f"{visits}/")
            job = line.removeprefix(f"{failed}/")
            if (
                (below != line and _NOTE.fullmatch(below))
                or line == excluded
                or (job != line and _JOB.fullmatch(job))
            ):
                found.append(line)
        return cls(prefix=key(campaign), keys=tuple(found))

    def runs_beyond(self, has: Collection[str]) -> list[str]:
        """The runs that are told of by keys which the store lacks."""
        names = (one.rpartition("/")[2] for one in self.keys if one not in has)
        ids = (name.rpartition(".")[0] for name in names if name.endswith((".run", ".extra")))
        return [run_id for run_id in dict.fromkeys(ids) if runs.is_run_id(run_id)]

    def notes_beyond(self, has: Collection[str]) -> list[str]:
        """The keys that the store lacks, but of runs that could not be fetched."""
        found = []
        for one in self.keys:
            name, _, kind = one.rpartition("/")[2].rpartition(".")
            if one not in has and (kind not in {"run", "extra"} or name in has):
                found.append(one)
        return found


def look_script(place: str, campaign: str) -> str:
    """Say whether a visit is under way, and list what visits have noted."""
    below = shlex.quote(key(campaign))
    kinds = " ".join(
        f"{below}/{kind}" for kind in (claims.VISITS, claims.FAILURES, claims.EXCLUDED)
    )
    return (
        f"cd {place} 2>/dev/null || exit 0; p=$(cat {below}/{_PID} 2>/dev/null); "
        # The number of a process is used again some day, by another program.
        f'if [ -n "$p" ] && kill -0 "$p" 2>/dev/null && '
        f'{{ ps -p "$p" -o args= 2>/dev/null || echo fleet visit; }} | grep -q "fleet visit"; '
        f'then echo "{_RUNNING}$p"; fi; find {kinds} -type f 2>/dev/null; true'
    )


def running(lines: Sequence[str]) -> str:
    """The process of the visit under way, empty where none is."""
    pids = (line.removeprefix(_RUNNING) for line in lines if line.startswith(_RUNNING))
    return next((pid for pid in pids if pid.isdecimal()), "")


def plan_script(place: str, campaign: str, state: HostState) -> str:
    """Write the plan that comes as input, unless it is there, and what the host has to know."""
    below = f"{place}/{shlex.quote(key(campaign))}"
    node = f"{shlex.quote(state.pool)}/{shlex.quote(state.node)}"
    lines = [
        f"set -e; mkdir -p {below}; cat > {below}/{PLAN}.$$",
        f"[ -e {below}/{PLAN} ] || mv {below}/{PLAN}.$$ {below}/{PLAN}; rm -f {below}/{PLAN}.$$",
    ]
    if not state.failed:
        lines.append(f"rm -rf {below}/{claims.FAILURES}/{node} {below}/{claims.EXCLUDED}/{node}")
    if state.confirms:
        pool = f"{below}/{claims.CONFIRM}/{shlex.quote(state.pool)}"
        lines.append(f"mkdir -p {pool}; : > {below}/{claims.CONFIRM}/{node}")
    return "; ".join(lines) + "; "


def begin_script(place: str, campaign: str, command: str, setup: Sequence[str]) -> str:
    """Begin a visit that outlives the connection, and say which process it is."""
    below = f"{place}/{shlex.quote(key(campaign))}"
    inner = "; ".join((*setup, "cd", f"exec {command}"))  # its store may be below the home
    return (
        f"set -e; mkdir -p {below}/log; "
        f'nohup sh -c {shlex.quote(inner)} >> {below}/log/"$(uname -n)".txt 2>&1 < /dev/null & '
        f"echo $! > {below}/{_PID}; cat {below}/{_PID}"
    )


def run_script(place: str, run_id: str) -> str:
    """Send the files of a run."""
    return f"cd {place}/{shlex.quote(run_id)} && tar -cf - {' '.join(_FILES)}"


def note_script(place: str, name: str) -> str:
    """Send a note."""
    return f"head -c {MOST_NOTE_BYTES} {place}/{shlex.quote(name)}"


def keep_run(objects: Objects, data: bytes, run_id: str, node: str) -> None:
    """Keep a run that a host sent, its manifest last.

    Raises:
        ForeignRunError: it is not what it should be.
        StoreError: the store can't be written.
    """
    files = _unpacked(data, node)
    try:
        info = runs.verified_info(files, f"{node}: ")
    except StoreError as error:
        raise ForeignRunError(str(error)) from error
    if info.run_id != run_id or info.tags.get("node") != node:
        message = (
            f"{node} sent run {info.run_id} of {info.tags.get('node')} in place of its {run_id}"
        )
        raise ForeignRunError(message)
    for name in (runs.CASES, runs.SAMPLES, runs.MANIFEST):
        objects.write(f"{run_id}/{name}", files[name])


def _unpacked(data: bytes, node: str) -> dict[str, bytes]:
    """The files of a run in an archive; nothing of it is written."""
    found: dict[str, bytes] = {}
    left = _MOST_RUN_BYTES
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name in _FILES else None
                if file and member.size <= left:
                    found[member.name] = file.read()
                    left -= member.size
    except (tarfile.TarError, ValueError, EOFError) as error:
        message = f"{node} sent no run: {error}"
        raise ForeignRunError(message) from error
    if missing := set(_FILES) - set(found):
        message = f"{node} sent a run without {', '.join(sorted(missing))}"
        raise ForeignRunError(message)
    return found
