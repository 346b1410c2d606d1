"""Real schedulers and servers. Nothing is skipped: a check that passes where there is no Slurm is none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fleet.real import slurm_cluster, ssh_server
from tests.fleet.real.slurm_cluster import SlurmCluster
from tests.fleet.real.ssh_server import SshServer

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    """Say what is missing, and how to have it."""
    wanted = (*slurm_cluster.PROGRAMS, *ssh_server.PROGRAMS)
    missing = [name for name in wanted if not ssh_server.found(name).startswith("/")]
    if missing:
        packages = "apt-get install --no-install-recommends slurm-wlm munge openssh-server"
        message = f"{', '.join(missing)} can't be found; as root: {packages}"
        raise pytest.UsageError(message)
    if os.getuid():
        message = "Slurm's daemons are root's; run this as root"
        raise pytest.UsageError(message)


@pytest.fixture(name="slurm", scope="session")
def _slurm() -> Iterator[SlurmCluster]:
    # Not pytest's own folder: a socket's path has a hundred letters at most.
    with tempfile.TemporaryDirectory(prefix="tb-slurm-") as name:
        cluster = SlurmCluster(Path(name))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(name="ssh")
def _ssh() -> Iterator[SshServer]:
    with tempfile.TemporaryDirectory(prefix="tb-ssh-") as name:
        server = SshServer(Path(name), ("h1", "h2"))
        try:
            server.start()
            yield server
        finally:
            server.stop()
