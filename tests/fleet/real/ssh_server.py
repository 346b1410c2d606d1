"""SSH server on the loopback, with keys of its own: the machine's users, keys and configuration have no part in it."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.fleet.real.slurm_cluster import SBIN, free_ports, wait_for

PROGRAMS = ("sshd", "ssh", "ssh-keygen")
_SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PidFile {folder}/sshd.pid
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin yes
"""
_CLIENT = """\
Host {name}
  HostName 127.0.0.1
  HostKeyAlias server
  Port {port}
  User {user}
  IdentityFile {folder}/key-{name}
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
"""


@dataclass(slots=True)
class SshServer:
    """A server that stands for several hosts, and a client's configuration that knows these.

    Args:
        folder: of keys, logs, and a home for each host.
        names: of the hosts. Which home a connection gets follows from its key.
    """

    folder: Path
    names: tuple[str, ...]
    port: int = field(default_factory=lambda: free_ports(1)[0])
    _process: subprocess.Popen[bytes] | None = None

    @property
    def program(self) -> tuple[str, ...]:
        """The client, which knows these hosts and no others."""
        return ("ssh", "-F", str(self.folder / "config"))

    def home(self, name: str) -> Path:
        """The home of a host."""
        return self.folder / "homes" / name

    def start(self) -> None:
        """Start it, and wait until it answers."""
        for name in self.names:
            self.home(name).mkdir(parents=True)
        keys = {name: self._key(f"key-{name}") for name in self.names}
        allowed = [f'command="{self._shell(name)}" {key}\n' for name, key in keys.items()]
        self._write("authorized_keys", "".join(allowed))
        self._write("known_hosts", f"server {self._key('host')}\n")
        self._write("sshd_config", _SERVER.format(port=self.port, folder=self.folder))
        of_hosts = (self._client(name) for name in self.names)
        self._write("config", "".join(of_hosts))
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(
                exist_ok=True
            )  # sshd of root wants it, and Debian's service makes it
        argv = [
            found("sshd"),
            "-D",
            "-f",
            str(self.folder / "sshd_config"),
            "-E",
            str(self.folder / "log"),
        ]
        self._process = subprocess.Popen(argv)
        wait_for(lambda: self.reaches(self.names[0]), "the ssh server does not answer")

    def reaches(self, name: str) -> bool:
        """Whether a host answers."""
        return (
            subprocess.run(
                [*self.program, name, "true"], check=False, capture_output=True
            ).returncode
            == 0
        )

    def stop(self) -> None:
        """End it; what was begun through it lives on."""
        if self._process:
            self._process.terminate()
            self._process.wait()

    def _client(self, name: str) -> str:
        return _CLIENT.format(name=name, port=self.port, user=getpass.getuser(), folder=self.folder)

    def _shell(self, name: str) -> str:
        home = self.home(name)
        return f'cd {home}; HOME={home} exec sh -c \\"$SSH_ORIGINAL_COMMAND\\"'

    def _key(self, name: str) -> str:
        """Make a key; its public half."""
        path = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        return path.with_suffix(".pub").read_text().strip()

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)


def found(name: str) -> str:
    """Where a program is, which may be among those of root."""
    path = os.pathsep.join((*SBIN, os.environ.get("PATH", "")))
    return shutil.which(name, path=path) or name
