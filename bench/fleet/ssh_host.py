"""Host reached by ssh: one command at a time on each of many, over connections that are kept and then closed.

The user's own keys and configuration hold. Host keys must be known: one that is new or has changed is refused, since
nobody is there to be asked. No agent is forwarded, and nothing stays on a host but the visit that was begun there.
"""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AT_ONCE = 16
_CONNECT_S, _ANSWER_S = 10, 120.0
_OPTIONS = (
    *("BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no", "ForwardX11=no"),
    *(f"ConnectTimeout={_CONNECT_S}", "ServerAliveInterval=15", "ServerAliveCountMax=4"),
    *("ControlMaster=auto", "ControlPersist=120", "LogLevel=ERROR"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command on a host printed, and how it ended; 255 is ssh's own failure."""

    code: int
    out: bytes
    said: str
    """The last line of its errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A script for a host's shell, and what it reads."""

    script: str
    data: bytes = b""


class SshHosts:
    """Connections to hosts.

    Args:
        program: `ssh`, with options that come before these; tests have it read a configuration of their own.
    """

    def __init__(self, program: tuple[str, ...] = ("ssh",)) -> None:
        self._program = program
        self._folder: Path | None = None
        self._number: dict[str, int] = {}

    def ask(self, questions: Mapping[str, Question]) -> dict[str, Answer]:
        """Run a script on each of these hosts, several at a time.

        Raises:
            SettingsError: there is no ssh here.
        """
        if not questions:
            return {}
        if shutil.which(self._program[0]) is None:
            message = f"there is no {self._program[0]} here; install OpenSSH's client"
            raise SettingsError(message)
        for host in questions:
            self._number.setdefault(host, len(self._number))
        return asyncio.run(self._asked(questions))

    def close(self) -> None:
        """Close the connections."""
        if self._folder is None:
            return
        asyncio.run(self._closed(self._number))
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    async def _asked(self, questions: Mapping[str, Question]) -> dict[str, Answer]:
        limit = asyncio.Semaphore(_AT_ONCE)

        async def ask(host: str, question: Question) -> Answer:
            async with limit:
                # Whatever the user's login shell is, it has one command to read.
                return await self._run(
                    host, ("sh", "-c", shlex.quote(question.script)), question.data
                )

        found = await asyncio.gather(*(ask(host, one) for host, one in questions.items()))
        return dict(zip(questions, found, strict=True))

    async def _closed(self, hosts: Iterable[str]) -> None:
        await asyncio.gather(*(self._run(host, (), b"", "-O", "exit") for host in hosts))

    async def _run(self, host: str, command: tuple[str, ...], data: bytes, *more: str) -> Answer:
        options = [word for option in self._options(host) for word in ("-o", option)]
        process = await asyncio.create_subprocess_exec(
            *(*self._program, *options, *more, "--", host, *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(data), _ANSWER_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            return Answer(code=255, out=b"", said=f"no answer for {_ANSWER_S:.0f} s")
        lines = err.decode(errors="replace").strip().splitlines()
        return Answer(code=process.returncode or 0, out=out, said=lines[-1] if lines else "")

    def _options(self, host: str) -> tuple[str, ...]:
        if self._folder is None:  # short, as the path of a socket must be, and nobody else's
            self._folder = Path(tempfile.mkdtemp(prefix="tb-ssh-"))
        # Not ssh's own `%C`: names that lead to one address may still be different machines.
        return (*_OPTIONS, f"ControlPath={self._folder}/{self._number[host]}")
