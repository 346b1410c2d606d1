"""Slurm cluster on this machine: munged, slurmctld and a few slurmds on the loopback, below one folder.

Every node has the cores of this machine and the same host name, so that nothing here is a time: it is about what is
begun, ended, begun again and stored. Must be root, as Slurm's daemons are; needs Debian's slurm-wlm and munge.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
SBIN = ("/usr/sbin", "/sbin")
_WAIT_S = 30.0
_CONF = """\
ClusterName=here
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire={requeue_s}
CredType=cred/munge
CommunicationParameters=NoAddrCache
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobcomp.txt
SlurmctldTimeout=10
SlurmdTimeout=2
MessageTimeout=2
TCPTimeout=2
KillWait=5
CompleteWait=0
InactiveLimit=0
MinJobAge=300
Waittime=0
BatchStartTimeout=10
UnkillableStepTimeout=20
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
MaxArraySize=4
SlurmdParameters=config_overrides
"""
"""What a test waits for is short here: a node that is silent for 2 s is down, and a job that lost its node may begin again
after `cred_expire` (Slurm's own default for both is two minutes)."""


@dataclass(slots=True)
class SlurmCluster:
    """A cluster below a folder.

    Args:
        folder: of its state and logs.
        count: of its nodes, `n1` and so on.
    """

    folder: Path
    count: int = 4
    requeue_s: int = 5
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def names(self) -> list[str]:
        """Its nodes."""
        return [f"n{number}" for number in range(1, self.count + 1)]

    @property
    def environ(self) -> dict[str, str]:
        """What Slurm's programs need to find it."""
        path = os.pathsep.join((*SBIN, os.environ.get("PATH", "")))
        return {**os.environ, "PATH": path, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def start(self) -> None:
        """Start all daemons, and wait until every node is idle."""
        self._configure()
        self._start_munge()
        self._run("slurmctld", "-c", "-f", self.folder / "slurm.conf")
        for name in self.names:
            self.revive(name)
        wait_for(lambda: set(self.states().values()) == {"idle"}, f"nodes are {self.states()}")

    def stop(self) -> None:
        """End all daemons, and what their jobs have left."""
        for name in self.names:
            self.crash(name)
        for pid_file in ("slurmctld.pid", "munge/munged.pid"):
            self._end(self._pid(pid_file), signal.SIGTERM)

    def revive(self, name: str) -> None:
        """Start the daemon of a node."""
        (self.folder / f"slurmd.{name}.pid").unlink(missing_ok=True)
        self._run("slurmd", "-N", name, "-f", self.folder / "slurm.conf")

    def lose(self, name: str) -> None:
        """End the daemon of a node alone: its job lives on, though Slurm takes the node for dead."""
        self._end(self._pid(f"slurmd.{name}.pid"), signal.SIGKILL)

    def crash(self, name: str) -> None:
        """End a node as a power cut does: its daemon, and everything that it runs, at once."""
        self.lose(name)
        for _ in range(3):  # what a process starts while others are ended is found by the next look
            for pid in self._processes_of(name):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def states(self) -> dict[str, str]:
        """Node → its state."""
        told = self.ask("sinfo", "-h", "-N", "-p", "all", "-o", "%N %T").split("\n")
        return dict(line.split() for line in told if line)

    def ask(self, *argv: str) -> str:
        """What one of Slurm's programs prints."""
        done = subprocess.run(argv, env=self.environ, capture_output=True, text=True, check=True)
        return done.stdout

    def ended(self) -> list[str]:
        """How each attempt at a job ended, as Slurm noted it."""
        lines = (self.folder / "jobcomp.txt").read_text().splitlines()
        return [
            word.removeprefix("JobState=")
            for line in lines
            for word in line.split()
            if word.startswith("JobState=")
        ]

    def _configure(self) -> None:
        for name in ("munge", "state", "log", *(f"spool/{n}" for n in self.names)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # munge refuses a socket that others can't reach
        (self.folder / "munge").chmod(0o711)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        lines = [_CONF.format(folder=self.folder, port=self.port, requeue_s=self.requeue_s)]
        for name, port in zip(self.names, free_ports(self.count), strict=True):
            lines.append(
                f"NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} "
                "CPUs=2 Boards=1 SocketsPerBoard=1 CoresPerSocket=2 ThreadsPerCore=1 "
                "RealMemory=4096 Feature=fake State=UNKNOWN\n"
            )
        among = ",".join(self.names)
        for name, tier, mode in (
            ("all", 10, "OFF"),
            ("spot", 1, "REQUEUE"),
            ("cancel", 1, "CANCEL"),
        ):
            default = "YES" if name == "all" else "NO"
            lines.append(
                f"PartitionName={name} Nodes={among} Default={default} PriorityTier={tier} "
                f"PreemptMode={mode} MaxTime=60 State=UP\n"
            )
        (self.folder / "slurm.conf").write_text("".join(lines))

    def _start_munge(self) -> None:
        place = self.folder / "munge"
        files = {"key-file": "key", "socket": "socket", "pid-file": "munged.pid"}
        files |= {"log-file": "munged.log", "seed-file": "seed"}
        self._run("munged", *(f"--{option}={place / name}" for option, name in files.items()))

    def _run(self, *argv: object) -> None:
        subprocess.run(
            [str(word) for word in argv], env=self.environ, check=True, capture_output=True
        )

    def _pid(self, name: str) -> int | None:
        with suppress(OSError, ValueError):
            return int((self.folder / name).read_text())
        return None

    def _end(self, pid: int | None, how: signal.Signals) -> None:
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        wait_for(lambda: not _lives(pid), f"process {pid} lives on")

    def _processes_of(self, name: str) -> Iterator[int]:
        """Processes of a node's jobs, known by their environment, and the daemons that watch over these."""
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                told = (place / "environ").read_bytes().split(b"\0")
                of_here = f"SLURM_CONF={self.folder / 'slurm.conf'}".encode() in told
                if of_here and f"SLURMD_NODENAME={name}".encode() in told:
                    parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                    if (Path("/proc") / str(parent) / "comm").read_text().strip() == "slurmstepd":
                        yield parent
                    yield int(place.name)


def missing() -> list[str]:
    """The programs that are not here."""
    path = os.pathsep.join((*SBIN, os.environ.get("PATH", "")))
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    opened = [socket.socket() for _ in range(count)]
    try:
        for one in opened:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in opened]
    finally:
        for one in opened:
            one.close()


def wait_for(holds: Callable[[], bool], otherwise: str, most_s: float = _WAIT_S) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it does not, for too long.
    """
    ends_s = time.monotonic() + most_s
    while time.monotonic() < ends_s:
        with suppress(subprocess.CalledProcessError):
            if holds():
                return
        time.sleep(0.1)
    raise TimeoutError(otherwise)


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False
