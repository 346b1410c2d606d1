"""Slurm engine: visits as elements of job arrays, each on a whole node of the scheduler's choice.

`sbatch`, `squeue`, `sinfo`, `scontrol` and `scancel` are called as programs. Accounting (`sacct`) is not needed, since
many clusters have none; what was measured is known by the store, never by the scheduler.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

from bench.errors import SettingsError
from bench.fleet.engine import EngineError, Job, Node
from bench.records.campaign import WARNING_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from bench.records.campaign import Pool

    Call = Callable[[Sequence[str], str], str]
    """Runs a program with some input; gives what it printed."""

_TIMEOUT_S = 60.0
_LATER = re.compile(
    r"MaxSubmit|MaxJobs|submit limit|max.*limit|temporarily|has not answered|Socket timed out|Unable to contact",
    re.IGNORECASE,
)
"""Refusals that mean "not now": limits on how much one may have in the queue, and a controller that does not answer."""
_SIMPLE = re.compile(r"[\w.-]+([&|][\w.-]+)*")
_IDLE, _BUSY = (
    {"idle"},
    {"allocated", "mixed", "completing", "reserved", "planned", "maint", "idle~"},
)
_DEFAULT_ARRAY = 1001


def _called(argv: Sequence[str], text: str) -> str:
    """Run a program of Slurm.

    Raises:
        EngineError: it fails, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 - Slurm's, with arguments that are no shell's
            argv, input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        message = f"there is no {argv[0]} here; run this where Slurm's programs are (a login node)"
        raise SettingsError(message) from error
    except subprocess.TimeoutExpired as error:
        message = f"{argv[0]} has not answered for {_TIMEOUT_S:.0f} s"
        raise EngineError(message) from error
    if done.returncode:
        said = " ".join(done.stderr.split())[:300] or f"exit code {done.returncode}"
        message = f"{argv[0]}: {said}"
        raise EngineError(message)
    return done.stdout


class SlurmEngine:
    """Visits of one campaign on one partition.

    Args:
        pool: how they are started.
        identity: of the plan, by which jobs are known from any machine.
        command: of a visit on a node.
        log: file for what visits print, with Slurm's patterns.
        call: runs Slurm's programs; tests pass their own.
    """

    def __init__(
        self, pool: Pool, identity: str, command: Sequence[str], log: str, call: Call = _called
    ) -> None:
        self._pool, self._command, self._log, self._call = pool, tuple(command), log, call
        self._job_name = f"tb-{identity}-{pool.name}"
        self._mine = ("-u", _user(), "-n", self._job_name)
        self._settings = ""

    def nodes(self) -> Sequence[Node]:
        """The nodes of the partition that meet the constraint."""
        asked = ["--partition", self._pool.partition] if self._pool.partition else []
        listed = self._call(["sinfo", "-h", "-N", *asked, "-o", "%N|%T|%f|%E"], "")
        found: dict[str, Node] = {}
        for line in listed.splitlines():
            name, state, features, why = (*line.split("|", 3), "", "", "")[:4]
            if name and meets(self._pool.constraint, features.split(",")):
                found[name] = _node(name, state, why)
        return tuple(found.values())

    def submit(self, visits: int, *, among: Sequence[str], avoid: Sequence[str]) -> int:
        """Submit arrays; one job for each node where these are named, since elements of an array share their nodes."""
        if among:
            return sum(self._submitted(1, ["--nodelist", node]) for node in among[:visits])
        where = ["--exclude", ",".join(avoid)] if avoid else []
        taken = 0
        while taken < visits:
            now = self._submitted(min(visits - taken, self._array_limit()), where)
            taken += now
            if not now:
                break
        return taken

    def _submitted(self, visits: int, where: Sequence[str]) -> int:
        limit = f"%{self._pool.at_most}" if self._pool.at_most else ""
        array = f"--array=0-{visits - 1}{limit}"
        try:
            self._call(["sbatch", "--parsable", array, *self._options(), *where], self.script())
        except EngineError as error:
            if _LATER.search(str(error)):
                return 0
            message = f"{error}; see [pool.{self._pool.name}] of fleet.toml, and plan anew under another name"
            raise SettingsError(message) from error
        return visits

    def _options(self) -> list[str]:
        """What a visit asks for: a whole node, and nothing of Slurm's at work on it meanwhile."""
        pool = self._pool
        named = ("partition", "constraint", "account", "qos", "reservation")
        minutes = max(1, round(pool.time_s / 60))
        return [
            *(f"--job-name={self._job_name}", "--nodes=1", "--ntasks=1", "--exclusive", "--mem=0"),
            *(f"--{name}={value}" for name in named if (value := getattr(pool, name))),
            *([f"--gres=gpu:{pool.gpus}"] if pool.gpus else []),
            *(f"--time={minutes}", "--requeue", "--open-mode=append", f"--output={self._log}"),
            f"--signal=B:TERM@{WARNING_S:.0f}",
            "--export=NIL",
            *self._unsampled(),
            *pool.options,
        ]

    def _unsampled(self) -> list[str]:
        """Keep Slurm from looking through the processes of the job every 30 s.

        Where memory is handed out, it needs that to see that nobody takes more, and jobs that ask for less are held.
        """
        if "MEMORY" in self._setting("SelectTypeParameters"):
            return []
        return ["--acctg-freq=task=0,energy=0,network=0,filesystem=0"]

    def script(self) -> str:
        """The batch script: no `srun`, which since 22.05 has one core where it is not told better."""
        return "\n".join(
            (
                "#!/bin/bash -l",  # a login shell, since nothing of the environment here comes along
                *self._pool.setup,
                f"{shlex.join(self._command)} &",
                "visit=$!",
                # Slurm tells the shell alone at a time limit, and every process at a preemption.
                "trap 'kill -TERM \"$visit\" 2>/dev/null' TERM",
                'wait "$visit"; code=$?',
                # A trap ends the wait early.
                'while kill -0 "$visit" 2>/dev/null; do wait "$visit"; code=$?; done',
                # A visit that was told to end and has kept what it had is no failed job.
                '[ "$code" = 143 ] && code=0',
                'exit "$code"',
                "",
            )
        )

    def jobs(self) -> Sequence[Job]:
        """The user's jobs of that name."""
        listed = self._call(["squeue", "-h", "-r", *self._mine, "-o", "%i|%T|%N|%n|%r"], "")
        return tuple(_job(line) for line in listed.splitlines() if line.count("|") >= 4)  # noqa: PLR2004

    def cancel(self, states: Collection[str]) -> None:
        """Take back the jobs that are in one of these states."""
        ids = [job.id for job in self.jobs() if job.state in states]
        if ids:
            self._call(["scancel", *ids], "")

    def gather(self) -> None:
        """Nodes write into the store themselves."""

    def close(self) -> None:
        """Jobs go on by themselves."""

    def _array_limit(self) -> int:
        """The most elements of an array."""
        return max(1, int(self._setting("MaxArraySize") or _DEFAULT_ARRAY) - 1)

    def _setting(self, name: str) -> str:
        """One of the cluster's settings, empty where it has none of that name."""
        if not self._settings:
            self._settings = self._call(["scontrol", "show", "config"], "")
        found = re.search(rf"^{name}\s*=\s*(\S+)", self._settings, re.MULTILINE)
        return found[1] if found else ""


def _user() -> str:
    """This user's name; the number where the machine knows none, which Slurm takes too."""
    import pwd  # noqa: PLC0415 - Windows has none, and no Slurm

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def meets(constraint: str, features: Sequence[str]) -> bool:
    """Whether a node of these features meets a constraint of names with `&` and `|`, which Slurm reads left to right.

    Raises:
        SettingsError: the constraint is of another form.
    """
    if not constraint:
        return True
    if not _SIMPLE.fullmatch(constraint):
        message = f"constraint = {constraint!r} is not made of features with & or |; which nodes meet it can't be told"
        raise SettingsError(message)
    first, *rest = re.split(r"([&|])", constraint)
    met = first in features
    for sign, name in zip(rest[::2], rest[1::2], strict=True):
        met = (met and name in features) if sign == "&" else (met or name in features)
    return met


def _node(name: str, state: str, why: str) -> Node:
    """A node as `sinfo` has it; what follows the state's name says that it does not answer, or sleeps."""
    plain = state.rstrip("*~#!%$@^+-").lower()
    lost = state.endswith("*")
    reason = "" if why in {"none", ""} else f" ({why})"
    if plain in _IDLE and not lost:
        return Node(name=name, state="idle")
    if plain in _BUSY and not lost:
        return Node(name=name, state="busy", reason=f"it is {plain}{reason}")
    return Node(
        name=name,
        state="down",
        reason=f"it is {plain}{' and does not answer' if lost else ''}{reason}",
    )


def _job(line: str) -> Job:
    number, state, at, wanted, why = line.split("|", 4)
    one_node = at or ("" if re.search(r"[,\[(]", wanted) else wanted)
    if state in {"RUNNING", "COMPLETING"}:
        return Job(id=number, state="running", node=one_node)
    held = "held" in why.lower()
    reason = "" if why == "None" else why  # not looked at yet
    return Job(id=number, state="held" if held else "waiting", node=one_node, reason=reason)
