"""Campaigns over a real ssh, to hosts that share nothing with this one but the network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.fleet.real.running import Trial, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fleet.real.ssh_server import SshServer


@pytest.fixture(name="trial")
def _trial(ssh: SshServer, tmp_path: Path) -> Trial:
    # A user has the hosts in ~/.ssh/config; ssh finds that by the password file, which a test can't change.
    wrapper = tmp_path / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {ssh.folder}/config "$@"\n')
    wrapper.chmod(0o755)
    found = environment({})
    found["PATH"] = f"{wrapper.parent}:{found['PATH']}"
    more = f'hosts = ["h1", "root@h2"]\npython = "{sys.executable}"'
    return Trial(tmp_path, found, more, engine="ssh")


def test_results_of_hosts_are_fetched_and_nothing_is_left_running(
    trial: Trial, ssh: SshServer
) -> None:
    """Each host keeps its own claims; the follower may stop, and another one fetches the rest."""
    trial.begin()
    trial.wait_for_midst("h1", "h2")
    assert trial.interrupt() == 130
    trial.go_on()
    assert trial.end() == 0
    trial.check_whole()
    for name in ("h1", "h2"):
        (host,) = (ssh.home(name) / ".cache" / "tensorbench" / "fleet").iterdir()
        assert {
            path.name for path in (host / "campaigns" / "trial" / "visits" / "here").iterdir()
        } == {name}


def test_a_host_whose_key_is_not_known_is_refused(trial: Trial, ssh: SshServer) -> None:
    """In words, and the other one is measured all the same."""
    trial.more = trial.more.replace('"root@h2"', '"h3"')
    with (ssh.folder / "config").open("a") as config:
        config.write(
            f"Host h3\n  HostName 127.0.0.1\n  Port {ssh.port}\n  UserKnownHostsFile /dev/null\n"
        )
    trial.begin(deadline="20")
    assert trial.end() == 6
    states = {visit.node: visit for visit in trial.state().visits}
    assert states["h1"].state == "done"
    assert states["h3"].state == "unreached"
    assert "Host key verification failed" in states["h3"].reason
